"""Date shift (날짜 이동): all dates of one person are moved by the same drawn number of days."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import pyarrow as pa
from pydantic import Field, model_validator

from transforms.errors import TechniqueError
from transforms.given import Given
from transforms.images import Anything, Image
from transforms.technique import Language
from transforms.techniques.cells import numbers_of
from transforms.techniques.chance import DrawnTechnique, dated, ticks_of_day
from transforms.techniques.parameters import refuse

LONGEST = 36_525


class DateShift(DrawnTechnique):
    """Every date moves by its person's number of days, drawn once for all dates, columns and tables of a person.

    `days: [-5, 5]`: the least and the greatest shift, all in between as likely; `not_zero` leaves 0 out.
    `per` names the subject (the table's own where it is left away): in `source` its column, in a plan with
    several tables the name under `subjects`. In and out: dates or timestamps, of the same type; a
    timestamp keeps its time of day. Null stays null. All date shifts of one subject have the same `days`.
    Where the subject's pseudonym is `stable_over` a series, so is the shift: shifts drawn anew for each
    release would betray the date to whoever holds several.

    Kept: the days between any two dates of a person, their order, the time of day. Lost: the date, the day of
    the week, public holidays; dates of two persons can't be compared to the day. Attack: one true date of a
    person (a known admission) betrays the shift of all others; the ends of the collection period do so for
    the first and last rows; opening days betray shifts that are no multiple of seven. What helps: a wider
    range, shifting together with coarser dates elsewhere, cutting the ends of the period. Refused: a table
    without subject, dates that would leave the years 1 to 9999.
    Source: guideline L2136 (the same noise for admission and discharge), L2138-2143.
    """

    name: ClassVar[str] = "date-shift"
    korean: ClassVar[str] = "날짜 이동"
    # One subkey for all dates of a person, whatever their column and table.
    shared_draws: ClassVar[bool] = True

    days: tuple[int, int]
    per: str | None = Field(default=None, min_length=1)
    not_zero: bool = False

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        low, high = self.days
        if low > high or low < -LONGEST or high > LONGEST:
            refuse(
                f"days from {low} to {high}",
                f"the least and the greatest shift, from -{LONGEST} to {LONGEST}: [-5, 5]",
                None,
                "days",
            )
        if low == high:
            refuse("one shift for everybody", "a range of at least two shifts: [-5, 5]", None, "days")
        return self

    @property
    def draws_by(self) -> Literal["subject"]:
        return "subject"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_date32(source) and not pa.types.is_timestamp(source):
            raise TechniqueError(
                f"date-shift on a column of type {source}",
                "dates and timestamps",
                "use noise for numbers; dates that are text are to be read in as dates",
            )
        return source

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        draws, ids = self.drawn(given, len(values)), self.ids(given, len(values))
        low, high = self.days
        leaves_zero_out = self.not_zero and low <= 0 <= high
        shifts = draws.below(ids, high - low + 1 - leaves_zero_out) + low
        if leaves_zero_out:
            shifts += shifts >= 0
        numbers, valid = numbers_of(values)
        return dated(numbers + shifts * ticks_of_day(values.type), valid, values.type)

    def spread(self, before: Image, given: Given) -> Image:
        return Anything(nullable=before.nullable)

    def level_text(self, language: Language) -> str:
        low, high = self.days
        korean = language == "ko"
        text = (
            f"정보주체별로 {low:+d}~{high:+d}일 중 하나를 모든 날짜에 동일하게 더함"
            if korean
            else f"one shift from {low:+d} to {high:+d} days for all dates of a person"
        )
        if self.not_zero:
            text += " (0일 제외)" if korean else ", never 0"
        return text
