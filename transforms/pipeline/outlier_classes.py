"""Counts by class and by combination: what the frequency table and the search for rare combinations are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identifiers import encode_ids
from transforms.outlier_changes import Changes, RuleChange, class_keys
from transforms.pipeline.engine import Engine
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import class_counts
from transforms.pipeline.members import Words
from transforms.pipeline.outlier_gather import (
    HIGH,
    KEY,
    LOW,
    Cells,
    class_columns,
    delivered,
    gathered,
    needed_columns,
    summed,
)
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import Work
from transforms.plan_outliers import Frequency, RareCombinations

COUNT, SUBSET = "count_all", "\x00subset"
Rare = Mapping[tuple[str, ...], pa.Array]


def by_subject(work: Work, find: Frequency | RareCombinations) -> bool:
    """Are distinct subjects counted, which rows alone don't tell?"""
    return find.count == "subject" and not work.table.one_row_per_subject


def _with_subjects(found: pa.Table, draws: Callable[[], Words]) -> pa.Table:
    words = draws()
    found = found.append_column(HIGH, pa.array(np.ascontiguousarray(words[:, 0])))
    return found.append_column(LOW, pa.array(np.ascontiguousarray(words[:, 1])))


@dataclass(frozen=True)
class ClassesGather:
    """Rows (or distinct subjects) by class; null is a value of its own. Told as a table: cells and `count_all`."""

    columns: tuple[str, ...]
    subjects: bool

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        found = pa.table({name: cells[name] for name in self.columns})
        found = self._distinct(_with_subjects(found, draws)) if self.subjects else class_counts(found, self.columns)
        keys = encode_ids([found[name].combine_chunks() for name in self.columns])
        return found.append_column(KEY, keys)

    def _distinct(self, rows: pa.Table) -> pa.Table:
        return rows.group_by(rows.column_names).aggregate([])

    def merge(self, rows: pa.Table) -> pa.Table:
        return self._distinct(rows) if self.subjects else summed(rows, (*self.columns, KEY), (COUNT,))

    def finish(self, rows: pa.Table) -> pa.Table:
        return class_counts(rows, self.columns) if self.subjects else rows.select([*self.columns, COUNT])


def count_classes(work: Work, engine: Engine, number: int, find: Frequency, what: str) -> pa.Table | None:
    """Counts by class as the rules before `number` (and what is solved of it) leave them; None without a row."""
    gather = ClassesGather(find.columns, by_subject(work, find))
    found = gathered(work, engine, gather, needed_columns(work, number + 1), what)
    return pa.concat_tables(found) if found else None


@dataclass(frozen=True)
class CombinationsGather:
    """Rows (or subjects) by combination of exactly `size` columns: {columns: encoded combinations below `below`}.

    A combination with a null cell, or with one of the `rare` smaller combinations in it, is not counted.
    """

    columns: tuple[str, ...]
    size: int
    below: int
    subjects: bool
    rare: Rare = field(default_factory=dict)

    def subsets(self) -> list[tuple[str, ...]]:
        return list(combinations(self.columns, self.size))

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        found = pa.table({name: cells[name] for name in self.columns})
        if self.subjects:
            found = _with_subjects(found, draws)
            found = found.group_by(found.column_names).aggregate([])
        else:
            found = class_counts(found, self.columns)
        arrays = {name: found[name].combine_chunks() for name in found.column_names}
        parts = []
        for number, subset in enumerate(self.subsets()):
            keys = encode_ids([arrays[name] for name in subset])
            chosen = self._looked_at(arrays, subset)
            rows = {KEY: keys, SUBSET: pa.array(np.full(len(keys), number, np.int32))}
            rows |= {name: arrays[name] for name in self._figures()}
            parts.append(pa.table(rows).filter(chosen))
        return self.merge(pa.concat_tables(parts))

    def _figures(self) -> tuple[str, ...]:
        return (HIGH, LOW) if self.subjects else (COUNT,)

    def _looked_at(self, arrays: Mapping[str, pa.Array], subset: tuple[str, ...]) -> pa.Array:
        chosen = arrays[subset[0]].is_valid()
        for name in subset[1:]:
            chosen = pc.and_(chosen, arrays[name].is_valid())
        for smaller, keys in self.rare.items():
            if set(smaller) <= set(subset) and len(keys):
                inside = pc.is_in(encode_ids([arrays[name] for name in smaller]), value_set=keys)
                chosen = pc.and_(chosen, pc.invert(inside))
        return chosen

    def merge(self, rows: pa.Table) -> pa.Table:
        if self.subjects:
            return rows.group_by(rows.column_names).aggregate([])
        return summed(rows, (KEY, SUBSET), (COUNT,))

    def finish(self, rows: pa.Table) -> dict[tuple[str, ...], pa.Array]:
        if self.subjects:
            rows = class_counts(rows, (KEY, SUBSET))
        few = rows.filter(pc.less(rows[COUNT], self.below))
        return {
            subset: few.filter(pc.equal(few[SUBSET], number))[KEY].combine_chunks()
            for number, subset in enumerate(self.subsets())
        }


def rare_combinations(
    work: Work, engine: Engine, number: int, find: RareCombinations, what: str, minimal: bool = True
) -> dict[tuple[str, ...], pa.Array]:
    """The rare combinations by their columns, the smallest first; `minimal`: those that hold no smaller one.

    One pass and one shuffle for each size. Encoded combinations are sorted.
    """
    rare: dict[tuple[str, ...], pa.Array] = {}
    for size in range(1, min(find.size, len(find.columns)) + 1):
        known = rare if minimal else {}
        gather = CombinationsGather(find.columns, size, find.below, by_subject(work, find), dict(known))
        found: dict[tuple[str, ...], list[bytes]] = {}
        needed = needed_columns(work, number + 1)
        for answer in gathered(work, engine, gather, needed, f"{what}, combinations of {size}"):
            for subset, keys in answer.items():
                found.setdefault(subset, []).extend(keys.to_pylist())
        rare |= {subset: pa.array(sorted(keys), pa.binary()) for subset, keys in found.items() if keys}
    return rare


@dataclass(frozen=True)
class TouchedTask:
    """How many cells a change empties and how many rows it removes, where the classes alone don't tell."""

    work: Work
    change: RuleChange
    needed: tuple[str, ...]

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(class_columns(self.work.table, self.needed)):
            cells, rows, _ = delivered(self.work, batch, self.needed)
            before = {name: cells[name].null_count for name in self.change.treated}
            keep = Changes((self.change,)).apply(cells)
            emptied = sum(cells[name].null_count - before[name] for name in before)
            yield pack((emptied, 0 if keep is None else len(rows) - int(keep.sum())))


def touched(work: Work, engine: Engine, change: RuleChange, number: int, what: str) -> tuple[int, int]:
    """Cells emptied and rows removed by a change that is not among the work's own yet."""
    found = [unpack(blob) for blob in engine.each(TouchedTask(work, change, needed_columns(work, number + 1)), what)]
    return sum(cells for cells, _ in found), sum(rows for _, rows in found)


__all__ = ["COUNT", "by_subject", "class_keys", "count_classes", "rare_combinations", "touched"]
