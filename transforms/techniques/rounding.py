"""Rounding (라운딩): multiples of one unit, or of a unit for each grade of magnitude."""

from __future__ import annotations

from abc import abstractmethod
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar, Self

import pyarrow as pa
from pydantic import model_validator

from transforms.complaint import complain, complaint
from transforms.errors import TechniqueError
from transforms.given import Given
from transforms.images import Image, Numbers
from transforms.kernels.rounding import Direction, Grade, round_exact, round_floats, round_integers
from transforms.technique import Example, Language, Model
from transforms.techniques.cells import check_numeric, column_of, is_long_decimal, map_distinct, numbers_of
from transforms.techniques.parameters import Unit
from transforms.techniques.phrases import number
from transforms.techniques.pieces import pieces_of, plain, rounded
from transforms.techniques.shape import CellTechnique

_KOREAN: dict[Direction, str] = {
    "up": "올림",
    "down": "내림",
    "half-up": "반올림",
    "half-down": "반올림(절반은 내림)",
    "half-even": "반올림(절반은 짝수로)",
}
_ENGLISH: dict[Direction, str] = {
    "up": "rounded up to multiples of {unit}",
    "down": "rounded down to multiples of {unit}",
    "half-up": "rounded to the nearest {unit}, halves up",
    "half-down": "rounded to the nearest {unit}, halves down",
    "half-even": "rounded to the nearest {unit}, halves to the even multiple",
}


def _phrase(unit: int | Decimal, direction: Direction, language: Language) -> str:
    if language == "ko":
        return f"{number(unit)} 단위로 {_KOREAN[direction]}"
    return _ENGLISH[direction].format(unit=number(unit))


class Rounded(CellTechnique):
    """What both kinds of rounding share."""

    @abstractmethod
    def graded(self) -> tuple[Grade, ...]:
        """Unit and direction by magnitude, from 0 on, without a gap."""

    def output_type(self, source: pa.DataType) -> pa.DataType:
        check_numeric(source, self.name)
        if not pa.types.is_floating(source):
            _scaled(self.graded(), source)
        return source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if is_long_decimal(values.type):
            return map_distinct(values, self._long)
        numbers, valid = numbers_of(values)
        if numbers.dtype.kind == "f":
            return column_of(round_floats(numbers, self.graded()), valid, values.type)
        return column_of(round_integers(numbers, _scaled(self.graded(), values.type)), valid, values.type)

    def _long(self, value: Decimal) -> Decimal:
        grade = next(one for one in self.graded() if one.below is None or abs(value) < one.below)
        return Decimal(plain(round_exact(value, grade.unit, grade.direction)))

    def spread(self, before: Image, given: Given) -> Image:
        return Numbers(nullable=before.nullable, pieces=rounded(pieces_of(before), self.graded()))


@lru_cache(maxsize=1024)
def _scaled(grades: tuple[Grade, ...], type_: pa.DataType) -> tuple[Grade, ...]:
    """The grades in unscaled integers of the type; TechniqueError where the type is coarser than a grade."""
    scale = type_.scale if pa.types.is_decimal128(type_) else 0

    def whole(bound: int | Decimal) -> int:
        scaled = Fraction(bound) * 10**scale
        if scaled.denominator != 1:
            raise TechniqueError(
                f"{bound} on a column of type {type_}",
                "whole numbers" if not scale else f"numbers of at most {scale} decimal places",
            )
        return int(scaled.numerator)

    return tuple(
        Grade(whole(one.start), None if one.below is None else whole(one.below), whole(one.unit), one.direction)
        for one in grades
    )


class Rounding(Rounded):
    """Every number becomes a multiple of `unit`: `up` (toward +∞), `down` (toward −∞), or the nearest one.

    In and out: one numeric column of the same type (int8–64, float32/64, decimal128), in the column's
    own unit. From the middle between two multiples `half-up` goes up, `half-down` down, `half-even` to
    the even multiple. Integers and decimals are exact; a float within two units in the last place of a
    multiple or middle counts as it. Null stays null.

    Kept: the magnitude to the unit. Lost: the rest; sums and means shift by up to half a unit a value
    (a whole one for up and down). Attack: too fine a unit leaves unique values (amounts of hundreds of
    millions rounded to 1,000 are all distinct), and extreme values stay extreme. What helps: a unit by the
    spread of the values, top coding before it, the review's count of unique values. Refused: a unit finer
    than the type, NaN, infinity, results beyond the type, int64 within one unit of its limits.
    Source: guideline L1991-2012 (일반 라운딩).
    """

    name: ClassVar[str] = "rounding"
    korean: ClassVar[str] = "라운딩"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"unit": 10, "direction": "up"},
            [33, 61, 47, 66, 40, None],
            [40, 70, 50, 70, 40, None],
            source="guideline L1998-2002",
        ),
        Example(
            {"unit": 10, "direction": "down"},
            [33, 61, 47, 66, 40, -33],
            [30, 60, 40, 60, 40, -40],
            source="guideline L1998-2002; the negative number by definition",
        ),
        Example(
            {"unit": 10, "direction": "half-up"},
            [33, 61, 47, 66, 40, 45, -45],
            [30, 60, 50, 70, 40, 50, -40],
            source="guideline L1998-2002; middles by definition",
        ),
    )

    unit: Unit
    direction: Direction

    def graded(self) -> tuple[Grade, ...]:
        return (Grade(0, None, self.unit, self.direction),)

    def level_text(self, language: Language) -> str:
        return _phrase(self.unit, self.direction, language)


