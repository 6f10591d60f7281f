"""Distinct combinations of quasi-identifiers as codes: what the measures of risk are computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from transforms.risk.keys import Codes, Longs, class_sums, combined, narrow


@dataclass(frozen=True)
class Combinations:
    """One entry a distinct combination: a code in each column, and how many records have it.

    `codes[i]` are integers below `sizes[i]`, `nulls[i]` the code of null (None: the column has none). The values
    themselves are left behind, so nothing here can be shown by mistake. `population`: persons of the population that
    have the combination, known or estimated (float64), None where unknown.
    """

    names: tuple[str, ...]
    codes: tuple[Codes, ...]
    sizes: tuple[int, ...]
    nulls: tuple[int | None, ...]
    counts: Longs
    population: NDArray[np.float64] | None = None

    @classmethod
    def of(
        cls, table: pa.Table, columns: Sequence[str], count: str | None = None, population: str | None = None
    ) -> Combinations:
        """Those of `columns` in `table`: rows, or combinations with their numbers of records in the column `count`.

        `population` names a column of numbers: persons of the population, or sampling weights, of each row. Equal rows
        are added up; null is a value of its own, NaN equals NaN, -0.0 equals 0.0. A row counted 0 times (a combination
        of the population that the sample lacks) drops out. ValueError for columns that the table lacks, negative or
        missing counts.
        """
        asked = [*columns, *(name for name in (count, population) if name is not None)]
        if missing := [name for name in asked if name not in table.column_names]:
            raise ValueError(f"columns {', '.join(missing)}; allowed: {', '.join(table.column_names)}")
        if len(set(columns)) != len(columns):
            raise ValueError("a column named twice; allowed: each column once")
        encoded = [_encoded(table.column(name)) for name in columns]
        counts = np.ones(table.num_rows, np.int64) if count is None else _numbers(table, count).astype(np.int64)
        people = None if population is None else _numbers(table, population).astype(np.float64)
        whole = cls(
            tuple(columns),
            tuple(codes for codes, _, _ in encoded),
            tuple(size for _, size, _ in encoded),
            tuple(null for _, _, null in encoded),
            counts,
            people,
        )
        return whole.distinct()

    @property
    def records(self) -> int:
        """Records in all."""
        return int(self.counts.sum())

    def distinct(self) -> Combinations:
        """The same with equal combinations added up, and those without a record left out."""
        keys, bound = combined(self.codes, self.sizes, len(self.counts))
        numbers, counts = class_sums(keys, bound, self.counts)
        people = None if self.population is None else np.bincount(numbers, self.population, len(counts))
        if len(counts) == len(numbers) and counts.all():
            return self
        first = np.empty(len(counts), np.int64)
        first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
        first = first[counts > 0]
        kept = tuple(column[first] for column in self.codes)
        held = None if people is None else people[counts > 0]
        return replace(self, codes=kept, counts=counts[counts > 0], population=held)

    def places(self, columns: Sequence[str]) -> tuple[int, ...]:
        """Where these columns stand. ValueError for one that isn't there."""
        if missing := [name for name in columns if name not in self.names]:
            raise ValueError(f"columns {', '.join(missing)}; allowed: {', '.join(self.names)}")
        return tuple(self.names.index(name) for name in columns)

    def blanks(self, place: int) -> NDArray[np.bool_]:
        """Where this column is null."""
        null = self.nulls[place]
        return np.zeros(len(self.counts), bool) if null is None else self.codes[place] == null


def _encoded(column: pa.ChunkedArray) -> tuple[Codes, int, int | None]:
    if pa.types.is_floating(column.type):
        column = pc.add(column, 0.0)  # -0.0 becomes 0.0
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    coded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    values = coded.dictionary
    size = len(values)
    null = pc.index(pc.is_null(values), True).as_py() if values.null_count else None
    return narrow(coded.indices.to_numpy(), size), size, null


def _numbers(table: pa.Table, name: str) -> NDArray[np.generic]:
    column = table.column(name)
    if column.null_count or pc.any(pc.less(column, 0)).as_py():
        raise ValueError(f"column {name}: nulls or negative numbers; allowed: numbers of records from 0")
    numbers: NDArray[np.generic] = column.to_numpy()
    return numbers


__all__ = ["Combinations"]
