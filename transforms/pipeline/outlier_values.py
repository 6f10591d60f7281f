"""What outliers of numbers become: means, medians, ranges, bounds, by class; as cells of the column's type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.ordered import value_of
from transforms.outlier_changes import Bounds, as_numbers, class_keys
from transforms.pipeline.members import Words
from transforms.pipeline.outlier_gather import KEY, Cells, summed
from transforms.plan_outliers import LocalGeneralization
from transforms.techniques.phrases import number

SIDE, VALUE, COUNT, LEAST, MOST = "side", "value", "count", "least", "most"
BELOW, ABOVE = -1, 1
Number = int | float


@dataclass(frozen=True)
class OutlyingGather:
    """The outlying numbers by class `by` and side, each with its count: {class: {side: [(number, count), …]}}."""

    bounds: Bounds
    by: tuple[str, ...]

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        below, above = self.bounds.sides(cells)
        chosen = pa.array(below | above)
        found = as_numbers(cells[self.bounds.column]).filter(chosen)
        keys = class_keys(cells, self.by, len(below)).filter(chosen)
        sides = np.where(below, BELOW, ABOVE)[below | above].astype(np.int8)
        return self.merge(pa.table({KEY: keys, SIDE: sides, VALUE: found, COUNT: np.ones(len(found), np.int64)}))

    def merge(self, rows: pa.Table) -> pa.Table:
        return summed(rows, (KEY, SIDE, VALUE), (COUNT,))

    def finish(self, rows: pa.Table) -> dict[bytes, dict[int, list[tuple[Number, int]]]]:
        found: dict[bytes, dict[int, list[tuple[Number, int]]]] = {}
        for key, side, value, count in zip(*(one.to_pylist() for one in rows.columns), strict=True):
            found.setdefault(key, {}).setdefault(side, []).append((value, count))
        return found


@dataclass(frozen=True)
class RangeGather:
    """Least and greatest number of `column` by class `by`, and the cells that are not null: {class: (…, …, n)}."""

    column: str
    by: tuple[str, ...]
    only: pa.Array

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        found = as_numbers(cells[self.column])
        keys = class_keys(cells, self.by, len(found))
        chosen = pc.and_(found.is_valid(), pc.is_in(keys, value_set=self.only))
        keys, found = keys.filter(chosen), found.filter(chosen)
        rows = {KEY: keys, LEAST: found, MOST: found, COUNT: np.ones(len(found), np.int64)}
        return self.merge(pa.table(rows))

    def merge(self, rows: pa.Table) -> pa.Table:
        found = rows.group_by([KEY]).aggregate([(LEAST, "min"), (MOST, "max"), (COUNT, "sum")])
        named = found.select([KEY, f"{LEAST}_min", f"{MOST}_max", f"{COUNT}_sum"])
        return named.rename_columns([KEY, LEAST, MOST, COUNT])

    def finish(self, rows: pa.Table) -> dict[bytes, tuple[Number, Number, int]]:
        lines = zip(*(one.to_pylist() for one in rows.columns), strict=True)
        return {key: (least, most, count) for key, least, most, count in lines}


def mean_of(listed: list[tuple[Number, int]]) -> Fraction:
    """Mean of numbers with their counts."""
    return sum((Fraction(one) * count for one, count in listed), Fraction(0)) / sum(count for _, count in listed)


def median_of(listed: list[tuple[Number, int]]) -> Number:
    """The smallest of the numbers whose cumulative share is at least a half."""
    half = (sum(count for _, count in listed) + 1) // 2
    for one, count in sorted(listed):
        half -= count
        if half <= 0:
            return one
    raise ValueError("no number")


def cell_of(figure: Fraction | Number, type_: pa.DataType) -> Any:
    """A figure in the units of `as_numbers` as a cell of the column's type: half away from zero where it must be."""
    if pa.types.is_floating(type_):
        return float(figure)
    exact = Fraction(figure)
    whole = floor(abs(exact) + Fraction(1, 2))
    return value_of(whole if exact >= 0 else -whole, type_)


def scaled(unit: int | Decimal, type_: pa.DataType) -> Fraction:
    """A unit of the plan in the units of `as_numbers`."""
    return Fraction(unit) * 10 ** (type_.scale if pa.types.is_decimal128(type_) else 0)


def to_unit(figure: Fraction | Number, unit: int | Decimal | None, type_: pa.DataType, up: bool) -> Fraction:
    """A figure brought to a multiple of the unit, upwards or downwards."""
    if unit is None:
        return Fraction(figure)
    step = scaled(unit, type_)
    return (ceil if up else floor)(Fraction(figure) / step) * step


def text_of(figure: Fraction, type_: pa.DataType) -> str:
    """A figure in the units of `as_numbers` as people read it in the column's type: 3,009,600."""
    return number(cell_of(figure, type_))


def range_text(least: Number, most: Number, treat: LocalGeneralization, type_: pa.DataType) -> str | None:
    """The range of a class's values; None where it is one value alone."""
    low, high = to_unit(least, treat.unit, type_, up=False), to_unit(most, treat.unit, type_, up=True)
    return None if low == high else f"{text_of(low, type_)}~{text_of(high, type_)}"


def beyond_texts(
    low: Number | None, high: Number | None, treat: LocalGeneralization, type_: pa.DataType
) -> tuple[str, str]:
    """`20미만` and `80초과`: the bounds, brought to multiples of the unit inwards, and the words for beyond.

    A side that the rule does not look at has the other's text, which is never used.
    """
    below = "" if low is None else f"{text_of(to_unit(low, treat.unit, type_, up=True), type_)}{treat.below}"
    above = "" if high is None else f"{text_of(to_unit(high, treat.unit, type_, up=False), type_)}{treat.above}"
    return below or above, above or below
