"""Facts: exact figures about the delivered target data that techniques need (cut-offs, means).

A fact is observed in batches, its states are merged in any order, and the result is exact whatever the
partitioning. The verify job does not trust it: `audit` counts, on another way through the data, what
proves a concluded value right or wrong.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.class_facts import ClassTable
from transforms.ordered import (
    Value,
    check_ordered,
    exact_sum,
    from_json,
    number_of,
    numbers,
    to_json,
    value_of,
)

Counts = dict[str, int | Fraction]
Side = Literal["upper", "lower"]
# How many times the expected tail a unit keeps, so that an uneven spread over units still is exact in one pass.
TAIL_MARGIN = 4
SMALLEST_TAIL = 64
# Values looked at to guess where a tail begins.
SAMPLED = 2048
# A quantile further from the end than this is found by refining a histogram: its tail would not be small.
LARGEST_TAIL_SHARE = Decimal("0.02")


class NeedsAnotherPass(Exception):
    """The state does not decide yet; observe `fact` over the data once more."""

    def __init__(self, fact: Fact) -> None:
        super().__init__(type(fact).__name__)
        self.fact = fact


class Fact(ABC):
    """A mergeable figure about the values that enter a step. Instances are small, frozen and hashable."""

    @abstractmethod
    def observe(self, values: pa.Array) -> Any:
        """State of one batch of values (nulls are left out unless the docstring says otherwise)."""

    @abstractmethod
    def merge(self, left: Any, right: Any) -> Any:
        """State of both; associative and commutative."""

    @abstractmethod
    def conclude(self, state: Any) -> Any:
        """The figure, exact, or NeedsAnotherPass."""

    @abstractmethod
    def audit(self, values: pa.Array, claim: Any) -> Counts:
        """Counts over one batch that tell whether `claim` is the figure; counts of batches are added."""

    @abstractmethod
    def accepts(self, counts: Counts, claim: Any) -> bool:
        """Do the counts of all batches prove the claim?"""


@dataclass(frozen=True)
class TailCut:
    """A cut-off, and count and exact sum of what lies beyond it. `cut` is None where there is no value at all."""

    cut: Value | None
    beyond_count: int = 0
    beyond_sum: Fraction = Fraction(0)

    @property
    def mean_beyond(self) -> Fraction | None:
        """Mean of the values beyond the cut-off, in the column's unit; None where there are none."""
        return self.beyond_sum / self.beyond_count if self.beyond_count else None

    def to_json(self) -> dict[str, Any]:
        return {
            "tail-cut": {
                "cut": to_json(self.cut),
                "beyond_count": self.beyond_count,
                "beyond_sum": str(self.beyond_sum),
            }
        }


@dataclass(frozen=True)
class _Tail:
    """`kept`: the extreme values of each unit; `dropped`: the most extreme one that a unit did not keep."""

    count: int
    kept: npt.NDArray[Any]
    dropped: int | float | None
    type: pa.DataType


