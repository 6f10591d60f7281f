"""Anatomization (해부화), and the drawn record ids by which the tables of a run are joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pyarrow as pa
from pydantic import Field

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import CellsRefused, PlanError, Problem
from transforms.further import Delivered, FurtherRecords, Layout
from transforms.given import Given
from transforms.images import Image, Matching
from transforms.technique import Language, Wording
from transforms.techniques.pseudonyms import ALPHABET, LONGEST, base32
from transforms.techniques.shape import CellTechnique

ATTRIBUTES = ("attribute", "sensitive")


class RecordId(CellTechnique):
    """Every row gets a drawn id (레코드 ID): the same in all tables of the run, unrelated to anything else.

    In: nothing (the column is a new one). Out: text of 26 letters a–z and 2–7, 128 bits of the row's keyed draw;
    never null. Not for plans: the tables of `further` get it by themselves.
    """

    name: ClassVar[str] = "record-id"
    korean: ClassVar[str] = "레코드 ID 부여"
    draws_by: ClassVar[str] = "row"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return pa.string()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.draws is None or given.rows is None:
            raise CellsRefused("record ids need the run's keys and the rows' ids", len(values))
        return base32(given.draws.bits(given.rows), LONGEST)

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Matching(nullable=False, pattern=f"[{ALPHABET}]{{{LONGEST - 1}}}[{ALPHABET[::4]}]")

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return f"행마다 난수 {LONGEST}자, 함께 제공하는 테이블끼리만 같음"
        return f"{LONGEST} random letters for each row, the same in the tables of this release alone"


class Anatomization(FurtherRecords):
    """One table becomes two (해부화): identifying columns stay, `columns` go to a table of their own.

    Both tables have one row for each record; they are joined by the record id alone, which is drawn. Rows of the
    second table stand in another keyed order, so neither order nor files link them. Cells are what they would
    be in one table (but for permutations, drawn anew for each table), null stays null.

    Kept: every cell, and for whoever holds both tables and the record id every relation. Lost: for who holds one
    table, all relations between quasi-identifiers and the attributes.

    Attack: whoever gets both tables joins them, so hand them to different people, or keep the record ids apart;
    a rare value that an outsider knows (an exact amount) finds its row in the second table, and its record id
    leads to the person's row in the first: round the attributes. k counts in the first table alone.

    Refused: identifiers and quasi-identifiers in the second table, a column in both (or in two further tables), a
    serial number or the subject's column there, a derived column apart from its operands. Source: guideline L2199-2225.
    """

    name: ClassVar[str] = "anatomization"
    korean: ClassVar[str] = "해부화"

    columns_: tuple[str, ...] = Field(min_length=1)

    def layout(self, name: str, columns: Mapping[str, Delivered]) -> Layout:
        problems: list[Problem] = []
        moved: dict[str, int] = {}
        for number, pattern in enumerate(self.columns_):
            path = f"columns[{number}]"
            matches = [match.column for match in expand(pattern, list(columns))]
            if not matches:
                hint = did_you_mean(pattern, columns)
                problems.append(
                    Problem(path, f"{pattern!r}, which the table does not deliver (any more)", "its columns", hint=hint)
                )
            for column in matches:
                if column in moved:
                    problems.append(Problem(path, f"column {column!r} a second time", "each column once"))
                moved.setdefault(column, number)
                problems += _unfit(path, columns[column])
        problems += _torn(moved, columns)
        if not problems and len(moved) == len(columns):
            problems.append(Problem("columns", "every column", "fewer: what identifies stays in the first table"))
        if problems:
            raise PlanError(problems)
        stay = {column: () for column in columns if column not in moved}
        return Layout(stay, {name: {column: () for column in columns if column in moved}})

    def wording(self, language: Language) -> Wording:
        listed = ", ".join(self.columns_)
        if language == "ko":
            return Wording(self.korean, f"{listed} 항목을 별도 테이블로 분리, 레코드 ID로만 연결")
        return Wording(self.name, f"{listed} in a table of its own, joined by the record id alone")


def _unfit(path: str, column: Delivered) -> list[Problem]:
    if column.subject or column.ranked or column.kind not in ATTRIBUTES:
        what = "a serial number" if column.ranked else f"kind {column.kind}"
        return [
            Problem(
                path,
                f"column {column.name!r} ({what}), which identifies, in the table of attributes",
                "columns of kind sensitive or attribute",
                hint="leave it in the first table",
                refused=True,
            )
        ]
    return []


def _torn(moved: Mapping[str, int], columns: Mapping[str, Delivered]) -> list[Problem]:
    """Derived columns away from their operands: equal sums would join the tables."""
    found = []
    for column in columns.values():
        apart = [one for one in column.operands if one in columns and (one in moved) != (column.name in moved)]
        if apart:
            number = moved.get(column.name, moved.get(apart[0]))
            found.append(
                Problem(
                    f"columns[{number}]",
                    f"derived column {column.name!r} in another table than {apart[0]!r}, of which it is made",
                    "both in one table: the derived values would join the tables without the record id",
                    refused=True,
                )
            )
    return found
