"""The guideline's two worked reports of the risk review (L561-608), from data like theirs: made retail customers.

Not from the texts of these plans come what is measured: which items identify, alone or combined, which amounts have
values far out, who is drawn; these statements of the print must follow from the data.
"""

from __future__ import annotations

import io
import re
import zipfile

import pyarrow as pa
import pytest
from docx import Document as Docx

from jobs import retail
from jobs.assessing.report import report, report_files
from jobs.documents.as_html import html_bytes
from jobs.documents.model import Table, cell_of, plain
from jobs.storage import conf_path
from transforms.assess.found import Assessment

from .looking import Looked, looked


@pytest.fixture(scope="module")
def customers() -> pa.Table:
    return pa.Table.from_batches([retail.Retail(2000, 7, retail.districts()).chunk(0)])


@pytest.fixture(scope="module")
def outside(customers: pa.Table) -> Looked:
    return looked(conf_path("plans/retail-third-party-risk.yaml"), customers)


@pytest.fixture(scope="module")
def inside(customers: pa.Table) -> Looked:
    return looked(conf_path("plans/retail-internal-risk.yaml"), customers)


def form(told: Looked) -> dict[str, str]:
    """The report's first table: the text of each heading's row."""
    first = report(told.plan, told.tables, told.found, "ko").blocks[0]
    assert isinstance(first, Table)
    cells = [[cell_of(one) for one in row] for row in first.rows]
    return {plain(row[-2].content): plain(row[-1].content) for row in cells}


HEADINGS = [  # L563-583, in the print's order; the two that reach over several rows stand before their first
    "가명정보 활용목적", "가명처리 대상 데이터 항목", "식별성 유무", "특이정보 유무", "재식별시 영향도",
    "이용 및 제공 형태", "처리 장소", "다른 정보와의 결합 가능성", "최종 검토의견",
]  # fmt: skip


def test_both_reports_have_the_forms_rows(outside: Looked, inside: Looked) -> None:
    assert list(form(outside)) == HEADINGS
    assert list(form(inside)) == HEADINGS


@pytest.mark.parametrize("which", ["outside", "inside"])
def test_what_both_say_of_the_data(which: str, request: pytest.FixtureRequest) -> None:
    rows = form(request.getfixturevalue(which))
    items = rows["가명처리 대상 데이터 항목"]
    assert items.startswith("▪ 고객ID, 나이, 주소, 성별, "), "L567"
    assert "전체 222개의 컬럼" in items
    assert "전체 2,000명 중 표본추출(" in items
    assert "25%" in items
    identity = rows["식별성 유무"]
    assert "‘고객ID’는 개인식별정보임" in identity, "L570"
    assert "‘나이’, ‘주소’, ‘성별’은 조합했을 때 개인의 식별이 가능한 개인식별가능정보임" in identity, "L571"
    assert "구매액" in rows["특이정보 유무"], "L573"
    assert "특이정보로 인한 개인 식별성이 발생할 수 있음" in rows["특이정보 유무"]
    assert rows["재식별시 영향도"] == "▪ 단순 고객의 구매데이터로 재식별 시 영향도는 크지 않을 것으로 판단됨"


def test_the_report_for_a_use_inside(inside: Looked) -> None:
    rows = form(inside)
    assert "내부이용" in rows["이용 및 제공 형태"]
    assert "폐쇄된 환경" in rows["처리 장소"]
    assert "원본 DB에 접근할 수 없는" in rows["처리 장소"]
    assert rows["다른 정보와의 결합 가능성"] == "▪ 가명처리 전 개인정보와 구매정보를 보유하고 있음"
    opinion = rows["최종 검토의견"]
    assert "결합 가능성은 매우 낮을 것으로 판단됨" in opinion
    assert re.search("‘고객ID’.*일련번호", opinion), "L582"
    assert re.search("‘나이’.*범주화.*상단코딩: 90", opinion), "L582: 90 and above together"
    assert re.search("‘주소’.*sigungu", opinion), "L582: districts alone"


def test_the_report_for_a_provision_outside(outside: Looked) -> None:
    rows = form(outside)
    assert "제3자 제공" in rows["이용 및 제공 형태"]
    assert "ISMS-P" in rows["이용 및 제공 형태"]
    assert "유사 업종에 대한 통계정보" in rows["다른 정보와의 결합 가능성"]
    opinion = rows["최종 검토의견"]
    assert "결합에 대한 시도는 거의 없을 것으로 판단됨" in opinion
    assert re.search("‘나이’.*상단코딩: 80.*10 단위", opinion), "L606: by tens, 80 and above together"


def test_no_question_is_open_in_both(outside: Looked, inside: Looked) -> None:
    assert outside.found.unanswered == ()
    assert inside.found.unanswered == ()


def test_html_and_docx_in_two_languages_say_the_same_of_every_table(outside: Looked) -> None:
    files = report_files(outside.plan, outside.tables, outside.found)
    assert set(files) == {"report.html", "report.en.html", "report.docx", "report.en.docx"}
    assert files == report_files(outside.plan, outside.tables, outside.found), "the same bytes again"
    for name, title in (("report", "식별 위험성 검토 결과보고서"), ("report.en", "identification-risk review")):
        html = files[f"{name}.html"].decode()
        assert title in html
        assert html.count("<img") >= 2, "plots"
        assert "http" not in re.sub(r'(xmlns|href="#)[^>]*', "", html.replace("http://www.w3.org", "")), "no CDN"
        docx = Docx(io.BytesIO(files[f"{name}.docx"]))
        tables = html.count("<table")
        assert len(docx.tables) == tables
        with zipfile.ZipFile(io.BytesIO(files[f"{name}.docx"])) as parts:
            assert sum(part.startswith("word/media/") for part in parts.namelist()) == html.count("<img")


def test_no_value_of_a_cell_stands_in_report_or_evidence(outside: Looked, customers: pa.Table) -> None:
    """Neither ids nor addresses nor large amounts; the plan's own texts (grades, units) are no cells."""
    language_pages = [html_bytes(report(outside.plan, outside.tables, outside.found, one)) for one in ("ko", "en")]
    page = re.sub(r'src="data:[^"]*"', "", b"".join(language_pages).decode()) + repr(outside.found.to_json())
    numbers = set(re.findall(r"(?<![0-9.e-])[0-9]{7,}(?![0-9])", page.replace(",", "")))
    amounts = {
        str(value)
        for name in customers.column_names
        if name.startswith(("amount_", "total_"))
        for value in customers[name].unique().to_pylist()
        if value is not None and value >= 10**6
    }
    assert amounts
    planned = {"10000000"}  # the plan's own grades
    assert not (numbers - planned) & amounts
    for column in ("customer_id", "address"):
        assert not [value for value in customers[column].to_pylist() if value in page], column


def test_the_evidence_comes_back_the_same(outside: Looked) -> None:
    assert Assessment.from_json(outside.found.to_json()) == outside.found