@dataclass(frozen=True)
class Quantile(Fact):
    """The smallest non-null value whose cumulative share is at least `q` (an exact quantile, 분위수).

    Zeros count; `over: positive` leaves values ≤ 0 out. `side` is the end that the technique cuts.
    Concludes to a TailCut. In the tail (within 2 % of its end) one pass over the data is enough.
    """

    q: Decimal
    side: Side = "upper"
    over: Literal["all", "positive"] = "all"

    def _rank(self, count: int) -> int:
        """Rank of the quantile, from 1, counted from the smallest."""
        return max(1, int((self.q * count).to_integral_value(ROUND_CEILING)))

    def _from_end(self, count: int) -> int:
        rank = self._rank(count)
        return count - rank + 1 if self.side == "upper" else rank

    @property
    def in_tail(self) -> bool:
        share = 1 - self.q if self.side == "upper" else self.q
        return share <= LARGEST_TAIL_SHARE

    def _numbers(self, values: pa.Array) -> npt.NDArray[Any]:
        check_ordered(values.type)
        array = numbers(values)
        array = array[array > 0] if self.over == "positive" else array
        # The lower end is the upper end of the negated values; ~x does that for int64 without overflow.
        return array if self.side == "upper" else (-array if array.dtype.kind == "f" else ~array)

    def observe(self, values: pa.Array) -> Any:
        if not self.in_tail:
            return _Refinement(self).observe(values)
        array = self._numbers(values)
        count = len(array)
        keep = max(SMALLEST_TAIL, TAIL_MARGIN * self._from_end(count))
        dropped: int | float | None = None
        if len(array) > keep:
            array = _upper_end(array, keep + 1)
            array = np.partition(array, len(array) - keep - 1)
            dropped = array[len(array) - keep - 1].item()
            array = array[len(array) - keep :]
        return _Tail(count, np.array(array), dropped, values.type)

    def merge(self, left: Any, right: Any) -> Any:
        if not self.in_tail:
            return _Refinement(self).merge(left, right)
        dropped = [d for d in (left.dropped, right.dropped) if d is not None]
        return _Tail(
            left.count + right.count,
            np.concatenate([left.kept, right.kept]),
            max(dropped) if dropped else None,
            left.type,
        )

    def conclude(self, state: Any) -> TailCut:
        if not self.in_tail:
            return _Refinement(self).conclude(state)
        if state.count == 0:
            return TailCut(None)
        place = self._from_end(state.count)
        if place > len(state.kept):
            raise NeedsAnotherPass(_Refinement(self))
        kept = np.sort(state.kept)
        cut = kept[len(kept) - place]
        if state.dropped is not None and cut < state.dropped:
            raise NeedsAnotherPass(_Refinement(self))
        beyond = self._back(kept[kept > cut])
        return _tail_cut(self._back(kept[len(kept) - place : len(kept) - place + 1])[0], beyond, state.type)

    def _back(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return array if self.side == "upper" else (-array if array.dtype.kind == "f" else ~array)

    def audit(self, values: pa.Array, claim: TailCut) -> Counts:
        array = numbers(values)
        array = array[array > 0] if self.over == "positive" else array
        if claim.cut is None:
            return {"count": len(array)}
        cut = number_of(claim.cut, values.type)
        above = array > cut
        beyond = array[above] if self.side == "upper" else array[array < cut]
        at_most = len(array) - int(above.sum())
        return {
            "count": len(array),
            "at_most": at_most,
            "below": at_most - int((array == cut).sum()),
            "beyond": len(beyond),
            "beyond_sum": _scaled_sum(beyond, values.type),
        }

    def accepts(self, counts: Counts, claim: TailCut) -> bool:
        if claim.cut is None:
            return counts.get("count", 0) == 0
        rank = self._rank(int(counts["count"]))
        return (
            counts["below"] < rank <= counts["at_most"]
            and counts["beyond"] == claim.beyond_count
            and counts["beyond_sum"] == claim.beyond_sum
        )


def _upper_end(array: npt.NDArray[Any], least: int) -> npt.NDArray[Any]:
    """At least the `least` largest values, and not many more: a look at some of them spares sorting all."""
    some = np.sort(array[:: max(1, len(array) // SAMPLED)])
    place = len(some) - 1 - 2 * least * len(some) // len(array)
    if place <= 0:
        return array
    end = array[array >= some[place]]
    return end if len(end) >= least else array


def _scaled_sum(array: npt.NDArray[Any], type_: pa.DataType) -> Fraction:
    """Exact sum in the column's own unit (a decimal's unscaled integers come back to scale)."""
    scale = type_.scale if pa.types.is_decimal128(type_) else 0
    return exact_sum(array) / Fraction(10**scale)


def _tail_cut(cut: int | float, beyond: npt.NDArray[Any], type_: pa.DataType) -> TailCut:
    return TailCut(value_of(cut, type_), len(beyond), _scaled_sum(beyond, type_))


@dataclass(frozen=True)
class _Buckets:
    count: int
    below: int
    histogram: npt.NDArray[np.int64]
    beyond_count: int
    beyond_sum: Fraction
    type: pa.DataType


@dataclass(frozen=True)
class _Refinement(Fact):
    """A quantile anywhere: 16 bits of its place in the order are settled in each pass, from the top."""

    quantile: Quantile
    prefix: int = 0
    settled: int = 0
    cut: int | None = None

    def _keys(self, array: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
        """An order-preserving map to unsigned integers."""
        if array.dtype.kind != "f":
            return array.astype(np.int64, copy=False).view(np.uint64) ^ np.uint64(1 << 63)
        bits = (array + 0.0).view(np.uint64)
        return np.where(bits >> np.uint64(63) == 1, ~bits, bits | np.uint64(1 << 63))

    def _number(self, key: int, type_: pa.DataType) -> int | float:
        word = np.array([key], np.uint64)
        if pa.types.is_floating(type_):
            positive = word & np.uint64((1 << 63) - 1)
            bits = positive if key >> 63 else ~word
            return float(bits.view(np.float64)[0])
        return int((word ^ np.uint64(1 << 63)).view(np.int64)[0])

    def observe(self, values: pa.Array) -> _Buckets:
        check_ordered(values.type)
        array = numbers(values)
        array = array[array > 0] if self.quantile.over == "positive" else array
        keys = self._keys(array)
        if self.cut is not None:
            chosen = (
                keys > np.uint64(self.cut) if self.quantile.side == "upper" else keys < np.uint64(self.cut)
            )
            beyond = array[chosen]
            empty = np.zeros(0, np.int64)
            return _Buckets(len(array), 0, empty, len(beyond), _scaled_sum(beyond, values.type), values.type)
        shift = 64 - self.settled - 16
        below = 0
        if self.settled:
            top = keys >> np.uint64(64 - self.settled)
            below = int((top < np.uint64(self.prefix)).sum())
            keys = keys[top == np.uint64(self.prefix)]
        digits = ((keys >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
        return _Buckets(len(array), below, np.bincount(digits, minlength=65536), 0, Fraction(0), values.type)

    def merge(self, left: _Buckets, right: _Buckets) -> _Buckets:
        return _Buckets(
            left.count + right.count,
            left.below + right.below,
            left.histogram + right.histogram,
            left.beyond_count + right.beyond_count,
            left.beyond_sum + right.beyond_sum,
            left.type,
        )

    def conclude(self, state: _Buckets) -> TailCut:
        if state.count == 0:
            return TailCut(None)
        if self.cut is not None:
            number = self._number(self.cut, state.type)
            return TailCut(value_of(number, state.type), state.beyond_count, state.beyond_sum)
        rank = self.quantile._rank(state.count) - state.below
        digit = int(np.searchsorted(np.cumsum(state.histogram), rank))
        prefix = (self.prefix << 16) | digit
        if self.settled + 16 < 64:
            raise NeedsAnotherPass(replace(self, prefix=prefix, settled=self.settled + 16))
        raise NeedsAnotherPass(replace(self, cut=prefix))

    def audit(self, values: pa.Array, claim: TailCut) -> Counts:
        return self.quantile.audit(values, claim)

    def accepts(self, counts: Counts, claim: TailCut) -> bool:
        return self.quantile.accepts(counts, claim)


@dataclass(frozen=True)
class MeanBeyond(Fact):
    """Count and exact sum of the non-null values above (`upper`) or below (`lower`) a declared bound; a TailCut."""

    at: Value
    side: Side = "upper"

    def _beyond(self, values: pa.Array) -> npt.NDArray[Any]:
        check_ordered(values.type)
        array = numbers(values)
        bound = number_of(self.at, values.type)
        return array[array > bound] if self.side == "upper" else array[array < bound]

    def observe(self, values: pa.Array) -> tuple[int, Fraction]:
        beyond = self._beyond(values)
        return len(beyond), _scaled_sum(beyond, values.type)

    def merge(self, left: tuple[int, Fraction], right: tuple[int, Fraction]) -> tuple[int, Fraction]:
        return left[0] + right[0], left[1] + right[1]

    def conclude(self, state: tuple[int, Fraction]) -> TailCut:
        return TailCut(self.at, *state)

    def audit(self, values: pa.Array, claim: TailCut) -> Counts:
        present = values.drop_null().to_pylist()
        beyond = [v for v in present if (v > self.at if self.side == "upper" else v < self.at)]
        return {"beyond": len(beyond), "beyond_sum": sum((Fraction(v) for v in beyond), Fraction(0))}

    def accepts(self, counts: Counts, claim: TailCut) -> bool:
        return counts["beyond"] == claim.beyond_count and counts["beyond_sum"] == claim.beyond_sum


def conclusion_to_json(conclusion: Any) -> Any:
    """A concluded fact as JSON (for the run's facts file, which is additional information)."""
    return conclusion.to_json() if isinstance(conclusion, (TailCut, ClassTable)) else to_json(conclusion)


def conclusion_from_json(value: Any) -> Any:
    """The way back of `conclusion_to_json`."""
    if isinstance(value, dict) and "class-table" in value:
        return ClassTable.from_json(value)
    if isinstance(value, dict) and "tail-cut" in value:
        body = value["tail-cut"]
        return TailCut(from_json(body["cut"]), body["beyond_count"], Fraction(body["beyond_sum"]))
    return from_json(value)