class GradeRule(Model):
    """One grade: magnitudes below `below` (none in the last grade) go to `unit`."""

    below: Unit | None = None
    unit: Unit
    direction: Direction


class GradedRounding(Rounded):
    """Rounding whose unit and direction depend on the value's magnitude as it enters (금액 구간별 라운딩).

    `grades` come in order: each holds magnitudes |x| below its `below` that no earlier grade holds, the
    last (without `below`) all others; so there is neither gap nor overlap. A negative number is graded by
    |x| and rounded in the grade's direction, `up` being toward +∞. 0 stays 0 in every direction. Types and
    null as in `rounding`: null stays null.

    Kept: the magnitude to its grade's unit. Lost: the rest. Attack: the result tells its grade, and at the
    edge of a grade the unit is fine against the number; extreme values stay extreme. What helps: units
    of a tenth of the grade or more, top coding before it, the review's count of unique values. Refused:
    as `rounding`. Source: guideline L628 (항목별 가명처리계획), worked row L3517-3649.
    """

    name: ClassVar[str] = "graded-rounding"
    korean: ClassVar[str] = "구간별 라운딩"
    SHORTHAND: ClassVar[str | None] = "grades"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            [
                {"below": 100_000, "unit": 10_000, "direction": "up"},
                {"below": 10_000_000, "unit": 10_000, "direction": "half-down"},
                {"unit": 1_000_000, "direction": "half-down"},
            ],
            [0, 248_240, 180_000, 740_000, 562_500, 360_000, 715_000, 24_300, 12_500_001, None],
            [0, 250_000, 180_000, 740_000, 560_000, 360_000, 710_000, 30_000, 13_000_000, None],
            source="guideline L3517-3649; the last number by definition",
        ),
    )

    grades: tuple[GradeRule, ...]

    @model_validator(mode="after")
    def _without_gap_or_overlap(self) -> Self:
        complaints = []
        if not self.grades:
            complaints.append(complaint("an empty list", "at least one grade", None, ("grades",)))
        reached: int | Decimal = 0
        for place, grade in enumerate(self.grades):
            last = place == len(self.grades) - 1
            if last and grade.below is not None:
                complaints.append(
                    complaint(
                        f"nothing for magnitudes from {number(grade.below)} on",
                        "a last grade without `below`",
                        None,
                        ("grades", place, "below"),
                    )
                )
            elif not last and grade.below is None:
                complaints.append(
                    complaint(
                        "no `below` in a grade that is not the last: it overlaps the next ones",
                        "`below` in every grade but the last",
                        None,
                        ("grades", place),
                    )
                )
            if grade.below is not None and grade.below <= reached:
                complaints.append(
                    complaint(
                        f"below {number(grade.below)} after below {number(reached)}",
                        "grades in increasing order, each with a `below` of its own",
                        None,
                        ("grades", place, "below"),
                    )
                )
            reached = max(reached, grade.below or 0)
        if complaints:
            raise complain(complaints)
        return self

    def graded(self) -> tuple[Grade, ...]:
        starts = [0, *(grade.below or 0 for grade in self.grades)]
        return tuple(
            Grade(start, grade.below, grade.unit, grade.direction)
            for start, grade in zip(starts, self.grades, strict=False)
        )

    def level_text(self, language: Language) -> str:
        parts = []
        for grade in self.grades:
            phrase = _phrase(grade.unit, grade.direction, language)
            if grade.below is None:
                place = "그 이상" if language == "ko" else "above that"
            else:
                place = f"{number(grade.below)} 미만" if language == "ko" else f"below {number(grade.below)}"
            parts.append(f"{place}: {phrase}" if len(self.grades) > 1 else phrase)
        return "; ".join(parts)
