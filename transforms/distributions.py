"""Distributions of numbers that documents may show (분포): round edges, no small bin, no extreme (L3573, L3651).

Counting goes into a fine grid (three significant decimal digits), which is merged in any order over the
units of a pass. What is shown is far coarser: bins of one round width, the outer ones open, each with at
least `least` persons before the processing, and as many or none after it. No edge is a value of the data,
an extreme or a measured cut-off: which edges there are tells the order of magnitude of the middle and of
the upper end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import values_and_mask
from transforms.ordered import numbers

Bins = npt.NDArray[np.int64]

_LOWEST, _HIGHEST = -3, 18
_DECADES = _HIGHEST - _LOWEST + 1
_STEPS = 900
_SIDE = _DECADES * _STEPS
GRID = 2 * _SIDE + 1
_POWERS = np.array([10.0**e for e in range(_LOWEST, _HIGHEST + 1)])
# By the number of powers that are not above a number: the width of its bin, and where its decade's bins begin.
# A width below 1 is kept as its inverse, a whole number too, so that 0.7 falls on the edge that it is.
_TIMES = np.array([1.0] + [10.0 ** max(0, 2 - e) for e in range(_LOWEST, _HIGHEST + 1)])
_PARTS = np.array([1.0] + [10.0 ** max(0, e - 2) for e in range(_LOWEST, _HIGHEST + 1)])
_FIRST = _SIDE + 1 - 100 + _STEPS * np.arange(-1, _DECADES)
# About how many bins of equal width the middle of the data gets.
_MIDDLE_BINS = 16
_TAIL_BINS = 8


def is_shown(type_: pa.DataType) -> bool:
    """True for numbers: integers, floats, decimals of up to 18 digits."""
    return bool(
        pa.types.is_signed_integer(type_)
        or pa.types.is_floating(type_)
        or (pa.types.is_decimal128(type_) and type_.precision <= 18)
    )


def fine_bins(values: pa.Array) -> Bins:
    """Counts of the non-null values on the fine grid: int64 of one fixed length, to be added up."""
    return np.bincount(places(floats_of(values)), minlength=GRID)


def places(floats: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The bin of each number on the fine grid."""
    if not len(floats):
        return np.empty(0, np.int64)
    if floats.min() >= 0:
        return _upward(floats)
    below = floats < 0
    found = np.empty(len(floats), np.int64)
    found[below], found[~below] = _downward(-floats[below]), _upward(floats[~below])
    return found


