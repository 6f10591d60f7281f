"""One document, two writers: the same table, the same words, the same bytes each time."""

from __future__ import annotations

import io
import re
import zipfile

import docx
import pytest
from docx.oxml.ns import qn
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

from jobs.documents.as_docx import docx_bytes
from jobs.documents.as_html import html_bytes
from jobs.documents.model import Block, Box, Cell, Document, Heading, Paragraph, Picture, Points, Strong, Table, head
from jobs.documents.pictures import bars, korean_font

from .reading import text

SPANS = Table(
    [
        [head("데이터 위험성", rows=3), head("식별성 유무"), "가"],
        [head("특이정보 유무"), "나"],
        [head("영향도"), Cell("다", align="right")],
        [head("처리 환경", columns=2), Box("폐쇄 환경", True)],
    ],
    widths=(1, 1, 3),
)


def document(*blocks: Block) -> Document:
    return Document("제목", "ko", blocks, (("run", "abc"), ("fingerprint", "f" * 64)), "2026-01-05T11:00:00.000000Z")


def opened(*blocks: Block) -> docx.document.Document:
    return docx.Document(io.BytesIO(docx_bytes(document(*blocks))))


def test_cells_that_reach_over_others_do_so_in_both() -> None:
    (table,) = opened(SPANS).tables
    # python-docx gives a cell again at every place that it covers
    grid = [[text(cell.text) for cell in row.cells] for row in table.rows]
    assert grid == [
        ["데이터 위험성", "식별성 유무", "가"],
        ["데이터 위험성", "특이정보 유무", "나"],
        ["데이터 위험성", "영향도", "다"],
        ["처리 환경", "처리 환경", "☑ 폐쇄 환경"],
    ]
    page = html_bytes(document(SPANS)).decode()
    assert re.findall(r'(rowspan|colspan)="(\d)"', page) == [("rowspan", "3"), ("colspan", "2")]


def test_columns_have_their_shares_of_the_width() -> None:
    (table,) = opened(SPANS).tables
    widths = [int(one.get(qn("w:w"))) for one in table._tbl.tblGrid.gridCol_lst]
    assert widths[2] / widths[0] == pytest.approx(3, rel=0.01)
    assert widths[0] == widths[1]
    # A4 with margins of 18 mm, in twentieths of a point
    assert sum(widths) == pytest.approx((210 - 36) / 25.4 * 1440, abs=3)


def test_a_head_row_comes_again_on_each_page() -> None:
    (table,) = opened(Table([[head("순번"), head("항목명")], ["1", "나이"], ["2", "성별"]], head=1)).tables
    repeated = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows]
    assert repeated == [True, False, False]


def test_a_table_whose_rows_do_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a row ends at column 0, and a cell from above stands at 1"):
        docx_bytes(document(Table([["a", Cell("b", rows=2)], []])))


def test_the_same_document_has_the_same_bytes() -> None:
    picture = Picture(bars(["1", "2"], {"원본": [3, 1]}, x="크기", y="사람 수"), "분포", 0.6)
    again = Picture(bars(["1", "2"], {"원본": [3, 1]}, x="크기", y="사람 수"), "분포", 0.6)
    assert docx_bytes(document(SPANS, picture)) == docx_bytes(document(SPANS, again))
    assert html_bytes(document(SPANS, picture)) == html_bytes(document(SPANS, again))


def test_no_clock_in_a_docx_file() -> None:
    raw = docx_bytes(document(SPANS))
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    told = docx.Document(io.BytesIO(raw)).core_properties
    # the moment that the document is about
    assert told.created.isoformat() == told.modified.isoformat() == "2026-01-05T11:00:00+00:00"


def test_text_can_not_become_markup() -> None:
    evil = "<script>alert(1)</script>&\"'"
    blocks = (Heading(evil), Paragraph((evil, Strong(evil), Box(evil))), Points((evil,)), Table([[head(evil), evil]]))
    page = html_bytes(Document(evil, "ko", blocks, (("run", evil),))).decode()
    assert "<script" not in page
    assert opened(*blocks).tables[0].rows[0].cells[1].text == evil


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = html_bytes(document(SPANS, Picture(bars(["1"], {"a": [1]}), "분포"))).decode()
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", page)
    assert "url(" not in page
    assert "<script" not in page


def test_headings_are_words_own() -> None:
    found = [(one.style.name, one.text) for one in opened(Heading("하나"), Heading("둘", 3)).paragraphs]
    assert found == [("Title", "제목"), ("Heading 1", "하나"), ("Heading 2", "둘")]


def test_run_and_fingerprint_stand_in_the_document() -> None:
    file = opened()
    told = f"run abc · fingerprint {'f' * 64}"
    assert file.sections[0].footer.paragraphs[0].text == told
    assert file.core_properties.identifier == f"run=abc fingerprint={'f' * 64}"
    page = html_bytes(document()).decode()
    assert '<meta name="gamyeong:run" content="abc">' in page
    assert f"<footer>{told}</footer>" in page


def test_charts_have_korean_letters() -> None:
    known = FT2Font(findfont(FontProperties(family=korean_font()), fallback_to_default=False)).get_charmap()
    assert {ord(letter) for letter in "원본 가명처리 후 동질집합의 크기 0123,.%~"} <= known.keys()


def test_a_chart_shows_its_numbers() -> None:
    small, large = bars(["1", "2"], {"원본": [1, 1]}), bars(["1", "2"], {"원본": [1, 5]})
    assert small.startswith(b"\x89PNG")
    assert small != large
