"""Dates (날짜): down to the month, quarter, half-year or year; and the age that a birth date tells."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from transforms.arrow import from_values, values_and_mask
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Bools, Image, Numbers, Piece
from transforms.technique import Example, Language
from transforms.techniques.parameters import Day, refuse
from transforms.techniques.shape import CellTechnique

Unit = Literal["day", "month", "quarter", "half", "year"]
Form = Literal["date", "text", "integer"]
Days = npt.NDArray[np.int64]
_EPOCH = date(1970, 1, 1)
_MICROSECONDS = 86_400_000_000
# Years that a calendar date can tell.
_FIRST, _LAST = (date.min - _EPOCH).days, (date.max - _EPOCH).days
_MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_KOREAN: dict[Unit, str] = {"day": "일", "month": "월", "quarter": "분기", "half": "반기", "year": "연"}
_TEXT: dict[Unit, str] = {
    "day": "{y:04d}-{m:02d}-{d:02d}",
    "month": "{y:04d}-{m:02d}",
    "quarter": "{y:04d} Q{part}",
    "half": "{y:04d} H{part}",
    "year": "{y:04d}",
}
_NUMBER: dict[Unit, str] = {
    "day": "{y:04d}{m:02d}{d:02d}",
    "month": "{y:04d}{m:02d}",
    "quarter": "{y:04d}{part}",
    "half": "{y:04d}{part}",
    "year": "{y:04d}",
}


class DateGeneralization(CellTechnique):
    """A date or time becomes its day, month, quarter, half-year or year: 2019-03-17 → 2019-03.

    In: dates and timestamps; a timestamp with a zone counts in `time_zone` (UTC where not said). Out: by
    `as` the first day of it (`date`), text ("2019-03", "2019 Q1", "2019 H1", "2019"), or a whole number
    (`integer`: 201903, 20191, 20191, 2019; int32). Null stays null.

    Kept: the period. Lost: the place in it, the time of day. Attack: a rare event (a birth, an accident, a
    death in the news) still singles out a person in a short period; differences between two dates of one
    person survive. What helps: the coarsest period that the purpose allows, k-anonymity with the other
    quasi-identifiers, date-shift where spans matter. Refused: other types, dates before the year 1 or after
    9999, `to: day` for dates, `time_zone` for values without a zone. Source: guideline L3867 (사망일자는
    연단위, 나머지는 월단위까지만), L2075-2079 (범위 방법).
    """

    name: ClassVar[str] = "date-generalization"
    korean: ClassVar[str] = "날짜 일반화"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"to": "month"},
            [date(2019, 3, 17), date(2019, 3, 1), date(1968, 12, 31), None],
            [date(2019, 3, 1), date(2019, 3, 1), date(1968, 12, 1), None],
            type="date32",
            source="guideline L3867: 월단위까지만; the dates by definition",
        ),
        Example(
            {"to": "quarter", "as": "text"},
            [date(2019, 3, 31), date(2019, 4, 1), date(2019, 12, 31)],
            ["2019 Q1", "2019 Q2", "2019 Q4"],
            type="date32",
            source="by definition",
        ),
        Example(
            {"to": "year", "as": "integer"},
            [date(2019, 3, 17), date(2021, 1, 1), None],
            [2019, 2021, None],
            type="date32",
            source="guideline L3867: 사망일자는 연단위까지",
        ),
    )

    to: Unit
    as_: Form = "date"
    time_zone: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _known_zone(self) -> Self:
        if self.time_zone is not None:
            try:
                ZoneInfo(self.time_zone)
            except (ValueError, OSError, KeyError):
                allowed = "a name of the time zone database, such as Asia/Seoul"
                refuse("an unknown time zone", allowed, None, "time_zone")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_date32(source) and not pa.types.is_timestamp(source):
            raise TechniqueError(f"date-generalization on a column of type {source}", "dates and timestamps")
        if pa.types.is_date32(source) and self.to == "day":
            raise TechniqueError("`to: day` on a column of dates", "month, quarter, half, year")
        zoned = pa.types.is_timestamp(source) and source.tz is not None
        if self.time_zone is not None and not zoned:
            raise TechniqueError(f"`time_zone` on a column of type {source}", "`time_zone` for timestamps with a zone")
        return {"date": pa.date32(), "text": pa.string(), "integer": pa.int32()}[self.as_]

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if self.time_zone is not None:
            values = pc.local_timestamp(values.cast(pa.timestamp("us", self.time_zone)))
        numbers, mask = values_and_mask(values)
        days = numbers.astype(np.int64)
        if not pa.types.is_date32(values.type):
            days = np.floor_divide(days, _MICROSECONDS)
        if outside := int(((days < _FIRST) | (days > _LAST)).sum()):
            raise CellsRefused("dates outside of the years 1 to 9999", outside)
        starts = _starts(days, self.to)
        if self.as_ == "date":
            return from_values(starts, mask, pa.date32())
        encoded = pa.array(starts, pa.int64(), mask=mask).dictionary_encode()
        told = [self.told(day) for day in encoded.dictionary.to_pylist()]
        return pa.array(told, pa.string() if self.as_ == "text" else pa.int32()).take(encoded.indices)

    def told(self, start: int) -> Any:
        """A period by the day (since 1970) on which it begins, as the column tells it."""
        day = _EPOCH + timedelta(days=start)
        if self.as_ == "date":
            return day
        part = (day.month - 1) // _MONTHS.get(self.to, 1) + 1
        form = (_TEXT if self.as_ == "text" else _NUMBER)[self.to]
        words = form.format(y=day.year, m=day.month, d=day.day, part=part)
        return words if self.as_ == "text" else int(words)

    def spread(self, before: Image, given: Given) -> Image:
        return Periods(nullable=before.nullable, to=self.to, told=self.told)

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return f"{_KOREAN[self.to]} 단위까지만"
        return f"down to the {'half-year' if self.to == 'half' else self.to}"


def _starts(days: Days, unit: Unit) -> Days:
    """The first day of each day's period (days since 1970)."""
    if unit == "day":
        return days
    size = _MONTHS[unit]
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    first = months // size * size
    return first.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


