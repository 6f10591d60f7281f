"""Noise (잡음 추가): a drawn number is added to each value, or each is multiplied by a drawn factor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from transforms.draws import Draws
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Image, Number, Numbers, Piece
from transforms.kernels import quantiles
from transforms.kernels.kept_sum import balanced
from transforms.ordered import number_of
from transforms.technique import Language
from transforms.techniques.cells import Cells, check_numeric, column_of, finite, is_long_decimal, numbers_of
from transforms.techniques.chance import DrawnTechnique, dated, ticks_of_day
from transforms.techniques.classes import by_text, classes_given, treat_small
from transforms.techniques.parameters import Bound, Unit, refuse
from transforms.techniques.phrases import number
from transforms.techniques.pieces import as_number, pieces_of, plain

# How often a result outside of the bounds is drawn again before it is put at the bound.
ATTEMPTS = 16
# The round of the draws that say who takes what a correction leaves over.
_TURN = ATTEMPTS
# No draw is further out, in scales: 2^-53 is the smallest share that is drawn.
_REACH = {"uniform": Decimal("1.000001"), "normal": Decimal("8.3"), "laplace": Decimal(37)}
_KOREAN = {
    "uniform": "균등분포(±{scale})",
    "normal": "정규분포(표준편차 {scale})",
    "laplace": "라플라스분포(척도 {scale})",
}
_ENGLISH = {
    "uniform": "uniform, up to {scale} either way",
    "normal": "normal, standard deviation {scale}",
    "laplace": "Laplace, scale {scale}",
}


class Noise(DrawnTechnique):
    """A number drawn around 0 is added to each value, or (`how: multiply`) that share of the value.

    `distribution`: `normal` (`scale` is the standard deviation), `laplace` (the mean absolute deviation) or
    `uniform` (the farthest it goes). `scale` is in the column's own unit, with `multiply` a share up to 1;
    for dates and timestamps `days` stands in its place. In and out: one column of the same type: integers,
    floats, decimals of up to 18 digits, dates, timestamps (to the microsecond). Whole numbers, decimals and
    dates are rounded to the unit of the type; a uniform draw among them makes each step exactly as likely.
    `at_least` and `at_most` bound the result: what falls outside is drawn again, after 16 draws put at the
    bound. A factor never changes the sign. `per: subject` draws once for all rows of a person. Null stays
    null. `keep_sum` corrects each move by nearly the same amount, so that the sum over all rows (or over the rows
    of each class of `by` columns) stays exactly as it was; classes of fewer than `least` filled cells are an
    error, or as `small` says; it is for integers and decimals, added noise for each row, without bounds, and
    stands last. The same key gives the same noise on every machine: draws are AES-CMAC, quantiles are computed by
    operations that IEEE 754 rounds exactly (AS 241 for the normal distribution).

    Kept: mean (without bounds; with `keep_sum` exactly) and order of magnitude. Lost: the exact value;
    relations between columns, each of which has noise of its own (for dates use date-shift). Attack:
    averaging many rows of one person with the same true value (`per: subject` helps), known bounds, outliers
    that stand out in spite of the noise (top-coding before it helps). It is no differential privacy: that
    holds for aggregates with a budget.
    With `keep_sum`, who knows all other values of a class knows the sum of the noise. Refused: NaN, infinity, a
    scale below the unit of the type, results beyond the type. Source: guideline L2133-2143 (잡음 추가).
    """

    name: ClassVar[str] = "noise"
    korean: ClassVar[str] = "잡음 추가"
    SET_ELSEWHERE: ClassVar[Mapping[str, str]] = {}

    distribution: Literal["normal", "laplace", "uniform"]
    scale: Unit | None = None
    days: Unit | None = None
    how: Literal["add", "multiply"] = "add"
    per: Literal["row", "subject"] = "row"
    at_least: Bound | None = None
    at_most: Bound | None = None
    keep_sum: bool = False
    least: int = Field(default=3, ge=2)
    small: Literal["error", "suppress", "keep"] = "error"

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if (self.scale is None) == (self.days is None):
            refuse(
                "both `scale` and `days`" if self.scale is not None else "noise without a scale",
                "`scale` for numbers, or `days` for dates and timestamps",
            )
        if self.how == "multiply" and (self.scale is None or self.scale > 1):
            found = "`days` with `how: multiply`" if self.scale is None else f"{self.scale} with `how: multiply`"
            refuse(found, "`scale` as a share of the value, above 0 and up to 1", None, "scale")
        low, high = self.at_least, self.at_most
        if low is not None and high is not None:
            if _kind(low) != _kind(high):
                refuse("bounds of two kinds", "two numbers, two dates or two times", None, "at_most")
            if as_number(low) >= as_number(high):
                refuse("`at_most` that is not above `at_least`", "a lower and a higher bound", None, "at_most")
        self._check_sum()
        return self

    def _check_sum(self) -> None:
        """What goes with `keep_sum` alone, and what does not go with it."""
        if not self.keep_sum:
            for name in ("by", "least", "small"):
                if name in self.model_fields_set:
                    refuse(f"`{name}` without `keep_sum`", f"`{name}` together with `keep_sum: true`", None, name)
            return
        others = {"how": "multiply", "per": "subject"}
        found = [name for name in ("days", "at_least", "at_most", "when") if getattr(self, name) is not None]
        found += [f"{name}: {value}" for name, value in others.items() if getattr(self, name) == value]
        if found:
            refuse(f"`{found[0]}` with `keep_sum`", "added noise for each row, without bounds", None, "keep_sum")

    @property
    def whole_classes(self) -> bool:  # type: ignore[override]
        """A sum is kept over whole classes; noise without is each row's own."""
        return self.keep_sum

    @property
    def draws_by(self) -> Literal["row", "subject"]:
        return self.per

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name, times=True)
        if is_long_decimal(source):
            raise TechniqueError(f"noise on a column of type {source}", "decimals of up to 18 digits")
        times = not _is_number(source)
        if times != (self.days is not None):
            found, allowed = ("scale", "days") if times else ("days", "scale")
            raise TechniqueError(f"`{found}` on a column of type {source}", f"`{allowed}` for this type")
        for bound in (self.at_least, self.at_most):
            if bound is not None and _kind(bound) != _kind_of(source):
                raise TechniqueError(
                    f"a bound that is no value of the column's type {source}",
                    "a number for numbers, a date for dates, a time for timestamps",
                )
        if self.keep_sum and pa.types.is_floating(source):
            raise TechniqueError(
                f"`keep_sum` on a column of type {source}", "integers and decimals, whose sums are exact"
            )
        if self.how == "add" and not pa.types.is_floating(source):
            width = self._width(source)
            # Sums of the moves of a class's millions of rows fit int64 too.
            if not 1 <= width < (2**34 if self.keep_sum else 2**56):
                raise TechniqueError(f"a scale outside of what type {source} can hold", "at least one unit of the type")
        return source

    def _width(self, source: pa.DataType) -> Fraction:
        """The scale in the type's own unit: unscaled decimals, days, microseconds."""
        if self.days is not None:
            return Fraction(self.days) * ticks_of_day(source)
        return Fraction(self.scale or 0) * 10 ** (source.scale if pa.types.is_decimal128(source) else 0)

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        draws, ids = self.drawn(given, len(values)), self.ids(given, len(values))
        numbers, valid = numbers_of(values)
        whole = numbers.dtype.kind != "f"
        wide = numbers.astype(np.int64 if whole else np.float64)
        if not whole and (infinite := int(np.isinf(wide).sum())):
            raise CellsRefused("infinite numbers can't be moved", infinite)
        if self.keep_sum:
            return self._with_kept_sum(values, given, draws, ids)
        low, high = self._bounds(values.type)
        result = self._moved(wide, ids, draws, 0, values.type)
        for attempt in range(1, ATTEMPTS):
            again = np.flatnonzero(self._outside(wide, result, low, high))
            if not len(again):
                break
            result[again] = self._moved(wide[again], ids.take(pa.array(again)), draws, attempt, values.type)
        result = self._inside(wide, result, low, high)
        if not _is_number(values.type):
            return dated(result, valid, values.type)
        return column_of(result if whole else finite(result, numbers), valid, values.type)

    def _with_kept_sum(self, values: pa.Array, given: Given, draws: Draws, ids: pa.Array) -> pa.Array:
        numbers, valid = numbers_of(values)
        wide = numbers.astype(np.int64)
        classes = classes_given(given, self.by, len(values))
        filled = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
        codes = classes.codes[filled]
        moves = (self._moved(wide, ids, draws, 0, values.type) - wide)[filled]
        turn = draws.bits(ids.take(pa.array(filled)), _TURN)
        wide[filled] = _sum(wide[filled], balanced(moves, codes, classes.count, turn))
        small = np.zeros(len(values), np.bool_)
        small[filled] = (np.bincount(codes, minlength=classes.count) < self.least)[codes]
        return treat_small(self.small, values, column_of(wide, valid, values.type), small, self.least)

    def _moved(self, numbers: Cells, ids: pa.Array, draws: Draws, attempt: int, type_: pa.DataType) -> Cells:
        """The numbers with noise of one attempt, in the type's own unit."""
        whole = numbers.dtype.kind != "f"
        if self.how == "add" and whole and self.distribution == "uniform":
            steps = int(self._width(type_))
            return _sum(numbers, draws.below(ids, 2 * steps + 1, attempt) - steps)
        shares = draws.uniform(ids, attempt)
        match self.distribution:
            case "uniform":
                noise = 2.0 * shares - 1.0
            case "normal":
                noise = quantiles.normal(shares)
            case "laplace":
                noise = quantiles.laplace(shares)
        if self.how == "add":
            noise = noise * float(self._width(type_))
        else:
            with np.errstate(over="ignore"):
                noise = noise * float(self.scale or 0) * numbers.astype(np.float64)
        if not whole:
            with np.errstate(over="ignore"):
                return numbers + noise
        # Far out are only products of numbers near the limits of int64: they are refused, not wrapped.
        beyond = np.abs(noise) >= 2.0**62
        if beyond.any():
            raise CellsRefused("result outside the range of the column's type", int(beyond.sum()))
        return _sum(numbers, np.rint(noise).astype(np.int64))

    def _bounds(self, type_: pa.DataType) -> tuple[int | float | None, int | float | None]:
        def end(bound: int | Decimal | date | None, upward: bool) -> int | float | None:
            if bound is None or pa.types.is_floating(type_):
                return None if bound is None else float(bound)  # type: ignore[arg-type]
            if isinstance(bound, date):
                return number_of(bound, type_)
            exact = Fraction(bound) * 10 ** (type_.scale if pa.types.is_decimal128(type_) else 0)
            return -(-exact.numerator // exact.denominator) if upward else exact.numerator // exact.denominator

        return end(self.at_least, True), end(self.at_most, False)

    def _outside(self, before: Cells, after: Cells, low: float | None, high: float | None) -> Cells:
        outside = np.zeros(len(after), np.bool_)
        if low is not None:
            outside |= after < low
        if high is not None:
            outside |= after > high
        return outside | self._turned(before, after)

    def _turned(self, before: Cells, after: Cells) -> Cells:
        """Which numbers a factor below 0 has brought to the other side of 0."""
        if self.how == "add":
            return np.zeros(len(after), np.bool_)
        return ((before > 0) & (after < 0)) | ((before < 0) & (after > 0))

    def _inside(self, before: Cells, after: Cells, low: float | None, high: float | None) -> Cells:
        after[self._turned(before, after)] = 0
        if low is not None:
            after = np.maximum(after, after.dtype.type(low))
        return after if high is None else np.minimum(after, after.dtype.type(high))

    def spread(self, before: Image, given: Given) -> Image:
        low = None if self.at_least is None else as_number(self.at_least)
        high = None if self.at_most is None else as_number(self.at_most)
        reach = None
        if self.how == "add" and self.scale is not None:
            # One unit more than the farthest draw, for the result is rounded to the unit of the type.
            reach = Fraction(self.scale) * Fraction(_REACH[self.distribution]) + (self.distribution != "uniform")
            if self.keep_sum:
                # The correction is the mean of such moves, and a unit.
                reach = 2 * reach + 1
        pieces = [Piece(_low(piece.low, reach, low), _high(piece.high, reach, high)) for piece in pieces_of(before)]
        nullable = before.nullable or (self.keep_sum and self.small == "suppress")
        return Numbers(nullable=nullable, pieces=tuple(pieces))

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        scale = number(self.scale) if self.days is None else f"{number(self.days)}{'일' if korean else ' days'}"
        words = (_KOREAN if korean else _ENGLISH)[self.distribution].format(scale=scale)
        if korean:
            text = f"{words} 난수를 " + ("더함" if self.how == "add" else "곱함(1을 기준)")
        else:
            text = f"a random number is {'added' if self.how == 'add' else 'multiplied (around 1)'}: {words}"
        if self.per == "subject":
            text += "; 정보주체별 동일" if korean else "; the same for all rows of a person"
        if self.keep_sum:
            text += f"; {by_text(self.by, language)} " + ("합계 유지" if korean else "the sum stays")
        for bound, word in (
            (self.at_least, "이상" if korean else "at least"),
            (self.at_most, "이하" if korean else "at most"),
        ):
            if bound is not None:
                text += f"; {number(bound)} {word}" if korean else f"; {word} {number(bound)}"
        return text


def _sum(numbers: Cells, moves: Cells) -> Cells:
    """int64 sums; CellsRefused where they would wrap."""
    with np.errstate(over="ignore"):
        result = numbers + moves
    if wrapped := int((((numbers ^ result) & (moves ^ result)) < 0).sum()):
        raise CellsRefused("result outside the range of the column's type", wrapped)
    return result


def _kind(bound: int | Decimal | date) -> str:
    if isinstance(bound, datetime):
        return "time"
    return "date" if isinstance(bound, date) else "number"


def _kind_of(type_: pa.DataType) -> str:
    if pa.types.is_timestamp(type_):
        return "time"
    return "date" if pa.types.is_date32(type_) else "number"


def _is_number(type_: pa.DataType) -> bool:
    return _kind_of(type_) == "number"


def _low(end: Number | None, reach: Fraction | None, bound: Number | None) -> Number | None:
    if end is None or reach is None:
        return bound
    moved = plain(Fraction(as_number(end)) - reach)
    return moved if bound is None else max(moved, as_number(bound))


def _high(end: Number | None, reach: Fraction | None, bound: Number | None) -> Number | None:
    if end is None or reach is None:
        return bound
    moved = plain(Fraction(as_number(end)) + reach)
    return moved if bound is None else min(moved, as_number(bound))
