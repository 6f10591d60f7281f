"""The result page: what reviewers must find on it, and what may never stand on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

PAGES = {f"{page}{end}.html" for page in ("index", "plan", "expectations", "dictionary") for end in ("", ".en")}


def text_of(page: str) -> str:
    """What a reader sees: without tags and style, white space made one."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def row_of(page: str, what: str) -> str:
    """The text of the one table row that holds `what`."""
    rows = [text_of(row) for row in re.findall(r"<tr>.*?</tr>", page, flags=re.DOTALL) if what in row]
    assert len(rows) == 1, rows
    return rows[0]


def test_every_page_is_there_in_both_languages_and_links_the_others(run: Any) -> None:
    pages = run.write()
    assert set(pages) == PAGES
    for name, page in pages.items():
        assert f'<html lang="{"en" if name.endswith(".en.html") else "ko"}">' in page
        links = set(re.findall(r'href="([^"]+)"', page))
        same = {one for one in PAGES if one.endswith(".en.html") == name.endswith(".en.html")}
        assert same <= links
        assert len(links - same) == 1  # the same page in the other language
        assert links <= PAGES


def test_pages_need_nothing_from_elsewhere(run: Any) -> None:
    for page in run.write().values():
        assert not re.search(r"""(?:href|src|url\(|@import)\s*[=("']*\s*(?:https?:)?//""", page)
        assert "<script" not in page
        assert "<link" not in page
        assert "@font-face" not in page
        assert "default-src 'none'" in page  # the browser refuses what would be loaded all the same


def test_the_verdict_stands_first_and_says_what_was_compared(run: Any) -> None:
    page = run.write()["index.html"]
    body = text_of(page)
    assert body.index("자동 점검 통과") < body.index("1. 개요")
    assert 'class="verdict good"' in page
    assert "비교한 행 37,301, 다른 행 0" in body
    assert "기대 조건 225개 중 225개 충족" in body  # 222 columns and 3 about the table


def test_an_unfit_run_names_what_failed_and_offers_rejection_alone(run: Any) -> None:
    failed = [
        {**one, "success": False, "counts": {"misfits": 12}} if one["column"] == "age" else one
        for one in run.result["expectations"]
    ]
    unfit = run.having(result={**run.result, "verdict": "unfit", "expectations": failed})
    page = unfit.write()["index.html"]
    assert 'class="verdict "' in page
    assert "자동 점검 불합격" in text_of(page)
    assert "expect_cells_in_image_of_chain age misfits: 12" in text_of(page)
    assert "--outcome rejected" in page
    assert "--outcome approved" not in page
    assert "gamyeong publish" not in page


def test_a_difference_that_verify_found_is_told_by_place_and_rows(run: Any) -> None:
    found = [{"what": "cells", "place": "age", "rows": 4}, {"what": "fact", "place": "total", "rows": None}]
    tables = {"retail": {"rows": 37_301, "rows_different": 4, "differences": found}}
    page = run.having(verify={**run.verify, "verdict": "different", "tables": tables}).write()["index.html"]
    assert "비교한 행 37,301, 다른 행 4" in text_of(page)
    assert "retail 칸: age (4행)" in text_of(page)
    assert re.search(r"측정값: <code>total</code></span>", page)
    assert 'class="verdict "' in page


def test_of_many_differences_the_first_ten_are_told_and_the_rest_counted(run: Any) -> None:
    names = [column.name for column in run.pipeline.table().columns]
    found = [{"what": "cells", "place": name, "rows": 1} for name in names]
    tables = {"retail": {"rows": 37_301, "rows_different": 1, "differences": found}}
    failed = [{**one, "success": False} for one in run.result["expectations"]]
    result = {**run.result, "verdict": "unfit", "expectations": failed}
    verify = {**run.verify, "verdict": "different", "tables": tables}
    page = run.having(verify=verify, result=result).write()["index.html"]
    assert "… 외 212건 (verify.json)" in page
    assert "… 외 215건 (아래 6)" in page
    assert page.count("<code>expect_cells_in_image_of_chain</code></td><td><code>") == 222  # all, in section 6


