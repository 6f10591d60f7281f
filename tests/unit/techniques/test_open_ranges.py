"""Data ranges with open ends ("20 미만", "80 이상") and words of their own."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.errors import Site, TechniqueError
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
@over(values=st.lists(st.none() | st.integers(-99, 299)), low=st.integers(-3, 5), more=st.integers(0, 6))
def test_open_ends_around_intervals(type_: pa.DataType, values: list[int | None], low: int, more: int) -> None:
    below, at_least = low * 10, (low + more) * 10
    step = step_of({"width": 10, "ends": {"below": below, "at_least": at_least}})

    def told(value: int) -> str:
        if value < below:
            return f"{below} 미만"
        if value >= at_least:
            return f"{at_least} 이상"
        return f"{value // 10 * 10}~{value // 10 * 10 + 10}"

    result = step.apply(pa.array(values, type_), GIVEN)
    assert result.to_pylist() == [None if value is None else told(value) for value in values]
    assert step.image(Anything(), GIVEN).contains(result).all()


@pytest.mark.parametrize("low_word", ["below", "at_most"])
@pytest.mark.parametrize("high_word", ["above", "at_least"])
@over(values=st.lists(st.none() | st.integers(-9, 29)))
def test_ends_alone_leave_the_numbers_between(low_word: str, high_word: str, values: list[int | None]) -> None:
    step = step_of({"ends": {low_word: 3, high_word: 20}, "suffix": "세"})
    words = {"below": "미만", "at_most": "이하", "above": "초과", "at_least": "이상"}

    def told(value: int) -> str:
        if value < 3 or (value == 3 and low_word == "at_most"):
            return f"3세 {words[low_word]}"
        if value > 20 or (value == 20 and high_word == "at_least"):
            return f"20세 {words[high_word]}"
        return f"{value}세"

    result = step.apply(pa.array(values, pa.int64()), GIVEN)
    assert result.to_pylist() == [None if value is None else told(value) for value in values]
    assert step.image(Anything(), GIVEN).contains(result).all()


def test_a_number_beyond_an_end_is_not_in_the_image() -> None:
    image = step_of({"ends": {"above": 80}, "texts": {"above": "{end}초과"}}).image(Anything(), GIVEN)
    told = pa.array(["80초과", "80", "-3", "81", "084", "80 초과", "1,000", None])
    assert image.contains(told).tolist() == [True, True, True, False, False, False, False, True]
    ranges = step_of({"width": 10, "ends": {"at_least": 80}}).image(Numbers(pieces=(Piece(0, 120),)), GIVEN)
    told = pa.array(["70~80", "80~90", "80 이상", "-10~0", "75~85"])
    assert ranges.contains(told).tolist() == [True, False, True, False, False]


def test_words_of_ones_own(run: Run) -> None:
    words = {"between": "{low} 이상 {high} 미만", "below": "{end} 밑", "at_least": "{end} 위"}
    step = {"data-range": {"bounds": [0, 1000], "outside": "open", "texts": words, "suffix": "원"}}
    assert run(step, [-1, 0, 1000]) == ["0원 밑", "0원 이상 1,000원 미만", "1,000원 위"]
    by_width = {"data-range": {"width": 1000, "texts": {"between": "소득 {high} 까지"}, "suffix": "만원"}}
    assert run(by_width, [3300, -1]) == ["소득 4,000만원 까지", "소득 0만원 까지"]


def test_one_bound_is_enough_where_the_outside_is_open(run: Run) -> None:
    assert run({"data-range": {"bounds": [65], "outside": "open"}}, [64, 65, None]) == ["~65", "65~", None]


def test_decimals_are_written_with_their_places(run: Run) -> None:
    step = {"data-range": {"ends": {"at_least": 10.5}}}
    values = [Decimal("10.49"), Decimal("10.50"), Decimal("-1.00")]
    assert run(step, values, pa.decimal128(6, 2)) == ["10.49", "10.5 이상", "-1.00"]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"width": 10, "ends": {"below": 25}}, "within an interval"),
        ({"width": 10, "ends": {"above": 80}}, "`above` with `width`"),
        ({"ends": {"below": 20, "at_most": 30}}, "both `below` and `at_most`"),
        ({"ends": {"at_most": 30, "at_least": 30}}, "overlap"),
        ({"ends": {"below": 40, "above": 30}}, "overlap"),
        ({"ends": {}}, "no end"),
        ({"bounds": [0, 10], "ends": {"below": 0}}, "`ends` with `bounds`"),
        ({"width": 10, "texts": {"between": "구간"}}, "without {low} and {high}"),
        ({"width": 10, "texts": {"below": "{low} 미만"}}, "unknown {…}"),
        ({"outside": "open"}, "no intervals"),
    ],
)
def test_what_does_not_fit_together_is_refused(raw: Any, found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        parse_steps({"data-range": raw})


def test_floats_between_open_ends_would_be_written_out() -> None:
    with pytest.raises(TechniqueError, match="ends"):
        step_of({"ends": {"above": 80}}).output_type(pa.float64())
    with pytest.raises(TechniqueError, match="interval"):
        step_of({"ends": {"above": 0.5}}).output_type(pa.int64())


def test_wording_names_the_ends() -> None:
    step = step_of({"width": 10, "ends": {"below": 20, "at_least": 80}, "suffix": "세"})
    assert step.wording("ko").level == "10세 간격의 구간으로; 20세 미만, 80세 이상은 하나로 묶음"
    assert step.wording("en").level == "intervals of 10세; below 20세, at least 80세: one class each"
