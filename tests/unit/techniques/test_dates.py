"""Dates down to a period, and ages, against Python's own calendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
GIVEN = Given(Site("t", "c", 0, "p"))
UNITS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
LETTERS = {"quarter": "Q", "half": "H"}
DAYS = st.lists(st.none() | st.dates(date(1, 1, 1), date(9999, 12, 31)))


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    return step


def told(day: date, unit: str, form: str) -> Any:
    """The reference: a period as the docstring describes it."""
    part = (day.month - 1) // UNITS[unit] + 1
    if form == "date":
        return date(day.year, (part - 1) * UNITS[unit] + 1, 1)
    if unit == "year":
        return f"{day.year:04d}" if form == "text" else day.year
    if unit == "month":
        return f"{day.year:04d}-{day.month:02d}" if form == "text" else day.year * 100 + day.month
    return f"{day.year:04d} {LETTERS[unit]}{part}" if form == "text" else day.year * 10 + part


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("form", ["date", "text", "integer"])
@over(days=DAYS)
def test_every_date_becomes_its_period(unit: str, form: str, days: list[date | None]) -> None:
    step = step_of({"date-generalization": {"to": unit, "as": form}})
    result = step.apply(pa.array(days, pa.date32()), GIVEN)
    assert result.to_pylist() == [None if day is None else told(day, unit, form) for day in days]
    assert result.type == step.output_type(pa.date32())
    assert step.image(Anything(), GIVEN).contains(result).all()


@over(st.lists(st.none() | st.datetimes(timezones=st.just(UTC)).filter(lambda one: 1 < one.year < 9999)))
def test_a_time_counts_in_the_declared_zone(moments: list[datetime | None]) -> None:
    source = pa.array(moments, pa.timestamp("us", "UTC"))
    seoul = step_of({"date-generalization": {"to": "day", "time_zone": "Asia/Seoul"}}).apply(source, GIVEN)
    zone = ZoneInfo("Asia/Seoul")
    assert seoul.to_pylist() == [None if one is None else one.astimezone(zone).date() for one in moments]
    plain = step_of({"date-generalization": {"to": "day"}}).apply(source, GIVEN)
    assert plain.to_pylist() == [None if one is None else one.date() for one in moments]


def test_a_day_before_1970_is_not_rounded_toward_it(run: Run) -> None:
    step = {"date-generalization": {"to": "day", "as": "integer"}}
    assert run(step, [datetime(1969, 12, 31, 23, tzinfo=UTC), None], pa.timestamp("us", "UTC")) == [19691231, None]


def test_what_is_no_period_is_not_in_the_image() -> None:
    def image(raw: Any) -> Any:
        return step_of({"date-generalization": raw}).image(Anything(), GIVEN)

    days = pa.array([date(2019, 3, 1), date(2019, 3, 17), date(2019, 4, 1)])
    assert image({"to": "quarter"}).contains(days).tolist() == [False, False, True]
    texts = pa.array(["2019-03", "2019-13", "2019-3", "2019", "2019-03-17", "", None])
    assert image({"to": "month", "as": "text"}).contains(texts).tolist() == [True, *[False] * 5, True]
    numbers = pa.array([20194, 20195, 2019, -20191, 20190])
    assert image({"to": "quarter", "as": "integer"}).contains(numbers).tolist() == [True, *[False] * 4]


def test_dates_that_no_calendar_holds_are_refused() -> None:
    far = pa.array([10_000_000], pa.int32()).cast(pa.date32())
    with pytest.raises(CellsRefused, match="years 1 to 9999"):
        step_of({"date-generalization": {"to": "year"}}).apply(far, GIVEN)


@pytest.mark.parametrize(
    ("raw", "type_"),
    [({"to": "month"}, pa.string()), ({"to": "day"}, pa.date32()),
     ({"to": "month", "time_zone": "Asia/Seoul"}, pa.date32()),
     ({"to": "month", "time_zone": "Asia/Seoul"}, pa.timestamp("us"))],
)  # fmt: skip
def test_types_that_do_not_fit(raw: Any, type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError):
        step_of({"date-generalization": raw}).output_type(type_)


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="unknown time zone"):
        parse_steps({"date-generalization": {"to": "month", "time_zone": "Asia/Soul"}})


# --- ages ---


def age(birth: date, at: date) -> int:
    """The reference: birthdays passed; 29 February is passed on 1 March where a year has none."""
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day))


@over(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.lists(st.none() | st.integers(0, 120 * 366)))
def test_ages_count_birthdays(at: date, days_before: list[int | None]) -> None:
    births = [None if one is None else at - timedelta(days=one) for one in days_before]
    source = pa.array(births, pa.date32())
    full = step_of({"age": {"at": at.isoformat()}}).apply(source, GIVEN)
    assert full.to_pylist() == [None if birth is None else age(birth, at) for birth in births]
    calendar = step_of({"age": {"at": at, "counting": "calendar"}}).apply(source, GIVEN)
    assert calendar.to_pylist() == [None if birth is None else at.year - birth.year for birth in births]


def test_a_birth_after_the_reference_day_is_refused() -> None:
    step = step_of({"age": {"at": "2024-01-01"}})
    with pytest.raises(CellsRefused) as caught:
        step.apply(pa.array([date(2024, 1, 2), date(2023, 1, 1), None]), GIVEN)
    assert caught.value.count == 1
    assert step.image(Anything(), GIVEN).contains(pa.array([-1, 0, 33, None])).tolist() == [False, True, True, True]
    with pytest.raises(TechniqueError, match="dates"):
        step.output_type(pa.timestamp("us"))


def test_an_age_is_banded_by_the_next_step() -> None:
    steps = parse_steps([{"age": {"at": "2024-01-01"}}, {"rounding": {"unit": 10, "direction": "down"}}])
    cells = pa.array([date(1990, 5, 20), date(1985, 1, 1)])
    for step in steps:
        assert isinstance(step, ColumnTechnique)
        assert step.output_type(cells.type) is not None
        cells = step.apply(cells, GIVEN)
    assert cells.to_pylist() == [30, 30]
