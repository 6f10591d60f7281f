"""Hierarchies (분류 체계): CSV files that map values to coarser and coarser levels.

The header names the levels, the finest first. Where the first column is called `prefix`, a value
belongs to the row with the longest prefix of whole words that it starts with (addresses); otherwise
values of the first level are met exactly.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from transforms.complaint import did_you_mean
from transforms.errors import PlanError, Problem, TechniqueError

PREFIX = "prefix"
_SPACES = r"\s+"
# What normal form changes: other spaces, combining marks, Hangul in letters.
UNUSUAL = r"\s\s|^\s|\s$|[^\S ]|[\x{0300}-\x{036f}\x{1100}-\x{11ff}\x{00a0}\x{2000}-\x{200a}\x{3000}]"


@dataclass(frozen=True)
class Hierarchy:
    """A checked hierarchy: `rows` are its lines, `levels` what a value can be turned into.

    `keys` are what source values are met with: the prefixes, or the values of the finest level.
    """

    name: str
    match: Literal["exact", "longest-prefix"]
    levels: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    # Arrays are made when a value is looked up: pyarrow imports pandas for that, and a check needs none.
    @cached_property
    def _keys(self) -> pa.Array:
        return pa.array([row[0] for row in self.rows], pa.string())

    @cached_property
    def _columns(self) -> dict[str, pa.Array]:
        first = 1 if self.match == "longest-prefix" else 0
        return {
            level: pa.array([row[first + number] for row in self.rows], pa.string())
            for number, level in enumerate(self.levels)
        }

    @cached_property
    def _words(self) -> int:
        return max(len(row[0].split(" ")) for row in self.rows)

    @property
    def own_level(self) -> str | None:
        """The level that the values themselves stand on; None where they are met by prefixes of it."""
        return self.levels[0] if self.match == "exact" else None

    def __reduce__(self) -> tuple[type[Hierarchy], tuple[object, ...]]:
        return Hierarchy, (self.name, self.match, self.levels, self.rows)

    def lookup(self, values: pa.Array, level: str) -> pa.Array:
        """The value at `level` for every value, as string: null for null and where nothing covers it.

        Takes text and integers. Text that is not met as it stands, or not in normal form (NFC, single
        spaces) where a shorter prefix would be met, is looked up in normal form. Raises TechniqueError
        for an unknown level or another type.
        """
        coarser = self._column(level)
        if pa.types.is_integer(values.type):
            values = values.cast(pa.string())
        elif not pa.types.is_string(values.type):
            raise TechniqueError(f"hierarchy {self.name} on a column of type {values.type}", "text or integers")
        place = self._places(values)
        missed = pc.is_null(place)
        if self.match == "longest-prefix":
            missed = pc.or_(missed, pc.match_substring_regex(values, UNUSUAL))
        missed = pc.and_(missed, pc.is_valid(values))
        if pc.any(missed).as_py():
            again = self._places(_normal(values.filter(missed)))
            place = pc.replace_with_mask(place, missed, again)
        return coarser.take(place)

    def level_values(self, level: str) -> list[str]:
        """The distinct values of a level, in the file's order."""
        values: list[str] = pc.unique(self._column(level)).to_pylist()
        return values

    def plain(self) -> dict[str, object]:
        """Its contents as plain data, for the fingerprint: free of file name, spacing and quoting."""
        return {"match": self.match, "levels": list(self.levels), "rows": [list(row) for row in self.rows]}

    def _column(self, level: str) -> pa.Array:
        if level not in self.levels:
            raise TechniqueError(
                f"level {level!r} of hierarchy {self.name}",
                ", ".join(self.levels),
                did_you_mean(level, self.levels),
            )
        return self._columns[level]

    def _places(self, values: pa.Array) -> pa.Array:
        """Row of the hierarchy for every value (int32, null where nothing covers it)."""
        if self.match == "exact":
            return pc.index_in(values, self._keys, skip_nulls=True)
        words = pc.list_slice(
            pc.split_pattern(values, " ", max_splits=self._words), 0, self._words, return_fixed_size_list=True
        )
        parts = [pc.list_element(words, number) for number in range(self._words)]
        place = pa.nulls(len(values), pa.int32())
        for count in range(self._words, 0, -1):
            start = parts[0]
            if count > 1:
                start = pc.binary_join_element_wise(*parts[:count], " ")
            place = pc.coalesce(place, pc.index_in(start, self._keys, skip_nulls=True))
            if place.null_count == 0:
                break
        return place


def _normal(values: pa.Array) -> pa.Array:
    composed = pc.utf8_normalize(values, form="NFC")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(composed, _SPACES, " "))


def parse_hierarchy(text: str, name: str) -> Hierarchy:
    """A hierarchy from the text of its CSV file; PlanError with every problem in it.

    Refused: a missing header, a row of another width, an empty cell (a hole), a key listed twice, and
    a value with two parents on the next level.
    """
    rows = [
        (number, [" ".join(unicodedata.normalize("NFC", cell).split()) for cell in row])
        for number, row in _numbered(text)
    ]
    if not rows:
        raise PlanError([Problem(name, "an empty file", "a header of levels and a row for each value", file=name)])
    header, body = rows[0][1], rows[1:]
    prefixed = header[0] == PREFIX
    levels = header[1:] if prefixed else header
    problems: list[Problem] = []
    if "" in header or len(set(header)) < len(header) or not levels:
        problems.append(
            Problem(
                "header",
                "empty or repeated level names" if levels else "no level besides `prefix`",
                "level names, the finest first",
                rows[0][0],
                file=name,
            )
        )
    if not body:
        problems.append(Problem("rows", "no rows", "a row for each value", rows[0][0], file=name))
    even: list[tuple[int, list[str]]] = []
    for number, row in body:
        if len(row) != len(header) or "" in row:
            found = "an empty cell" if len(row) == len(header) else f"{len(row)} cells"
            problems.append(Problem("row", found, f"{len(header)} filled cells", number, file=name))
        else:
            even.append((number, row))
    problems += _repeated(even, header, name)
    problems += _two_parents(even, header, 1 if prefixed else 0, name)
    if problems:
        raise PlanError(problems)
    match: Literal["exact", "longest-prefix"] = "longest-prefix" if prefixed else "exact"
    return Hierarchy(name, match, tuple(levels), tuple(tuple(row) for _, row in even))


def _numbered(text: str) -> list[tuple[int, list[str]]]:
    """Rows that hold anything, each with the line on which it ends."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    return [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]


def _repeated(rows: list[tuple[int, list[str]]], header: list[str], name: str) -> list[Problem]:
    seen: dict[str, int] = {}
    problems = []
    for number, row in rows:
        if row[0] in seen:
            found = f"{row[0]!r} again (first in line {seen[row[0]]})"
            problems.append(Problem(header[0], found, "each value once", number, file=name))
        seen.setdefault(row[0], number)
    return problems


def _two_parents(rows: list[tuple[int, list[str]]], header: list[str], first: int, name: str) -> list[Problem]:
    problems = []
    for place in range(first, len(header) - 1):
        parents: dict[str, str] = {}
        for number, row in rows:
            parent = parents.setdefault(row[place], row[place + 1])
            # The finest level's own repetition is reported as such.
            if parent != row[place + 1] and place > 0:
                found = f"{row[place]!r} under {row[place + 1]!r} and under {parent!r}"
                problems.append(Problem(header[place], found, "one parent for each value", number, file=name))
    return problems
