"""Random rounding: up or down by a draw, at a set or a drawn digit, fair or in proportion."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import sqrt
from typing import Any

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
from transforms.images import Anything, Numbers, Piece
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

DRAWS = Draws(Secret(bytes(range(32))))
# The guideline's five amounts, and what it makes of them (L2021-2026): at the digit named there and above it.
GUIDELINE = [
    (869_250, 100_000, 900_000),
    (4_559_120, 1_000_000, 4_000_000),
    (13_601_564, 1_000_000, 14_000_000),
    (979_118, 100_000, 900_000),
    (122_848_878, 10_000_000, 120_000_000),
]


def rounded(parameters: Any, values: list[Any], type_: pa.DataType, first_row: int = 0) -> list[Any]:
    (step,) = parse_steps({"random-rounding": parameters})
    assert isinstance(step, ColumnTechnique)
    rows = encode_ids([pa.array(range(first_row, first_row + len(values)), pa.int64())])
    here = Given(Site("t", "c", 0, "p"), draws=DRAWS, rows=rows)
    result = step.apply(pa.array(values, type_), here)
    assert result.type == type_
    assert step.applied_image(Anything(), here).contains(result).all()
    cells: list[Any] = result.to_pylist()
    return cells


def neighbours(value: Any, unit: Any) -> set[Fraction]:
    """The multiples next to a number, or the number where it is one."""
    exact, step = Fraction(value), Fraction(unit)
    lower = exact // step * step
    return {lower} if lower == exact else {lower, lower + step}


@pytest.mark.parametrize(("value", "unit", "result"), GUIDELINE)
def test_the_guidelines_results_are_among_the_two_that_come_out(value: int, unit: int, result: int) -> None:
    found = set(rounded({"unit": unit}, [value] * 64, pa.int64()))
    assert result in found
    assert found == neighbours(value, unit)


def test_a_drawn_digit_gives_all_of_the_guidelines_results() -> None:
    """One or two leading digits: four possible results for each amount, the guideline's among them."""
    for value, _, result in GUIDELINE:
        first = 10 ** (len(str(value)) - 1)
        found = set(rounded({"leading": [1, 2]}, [value] * 200, pa.int64()))
        assert result in found
        assert found == neighbours(value, first) | neighbours(value, first // 10)


@over(st.lists(st.none() | st.integers(-(10**12), 10**12)), st.integers(1, 10**6), st.booleans())
def test_integers_become_one_of_their_two_multiples(values: list[int | None], unit: int, unbiased: bool) -> None:
    made = rounded({"unit": unit, "unbiased": unbiased}, values, pa.int64())
    for value, result in zip(values, made, strict=True):
        assert (result is None) == (value is None)
        assert value is None or result in neighbours(value, unit)


@over(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.sampled_from([1, 2, 5]))
def test_leading_digits_are_those_of_each_number(values: list[int], leading: int) -> None:
    for value, result in zip(values, rounded({"leading": leading}, values, pa.int64()), strict=True):
        assert result in neighbours(value, 10 ** max(0, len(str(abs(value))) - leading))


@over(st.lists(st.integers(-(10**8), 10**8), min_size=1), st.booleans())
def test_decimals_are_exact(hundredths: list[int], unbiased: bool) -> None:
    values = [Decimal(one).scaleb(-2) for one in hundredths]
    made = rounded({"unit": 0.25, "unbiased": unbiased}, values, pa.decimal128(12, 2))
    assert all(result in neighbours(value, Fraction(1, 4)) for value, result in zip(values, made, strict=True))


@over(st.lists(st.integers(-(10**6), 10**6), min_size=1), st.booleans())
def test_floats_are_taken_as_the_decimals_they_are_written_as(tenths: list[int], unbiased: bool) -> None:
    made = rounded({"unit": 0.1, "unbiased": unbiased}, [one / 10 for one in tenths], pa.float64())
    assert made == pytest.approx([one / 10 for one in tenths], abs=1e-12)
    halves = rounded({"unit": 10, "unbiased": unbiased}, [one / 10 for one in tenths], pa.float64())
    assert all(result in neighbours(Fraction(one, 10), 10) for one, result in zip(tenths, halves, strict=True))


@pytest.mark.parametrize("type_", [pa.int64(), pa.decimal128(12, 2), pa.float64()], ids=str)
def test_unbiased_means_that_the_expected_result_is_the_number(type_: pa.DataType) -> None:
    """30 of 100 on the way to the next multiple: three in ten go up; the fair coin sends half of them up."""
    count, value = 20_000, 1_230
    values = [Decimal(value) if pa.types.is_decimal(type_) else value] * count
    for parameters, share in (({"unit": 100, "unbiased": True}, 0.3), ({"unit": 100}, 0.5)):
        up = sum(result == 1_300 for result in rounded(parameters, values, type_))
        assert abs(up / count - share) < 4 * sqrt(share * (1 - share) / count)


def test_every_listed_unit_is_drawn_as_often() -> None:
    made = rounded({"unit": [10, 1_000]}, [1_001] * 4_000, pa.int64())
    # Half are rounded at each unit, half of those go up.
    assert abs(made.count(1_010) / 4_000 - 0.25) < 0.03
    assert abs(made.count(2_000) / 4_000 - 0.25) < 0.03
    assert set(made) == {1_000, 2_000, 1_010}


def test_the_draw_is_the_rows_own() -> None:
    values = [15, 25, 35, 45] * 50
    whole = rounded({"unit": 10}, values, pa.int64())
    assert whole == rounded({"unit": 10}, values[:77], pa.int64()) + rounded({"unit": 10}, values[77:], pa.int64(), 77)
    assert len(set(whole)) == 5


def test_when_leaves_other_rows_and_their_draws_alone() -> None:
    (step,) = parse_steps({"random-rounding": {"unit": 10, "when": {"c": {"above": 20}}}})
    assert isinstance(step, ColumnTechnique)
    values = pa.array([15, 25, 35, 18] * 20)
    rows = encode_ids([pa.array(range(80))])
    here = Given(Site("t", "c", 0, "p"), draws=DRAWS, rows=rows, columns={"c": values})
    everywhere = rounded({"unit": 10}, values.to_pylist(), pa.int64())
    expected = [new if old > 20 else old for old, new in zip(values.to_pylist(), everywhere, strict=True)]
    assert step.apply(values, here).to_pylist() == expected


def test_multiples_outside_of_what_came_in_are_not_in_the_image() -> None:
    (step,) = parse_steps({"random-rounding": {"unit": 10}})
    assert isinstance(step, ColumnTechnique)
    image = step.image(Numbers(nullable=False, pieces=(Piece(0, 95),)), Given(Site("t", "c", 0, "p")))
    assert image.contains(pa.array([0, 10, 100, 110, -10, 15, None])).tolist() == [True] * 3 + [False] * 4
    (step,) = parse_steps({"random-rounding": {"leading": [1, 2]}})
    assert isinstance(step, ColumnTechnique)
    image = step.image(Anything(nullable=False), Given(Site("t", "c", 0, "p")))
    cells = [7, 12, 120, 123, -4_500, -4_510, 0, -(2**63), None]
    assert image.contains(pa.array(cells)).tolist() == [True, True, True, False, True, False, True, False, False]


@pytest.mark.parametrize("edge", [2**63 - 1, -(2**63)])
def test_numbers_at_the_limits_of_int64_are_refused_not_wrapped(edge: int) -> None:
    for parameters in ({"unit": 1_000}, {"leading": 1}):
        with pytest.raises(CellsRefused, match="limits of int64"):
            rounded(parameters, [edge, 5], pa.int64())


def test_results_beyond_a_narrow_type_are_refused() -> None:
    with pytest.raises(CellsRefused, match="range"):
        rounded({"unit": 100}, [120] * 64, pa.int8())
    with pytest.raises(CellsRefused):
        rounded({"unit": 10}, [1.0, float("nan")], pa.float64())
    with pytest.raises(CellsRefused):
        rounded({"unit": 10}, [1.0, float("inf")], pa.float64())


@pytest.mark.parametrize(
    "parameters",
    [{}, {"unit": 10, "leading": 1}, {"unit": 0}, {"unit": []}, {"unit": [5, 5]}, {"leading": 0}, {"leading": [1, 19]}],
)
def test_bad_parameters(parameters: Any) -> None:
    with pytest.raises(ValidationError):
        parse_steps({"random-rounding": parameters})


@pytest.mark.parametrize(
    ("parameters", "type_"),
    [
        ({"unit": 0.5}, pa.int64()),
        ({"unit": 0.001}, pa.decimal128(9, 2)),
        ({"unit": 1}, pa.decimal128(30, 2)),
        ({"unit": 1}, pa.string()),
        ({"leading": 1}, pa.float64()),
    ],
)
def test_types_that_do_not_fit(parameters: Any, type_: pa.DataType) -> None:
    (step,) = parse_steps({"random-rounding": parameters})
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(TechniqueError):
        step.output_type(type_)


def test_without_keys_nothing_is_drawn() -> None:
    (step,) = parse_steps({"random-rounding": {"unit": 10}})
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(CellsRefused, match="keys"):
        step.apply(pa.array([1]), Given(Site("t", "c", 0, "p")))
