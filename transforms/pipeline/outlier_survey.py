"""A survey of outliers (특이정보 관찰 방법, guideline L2262-2290) before any rule is written: counts, never a value.

All columns are looked at in the same few passes. Bounds are measured values: they are kept apart from the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import TechniqueError
from transforms.ordered import check_ordered, value_of
from transforms.outlier_changes import Bounds, class_keys
from transforms.pipeline.engine import Engine
from transforms.pipeline.members import Words
from transforms.pipeline.outlier_classes import CombinationsGather
from transforms.pipeline.outlier_gather import HIGH, KEY, LOW, Cells, Gather, gathered, summed
from transforms.pipeline.outlier_numbers import bounds_table, fences, one_side
from transforms.pipeline.outlier_quantiles import CoarseGather, FineGather
from transforms.pipeline.outlier_sums import SumsGather, sigma_bounds
from transforms.pipeline.work import Work
from transforms.plan_outliers import Iqr, NumberFind, ThreeSigma

SIDE, COUNT = "side", "count"
SIZES = ((1, 1), (2, 2), (3, 4), (5, 9), (10, 99), (100, None))
MOST_COMBINED = 10


@dataclass(frozen=True)
class NumbersFound:
    """Cells beyond a method's bounds in one column. `bounds` are values of the column: additional information."""

    column: str
    method: str
    values: int
    below: int
    above: int
    bounds: tuple[Any, Any]


