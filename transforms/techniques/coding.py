"""Top and bottom coding (상하단코딩): what lies beyond a cut-off is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.facts import Fact, MeanBeyond, Quantile, TailCut
from transforms.given import Given
from transforms.images import Image, Numbers, Piece
from transforms.kernels.memory import room
from transforms.ordered import Value, check_ordered, number_of, value_of
from transforms.technique import Example, Language
from transforms.techniques.cells import check_numeric, column_of, is_long_decimal, map_distinct, numbers_of
from transforms.techniques.parameters import Bound, Share, refuse
from transforms.techniques.phrases import number
from transforms.techniques.pieces import as_number, joined, pieces_of
from transforms.techniques.shape import CellTechnique


class Coding(CellTechnique):
    """What both ends share. `at` a declared cut-off, or `quantile` a measured one."""

    SIDE: ClassVar[Literal["upper", "lower"]]

    at: Bound | None = None
    quantile: Share | None = None
    over: Literal["all", "positive"] = "all"
    replace: Literal["cut", "mean"] = "cut"

    @model_validator(mode="after")
    def _one_cut(self) -> Self:
        if (self.at is None) == (self.quantile is None):
            refuse(
                "both `at` and `quantile`" if self.at is not None else "no cut-off",
                "either `at` or `quantile`",
            )
        if self.over == "positive" and self.quantile is None:
            refuse("`over: positive` without a quantile", "`over` together with `quantile`", None, "over")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name, times=True)
        if self.quantile is not None or self.replace == "mean":
            check_ordered(source)
        if self.replace == "mean" and not (
            pa.types.is_decimal(source) or pa.types.is_integer(source) or pa.types.is_floating(source)
        ):
            raise TechniqueError(f"`replace: mean` on a column of type {source}", "numbers", "use `replace: cut`")
        if self.at is not None:
            typed(self.at, source)
        return source

    def needs(self, source: pa.DataType) -> Mapping[str, Fact]:
        if self.quantile is not None:
            return {"cut": Quantile(self.quantile, self.SIDE, self.over)}
        if self.replace == "mean" and self.at is not None:
            return {"cut": MeanBeyond(typed(self.at, source), self.SIDE)}
        return {}

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        cut, replacement = self._bounds(given)
        if cut is None:
            return values
        if is_long_decimal(values.type):
            bound = Decimal(str(cut))
            return map_distinct(values, lambda one: (min if self.SIDE == "upper" else max)(one, bound))
        numbers, valid = numbers_of(values)
        end = numbers.dtype.type(number_of(cut, values.type))
        if self.replace == "cut":
            nearest = np.minimum if self.SIDE == "upper" else np.maximum
            result = nearest(numbers, end, out=room(len(numbers), numbers.dtype))
        else:
            beyond = numbers > end if self.SIDE == "upper" else numbers < end
            if endless := int(np.isinf(numbers[beyond]).sum()):
                raise CellsRefused("infinite numbers have no mean; use `replace: cut`", endless)
            stead = end if replacement is None else numbers.dtype.type(number_of(replacement, values.type))
            result = np.where(beyond, stead, numbers)
        return column_of(result, valid, values.type)

    def _bounds(self, given: Given) -> tuple[Value | None, Value | None]:
        """Cut-off and mean of what lies beyond it; None where there is no value, or too little beyond.

        One value alone is its own mean: it becomes the cut-off.
        """
        if "cut" not in given.facts:
            return self.at, None
        fact: TailCut = given.facts["cut"]
        mean = fact.mean_beyond if fact.beyond_count > 1 else None
        return fact.cut, None if mean is None or fact.cut is None else _like(mean, fact.cut)

    def spread(self, before: Image, given: Given) -> Image:
        cut, replacement = self._bounds(given)
        if cut is None:
            return before
        end, upper = as_number(cut), self.SIDE == "upper"
        stead = end if self.replace == "cut" or replacement is None else as_number(replacement)
        pieces = []
        for piece in pieces_of(before):
            far, near = (piece.high, piece.low) if upper else (piece.low, piece.high)
            if far is not None and (far <= end if upper else far >= end):
                pieces.append(piece)
                continue
            if near is None or (near <= end if upper else near >= end):
                pieces.append(changed(piece, high=end) if upper else changed(piece, low=end))
            pieces.append(Piece(stead, stead))
        return Numbers(nullable=before.nullable, pieces=joined(pieces))

    def level_text(self, language: Language) -> str:
        return _level(self, language)


def typed(at: int | Decimal | date, source: pa.DataType) -> Value:
    """The declared cut-off as a value of the column's type, or TechniqueError."""
    is_time, is_date = isinstance(at, datetime), isinstance(at, date) and not isinstance(at, datetime)
    if is_time != pa.types.is_timestamp(source) or is_date != pa.types.is_date32(source):
        raise TechniqueError(
            f"a cut-off that is no value of the column's type {source}",
            "a number for numbers, a date for dates, a time for timestamps",
        )
    if isinstance(at, date):
        return value_of(number_of(at, source), source)
    try:
        if pa.types.is_floating(source):
            return float(at)
        whole: Any = pa.scalar(Decimal(at)).cast(source).as_py()
    except (pa.ArrowException, ValueError):
        whole = None
    if whole is None or whole != at:
        raise TechniqueError(f"a cut-off that the column's type {source} can't hold", f"a value of type {source}")
    return whole  # type: ignore[no-any-return]