def test_without_verify_the_page_waits_and_says_for_what(run: Any) -> None:
    page = run.having(verify=None).write()["index.html"]
    assert 'class="verdict wait"' in page
    assert f"gamyeong verify {run.record.run}" in page
    assert "<svg" not in page


def test_the_overview_has_what_the_forms_ask_for(run: Any) -> None:
    page = run.write()["index.html"]
    assert "코로나 이전과 코로나 이후의 상품군별 판매추이에 대한 통계작성" in row_of(page, "처리 목적")
    assert "제3자 제공" in row_of(page, "이용 및 제공 형태")
    assert "2026-01-01 ~ 2028-12-31" in row_of(page, "이용기간")
    assert "책임자: 데이터관리팀장" in row_of(page, "관련자")
    assert "retail/customers 버전 4 · 82,000 행" in row_of(page, "원본 데이터")
    assert run.record.fingerprint in page
    assert run.record.code_version in page


def test_rows_are_counted_down_phase_by_phase(run: Any) -> None:
    """82,000 rows, 12 of who asked to stop, 40,994 of 81,988 sampled, 3,686 below 20 years, 7 outliers."""
    page = run.write()["index.html"]
    assert "N = 81,988명 중 n = 40,994명" in text_of(page)
    assert row_of(page, "처리정지 요구 제외").endswith("12 81,988")
    assert row_of(page, "<td>표본추출").endswith("40,994 40,994")
    assert row_of(page, "<td>행 단위 처리").endswith("3,686 37,308")
    assert row_of(page, "<td>특이정보 처리").endswith("7 37,301")
    assert row_of(page, "<th>처리 결과</th><td class").endswith("– 37,301")


def test_columns_of_one_rule_are_one_row_with_their_counts_added(run: Any) -> None:
    """168 amounts stand as one row (the form's `~`, L3546-3570); each step counts all of their cells."""
    page = run.write()["index.html"]
    row = row_of(page, "<code>amount_{category}_{month}</code>")
    assert row.startswith("5~218 201901 travel 구매액 ~ 202112 etc 구매액")
    assert "(168개 항목)" in row
    assert row.endswith("16,800 3,360 504")  # 168 × (100, 20, 3)
    assert page.count("amount_travel_201901") == 0
    assert "(24개 항목)" in row_of(page, "<code>total_{month}</code>")


def test_the_plan_table_has_the_forms_columns_and_the_row_rule_at_its_item(run: Any) -> None:
    page = run.write()["index.html"]
    for heading in ("순번", "항목명", "개인정보유형", "처리 방법", "처리 수준", "제3자 제공"):
        assert f">{heading}</th>" in page
    assert "개인식별정보(ID)" in row_of(page, "<code>customer_id</code>")
    age = row_of(page, "<code>age</code>")
    assert "요구 수준: 10살 단위" in age
    assert "age 20 미만인 행 삭제" in age  # L3549-3550: told with the age
    assert "처리된 amount_*_{month}의 합계" in page


def test_outliers_and_k_are_told_as_asked_and_found(run: Any) -> None:
    page = run.write()["index.html"]
    assert row_of(page, "<td>(age, address, sex) 조합이 3명 미만이면 address 값 삭제</td><td").endswith("5,210 7 0")
    assert "요구 k ≥ 3 · 확인 k = 3" in text_of(page)
    low = {"retail": {"asked": 3, "found": 2, "columns": ["age"]}}
    page = run.having(result={**run.result, "verdict": "unfit", "k": low}).write()["index.html"]
    assert '<b class="bad-text">k = 2</b>' in page


def test_distributions_before_and_after_stand_as_pictures_and_numbers(run: Any) -> None:
    page = run.write()["index.html"]
    for heading in ("나이의 일반 분포", "나이의 특이정보에 대한 분포", "201901 living 구매액의 일반 분포"):
        assert f"<figcaption>{heading}" in page  # L3651-3668
    assert page.count("<svg") == 4
    assert row_of(page, "<td>80~82</td>").endswith("70 251")
    assert "100만~200만" in page


