"""What a document holds, apart from how it is written: headings, paragraphs, tables, boxes to tick, pictures.

One model, two writers: `as_html.html_bytes` and `as_docx.docx_bytes`. Neither asks a clock, so the same document
has the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from transforms.technique import Language

Align = Literal["left", "middle", "right"]


@dataclass(frozen=True)
class Strong:
    """Text that stands out."""

    text: str


@dataclass(frozen=True)
class Box:
    """A box to tick (□ 통계작성) with its words."""

    label: str
    ticked: bool = False


@dataclass(frozen=True)
class Link:
    """Text that leads to another file, by its path from this one; on paper the text alone."""

    text: str
    target: str


# A line break within text is "\n"; "" is a blank to be filled in by hand.
Inline = str | Strong | Box | Link
Content = Inline | tuple[Inline, ...]


@dataclass(frozen=True)
class Cell:
    """A cell of a table; it reaches over `columns` and `rows` as in HTML. A `head` cell names, others tell."""

    content: Content = ""
    head: bool = False
    columns: int = 1
    rows: int = 1
    align: Align = "left"


# Bare content in a row is a cell that tells.
Row = Sequence[Cell | Content]


@dataclass(frozen=True)
class Table:
    """Rows of cells; the first `head` rows come again on every page. `widths` are shares of the page's width.

    A cell that reaches over several rows is written in its first row alone, as in HTML.
    """

    rows: Sequence[Row]
    head: int = 0
    widths: tuple[float, ...] = ()


@dataclass(frozen=True)
class Heading:
    """A heading; level 2 is the first below the document's title."""

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a `note` is printed small."""

    content: Content
    align: Align = "left"
    note: bool = False


@dataclass(frozen=True)
class Points:
    """A list of points."""

    items: tuple[Content, ...]


@dataclass(frozen=True)
class Picture:
    """A PNG picture, the words that say what it shows, and its share of the page's width."""

    png: bytes = field(repr=False)
    caption: str
    width: float = 1.0


Block = Heading | Paragraph | Points | Table | Picture


@dataclass(frozen=True)
class Document:
    """A document: what it is called, what it holds, and what it is about.

    `about` stands in the foot and in the file's properties, say run and fingerprint; it binds the document to what it
    was made of. `dated` is a moment of that (ISO 8601, UTC), never that of writing.
    """

    title: str
    language: Language
    blocks: tuple[Block, ...]
    about: tuple[tuple[str, str], ...] = ()
    dated: str = "1980-01-01T00:00:00.000000Z"


def head(content: Content, columns: int = 1, rows: int = 1) -> Cell:
    """A cell that names."""
    return Cell(content, True, columns, rows, "middle")


def number(content: Content) -> Cell:
    """A cell with a number: at the right."""
    return Cell(content, align="right")


def boxes(labels: Iterable[str], ticked: Iterable[str] = ()) -> tuple[Box, ...]:
    """Boxes of these words; those `ticked` among them are ticked."""
    chosen = set(ticked)
    return tuple(Box(label, label in chosen) for label in labels)


def inlines(content: Content) -> tuple[Inline, ...]:
    """Content as a row of pieces."""
    return content if isinstance(content, tuple) else (content,)


def cell_of(one: Cell | Content) -> Cell:
    """A piece of a row as a cell."""
    return one if isinstance(one, Cell) else Cell(one)


def plain(content: Content) -> str:
    """Content as text: boxes as ☐ and ☑, pieces apart by a space."""
    return " ".join(_plain(one) for one in inlines(content))


def _plain(one: Inline) -> str:
    if isinstance(one, Box):
        return f"{MARKS[one.ticked]} {one.label}"
    return one if isinstance(one, str) else one.text


MARKS = {True: "☑", False: "☐"}


__all__ = [
    "MARKS", "Align", "Block", "Box", "Cell", "Content", "Document", "Heading", "Inline", "Link", "Paragraph",
    "Picture", "Points", "Row", "Strong", "Table", "boxes", "cell_of", "head", "inlines", "number", "plain",
]  # fmt: skip