@dataclass(frozen=True)
class Periods(Image):
    """The periods of one unit, as a date-generalization tells them."""

    to: Unit = "month"
    told: Callable[[int], Any] = field(default=lambda day: day)

    def holds(self, values: pa.Array) -> Bools:
        encoded = values.dictionary_encode()
        good = np.array([self._is_period(one) for one in encoded.dictionary.to_pylist()], np.bool_)
        result: Bools = good[encoded.indices.to_numpy(zero_copy_only=False)]
        return result

    def _is_period(self, value: Any) -> bool:
        """Is it told just so, of the day that its digits name?"""
        try:
            start = ((value if isinstance(value, date) else self._first_day(_parts(value, self.to))) - _EPOCH).days
        except (ValueError, IndexError, OverflowError):
            return False
        return bool(_starts(np.array([start], np.int64), self.to)[0] == start and self.told(start) == value)

    def _first_day(self, parts: list[int]) -> date:
        if self.to == "day":
            return date(parts[0], parts[1], parts[2])
        part = 1 if self.to == "year" else parts[1]
        return date(parts[0], (part - 1) * _MONTHS[self.to] + 1, 1)


def _parts(value: str | int, unit: Unit) -> list[int]:
    """Year, then month and day or the period's number, of a text or a whole number."""
    if isinstance(value, str):
        return [int(one) for one in re.findall("[0-9]+", value)]
    year, rest = divmod(value, {"day": 10_000, "month": 100, "quarter": 10, "half": 10, "year": 1}[unit])
    return [year, *(divmod(rest, 100) if unit == "day" else (rest,))]


class Age(CellTechnique):
    """A birth date becomes the age (나이) in whole years on the day `at`: 1990-05-20 at 2024-01-01 → 33.

    `counting: full` counts birthdays (만 나이; who was born on 29 February turns on 1 March in other
    years), `calendar` years alone (연 나이: year of `at` less year of birth). In: dates. Out: int32, from
    0 on. Null stays null.

    Kept: the age, to a year. Lost: the birthday. Attack: single years of age at the ends (90 and older, or
    children) are rare, and with region and sex they single out persons; ages at several days narrow the
    birthday down. What helps: top coding, 10-year bands after it (rounding or data-range), one reference
    day for all releases. Refused: other types, births after `at`. Source: guideline L3382 (나이: 생년월일에서
    추출한 정보); 민법 제158조, 제160조.
    """

    name: ClassVar[str] = "age"
    korean: ClassVar[str] = "나이 계산"
    EXAMPLES: ClassVar[tuple[Example, ...]] = (
        Example(
            {"at": "2024-01-01"},
            [date(1990, 5, 20), date(1990, 1, 1), date(2024, 1, 1), None],
            [33, 34, 0, None],
            type="date32",
            source="guideline L3382; the ages by definition",
        ),
        Example(
            {"at": "2023-02-28", "counting": "full"},
            [date(2004, 2, 29), date(2004, 2, 28)],
            [18, 19],
            type="date32",
            source="민법 제160조 제3항",
        ),
        Example(
            {"at": "2024-01-01", "counting": "calendar"},
            [date(1990, 5, 20), date(1990, 1, 1)],
            [34, 34],
            type="date32",
            source="by definition",
        ),
    )

    at: Day
    counting: Literal["full", "calendar"] = "full"

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_date32(source):
            raise TechniqueError(f"age on a column of type {source}", "dates", "bring times to days before")
        return pa.int32()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        numbers, mask = values_and_mask(values)
        days = numbers.astype(np.int64)
        reference = (self.at - _EPOCH).days
        if late := int((days > reference).sum() - (0 if mask is None else (mask & (days > reference)).sum())):
            raise CellsRefused("births after the reference day", late)
        months = days.astype("datetime64[D]").astype("datetime64[M]")
        if self.counting == "calendar":
            ages = self.at.year - (months.astype(np.int64) // 12 + 1970)
        else:
            day = days - months.astype("datetime64[D]").astype(np.int64) + 1
            passed = (self.at.year - 1970) * 12 + self.at.month - 1 - months.astype(np.int64)
            ages = (passed - (self.at.day < day)) // 12
        return from_values(ages.astype(np.int32), mask, pa.int32())

    def spread(self, before: Image, given: Given) -> Image:
        return Numbers(nullable=before.nullable, pieces=(Piece(0, None, 1),))

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return f"{self.at} 기준 {'만 나이' if self.counting == 'full' else '연 나이'}"
        return f"{'full years' if self.counting == 'full' else 'calendar years'} on {self.at}"
