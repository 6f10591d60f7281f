"""Reads a DOCX form as a person does: headings, and what stands beside or below them."""

from __future__ import annotations

from itertools import pairwise

from docx.document import Document
from docx.oxml.ns import qn
from docx.table import Table, _Cell


def text(words: str) -> str:
    """Words with single spaces: line breaks and spaces that hold words together are alike."""
    return " ".join(words.replace("\u00a0", " ").split())


def own_cells(table: Table) -> list[list[_Cell]]:
    """The rows' cells, each once, without those that a cell from above covers."""
    found = []
    for row in table.rows:
        merged = [one.find(qn("w:tcPr")).find(qn("w:vMerge")) for one in row._tr.tc_lst]
        covered = [one is not None and one.get(qn("w:val")) != "restart" for one in merged]
        found.append([_Cell(one, table) for one, no in zip(row._tr.tc_lst, covered, strict=True) if not no])
    return found


def is_heading(cell: _Cell) -> bool:
    """Headings are shaded."""
    return cell._tc.find(qn("w:tcPr")).find(qn("w:shd")) is not None


def headings(document: Document) -> list[str]:
    """All headings in tables, in the order of reading."""
    every = [cell for table in document.tables for row in own_cells(table) for cell in row]
    return [text(cell.text) for cell in every if is_heading(cell) and cell.text]


def beside(document: Document, heading: str) -> str:
    """What stands right of a heading."""
    for table in document.tables:
        for row in own_cells(table):
            for left, right in pairwise(row):
                if is_heading(left) and text(left.text) == heading:
                    return text(right.text)
    raise AssertionError(f"no heading {heading}")


def body(document: Document, table: int = 0) -> list[list[str]]:
    """The rows of a table that hold no heading alone, as texts."""
    rows = own_cells(document.tables[table])
    return [[text(cell.text) for cell in row] for row in rows if not all(is_heading(cell) for cell in row)]


def paragraphs(document: Document) -> list[str]:
    """Paragraphs outside of tables that say something."""
    return [text(one.text) for one in document.paragraphs if text(one.text)]
