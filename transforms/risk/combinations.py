"""Distinct combinations of quasi-identifiers as codes: what the measures of risk are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.kernels.codes import combined, encoded, numbered, summed
from transforms.risk.keys import Longs, NarrowCodes, narrow


@dataclass(frozen=True)
class Combinations:
    """One entry a distinct combination: a code in each column, and how many records have it.

    `codes[i]` are integers below `sizes[i]`, `nulls[i]` the code of null (None: the column has none). The values
    themselves are left behind, so nothing here can be shown by mistake. `population`: persons of the population that
    have the combination, known or estimated (float64), None where unknown.

    `persons`: where one person may have several combinations, a number for the person of each entry, and each entry is
    one record. Frequencies count distinct persons then. None: all records are different persons.
    """

    names: tuple[str, ...]
    codes: tuple[NarrowCodes, ...]
    sizes: tuple[int, ...]
    nulls: tuple[int | None, ...]
    counts: Longs
    population: NDArray[np.float64] | None = None
    persons: Longs | None = None

    @classmethod
    def of(
        cls,
        table: pa.Table,
        columns: Sequence[str],
        count: str | None = None,
        population: str | None = None,
        person: str | None = None,
    ) -> Combinations:
        """Those of `columns` in `table`: rows, or combinations with their numbers of records in the column `count`.

        `population` names a column of numbers: persons of the population, or sampling weights, of each row. Equal rows
        are added up; null is a value of its own, NaN equals NaN, -0.0 equals 0.0. A row counted 0 times (a combination
        of the population that the sample lacks) drops out. `person` tells whose rows they are (null: nobody's, they
        drop out); it goes without the two others. ValueError for columns that the table lacks, negative or missing
        numbers.
        """
        asked = [*columns, *(name for name in (count, population, person) if name is not None)]
        if missing := [name for name in asked if name not in table.column_names]:
            raise ValueError(f"columns {', '.join(missing)}; allowed: {', '.join(table.column_names)}")
        if len(set(columns)) != len(columns) or (person is not None and (count or population)):
            raise ValueError("a column named twice, or persons with numbers; allowed: each column once, either of them")
        if person is not None:
            table = table.filter(pc.is_valid(table.column(person)))
        cells = [encoded(table.column(name).combine_chunks()) for name in columns]
        counts = np.ones(table.num_rows, np.int64) if count is None else _numbers(table, count).astype(np.int64)
        return cls(
            tuple(columns),
            tuple(narrow(codes, len(values)) for codes, values in cells),
            tuple(len(values) for _, values in cells),
            tuple(_null(values) for _, values in cells),
            counts,
            None if population is None else _numbers(table, population).astype(np.float64),
            None if person is None else encoded(table.column(person).combine_chunks())[0],
        ).distinct()

    @property
    def records(self) -> int:
        """Records in all."""
        return int(self.counts.sum())

    @property
    def people(self) -> int:
        """Different persons behind the records."""
        return self.records if self.persons is None else len(np.unique(self.persons))

    def distinct(self) -> Combinations:
        """The same with equal entries added up (those of one person are one record); without those of no record."""
        keys, bound = self.keys(range(len(self.names)))
        if self.persons is not None:
            keys, bound = combined([keys, self.persons], [bound, self.most_persons], len(keys))
        groups, entry = numbered(keys, bound)
        counts = np.ones(len(entry), np.int64) if self.persons is not None else summed(groups, self.counts, len(entry))
        kept = np.flatnonzero(counts)
        people: NDArray[np.float64] | None = None
        if self.population is not None:
            people = np.bincount(groups, self.population, len(entry)).astype(np.float64)[kept]
        entry = entry[kept]
        return replace(
            self,
            codes=tuple(column[entry] for column in self.codes),
            counts=counts[kept],
            population=people,
            persons=None if self.persons is None else self.persons[entry],
        )

    @property
    def most_persons(self) -> int:
        """A bound above the persons' numbers."""
        return 1 if self.persons is None or not len(self.persons) else int(self.persons.max()) + 1

    def keys(self, places: Sequence[int]) -> tuple[Longs, int]:
        """One integer an entry, equal where it agrees in these columns (by their places), and a bound above all."""
        chosen = [self.codes[place] for place in places]
        return combined(chosen, [self.sizes[place] for place in places], len(self.counts))

    def places(self, columns: Sequence[str]) -> tuple[int, ...]:
        """Where these columns stand. ValueError for one that isn't there."""
        if missing := [name for name in columns if name not in self.names]:
            raise ValueError(f"columns {', '.join(missing)}; allowed: {', '.join(self.names)}")
        return tuple(self.names.index(name) for name in columns)

    def blanks(self, place: int) -> NDArray[np.bool_]:
        """Where this column is null."""
        null = self.nulls[place]
        return np.zeros(len(self.counts), bool) if null is None else self.codes[place] == null


def _null(values: pa.Array) -> int | None:
    return int(pc.index(pc.is_null(values), True).as_py()) if values.null_count else None


def _numbers(table: pa.Table, name: str) -> NDArray[np.generic]:
    column = table.column(name)
    if column.null_count or pc.any(pc.less(column, 0)).as_py():
        raise ValueError(f"column {name}: nulls or negative numbers; allowed: numbers of records from 0")
    numbers: NDArray[np.generic] = column.to_numpy()
    return numbers


__all__ = ["Combinations"]
