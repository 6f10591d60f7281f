"""A table as WordprocessingML (ISO/IEC 29500-1, 17.4), written cell by cell.

python-docx merges cells by walking the whole grid for each one, which takes minutes for the 222 items of the retail
case; here a cell that reaches over others is written as such at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from docx.document import Document as DocxFile
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.text.paragraph import Paragraph

from jobs.documents.docx_text import write_content
from jobs.documents.model import Cell, Table, cell_of

EMU_PER_TWIP = 635
SHADE = "E8EEF6"
LINE = "9FABBB"
EDGES = ("top", "left", "bottom", "right", "insideH", "insideV")
PADDING = {"top": 40, "left": 85, "bottom": 40, "right": 85}
JUSTIFIED = {"left": "left", "middle": "center", "right": "right"}


def add_table(file: DocxFile, table: Table, width: int) -> None:
    """Appends a table, as wide as `width` (EMU)."""
    rows = list(placed(table))
    count = max((start + cell.columns for row in rows for start, cell, _ in row), default=1)
    widths = _widths(table, count, width)
    element = _element("w:tbl")
    element.append(_properties())
    grid = _element("w:tblGrid")
    for one in widths:
        grid.append(_element("w:gridCol", w=one))
    element.append(grid)
    for place, row in enumerate(rows):
        line = _element("w:tr")
        how = _element("w:trPr")
        how.append(_element("w:cantSplit"))
        if place < table.head:
            how.append(_element("w:tblHeader"))
        line.append(how)
        for start, cell, first in row:
            line.append(_cell(file, cell, sum(widths[start : start + cell.columns]), first))
        element.append(line)
    body = file.element.body
    body.insert(len(body) - 1, element)  # before the section's own properties, which stand last


def placed(table: Table) -> Iterator[list[tuple[int, Cell, bool]]]:
    """Each row as (column, cell, whether this is the cell's first row), with the cells that reach down into it."""
    below: dict[int, tuple[Cell, int]] = {}
    for row in table.rows:
        own, out, column = iter([cell_of(one) for one in row]), [], 0
        while True:
            if column in below:
                cell, left = below.pop(column)
                if left > 1:
                    below[column] = cell, left - 1
                out.append((column, cell, False))
            else:
                following = next(own, None)
                if following is None:
                    later = [place for place in below if place > column]
                    if not later:
                        break
                    raise ValueError(f"a row ends at column {column}, and a cell from above stands at {min(later)}")
                cell = following
                out.append((column, cell, True))
            column += cell.columns
        for start, cell, first in out:
            if first and cell.rows > 1:
                below[start] = cell, cell.rows - 1
        yield out


def _widths(table: Table, count: int, width: int) -> list[int]:
    shares = table.widths or (1.0,) * count
    return [int(width / EMU_PER_TWIP * one / sum(shares)) for one in shares]


def _properties() -> BaseOxmlElement:
    found = _element("w:tblPr")
    found.append(_element("w:tblW", w=0, type="auto"))
    edges = _element("w:tblBorders")
    for edge in EDGES:
        edges.append(_element(f"w:{edge}", val="single", sz=4, space=0, color=LINE))
    found.append(edges)
    found.append(_element("w:tblLayout", type="fixed"))
    padding = _element("w:tblCellMar")
    for side, size in PADDING.items():
        padding.append(_element(f"w:{side}", w=size, type="dxa"))
    found.append(padding)
    return found


def _cell(file: DocxFile, cell: Cell, width: int, first: bool) -> BaseOxmlElement:
    found, how = _element("w:tc"), _element("w:tcPr")
    how.append(_element("w:tcW", w=width, type="dxa"))
    if cell.columns > 1:
        how.append(_element("w:gridSpan", val=cell.columns))
    if cell.rows > 1:
        how.append(_element("w:vMerge", val="restart" if first else "continue"))
    if cell.head:
        how.append(_element("w:shd", val="clear", color="auto", fill=SHADE))
    how.append(_element("w:vAlign", val="center"))
    found.append(how)
    line = _element("w:p")
    form = _element("w:pPr")
    form.append(_element("w:spacing", before=0, after=0))
    form.append(_element("w:jc", val=JUSTIFIED[cell.align]))
    line.append(form)
    found.append(line)
    if first:
        text = Paragraph(line, file._body)
        write_content(text, cell.content)
        if cell.head:
            for run in text.runs:
                run.bold = True
    return found


def _element(name: str, /, **attributes: str | int) -> BaseOxmlElement:
    values: Mapping[str, str] = {qn(f"w:{key}"): str(value) for key, value in attributes.items()}
    return OxmlElement(name, attrs=dict(values))
