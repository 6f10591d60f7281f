"""Random rounding (랜덤 라운딩): each number goes up or down by a draw, at a set or a drawn digit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import PlainValidator, WithJsonSchema, model_validator

from transforms.draws import Draws
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Bools, Image, Numbers
from transforms.kernels.rounding import Grade, round_floats
from transforms.technique import Language
from transforms.techniques.cells import Cells, check_numeric, column_of, is_long_decimal, numbers_of
from transforms.techniques.chance import DrawnTechnique
from transforms.techniques.parameters import exact, refuse
from transforms.techniques.phrases import number
from transforms.techniques.pieces import joined, pieces_of, rounded

MOST_DIGITS = 18
_POWERS = np.array([10**place for place in range(MOST_DIGITS + 1)], np.int64)
_INT64 = np.iinfo(np.int64)
# Rounds of the draws: which digit, and up or down.
_DIGIT, _DIRECTION = 0, 1


def _listed(raw: object) -> tuple[Any, ...]:
    return tuple(raw) if isinstance(raw, (list, tuple)) else (raw,)


def _units(raw: object) -> tuple[int | Decimal, ...]:
    units = [exact(one) for one in _listed(raw)]
    if not units or any(unit is None or unit <= 0 for unit in units) or len(set(units)) < len(units):
        allowed = "a number above 0, or a list of different ones to draw from: [10000, 100000]"
        refuse("units that are not above 0, or one twice", allowed)
    return tuple(unit for unit in units if unit is not None)


def _digits(raw: object) -> tuple[int, ...]:
    counts = _listed(raw)
    whole = all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= MOST_DIGITS for one in counts)
    if not counts or not whole or len(set(counts)) < len(counts):
        allowed = f"a whole number from 1 to {MOST_DIGITS}, or a list of different ones: [1, 2]"
        refuse("numbers of digits out of range, or one twice", allowed)
    return counts


def _one_or_list(kind: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": kind}, {"type": "array", "items": {"type": kind}, "minItems": 1}]})


Units = Annotated[tuple[int | Decimal, ...], PlainValidator(_units), _one_or_list("number")]
Digits = Annotated[tuple[int, ...], PlainValidator(_digits), _one_or_list("integer")]


class RandomRounding(DrawnTechnique):
    """Every number becomes one of the two multiples next to it, up or down by a draw for each row.

    The digit is set by `unit`, or by `leading`, so many leading digits of each number's own; where one of
    them lists several, one is drawn for each value. Up and down are as likely, or with `unbiased` as likely
    as the number is near, so that the expected result is the number itself. A multiple stays. In and out:
    one numeric column of the same type (integers, floats, decimals of up to 18 digits; `leading` not for
    floats), in the column's own unit. "up" is toward +∞. A float within two units in the last place of a
    multiple counts as it. Null stays null.

    Kept: the magnitude; with `unbiased`, sums and means on average. Lost: the digits below the unit; equal
    numbers become different ones. Attack: the two multiples tell the interval of the number, twice as wide as
    with plain rounding; several rows with the same number (or several releases) show both multiples, and
    with `unbiased` their shares tell the number itself. What helps: a coarser unit, one row for each person.
    Refused: a unit finer than the type, NaN, infinity, results beyond the type, numbers within one unit of the
    limits of int64. Source: guideline L2017-2026 (랜덤 라운딩).
    """

    name: ClassVar[str] = "random-rounding"
    korean: ClassVar[str] = "랜덤 라운딩"

    unit: Units | None = None
    leading: Digits | None = None
    unbiased: bool = False

    @model_validator(mode="after")
    def _one_digit(self) -> Self:
        if (self.unit is None) == (self.leading is None):
            refuse("both `unit` and `leading`" if self.unit else "no digit to round at", "either `unit` or `leading`")
        return self

    @property
    def draws_by(self) -> Literal["row"]:
        return "row"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name)
        if is_long_decimal(source):
            raise TechniqueError(f"random-rounding on a column of type {source}", "decimals of up to 18 digits")
        if self.leading and pa.types.is_floating(source):
            raise TechniqueError(f"`leading` on a column of type {source}", "integers and decimals", "use `unit`")
        if not pa.types.is_floating(source):
            self._whole_units(source)
        return source

    def _whole_units(self, source: pa.DataType) -> list[int]:
        """The units in unscaled integers of the type."""
        scale = source.scale if pa.types.is_decimal128(source) else 0
        units = [Fraction(unit) * 10**scale for unit in self.unit or ()]
        if any(unit.denominator != 1 or unit > _INT64.max // 4 for unit in units):
            raise TechniqueError(
                f"a unit that a column of type {source} can't hold",
                "whole numbers" if not scale else f"numbers of at most {scale} decimal places",
            )
        return [unit.numerator for unit in units]

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        draws, ids = self.drawn(given, len(values)), self.ids(given, len(values))
        numbers, valid = numbers_of(values)
        if numbers.dtype.kind == "f":
            return column_of(self._floats(numbers, draws, ids), valid, values.type)
        return column_of(self._integers(numbers.astype(np.int64), values.type, draws, ids), valid, values.type)

    def _choice(self, draws: Draws, ids: pa.Array, count: int) -> Cells:
        """Which of `count` digits each value is rounded at."""
        return draws.below(ids, count, _DIGIT) if count > 1 else np.zeros(len(ids), np.int64)

    def _integers(self, numbers: Cells, type_: pa.DataType, draws: Draws, ids: pa.Array) -> Cells:
        if self.leading is not None:
            counts = np.array(self.leading, np.int64)[self._choice(draws, ids, len(self.leading))]
            units = leading_units(numbers, counts)
        else:
            listed = np.array(self._whole_units(type_), np.int64)
            units = listed[0] if len(listed) == 1 else listed[self._choice(draws, ids, len(listed))]
        near = (numbers < _INT64.min + units) | (numbers > _INT64.max - units)
        if near.any():
            raise CellsRefused("too near the limits of int64 to be rounded", int(near.sum()))
        lower = numbers // units * units
        rest = numbers - lower
        if self.unbiased:
            up = draws.below(ids, units, _DIRECTION) < rest
        else:
            up = (draws.below(ids, 2, _DIRECTION) == 1) & (rest > 0)
        result: Cells = lower + up * units
        return result

    def _floats(self, numbers: Cells, draws: Draws, ids: pa.Array) -> Cells:
        choice = self._choice(draws, ids, len(self.unit or ()))
        shares = draws.uniform(ids, _DIRECTION)
        result = np.empty_like(numbers)
        for place, unit in enumerate(self.unit or ()):
            chosen = choice == place
            wide = numbers[chosen]
            lower, upper = (round_floats(wide, (Grade(0, None, unit, way),)) for way in ("down", "up"))
            chance = (wide.astype(np.float64) - lower) / float(unit) if self.unbiased else 0.5
            result[chosen] = np.where(shares[chosen] < chance, upper, lower)
        return result

    def spread(self, before: Image, given: Given) -> Image:
        if self.leading is not None:
            return LeadingDigits(nullable=before.nullable, digits=max(self.leading))
        return Numbers(nullable=before.nullable, pieces=joined(self._pieces(before)))

    def _pieces(self, before: Image) -> Iterable[Any]:
        for unit in self.unit or ():
            yield from rounded(pieces_of(before), (Grade(0, None, unit, "down"),))
            yield from rounded(pieces_of(before), (Grade(0, None, unit, "up"),))

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        if self.leading is not None:
            digits = (" 또는 " if korean else " or ").join(map(str, self.leading))
            where = f"유효숫자 {digits}자리로" if korean else f"to {digits} leading digits"
        else:
            units = (" 또는 " if korean else " or ").join(number(unit) for unit in self.unit or ())
            where = f"{units} 단위로" if korean else f"to multiples of {units}"
        if korean:
            return f"{where} 임의로 올림 또는 내림" + ("(가까울수록 높은 확률)" if self.unbiased else "")
        return f"rounded {where}, up or down at random" + (", the nearer the likelier" if self.unbiased else "")


def leading_units(numbers: Cells, counts: int | Cells) -> Cells:
    """The unit that leaves so many leading digits of each int64 number: 123 has 100 for one, 1 for three and more."""
    # The magnitude of the least int64 is no int64; one off has as many digits.
    magnitudes = np.abs(np.maximum(numbers, -_INT64.max))
    digits = np.searchsorted(_POWERS, magnitudes, side="right")
    units: Cells = _POWERS[np.maximum(digits - counts, 0)]
    return units


@dataclass(frozen=True)
class LeadingDigits(Image):
    """Integers and decimals that have nothing but zeros behind so many leading digits."""

    digits: int = 1

    def holds(self, values: pa.Array) -> Bools:
        whole = numbers_of(values)[0].astype(np.int64)
        result: Bools = whole % leading_units(whole, self.digits) == 0
        return result