def _upward(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Places of numbers from zero on: a bin holds its lower edge."""
    decades = _POWERS.searchsorted(sizes, side="right")
    steps = _in_widths(sizes, decades).astype(np.int64)
    places: npt.NDArray[np.int64] = np.minimum(_FIRST.take(decades) + steps, 2 * _SIDE)
    places[decades == 0] = _SIDE
    return places


def _downward(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Places of negative numbers, given without their sign."""
    decades = _POWERS.searchsorted(sizes, side="left")
    steps = np.ceil(_in_widths(sizes, decades)).astype(np.int64)
    places: npt.NDArray[np.int64] = np.maximum(2 * _SIDE + 1 - _FIRST.take(decades) - steps, 0)
    places[decades == 0] = _SIDE - 1
    return places


def _in_widths(sizes: npt.NDArray[np.float64], decades: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Numbers counted in the widths of their bins: 100 … 1000."""
    widths: npt.NDArray[np.float64] = sizes * _TIMES.take(decades) / _PARTS.take(decades)
    return widths


def floats_of(values: pa.Array) -> npt.NDArray[np.float64]:
    """The finite values of an array as floats, nulls left out."""
    if pa.types.is_floating(values.type):
        floats, mask = values_and_mask(values)
        floats = floats if mask is None else floats[~mask]
        finite: npt.NDArray[np.float64] = floats[np.isfinite(floats)].astype(np.float64)
        return finite
    plain: npt.NDArray[np.float64] = numbers(values).astype(np.float64)
    if pa.types.is_decimal(values.type):
        plain /= 10.0**values.type.scale
    return plain


def _lower_edges() -> npt.NDArray[np.float64]:
    decades = np.repeat(_POWERS / 100, _STEPS)
    upward = decades * np.tile(np.arange(100, 1000), _DECADES)
    downward = decades * np.tile(np.arange(101, 1001), _DECADES)
    return np.concatenate([-downward[::-1], [0.0], upward])


EDGES = _lower_edges()


@dataclass(frozen=True)
class Bin:
    """Persons with `low` ≤ value < `high` (None: open) before and after. Edges are multiples of a round number."""

    low: Decimal | None
    high: Decimal | None
    before: int
    after: int

    def joined(self, other: Bin) -> Bin:
        """This bin and the one that follows it."""
        return Bin(self.low, other.high, self.before + other.before, self.after + other.after)

    def hides(self, least: int) -> bool:
        """Does it stand for `least` persons or more? After the processing none at all is fine too."""
        return self.before >= least and (self.after == 0 or self.after >= least)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"from": _plain(self.low), "to": _plain(self.high), "before": self.before, "after": self.after}


def _plain(edge: Decimal | None) -> int | float | None:
    if edge is None:
        return None
    return int(edge) if edge == edge.to_integral_value() else float(edge)


@dataclass(frozen=True)
class Distribution:
    """`bins` of all values, `outliers` (특이정보): the same persons, with more room for the upper end."""

    bins: tuple[Bin, ...]
    outliers: tuple[Bin, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"bins": [one.plain() for one in self.bins], "outliers": [one.plain() for one in self.outliers]}


@dataclass(frozen=True)
class Shape:
    """The round edges that a column's distributions use, before and after alike."""

    middle: tuple[Decimal, Decimal, Decimal]
    tail: tuple[Decimal, Decimal, Decimal]

    @classmethod
    def of(cls, bins: Bins, whole: bool) -> Shape:
        """Chosen by the order of magnitude of the middle (5 % … 95 %) and of the upper end (95 % … 99.5 %).

        `whole`: the column holds whole numbers, so no bin is narrower than 1.
        """
        low, high, end = (quantile(bins, share) for share in (0.05, 0.95, 0.995))
        return cls(_grid(low, high, _MIDDLE_BINS, whole), _grid(high, end, _TAIL_BINS, whole))


def distribution(before: Bins, after: Bins, whole: bool, least: int) -> Distribution | None:
    """What may be shown of counts on the fine grid; None where even one open bin would stand for too few persons.

    The edges are chosen by `before` alone. `whole`: the column holds whole numbers.
    """
    shape = Shape.of(before, whole)
    if not Bin(None, None, int(before.sum()), int(after.sum())).hides(least):
        return None
    return Distribution(_coarse(before, after, shape.middle, least), _coarse(before, after, shape.tail, least))


def quantile(bins: Bins, share: float) -> float:
    """The lower edge of the bin in which a quantile lies; 0 where nothing is counted."""
    running = np.cumsum(bins)
    return float(EDGES[int(np.searchsorted(running, share * running[-1]))]) if running[-1] else 0.0


def _grid(low: float, high: float, count: int, whole: bool) -> tuple[Decimal, Decimal, Decimal]:
    """Step, first and last edge: the step is 1, 2 or 5 times a power of ten."""
    # Not narrower than the fine grid is at this place.
    width = Decimal(repr(max((high - low) / count, abs(high) / 100, abs(low) / 100, 10.0**_LOWEST)))
    power = Decimal(10) ** width.adjusted()
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= width)
    step = max(step, Decimal(1)) if whole else step
    first = (Decimal(repr(low)) / step).to_integral_value("ROUND_FLOOR") * step + step
    last = max(first, (Decimal(repr(high)) / step).to_integral_value("ROUND_FLOOR") * step)
    return step, first, last


def _coarse(before: Bins, after: Bins, grid: tuple[Decimal, Decimal, Decimal], least: int) -> tuple[Bin, ...]:
    step, first, last = grid
    inner = [first + step * number for number in range(int((last - first) / step) + 1)]
    starts = np.searchsorted(EDGES, [float(edge) * (1 - 1e-12 if edge > 0 else 1 + 1e-12) for edge in inner])
    edges = [None, *inner, None]
    counts = [_between(bins, starts) for bins in (before, after)]
    return _merged([Bin(*one) for one in zip(edges, edges[1:], *counts, strict=False)], least)


def _between(bins: Bins, starts: npt.NDArray[np.intp]) -> list[int]:
    """Counts before, between and from the starts on."""
    running = np.concatenate([[0], np.cumsum(bins)])
    ends = np.concatenate([[0], running[starts], running[-1:]])
    return [int(count) for count in np.diff(ends)]


def _merged(bins: Sequence[Bin], least: int) -> tuple[Bin, ...]:
    """Neighbours together until each bin hides whom it stands for; what is left over joins the ones before."""
    found: list[Bin] = []
    waiting: Bin | None = None
    for one in bins:
        waiting = one if waiting is None else waiting.joined(one)
        if waiting.hides(least):
            found.append(waiting)
            waiting = None
    while waiting is not None and not waiting.hides(least):
        waiting = found.pop().joined(waiting)
    return (*found, waiting) if waiting is not None else tuple(found)
