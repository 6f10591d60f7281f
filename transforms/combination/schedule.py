"""Rounds of a series: their names, periods and due days."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Every = Literal["week", "month", "quarter", "year"]
ONCE = "once"
SAMPLES: dict[Every, str] = {"week": "2024-W27", "month": "2024-07", "quarter": "2024-Q3", "year": "2024"}
_SHAPES: dict[Every, re.Pattern[str]] = {
    "week": re.compile(r"([0-9]{4})-W([0-9]{2})"),
    "month": re.compile(r"([0-9]{4})-([0-9]{2})"),
    "quarter": re.compile(r"([0-9]{4})-Q([1-4])"),
    "year": re.compile(r"([0-9]{4})()"),
}
_MONTHS: dict[Every, int] = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True)
class Period:
    """A round's name and the first and last day of its data."""

    name: str
    first: date
    last: date

    def after(self, days: int) -> date:
        """The day so many days after the last one: 5 after July is 5 August."""
        return self.last + timedelta(days=days)


@dataclass(frozen=True)
class Dues:
    """The last days on which a round's keys and attributes are in time."""

    keys: date
    attributes: date


def period_of(every: Every, name: str) -> Period | None:
    """The period that a name stands for: ISO weeks (ISO 8601), months, quarters, years; None for no name of it."""
    shape = _SHAPES[every].fullmatch(name)
    if shape is None:
        return None
    year, part = int(shape[1]), int(shape[2] or 1)
    try:
        if every == "week":
            first = date.fromisocalendar(year, part, 1)
            return Period(name, first, first + timedelta(days=6))
        months = _MONTHS[every]
        end = part * months
        last = date(year, end, calendar.monthrange(year, end)[1])
        return Period(name, date(year, end - months + 1, 1), last)
    except (ValueError, OverflowError, calendar.IllegalMonthError):
        return None


def periods(every: Every, first: str, last: str) -> Iterator[Period]:
    """All periods from `first` to `last`, both with it; none where `last` is earlier or one is no name."""
    one, end = period_of(every, first), period_of(every, last)
    while one is not None and end is not None and one.first <= end.first:
        yield one
        one = period_of(every, _name(every, one.last + timedelta(days=1))) if one.first < end.first else None


def _name(every: Every, day: date) -> str:
    """The name of the period that a day lies in."""
    if every == "week":
        year, week, _ = day.isocalendar()
        return f"{year:04d}-W{week:02d}"
    if every == "month":
        return f"{day.year:04d}-{day.month:02d}"
    return f"{day.year:04d}-Q{(day.month + 2) // 3}" if every == "quarter" else f"{day.year:04d}"