@dataclass(frozen=True)
class ClassesFound:
    """Classes by some columns, those with fewer rows (or persons) than asked for, and classes by size."""

    columns: tuple[str, ...]
    classes: int
    counted: int
    rare: int
    rare_counted: int
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Survey:
    """What was found: numbers by column and method, classes by columns, rare combinations by columns."""

    numbers: tuple[NumbersFound, ...] = ()
    classes: tuple[ClassesFound, ...] = ()
    combinations: Mapping[tuple[str, ...], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What to look for: numbers `within` classes, frequencies of each column and of `together`, rare below `below`."""

    together: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    below: int = 3
    subjects: bool = False


@dataclass(frozen=True)
class Stacked:
    """Several gathers of one shape in one pass: {name: its answer}. The class is led by the number of the gather."""

    parts: tuple[tuple[str, Gather], ...]

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        tables = []
        for number, (_, gather) in enumerate(self.parts):
            found = gather.observe(cells, draws)
            mark = pa.repeat(pa.scalar(number.to_bytes(4, "big"), pa.binary()), found.num_rows)
            keys = found[KEY].combine_chunks() if found.num_rows else pa.array([], pa.binary())
            named = pc.binary_join_element_wise(mark, keys, pa.scalar(b"", pa.binary()))
            tables.append(found.set_column(found.column_names.index(KEY), KEY, named))
        return pa.concat_tables(tables)

    def merge(self, rows: pa.Table) -> pa.Table:
        return self.parts[0][1].merge(rows)

    def finish(self, rows: pa.Table) -> dict[str, Any]:
        marks = pc.binary_slice(rows[KEY], 0, 4).combine_chunks()
        found = {}
        for mark in marks.unique().to_pylist():
            name, gather = self.parts[int.from_bytes(mark, "big")]
            own = rows.filter(pc.equal(marks, pa.scalar(mark, pa.binary())))
            own = own.set_column(own.column_names.index(KEY), KEY, pc.binary_replace_slice(own[KEY], 0, 4, b""))
            found[name] = gather.finish(own.combine_chunks())
        return found


@dataclass(frozen=True)
class SidesGather:
    """How many cells lie below and above bounds: {-1: count, 1: count}, added up over answers."""

    bounds: Bounds

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        below, above = self.bounds.sides(cells)
        counts = np.array([below.sum(), above.sum()], np.int64)
        return pa.table({KEY: pa.array([b"", b""], pa.binary()), SIDE: np.array([-1, 1], np.int8), COUNT: counts})

    def merge(self, rows: pa.Table) -> pa.Table:
        return summed(rows, (KEY, SIDE), (COUNT,))

    def finish(self, rows: pa.Table) -> dict[int, int]:
        return dict(zip(rows[SIDE].to_pylist(), rows[COUNT].to_pylist(), strict=True))


@dataclass(frozen=True)
class SizesGather:
    """Classes by size, without the classes: {size: number of classes}."""

    columns: tuple[str, ...]
    subjects: bool

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        rows = len(cells[self.columns[0]])
        found = pa.table({KEY: class_keys(cells, self.columns, rows)})
        if self.subjects:
            words = draws()
            found = found.append_column(HIGH, pa.array(np.ascontiguousarray(words[:, 0])))
            found = found.append_column(LOW, pa.array(np.ascontiguousarray(words[:, 1])))
        else:
            found = found.append_column(COUNT, pa.array(np.ones(rows, np.int64)))
        return self.merge(found)

    def merge(self, rows: pa.Table) -> pa.Table:
        return rows.group_by(rows.column_names).aggregate([]) if self.subjects else summed(rows, (KEY,), (COUNT,))

    def finish(self, rows: pa.Table) -> dict[int, int]:
        counts = rows[COUNT] if not self.subjects else rows.group_by([KEY]).aggregate([([], "count_all")])["count_all"]
        found = counts.combine_chunks().value_counts()
        return dict(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def survey(work: Work, engine: Engine, asked: Asked) -> Survey:
    """Looks at all columns of the work's table whose cells come from their own row, as its steps give them.

    Errors: PassFailed.
    """
    types = {chain.name: chain.cell_type for chain in work.table.chains if chain.by_row}
    exact = [name for name, type_ in types.items() if not pa.types.is_floating(type_)]
    numbers = [name for name, type_ in types.items() if _has_order(type_) and name not in asked.within]
    return Survey(
        tuple(_numbers(work, engine, {name: types[name] for name in numbers}, asked.within)),
        tuple(_classes(work, engine, exact, asked)),
        _combinations(work, engine, asked),
    )


def _has_order(type_: pa.DataType) -> bool:
    try:
        check_ordered(type_)
    except TechniqueError:
        return False
    return True


def _stacked(
    work: Work, engine: Engine, parts: Mapping[str, Gather], needed: Sequence[str], what: str
) -> list[dict[str, Any]]:
    if not parts:
        return []
    return gathered(work, engine, Stacked(tuple(parts.items())), needed, what)


def _merged(answers: list[dict[str, Any]]) -> dict[str, dict[Any, Any]]:
    found: dict[str, dict[Any, Any]] = {}
    for answer in answers:
        for name, one in answer.items():
            found.setdefault(name, {}).update(one)
    return found


def _numbers(
    work: Work, engine: Engine, types: Mapping[str, pa.DataType], within: tuple[str, ...]
) -> list[NumbersFound]:
    needed = (*types, *within)
    sums = _merged(_stacked(work, engine, {n: SumsGather(n, within) for n in types}, needed, "sums of numbers"))
    values = {name: sum(count for count, _, _ in found.values()) for name, found in sums.items()}
    finds: dict[tuple[str, str], tuple[NumberFind, Mapping[bytes, Any]]] = {}
    for name, found in sums.items():
        floats = pa.types.is_floating(types[name])
        ends = {
            key: sigma_bounds(count, total, squares, Fraction(3), floats)
            for key, (count, total, squares) in found.items()
        }
        finds[name, "three-sigma"] = (ThreeSigma(column=name, within=within), ends)
    for name, quartiles in _quartiles(work, engine, types, within).items():
        find = Iqr(column=name, within=within)
        floats = pa.types.is_floating(types[name])
        finds[name, "iqr"] = (find, {key: fences(find, one, floats) for key, one in quartiles.items()})
    bounds = {
        key: bounds_table(find, {name: one_side(find, *one) for name, one in ends.items()}, types[key[0]])
        for key, (find, ends) in finds.items()
    }
    parts = {f"{name}\x00{method}": SidesGather(one) for (name, method), one in bounds.items()}
    sides: dict[str, dict[int, int]] = {}
    for answer in _stacked(work, engine, parts, needed, "numbers beyond their bounds"):
        for name, counts in answer.items():
            own = sides.setdefault(name, {})
            for side, count in counts.items():
                own[side] = own.get(side, 0) + count
    return [
        NumbersFound(
            name,
            method,
            values[name],
            sides[f"{name}\x00{method}"].get(-1, 0),
            sides[f"{name}\x00{method}"].get(1, 0),
            _shown(one, types[name]),
        )
        for (name, method), one in sorted(bounds.items(), key=lambda item: (list(types).index(item[0][0]), item[0][1]))
    ]


def _shown(bounds: Bounds, type_: pa.DataType) -> tuple[Any, Any]:
    """The bounds of the whole table as values of the column; of several classes, none."""
    if len(bounds.keys) != 1:
        return None, None
    low, high = bounds.low[0].as_py(), bounds.high[0].as_py()
    return tuple(None if one is None else value_of(one, type_) for one in (low, high))  # type: ignore[return-value]


def _quartiles(
    work: Work, engine: Engine, types: Mapping[str, pa.DataType], within: tuple[str, ...]
) -> dict[str, dict[bytes, Any]]:
    needed = (*types, *within)
    shares = (Fraction(1, 4), Fraction(3, 4))
    coarse = {name: CoarseGather(name, within, shares) for name in types}
    wanted = _merged(_stacked(work, engine, coarse, needed, "quartiles, coarse"))
    found: dict[str, dict[bytes, Any]] = {}
    for floats in (False, True):
        parts: dict[str, Gather] = {
            name: FineGather(name, within, wanted[name])
            for name, type_ in types.items()
            if pa.types.is_floating(type_) == floats and wanted.get(name)
        }
        found |= _merged(_stacked(work, engine, parts, needed, "quartiles, exact"))
    return found


def _classes(work: Work, engine: Engine, exact: Sequence[str], asked: Asked) -> list[ClassesFound]:
    sets: list[tuple[str, ...]] = [(name,) for name in exact]
    if len(asked.together) > 1:
        sets.append(asked.together)
    parts: dict[str, Gather] = {"\x00".join(one): SizesGather(one, asked.subjects) for one in sets}
    sizes: dict[str, dict[int, int]] = {}
    for answer in _stacked(work, engine, parts, exact, "classes"):
        for name, counts in answer.items():
            own = sizes.setdefault(name, {})
            for size, number in counts.items():
                own[size] = own.get(size, 0) + number
    return [_class_counts(one, sizes.get("\x00".join(one), {}), asked.below) for one in sets]


def _class_counts(columns: tuple[str, ...], sizes: Mapping[int, int], below: int) -> ClassesFound:
    named = {}
    for low, high in SIZES:
        name = f"{low}" if low == high else f"{low}~" if high is None else f"{low}~{high}"
        named[name] = sum(n for size, n in sizes.items() if size >= low and (high is None or size <= high))
    return ClassesFound(
        columns,
        sum(sizes.values()),
        sum(size * number for size, number in sizes.items()),
        sum(number for size, number in sizes.items() if size < below),
        sum(size * number for size, number in sizes.items() if size < below),
        named,
    )


def _combinations(work: Work, engine: Engine, asked: Asked) -> dict[tuple[str, ...], int]:
    """How many minimal combinations of up to three columns are rare."""
    found: dict[tuple[str, ...], int] = {}
    rare: dict[tuple[str, ...], pa.Array] = {}
    for size in range(1, min(3, len(asked.together)) + 1):
        gather = CombinationsGather(asked.together, size, asked.below, asked.subjects, dict(rare))
        listed: dict[tuple[str, ...], list[pa.Array]] = {one: [] for one in combinations(asked.together, size)}
        for answer in gathered(work, engine, gather, asked.together, f"rare combinations of {size}"):
            for subset, keys in answer.items():
                listed[subset].append(keys)
        rare |= {subset: pa.concat_arrays(keys) for subset, keys in listed.items() if keys}
        found |= {subset: len(rare[subset]) if subset in rare else 0 for subset in listed}
    return found


__all__ = ["MOST_COMBINED", "Asked", "ClassesFound", "NumbersFound", "Survey", "survey"]
