"""Each form has the guideline's title and headings, in the guideline's order, in DOCX and HTML alike."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Mapping

import docx
import pytest

from .made import PLAN, Case, MakeRun
from .printed import ARCHIVING, ARTICLES, PRINTED, QUESTIONS, STATISTICS, SUB_RESULTS, UNSTRUCTURED, cells
from .reading import body, headings, own_cells, paragraphs, text

SEEN = """
  unstructured:
    summary: 매장 영상
    kinds: 영상
    source_formats: MP4
    result_formats: MP4
    scale: 클립 20개
    size: 3GB
    items: 얼굴
    technique: 블러링
    from: 2026-01-02
    until: 2026-01-04
    place: 분석실
    method: 육안 전수 검사
    result: 확인 결과 이상 없음
    verifiers: [{affiliation: 통계팀 책임, name: 문확인}, {affiliation: 보안팀 선임, name: 신확인}]
"""


def of_html(page: str) -> list[str]:
    """The headings of an HTML form."""
    cells_ = re.findall(r"<th[^>]*>(.*?)</th>", page, re.DOTALL)
    return [said for one in cells_ if (said := text(html.unescape(re.sub(r"<[^>]+>", " ", one))))]


@pytest.mark.parametrize(("name", "line", "title", "printed"), PRINTED, ids=[one[0] for one in PRINTED])
def test_headings_are_the_guidelines(
    untouched: Mapping[str, bytes], name: str, line: int, title: str, printed: str
) -> None:
    form = docx.Document(io.BytesIO(untouched[f"{name}.docx"]))
    page = untouched[f"{name}.html"].decode()
    assert paragraphs(form)[0] == title
    assert f"<h1>{title}</h1>" in page
    assert headings(form) == cells(printed), f"guideline L{line}"
    assert of_html(page) == cells(printed)


@pytest.mark.parametrize(
    ("kind", "title", "printed"),
    [("statistics", "통계작성 계획서", STATISTICS), ("public-interest-archiving", "공익적 기록보존 계획서", ARCHIVING)],
)
def test_the_purpose_plan_is_that_of_the_purpose(make_run: MakeRun, kind: str, title: str, printed: str) -> None:
    form = make_run(PLAN.replace("scientific-research", kind)).form("02-purpose-plan")
    assert paragraphs(form)[0] == title
    assert headings(form) == cells(printed)


def test_six_sub_results_and_six_questions(case: Case) -> None:
    sheet, questions = case.form("10-reviewer-1"), case.form("09-conflict-of-interest-1")
    rows = [[text(cell.text) for cell in row] for row in own_cells(sheet.tables[0])]
    assert tuple(row[-2] for row in rows if "적합" in row[-1]) == SUB_RESULTS
    printed = enumerate(cells(QUESTIONS), 1)
    assert [tuple(row[:2]) for row in body(questions, 1)] == [(str(number), one) for number, one in printed]


def test_the_internal_plan_has_the_printed_articles(case: Case) -> None:
    titles = [one.text for one in case.form("12-internal-plan").paragraphs if one.style.name == "Heading 2"]
    numbered = [f"제{number}조({title})" for number, title in enumerate(cells(ARTICLES), 1)]
    assert titles == [*numbered, "처리 건의 이행 내용"]


def test_self_verification_is_there_where_the_plan_tells_of_one(make_run: MakeRun) -> None:
    case = make_run(PLAN.replace("documents:", "documents:" + SEEN.rstrip()))
    form = case.form("17-unstructured")
    assert headings(form) == cells(UNSTRUCTURED)
    said = {row[-2]: row[-1] for row in body(form) if len(row) > 1}
    assert said["자체 검증 기간"] == "2026년 1월 2일 ~ 2026년 1월 4일"
    assert said["대상 데이터 항목명"] == "얼굴"
    assert [row[:2] for row in body(form)[-2:]] == [["통계팀 책임", "문확인"], ["보안팀 선임", "신확인"]]


def test_no_self_verification_where_nobody_tells_of_one(untouched: Mapping[str, bytes]) -> None:
    assert not [name for name in untouched if name.startswith("17")]


def test_every_form_is_there_twice_and_opens(untouched: Mapping[str, bytes]) -> None:
    names = sorted(untouched)
    stems = [name.removesuffix(".docx") for name in names if name.endswith(".docx")]
    assert len(stems) == 16
    twice = [f"{stem}{ending}" for stem in stems for ending in (".html", ".docx")]
    assert names == sorted(["index.html", *twice]), "and one page that leads to them"
    for stem in stems:
        assert docx.Document(io.BytesIO(untouched[f"{stem}.docx"])).paragraphs[0].style.name == "Title"
