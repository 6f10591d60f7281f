"""Data ranges: intervals of one width, or between bounds."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.images import Anything, Numbers, Piece
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
GIVEN = Given(Site("t", "c", 0, "p"))


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps({"data-range": raw})
    assert isinstance(step, ColumnTechnique)
    return step


@pytest.mark.parametrize("type_", [pa.int16(), pa.int64(), pa.float64(), pa.decimal128(9, 2)], ids=str)
@over(values=st.lists(st.none() | st.integers(-9999, 9999)), width=st.integers(1, 3000))
def test_every_value_gets_its_interval(type_: pa.DataType, values: list[int | None], width: int) -> None:
    step = step_of({"width": width})
    result = step.apply(pa.array(values, type_), GIVEN)
    lows = [None if v is None else v // width * width for v in values]
    assert result.to_pylist() == [None if low is None else f"{low:,}~{low + width:,}" for low in lows]
    assert step.image(Anything(), GIVEN).contains(result).all()


@over(st.lists(st.integers(-50, 150), min_size=1), st.sets(st.integers(-40, 140), min_size=2, max_size=5))
def test_bounds_with_open_ends(values: list[int], ends: set[int]) -> None:
    bounds = sorted(ends)
    step = step_of({"bounds": bounds, "outside": "open"})

    def interval(value: int) -> str:
        low = max((b for b in bounds if b <= value), default="")
        high = min((b for b in bounds if b > value), default="")
        return f"{low}~{high}"

    result = step.apply(pa.array(values), GIVEN)
    assert result.to_pylist() == [interval(value) for value in values]
    assert step.image(Anything(), GIVEN).contains(result).all()


def test_numbers_of_more_intervals_than_can_be_counted_are_refused(run: Run) -> None:
    """In float64, with intervals of 10: 10^18 still has one, 10^300 none that could be named."""
    assert run({"data-range": {"width": 10}}, [1e18], pa.float64()) == [f"{10**18:,}~{10**18 + 10:,}"]
    for cell in (1e300, -1e300):
        with pytest.raises(CellsRefused, match="too large"):
            run({"data-range": {"width": 10}}, [5.0, cell, None], pa.float64())


def test_values_outside_the_bounds_are_refused(run: Run) -> None:
    for outside in (-1, 20):
        with pytest.raises(CellsRefused, match="outside"):
            run({"data-range": {"bounds": [0, 10, 20]}}, [5, outside])
    assert run({"data-range": {"bounds": [0, 10, 20]}}, [0, 10, 19, None]) == ["0~10", "10~20", "10~20", None]


def test_fractions_are_taken_as_they_are_written(run: Run) -> None:
    assert run({"data-range": {"width": 0.1}}, [0.3, 0.35], pa.float64()) == ["0.3~0.4", "0.3~0.4"]
    step = {"data-range": {"width": 0.25, "suffix": "kg"}}
    assert run(step, [Decimal("0.30")], pa.decimal128(5, 2)) == ["0.25kg~0.50kg"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_finite_number_is_refused(run: Run, value: float) -> None:
    with pytest.raises(CellsRefused):
        run({"data-range": {"width": 10}}, [1.0, value], pa.float64())


def test_the_image_holds_intervals_of_this_width_that_can_occur() -> None:
    image = step_of({"width": 10}).image(Numbers(pieces=(Piece(0, 39),)), GIVEN)
    texts = pa.array(["0~10", "30~40", "40~50", "5~15", "0~20", "17", "~", None])
    assert image.contains(texts).tolist() == [True, True, False, False, False, False, False, True]
    bounded = step_of({"bounds": [0, 10]}).image(Anything(), GIVEN)
    assert bounded.contains(pa.array(["0~10", "~0", "7"])).tolist() == [True, False, False]


@pytest.mark.parametrize("type_", [pa.string(), pa.date32(), pa.decimal128(30, 2)], ids=str)
def test_types_that_do_not_fit(type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError):
        step_of({"width": 10}).output_type(type_)
    with pytest.raises(TechniqueError, match="interval"):
        step_of({"width": 0.5}).output_type(pa.int64())
