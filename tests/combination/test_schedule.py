"""Rounds: names, periods and due days, held against the calendar of the standard library."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.combination.schedule import Every, Period, period_of, periods

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
EVERY: list[Every] = ["week", "month", "quarter", "year"]


def name_of(every: Every, day: date) -> str:
    """The name by the definition: `date -d` would print the same."""
    if every == "week":
        return day.strftime("%G-W%V")
    if every == "quarter":
        return f"{day.year}-Q{1 + (day.month - 1) // 3}"
    return day.strftime("%Y-%m" if every == "month" else "%Y")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(EVERY), DAYS)
def test_a_period_is_all_days_of_one_name(every: Every, day: date) -> None:
    found = period_of(every, name_of(every, day))
    assert found is not None
    assert found.first <= day <= found.last
    assert name_of(every, found.first) == name_of(every, found.last) == found.name
    assert name_of(every, found.first - timedelta(days=1)) != found.name
    assert name_of(every, found.last + timedelta(days=1)) != found.name


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EVERY), DAYS, st.integers(0, 900))
def test_periods_cover_a_span_without_gap_or_overlap(every: Every, day: date, length: int) -> None:
    end = day + timedelta(days=length)
    found = list(periods(every, name_of(every, day), name_of(every, end)))
    assert found[0].first <= day
    assert found[-1].last >= end
    for one, following in pairwise(found):
        assert following.first == one.last + timedelta(days=1)
    covered = [found[0].first + timedelta(days=n) for n in range((found[-1].last - found[0].first).days + 1)]
    assert [one.name for one in found] == list(dict.fromkeys(name_of(every, one) for one in covered))


def test_weeks_are_those_of_iso_8601() -> None:
    assert period_of("week", "2024-W27") == Period("2024-W27", date(2024, 7, 1), date(2024, 7, 7))
    assert period_of("week", "2020-W53") == Period("2020-W53", date(2020, 12, 28), date(2021, 1, 3))
    assert [one.name for one in periods("week", "2020-W52", "2021-W01")] == ["2020-W52", "2020-W53", "2021-W01"]


@pytest.mark.parametrize(
    ("every", "name"),
    [
        ("month", "2024-00"), ("month", "2024-13"), ("month", "2024-7"), ("month", "2024-07-01"), ("month", "0000-01"),
        ("week", "2021-W53"), ("week", "2024-W00"), ("week", "2024W27"), ("quarter", "2024-Q0"), ("quarter", "2024-Q5"),
        ("year", "24"), ("year", "2024-07"), ("month", ""), ("month", "２０２４-07"),
    ],
)  # fmt: skip
def test_what_is_no_name_is_no_period(every: Every, name: str) -> None:
    assert period_of(every, name) is None
    assert list(periods(every, name, name)) == []


def test_the_end_of_the_calendar_is_no_error() -> None:
    assert period_of("year", "9999") == Period("9999", date(9999, 1, 1), date(9999, 12, 31))
    assert [one.name for one in periods("month", "9999-11", "9999-12")] == ["9999-11", "9999-12"]


def test_a_span_that_ends_before_it_begins_has_no_periods() -> None:
    assert list(periods("month", "2024-07", "2024-06")) == []
