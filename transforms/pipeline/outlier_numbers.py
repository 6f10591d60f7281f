"""Outlier rules on numbers solved: bounds by class (3-sigma, IQR, quantile), then what lies beyond them treated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import pyarrow as pa

from transforms.outlier_changes import Act, Bounds, EndsAct, KeyAct, RuleChange
from transforms.pipeline.engine import Engine
from transforms.pipeline.outlier_gather import gathered, needed_columns
from transforms.pipeline.outlier_quantiles import Number, quantiles
from transforms.pipeline.outlier_sums import SigmaGather, SumsGather
from transforms.pipeline.outlier_values import (
    ABOVE,
    BELOW,
    OutlyingGather,
    RangeGather,
    beyond_texts,
    cell_of,
    mean_of,
    median_of,
    range_text,
    to_unit,
)
from transforms.pipeline.work import Work
from transforms.plan_outliers import (
    EndCoding,
    Iqr,
    LocalGeneralization,
    LocalSuppression,
    Microaggregation,
    NumberFind,
    OutlierRule,
    QuantileFind,
    RemoveRecords,
    ThreeSigma,
)

Ends = tuple[Number | None, Number | None]
Outlying = Mapping[bytes, Mapping[int, list[tuple[Number, int]]]]
_QUARTERS = (Fraction(1, 4), Fraction(3, 4))
_LARGEST = (1 << 63) - 1


def bounds_of(
    work: Work, engine: Engine, find: NumberFind, type_: pa.DataType, needed: tuple[str, ...], what: str
) -> dict[bytes, Ends]:
    """{class: (low, high)}: numbers below low or above high are outlying (None: none there)."""
    floats = pa.types.is_floating(type_)
    if isinstance(find, ThreeSigma):
        gather = SigmaGather(find.column, find.within, factor=Fraction(find.factor), floats=floats)
        ends: dict[bytes, tuple[Number, Number]] = {}
        for answer in gathered(work, engine, gather, needed, f"{what}, sums"):
            ends |= answer
    else:
        shares = _QUARTERS if isinstance(find, Iqr) else (Fraction(_share(find)),)
        found = quantiles(work, engine, (find.column, find.within), shares, needed, what)
        ends = {key: fences(find, one, floats) for key, one in found.items()}
    return {key: one_side(find, *one) for key, one in ends.items()}


def _share(find: NumberFind) -> Any:
    assert isinstance(find, QuantileFind)
    return find.q


def fences(find: NumberFind, found: tuple[Number, ...], floats: bool) -> tuple[Number, Number]:
    """The bounds that a class's quantiles give: whole numbers inwards, floats to the nearest."""
    if not isinstance(find, Iqr):
        return found[0], found[0]
    first, third = (Fraction(one) for one in found)
    reach = Fraction(find.factor) * (third - first)
    if floats:
        return float(first - reach), float(third + reach)
    return -((reach - first) // 1), (third + reach) // 1


def one_side(find: NumberFind, low: Number, high: Number) -> Ends:
    """The ends that the rule looks at. What no 64-bit number lies beyond is no end."""
    below = low if find.side != "upper" and (isinstance(low, float) or low >= -_LARGEST) else None
    above = high if find.side != "lower" and (isinstance(high, float) or high <= _LARGEST) else None
    return below, above


def bounds_table(find: NumberFind, ends: Mapping[bytes, Ends], type_: pa.DataType) -> Bounds:
    """The ends of some classes as tasks use them; classes in a fixed order."""
    number = pa.float64() if pa.types.is_floating(type_) else pa.int64()
    keys = sorted(ends)
    return Bounds(
        find.column,
        find.within,
        pa.array(keys, pa.binary()),
        pa.array([ends[key][0] for key in keys], number),
        pa.array([ends[key][1] for key in keys], number),
    )


@dataclass(frozen=True)
class NumberRule:
    """One rule on the cells of `type_` that the rules before it left."""

    work: Work
    engine: Engine
    number: int
    rule: OutlierRule
    type_: pa.DataType
    say: Callable[[str], str]

    @property
    def needed(self) -> tuple[str, ...]:
        return needed_columns(self.work, self.number + 1)

    @property
    def find(self) -> NumberFind:
        one = self.rule.find.one
        assert isinstance(one, NumberFind)
        return one

    def solved(self) -> RuleChange:
        """The change; one without acts where nothing is outlying. Errors: PassFailed."""
        ends = bounds_of(self.work, self.engine, self.find, self.type_, self.needed, self.say("bounds"))
        treat = self.rule.treat.one
        texts = (self.find.column,) if isinstance(treat, LocalGeneralization) else ()
        nothing = RuleChange(self.number, texts=texts)
        if not ends:
            return nothing
        every = bounds_table(self.find, ends, self.type_)
        outlying = self._outlying(every, self.find.within)
        if not outlying:
            return nothing
        bounds = bounds_table(self.find, {key: ends[key] for key in outlying}, self.type_)
        count = sum(number for sides in outlying.values() for one in sides.values() for _, number in one)
        nothing = replace(nothing, bounds=bounds)
        match treat:
            case RemoveRecords():
                return replace(nothing, acts=(EndsAct(bounds.within, bounds.keys),), rows=count)
            case LocalSuppression():
                return replace(nothing, acts=(EndsAct(bounds.within, bounds.keys, bounds.column),), cells=count)
            case LocalGeneralization():
                return self._generalized(nothing, treat, ends, count)
        return replace(nothing, acts=(self._replaced(bounds, outlying, ends),), cells=count)

    def _outlying(self, bounds: Bounds, by: tuple[str, ...]) -> dict[bytes, dict[int, list[tuple[Number, int]]]]:
        found: dict[bytes, dict[int, list[tuple[Number, int]]]] = {}
        for answer in gathered(self.work, self.engine, OutlyingGather(bounds, by), self.needed, self.say("outliers")):
            found |= answer
        return found

    def _replaced(
        self, bounds: Bounds, outlying: Outlying, ends: Mapping[bytes, Ends]
    ) -> Act:
        """Each class's outliers on a side become one value."""
        treat = self.rule.treat.one
        assert isinstance(treat, (Microaggregation, EndCoding))
        whole = self._whole(bounds.keys, treat, outlying)
        below, above = [], []
        for key in bounds.keys.to_pylist():
            low, high = (self._value(treat, key, side, outlying, whole, ends) for side in (BELOW, ABOVE))
            # A side without outliers has no use for its value.
            below.append(high if low is None else low)
            above.append(low if high is None else high)
        return EndsAct(
            bounds.within, bounds.keys, bounds.column, pa.array(below, self.type_), pa.array(above, self.type_)
        )

    def _value(
        self,
        treat: Microaggregation | EndCoding,
        key: bytes,
        side: int,
        outlying: Outlying,
        whole: Mapping[bytes, Fraction | Number],
        ends: Mapping[bytes, Ends],
    ) -> Any:
        """What a class's outliers on one side become; None where there are none."""
        found = outlying[key].get(side)
        if found is None:
            return None
        if isinstance(treat, EndCoding) and treat.replace == "cut":
            figure: Fraction | Number | None = ends[key][0 if side == BELOW else 1]
        else:
            figure = whole[key] if _as_class(treat, found) else _own(treat, found)
        assert figure is not None
        unit = treat.unit if isinstance(treat, EndCoding) else None
        return cell_of(to_unit(figure, unit, self.type_, up=side == BELOW), self.type_)

    def _whole(
        self,
        keys: pa.Array,
        treat: Microaggregation | EndCoding,
        outlying: Outlying,
    ) -> Mapping[bytes, Fraction | Number]:
        """Mean or median of all cells of the classes where it is asked for."""
        if isinstance(treat, EndCoding) and treat.replace == "cut":
            return {}
        asked = [k for k in keys.to_pylist() if any(_as_class(treat, one) for one in outlying[k].values())]
        if not asked:
            return {}
        only = pa.array(asked, pa.binary())
        place = (self.find.column, self.find.within)
        if isinstance(treat, Microaggregation) and treat.statistic == "median":
            half = (Fraction(1, 2),)
            found = quantiles(self.work, self.engine, place, half, self.needed, self.say("medians"), only)
            return {key: one[0] for key, one in found.items()}
        gather = SumsGather(*place, only)
        sums: dict[bytes, Fraction | Number] = {}
        for answer in gathered(self.work, self.engine, gather, self.needed, self.say("means")):
            sums |= {key: total / count for key, (count, total, _) in answer.items()}
        return sums

    def _generalized(
        self, change: RuleChange, treat: LocalGeneralization, ends: Mapping[bytes, Ends], count: int
    ) -> RuleChange:
        bounds = change.bounds
        assert bounds is not None
        column, by = bounds.column, self.rule.by
        if treat.as_ == "beyond":
            texts = [beyond_texts(*ends[key], treat, self.type_) for key in bounds.keys.to_pylist()]
            below, above = (pa.array(side, pa.string()) for side in zip(*texts, strict=True))
            return replace(change, acts=(EndsAct(bounds.within, bounds.keys, column, below, above),), cells=count)
        asked = sorted(self._outlying(bounds, by) if by != bounds.within else bounds.keys.to_pylist())
        keys = pa.array(asked, pa.binary())
        ranges = self.ranges(column, by, keys)
        named = pa.array([range_text(*ranges[key][:2], treat, self.type_) for key in asked], pa.string())
        if treat.scope == "cell":
            return replace(change, acts=(EndsAct(by, keys, column, named, named),), cells=count)
        cells = sum(number for _, _, number in ranges.values())
        return replace(change, acts=(KeyAct(by, keys, column, named),), cells=cells)

    def ranges(self, column: str, by: tuple[str, ...], keys: pa.Array) -> dict[bytes, tuple[Number, Number, int]]:
        """Least and greatest number, and the cells, of the classes in `keys`."""
        found: dict[bytes, tuple[Number, Number, int]] = {}
        for answer in gathered(self.work, self.engine, RangeGather(column, by, keys), self.needed, self.say("ranges")):
            found |= answer
        return found


def _as_class(treat: Microaggregation | EndCoding, found: list[tuple[Number, int]]) -> bool:
    """Is the figure that of the whole class? Where the plan says so, and for an only outlier."""
    asked = isinstance(treat, Microaggregation) and treat.of == "class"
    return asked or sum(count for _, count in found) == 1


def _own(treat: Microaggregation | EndCoding, found: list[tuple[Number, int]]) -> Fraction | Number:
    median = isinstance(treat, Microaggregation) and treat.statistic == "median"
    return median_of(found) if median else mean_of(found)
