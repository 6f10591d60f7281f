"""`apply` as plans write it: what is read, and what every complaint says and where."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from transforms.techniques import TECHNIQUES, parse_steps
from transforms.techniques.keep import Keep
from transforms.techniques.rounding import GradedRounding, Rounding

UP = {"unit": 10, "direction": "up"}


def complaints(raw: Any) -> dict[tuple[Any, ...], str]:
    """Place → text of every complaint."""
    with pytest.raises(ValidationError) as caught:
        parse_steps(raw)
    return {
        error["loc"]: f"{error['msg']} {error.get('ctx', {}).get('hint', '')}".strip()
        for error in caught.value.errors()
    }


def test_a_name_a_mapping_or_a_list() -> None:
    assert parse_steps("keep") == (Keep(),)
    assert parse_steps({"keep": None}) == (Keep(),)
    assert parse_steps(["keep", {"rounding": UP}]) == (Keep(), Rounding(unit=10, direction="up"))
    assert parse_steps((Keep(),)) == (Keep(),)


def test_a_shorthand_and_its_long_form_are_the_same() -> None:
    grades = [{"below": 100, **UP}, UP]
    short, long = parse_steps({"graded-rounding": grades}), parse_steps({"graded-rounding": {"grades": grades}})
    assert short == long
    assert isinstance(short[0], GradedRounding)
    mapped = [parse_steps({"categorization": raw}) for raw in ({1: ["a"]}, {"mapping": {1: ["a"]}})]
    assert mapped[0] == mapped[1]


def test_every_complaint_at_once_with_its_place() -> None:
    found = complaints(
        [
            {"rounding": {"unit": 0, "directon": "up"}},
            {"top-codng": {"at": 1}},
            {"graded-rounding": [{"below": 100, "unit": 0, "direction": "up"}, {**UP, "direction": "sideways"}]},
            {"rounding": UP, "keep": None},
            None,
        ]
    )
    assert found[0, "rounding", "unit"] == "0; allowed: a number above 0"
    assert "did you mean 'direction'?" in found[0, "rounding", "directon"]
    assert (0, "rounding", "direction") in found
    assert "did you mean 'top-coding'?" in found[(1,)]
    assert (2, "graded-rounding", 0, "unit") in found
    assert (2, "graded-rounding", 1, "direction") in found
    assert "a mapping of 2 names" in found[(3,)]
    assert "nothing" in found[(4,)]
    assert len(found) == 8


@pytest.mark.parametrize("raw", [[], 7, True, {}, "kep"])
def test_what_is_no_step(raw: Any) -> None:
    assert all("allowed" in text for text in complaints(raw).values())


@pytest.mark.parametrize(
    ("grades", "place", "words"),
    [
        ([{"below": 100, **UP}], (0, "below"), "a last grade without `below`"),
        ([UP, UP], (0,), "overlaps"),
        ([{"below": 100, **UP}, {"below": 100, **UP}, UP], (1, "below"), "increasing"),
        ([{"below": 100, **UP}, {"below": 50, **UP}, UP], (1, "below"), "increasing"),
        ([{"below": -5, **UP}, UP], (0, "below"), "above 0"),
        ([], (), "at least one grade"),
        ("no list", (), ""),
    ],
)
def test_grades_with_a_gap_or_an_overlap(grades: Any, place: tuple[Any, ...], words: str) -> None:
    found = complaints({"graded-rounding": grades})
    assert words in found["graded-rounding", *place]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"top-coding": {}}, "either `at` or `quantile`"),
        ({"top-coding": {"at": 5, "quantile": 0.9}}, "either `at` or `quantile`"),
        ({"top-coding": {"quantile": 1}}, "a share between 0 and 1"),
        ({"top-coding": {"quantile": -0.1}}, "a share between 0 and 1"),
        ({"top-coding": {"at": 5, "over": "positive"}}, "`over` together with `quantile`"),
        ({"top-coding": {"at": "soon"}}, "a date (2026-01-31)"),
        ({"top-coding": {"at": True}}, "a number"),
        ({"rounding": {"unit": "10", "direction": "up"}}, "write text without quotes"),
        ({"rounding": {"unit": float("nan"), "direction": "up"}}, "a finite number"),
        ({"rounding": {**UP, "by": ["age"]}}, "cell by cell"),
        ({"serial-number": {"when": {"age": {"below": 20}}}}, "serial numbers for all rows"),
        ({"rounding": {**UP, "when": "age < 20"}}, "never SQL text"),
        ({"categorization": {}}, "no categories"),
        ({"categorization": {1: ["a"], 2: ["a"]}}, "each value in one category"),
        ({"categorization": {1: ["a"], "b": ["c"]}}, "of one kind"),
        ({"categorization": {1: "abc"}}, "a mapping of a category"),
        ({"categorization": {"hierarchy": "r.csv"}}, "`level: NAME`"),
        ({"categorization": {"mapping": {1: ["a"]}, "hierarchy": "r.csv", "level": "x"}}, "either a mapping"),
        ({"data-range": {"width": 10, "bounds": [1, 2]}}, "either `width` or `bounds`"),
        ({"data-range": {"bounds": [2, 1]}}, "increasing"),
        ({"data-range": {"width": -1}}, "above 0"),
        ({"masking": {"mask": "**"}}, "at most 1"),
        ({"masking": {"mask": "-", "separators": {"-": "-"}}}, "distinct characters"),
        ({"masking": {"width": 3, "separators": {"-": "-"}}}, "one of them"),
        ({"partial-suppression": {"first": 1, "last": 1}}, "one of `first`"),
        ({"partial-suppression": {}}, "no part to keep"),
        ({"keyed-token": {"length": 12}}, "greater than or equal to 13"),
        ({"record-suppression": {}}, "required"),
    ],
    ids=str,
)
def test_parameters_that_do_not_fit(raw: Any, words: str) -> None:
    assert any(words in text for text in complaints(raw).values())


def test_numbers_are_taken_as_they_are_written() -> None:
    (step,) = parse_steps({"rounding": {"unit": 0.1, "direction": "up"}})
    assert isinstance(step, Rounding)
    assert str(step.unit) == "0.1"
    (whole,) = parse_steps({"rounding": {"unit": 10.0, "direction": "up"}})
    assert isinstance(whole, Rounding)
    assert isinstance(whole.unit, int)


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
def test_every_technique_describes_its_parameters(name: str) -> None:
    schema = TECHNIQUES[name].model_json_schema()
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "hint"),
    [("local-suppression", "`outliers`"), ("stratified", "`sample`"), ("synthetic-data", "gamyeong synthesize")],
)
def test_what_stands_elsewhere_is_told_where(name: str, hint: str) -> None:
    ((_, text),) = complaints({name: {}}).items()
    assert f"unknown technique '{name}'" in text
    assert hint in text