def _like(mean: Fraction, cut: Value) -> Value:
    """The mean in the unit of the column (integers and decimals: half away from zero)."""
    if isinstance(cut, float):
        return float(mean)
    exponent = cut.as_tuple().exponent if isinstance(cut, Decimal) else 0
    scale = -exponent if isinstance(exponent, int) else 0
    scaled = mean * 10**scale
    away = (abs(scaled.numerator) * 2 + scaled.denominator) // (2 * scaled.denominator)
    whole = away if scaled >= 0 else -away
    return Decimal(whole).scaleb(-scale) if isinstance(cut, Decimal) else whole


def _level(step: Coding, language: Language) -> str:
    upper = step.SIDE == "upper"
    if language == "ko":
        where = (
            f"{number(step.at)}"
            if step.quantile is None
            else f"{'상위' if upper else '하위'} 분위수 {step.quantile} 경계"
        )
        if step.over == "positive":
            where += "(0 이하 제외)"
        stead = "경계치로" if step.replace == "cut" else "해당 값들의 평균으로"
        return f"{where} {'초과' if upper else '미만'}는 {stead} 변경"
    where = f"{number(step.at)}" if step.quantile is None else f"the {step.quantile} quantile"
    if step.over == "positive":
        where += " of the values above 0"
    stead = "the cut-off" if step.replace == "cut" else "their mean"
    return f"values {'above' if upper else 'below'} {where} become {stead}"


class TopCoding(Coding):
    """Values above a cut-off become the cut-off, or (`replace: mean`) the mean of all values above it.

    In and out: one column of the same type: numbers in the column's own unit, dates, timestamps (dates
    and times not for `mean`). The cut-off is `at`, or the exact `quantile`: the smallest value whose
    cumulative share of the filled cells is ≥ q, zeros included unless `over: positive`. A mean is rounded to the unit
    of the type, half away from zero; one value alone above the cut-off would be its own mean, so it becomes
    the cut-off. Values at the cut-off and below, and null, stay.

    Kept: everything up to the cut-off. Lost: what lies beyond; with the cut-off, the total shrinks, with
    the mean it stays. Attack: a measured cut-off or a mean of few is itself somebody's value, so it is
    additional information and must be followed by a coarser step; who is beyond the cut-off is still known
    to be extreme. What helps: a cut-off that enough people exceed, declared where one is customary.
    Refused: NaN, a cut-off that the type can't hold, with `mean` infinite numbers above it.
    Source: guideline L2051-2053 (상하단코딩), L625, L628.
    """

    name: ClassVar[str] = "top-coding"
    korean: ClassVar[str] = "상단코딩"
    SIDE: ClassVar[Literal["upper", "lower"]] = "upper"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({"at": 80}, [36, 80, 84, 97, None], [36, 80, 80, 80, None], source="guideline L625"),
        Example(
            {"quantile": 0.999},
            [5, 10, 30],
            [5, 10, 10],
            facts={"cut": TailCut(10, 1, Fraction(30))},
            source="guideline L628: cut-off 10",
        ),
        Example(
            {"at": 1000, "replace": "mean"},
            [600, 700, 6200, 7300, None],
            [600, 700, 6750, 6750, None],
            facts={"cut": TailCut(1000, 2, Fraction(13500))},
            source="guideline L2406-2438",
        ),
    )


class BottomCoding(Coding):
    """Values below a cut-off become the cut-off, or the mean of all values below it.

    The mirror image of `top-coding`, in everything: types, cut-off, mean, refusals. Null stays null.

    Kept: everything down to the cut-off. Lost: what lies below it. Attack: as in `top-coding`: a measured
    cut-off is somebody's value; those at the end are known to be extreme. What helps: a declared cut-off,
    a coarser step after a measured one.
    Source: guideline L2051-2053 (상하단코딩).
    """

    name: ClassVar[str] = "bottom-coding"
    korean: ClassVar[str] = "하단코딩"
    SIDE: ClassVar[Literal["upper", "lower"]] = "lower"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example({"at": 20}, [10, 19, 20, 36, None], [20, 20, 20, 36, None], source="guideline L2051-2053"),
    )
