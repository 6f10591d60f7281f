"""Rounding agrees with a plain reference on exact numbers, for every type, direction and sign."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.images import Anything, Image, Numbers, Piece
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

NOTHING = Given(Site("t", "c", 0, "columns.c.apply[0]"))
DIRECTIONS = st.sampled_from(["up", "down", "half-up", "half-down", "half-even"])
INT64 = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-300, 300)
UNITS = st.integers(1, 60)


def reference(value: Any, unit: Any, direction: str) -> Fraction:
    """The multiple of `unit` that the words describe, found by comparing distances to both neighbours."""
    exact, step = Fraction(value), Fraction(unit)
    lower = (exact // step) * step
    if lower == exact:
        return exact
    upper = lower + step
    if direction in ("up", "down"):
        return upper if direction == "up" else lower
    to_lower, to_upper = exact - lower, upper - exact
    if to_lower != to_upper:
        return lower if to_lower < to_upper else upper
    if direction == "half-even":
        return lower if (lower / step) % 2 == 0 else upper
    return upper if direction == "half-up" else lower


def graded_reference(value: Any, grades: list[dict[str, Any]]) -> Fraction:
    grade = next(one for one in grades if "below" not in one or abs(value) < one["below"])
    return reference(value, grade["unit"], grade["direction"])


def step_of(name: str, parameters: Any) -> ColumnTechnique:
    (step,) = parse_steps({name: parameters})
    assert isinstance(step, ColumnTechnique)
    return step


@st.composite
def grade_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    ends = sorted(draw(st.sets(st.integers(1, 200), max_size=3)))
    grades: list[dict[str, Any]] = [{"below": end, "unit": draw(UNITS), "direction": draw(DIRECTIONS)} for end in ends]
    return [*grades, {"unit": draw(UNITS), "direction": draw(DIRECTIONS)}]


@given(st.lists(st.none() | INT64), st.integers(1, 10**9), DIRECTIONS)
@example([2**63 - 1], 1, "up")
@example([-(2**63)], 10, "down")
@example([5, 15, 25, -5, -15], 10, "half-even")
def test_integers_are_rounded_exactly_or_refused(values: list[int | None], unit: int, direction: str) -> None:
    step = step_of("rounding", {"unit": unit, "direction": direction})
    present = [value for value in values if value is not None]
    near_limit = any(not -(2**63) + unit <= value <= 2**63 - 1 - unit for value in present)
    if near_limit:
        with pytest.raises(CellsRefused):
            step.apply(pa.array(values, pa.int64()), NOTHING)
        return
    result = step.apply(pa.array(values, pa.int64()), NOTHING)
    assert result.to_pylist() == [None if v is None else reference(v, unit, direction) for v in values]
    assert step.image(Anything(), NOTHING).contains(result).all()


@pytest.mark.parametrize("bits", [8, 16, 32])
@given(data=st.data(), unit=st.integers(1, 1000), direction=DIRECTIONS)
def test_narrow_integers_never_wrap(bits: int, data: st.DataObject, unit: int, direction: str) -> None:
    limit = 2 ** (bits - 1)
    values = data.draw(st.lists(st.integers(-limit, limit - 1), min_size=1))
    expected = [reference(value, unit, direction) for value in values]
    step = step_of("rounding", {"unit": unit, "direction": direction})
    column = pa.array(values, f"int{bits}")
    if all(-limit <= one < limit for one in expected):
        assert step.apply(column, NOTHING).to_pylist() == expected
        return
    with pytest.raises(CellsRefused):
        step.apply(column, NOTHING)


@pytest.mark.parametrize("precision", [9, 18, 30])
@given(data=st.data(), unit=st.integers(1, 5000), direction=DIRECTIONS)
def test_decimals_are_rounded_exactly(precision: int, data: st.DataObject, unit: int, direction: str) -> None:
    numbers = st.integers(-(10 ** (precision - 1)), 10 ** (precision - 1))
    values = [Decimal(n).scaleb(-2) for n in data.draw(st.lists(numbers, min_size=1))]
    step = step_of("rounding", {"unit": Decimal(unit).scaleb(-2), "direction": direction})
    result = step.apply(pa.array([None, *values], pa.decimal128(precision, 2)), NOTHING)
    expected = [reference(value, Fraction(unit, 100), direction) for value in values]
    assert result.to_pylist() == [None, *expected]
    assert step.image(Anything(), NOTHING).contains(result).all()


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1), st.sampled_from([1, 5, 25]), DIRECTIONS)
@example([3], 1, "down")
def test_floats_are_taken_as_the_decimals_they_are_written_as(hundredths: list[int], unit: int, direction: str) -> None:
    step = step_of("rounding", {"unit": unit / 10, "direction": direction})
    for type_ in (pa.float32(), pa.float64()):
        column = pa.array([one / 100 for one in hundredths], type_)
        result = step.apply(column, NOTHING)
        expected = [float(reference(Fraction(one, 100), Fraction(unit, 10), direction)) for one in hundredths]
        assert result == pa.array(expected, type_)
        assert step.image(Anything(), NOTHING).contains(result).all()


@given(st.lists(st.none() | st.integers(-(10**9), 10**9)), grade_lists())
@example([11, -11, 10, -10], [{"below": 11, "unit": 10, "direction": "up"}, {"unit": 7, "direction": "up"}])
def test_grades_are_chosen_by_the_magnitude_that_enters(values: list[int | None], grades: list[dict[str, Any]]) -> None:
    step = step_of("graded-rounding", grades)
    result = step.apply(pa.array(values, pa.int64()), NOTHING)
    assert result.to_pylist() == [None if v is None else graded_reference(v, grades) for v in values]


@given(grade_lists(), DIRECTIONS)
def test_zero_stays_zero(grades: list[dict[str, Any]], direction: str) -> None:
    every = [{**grade, "direction": direction} for grade in grades]
    assert step_of("graded-rounding", every).apply(pa.array([0]), NOTHING).to_pylist() == [0]


@given(st.lists(SMALL, min_size=1), grade_lists())
def test_decimals_and_floats_are_graded_as_integers_are(values: list[int], grades: list[dict[str, Any]]) -> None:
    step = step_of("graded-rounding", grades)
    expected = [graded_reference(value, grades) for value in values]
    for type_ in (pa.int16(), pa.float64(), pa.decimal128(10, 1), pa.decimal128(25, 3)):
        assert step.apply(pa.array(values, type_), NOTHING).to_pylist() == expected


UNTIL_11 = [{"below": 11, "unit": 10, "direction": "up"}, {"unit": 7, "direction": "down"}]


@given(grade_lists(), SMALL, SMALL)
@example(UNTIL_11, 0, 30)
@example(UNTIL_11, -30, 0)
def test_the_image_of_whole_numbers_is_the_set_of_their_results(
    grades: list[dict[str, Any]], one: int, other: int
) -> None:
    low, high = sorted((one, other))
    image = step_of("graded-rounding", grades).image(Numbers(pieces=(Piece(low, high, 1),)), NOTHING)
    assert members(image) == {int(graded_reference(value, grades)) for value in range(low, high + 1)}


@given(grade_lists(), SMALL, SMALL, st.integers(2, 40))
def test_the_image_of_multiples_holds_their_results(
    grades: list[dict[str, Any]], one: int, other: int, unit: int
) -> None:
    low, high = sorted((one, other))
    entering = [value for value in range(low, high + 1) if value % unit == 0]
    image = step_of("graded-rounding", grades).image(Numbers(pieces=(Piece(low, high, unit),)), NOTHING)
    assert members(image) >= {int(graded_reference(value, grades)) for value in entering}


@pytest.mark.parametrize(
    ("direction", "upper", "lower"),
    [
        # Just below 15, and just above -15, no middle is met; just below 20 no multiple.
        ("half-up", {0, 10}, {0, -10}),
        ("half-down", {0, 10}, {0, -10}),
        ("half-even", {0, 10}, {0, -10}),
        ("up", {0, 10, 20}, {0, -10}),
        ("down", {0, 10}, {0, -10, -20}),
    ],
)
def test_the_end_of_a_grade_is_not_in_it(direction: str, upper: set[int], lower: set[int]) -> None:
    step = step_of(
        "graded-rounding", [{"below": 15, "unit": 10, "direction": direction}, {"unit": 1000, "direction": "down"}]
    )
    assert members(step.image(Numbers(pieces=(Piece(0, 99),)), NOTHING)) == upper
    step = step_of(
        "graded-rounding", [{"below": 15, "unit": 10, "direction": direction}, {"unit": 1000, "direction": "up"}]
    )
    assert members(step.image(Numbers(pieces=(Piece(-99, 0),)), NOTHING)) == lower


def members(image: Image) -> set[int]:
    candidates = range(-500, 501)
    return {value for value, inside in zip(candidates, image.contains(pa.array(candidates)), strict=True) if inside}


@given(st.lists(SMALL, min_size=1), grade_lists(), st.integers(1, 60), DIRECTIONS)
def test_every_result_of_a_chain_lies_in_its_image(
    values: list[int], grades: list[dict[str, Any]], unit: int, direction: str
) -> None:
    cells, image = pa.array([*values, None]), Anything()
    steps = parse_steps(
        [
            {"top-coding": {"at": 150}},
            {"graded-rounding": grades},
            {"rounding": {"unit": unit, "direction": direction}},
        ]
    )
    for step in steps:
        assert isinstance(step, ColumnTechnique)
        cells, image = step.apply(cells, NOTHING), step.applied_image(image, NOTHING)
        assert image.contains(cells).all()
