"""Date shift: one shift for all dates of a person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

DRAWS = Draws(Secret(bytes(range(32))))
SITE = Site("t", "c", 0, "p")


def shifted(persons: list[int], dates: list[Any], type_: pa.DataType, draws: Draws = DRAWS, **more: Any) -> list[Any]:
    (step,) = parse_steps({"date-shift": {"days": [-5, 5], **more}})
    assert isinstance(step, ColumnTechnique)
    here = Given(SITE, draws=draws, subjects=encode_ids([pa.array(persons, pa.int64())]))
    result = step.apply(pa.array(dates, type_), here)
    assert result.type == type_
    cells: list[Any] = result.to_pylist()
    return cells


class Told(Draws):
    """A draw that is told beforehand."""

    def __init__(self, number: int) -> None:
        super().__init__(Secret(bytes(32)))
        self.number = number

    def below(self, ids: pa.Array, bound: Any, round: int = 0) -> npt.NDArray[np.int64]:
        return np.full(len(ids), self.number)


def test_admission_and_discharge_move_by_the_same_three_days() -> None:
    """L2136: +3 for the admission, so +3 for the discharge, and the days in hospital stay."""
    admission, discharge = date(2024, 3, 1), date(2024, 3, 11)
    draws = Told(8)  # of -5 … 5, the number 8 from the lowest is 3
    (first,) = shifted([1], [admission], pa.date32(), draws)
    (second,) = shifted([1], [discharge], pa.date32(), draws)
    assert (first, second) == (date(2024, 3, 4), date(2024, 3, 14))
    assert second - first == discharge - admission


VISITS = st.lists(st.tuples(st.integers(0, 5), st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1))), min_size=1)


@over(VISITS)
def test_days_between_dates_of_a_person_stay(visits: list[tuple[int, date | None]]) -> None:
    made = shifted([person for person, _ in visits], [day for _, day in visits], pa.date32())
    shifts: dict[int, set[timedelta]] = {}
    for (person, before), after in zip(visits, made, strict=True):
        assert (before is None) == (after is None)
        if before is not None:
            shifts.setdefault(person, set()).add(after - before)
    assert all(len(found) == 1 for found in shifts.values())
    assert all(abs(one.days) <= 5 for found in shifts.values() for one in found)


def test_every_shift_is_as_likely_and_zero_can_be_left_out() -> None:
    persons, day = list(range(11_000)), date(2024, 1, 1)
    moves = [(one - day).days for one in shifted(persons, [day] * 11_000, pa.date32())]
    assert set(moves) == set(range(-5, 6))
    assert all(abs(moves.count(step) - 1_000) < 4 * sqrt(1_000) for step in set(moves))
    moves = [(one - day).days for one in shifted(persons, [day] * 11_000, pa.date32(), not_zero=True)]
    assert set(moves) == set(range(-5, 6)) - {0}
    later = [(one - day).days for one in shifted(persons[:500], [day] * 500, pa.date32(), days=[1, 3], not_zero=True)]
    assert set(later) == {1, 2, 3}


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_timestamps_keep_their_time_of_day_and_move_with_the_dates(zone: str | None) -> None:
    persons = list(range(50))
    moment = datetime(2024, 2, 28, 23, 59, 59, 7, tzinfo=UTC if zone else None)
    stamps = shifted(persons, [moment] * 50, pa.timestamp("us", zone))
    days = shifted(persons, [date(2024, 2, 28)] * 50, pa.date32())
    assert [one.date() for one in stamps] == days
    assert {one.time() for one in stamps} == {moment.time()}


def test_dates_that_would_leave_the_calendar_are_refused() -> None:
    for edge in (date(9999, 12, 31), date(1, 1, 1)):
        with pytest.raises(CellsRefused, match="years 1 to 9999"):
            shifted(list(range(50)), [edge] * 50, pa.date32())


@pytest.mark.parametrize("days", [[5, -5], [3, 3], [-5], [0, 40_000], "5", [-1, 0.5]])
def test_bad_parameters(days: Any) -> None:
    with pytest.raises(ValidationError):
        parse_steps({"date-shift": {"days": days}})


@pytest.mark.parametrize("type_", [pa.string(), pa.int64()])
def test_other_types_are_refused(type_: pa.DataType) -> None:
    (step,) = parse_steps({"date-shift": {"days": [-5, 5]}})
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(TechniqueError, match="dates"):
        step.output_type(type_)