def test_a_tail_is_drawn_without_the_open_bin_below_it(run: Any) -> None:
    """37,050 people below 80 would make bars of nothing out of the 251 who are older; the number is told."""
    page = run.write()["index.html"]
    figure = next(one for one in page.split("<figure>") if "나이의 특이정보에 대한 분포" in one)
    assert "(80 이상)" in text_of(figure.split("</figcaption>")[0])
    assert "37,050" not in figure.split("</svg>")[0]
    assert "<td>~80</td>" in figure


def test_reviewers_read_how_many_they_must_be_and_what_to_type(run: Any) -> None:
    page = run.write()["index.html"]
    assert "서로 다른 위원 3명 이상의 서명" in page  # the environment's floor for third parties
    vote = "--reviewer 이름 --key 열쇠파일 --conflicts none --outcome"
    for command in ("--show", f"{vote} approved", f"{vote} conditional --condition", f"{vote} rejected --reason"):
        assert f"gamyeong decide {run.record.run} {command}" in page
    for question in ("가명정보 목적 적합성", "처리 결과의 목적 달성 가능성"):  # the reviewer's sheet, L3191-3211
        assert question in page
    assert page.count("☐ 적합") == 6


def test_a_trial_says_that_it_can_never_be_published(run: Any) -> None:
    page = run.having(record=replace(run.record, limit=1000)).write()["index.html"]
    assert "시험 실행(정보주체 1,000명): 공개할 수 없음" in page
    assert "gamyeong decide" not in page


def test_the_same_inputs_give_the_same_bytes(run: Any) -> None:
    """Decisions bind every page's digest: a page with a clock of its own could never be signed twice."""
    first = run.write()
    assert run.write() == first
    later = replace(run.record, finished="2026-11-23T00:00:00Z")
    assert run.having(record=later).write()["index.html"] != first["index.html"]


def test_only_counts_and_names_of_columns_come_from_the_results(run: Any) -> None:
    leaking = [
        {**one, "success": False, "counts": {"misfits": 1, "example": "서울시 은평구 연서로 29길 245", "cut": 0.5}}
        for one in run.result["expectations"][:1]
    ]
    pages = run.having(result={**run.result, "verdict": "unfit", "expectations": leaking}).write()
    assert "misfits: 1" in pages["index.html"]
    assert all("연서로" not in page and "cut: " not in page for page in pages.values())


@pytest.mark.parametrize("name", sorted(name for name in PAGES if not name.startswith("expectations")))
def test_markup_in_labels_is_text(small_run: Callable[..., Any], name: str) -> None:
    label = '<img src=x onerror="alert(1)"> & 금액'
    columns = {
        "id": {"kind": "identifier", "apply": "serial-number"},
        "amount": {"label": label, "kind": "attribute", "requirement": "<b>정확</b>", "apply": "keep"},
    }
    run = small_run(columns, pa.schema([("id", pa.int64()), ("amount", pa.int64())]))
    page = run.write()[name]
    assert "<img" not in page
    assert "<b>정확" not in page
    assert "&lt;img" in page


def test_english_pages_are_english(run: Any) -> None:
    """What is not the plan's own text: labels and purposes stay as they were written."""
    for page in (page for name, page in run.write().items() if name.endswith(".en.html")):
        headings = re.findall(r"<h[123][^>]*>(.*?)</h[123]>", page) + re.findall(r"<thead>.*?</thead>", page)
        assert headings
        assert not [one for one in headings if re.search("[가-힣]", one)]


def test_files_stand_in_the_report_folder_for_their_owner_alone(run: Any) -> None:
    run.write()
    report = Path(str(run.folder.report))
    assert {file.name for file in report.iterdir()} == PAGES
    assert all(file.stat().st_mode & 0o077 == 0 for file in report.iterdir())
