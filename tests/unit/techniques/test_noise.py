"""Noise: its distributions, types, bounds, and what the guideline's birthdays become."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
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
from transforms.images import Anything, Numbers, Piece
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

DRAWS = Draws(Secret(bytes(range(32))))
SITE = Site("t", "c", 0, "p")
# L2138-2143: date of birth, noise, date of birth with noise.
BIRTHDAYS = [
    (date(2011, 12, 5), 3, date(2011, 12, 8)),
    (date(2016, 8, 9), -2, date(2016, 8, 7)),
    (date(2009, 2, 11), -5, date(2009, 2, 6)),
    (date(1998, 5, 27), -6, date(1998, 5, 21)),
    (date(1991, 6, 18), 9, date(1991, 6, 27)),
]


def noisy(parameters: Any, values: list[Any], type_: pa.DataType, draws: Draws = DRAWS, first: int = 0) -> list[Any]:
    (step,) = parse_steps({"noise": parameters})
    assert isinstance(step, ColumnTechnique)
    ids = encode_ids([pa.array(range(first, first + len(values)), pa.int64())])
    here = Given(SITE, draws=draws, rows=ids, subjects=ids)
    result = step.apply(pa.array(values, type_), here)
    assert result.type == type_
    assert step.applied_image(Anything(), here).contains(result).all()
    cells: list[Any] = result.to_pylist()
    return cells


class Listed(Draws):
    """Draws that are told beforehand."""

    def __init__(self, numbers: list[int]) -> None:
        super().__init__(Secret(bytes(32)))
        self.numbers = numbers

    def below(self, ids: pa.Array, bound: Any, round: int = 0) -> npt.NDArray[np.int64]:
        assert bound == 21
        return np.array(self.numbers)


def test_the_guidelines_birthdays() -> None:
    """With the guideline's own draws (a number from -10 to 10, as 0 to 20), its own results."""
    draws = Listed([noise + 10 for _, noise, _ in BIRTHDAYS])
    made = noisy({"distribution": "uniform", "days": 10}, [day for day, _, _ in BIRTHDAYS], pa.date32(), draws)
    assert made == [result for _, _, result in BIRTHDAYS]


@over(st.lists(st.none() | st.integers(-(10**15), 10**15)), st.integers(1, 10**6))
def test_uniform_noise_on_integers_stays_within_its_scale(values: list[int | None], scale: int) -> None:
    for value, result in zip(
        values, noisy({"distribution": "uniform", "scale": scale}, values, pa.int64()), strict=True
    ):
        assert (result is None) == (value is None)
        assert value is None or abs(result - value) <= scale


def test_every_step_of_uniform_noise_is_as_likely() -> None:
    count = 21_000
    made = noisy({"distribution": "uniform", "scale": 3}, [100] * count, pa.int64())
    assert set(made) == set(range(97, 104))
    assert all(abs(made.count(step) - count / 7) < 4 * sqrt(count / 7) for step in set(made))


@pytest.mark.parametrize(
    ("distribution", "deviation"), [("normal", 1.0), ("laplace", sqrt(2)), ("uniform", sqrt(1 / 3))]
)
@pytest.mark.parametrize("type_", [pa.float64(), pa.decimal128(18, 6)], ids=str)
def test_mean_and_spread_are_those_of_the_distribution(distribution: str, deviation: float, type_: pa.DataType) -> None:
    values = [Decimal(500) if pa.types.is_decimal(type_) else 500.0] * 20_000
    made = np.array(noisy({"distribution": distribution, "scale": 4}, values, type_), np.float64) - 500
    assert abs(made.mean()) < 4 * 4 * deviation / sqrt(len(made))
    assert made.std() == pytest.approx(4 * deviation, rel=0.04)


def test_normal_noise_is_the_normal_quantile_of_the_draw() -> None:
    """A reference in plain Python: value plus scale times the quantile of the row's own draw."""
    ids = encode_ids([pa.array(range(200), pa.int64())])
    expected = [7.5 + 2.5 * NormalDist().inv_cdf(share) for share in DRAWS.uniform(ids).tolist()]
    assert noisy({"distribution": "normal", "scale": 2.5}, [7.5] * 200, pa.float64()) == pytest.approx(
        expected, rel=1e-13
    )
    rounded = noisy({"distribution": "normal", "scale": 2.5}, [70] * 200, pa.int64())
    assert rounded == [round(one + 62.5) for one in expected]


def test_a_factor_moves_by_a_share_and_never_across_zero() -> None:
    values = [1_000_000, -1_000_000, 0] * 500
    made = noisy({"distribution": "uniform", "scale": 0.1, "how": "multiply"}, values, pa.int64())
    for value, result in zip(values, made, strict=True):
        assert abs(result - value) <= abs(value) // 10
    assert len(set(made)) > 900
    wild = noisy({"distribution": "laplace", "scale": 1, "how": "multiply"}, values, pa.int64())
    assert all(value * result >= 0 for value, result in zip(values, wild, strict=True))
    assert max(wild) > 2_000_000


@over(st.lists(st.integers(0, 100), min_size=1), st.sampled_from(["normal", "laplace", "uniform"]))
def test_results_stay_within_bounds(values: list[int], distribution: str) -> None:
    bounds = {"at_least": 0, "at_most": 100}
    made = noisy({"distribution": distribution, "scale": 50, **bounds}, values, pa.int16())
    assert all(0 <= one <= 100 for one in made)


def test_bounds_are_met_by_new_draws_not_by_heaping_at_the_bound() -> None:
    made = noisy({"distribution": "normal", "scale": 10, "at_least": 0}, [0] * 4_000, pa.int64())
    assert min(made) == 0
    assert made.count(0) < 400  # half of a clamped distribution would be zeros
    beyond = noisy({"distribution": "uniform", "scale": 2, "at_most": 50}, [80, 10], pa.int64())
    assert beyond[0] == 50


def test_a_person_has_one_noise_where_the_plan_says() -> None:
    (step,) = parse_steps({"noise": {"distribution": "normal", "scale": 5, "per": "subject"}})
    assert isinstance(step, ColumnTechnique)
    persons = encode_ids([pa.array([1, 2, 1, 3, 2, 1])])
    rows = encode_ids([pa.array(range(6))])
    made = step.apply(
        pa.array([60, 70, 61, 80, 70, 62]), Given(SITE, draws=DRAWS, rows=rows, subjects=persons)
    ).to_pylist()
    assert (made[2] - made[0], made[5] - made[0], made[4] - made[1]) == (1, 2, 0)


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_timestamps_move_by_parts_of_days(zone: str | None) -> None:
    moment = datetime(2024, 2, 29, 13, 30, tzinfo=UTC if zone else None)
    made = noisy({"distribution": "uniform", "days": 0.5}, [moment, None] * 100, pa.timestamp("us", zone))
    moves = [abs(one - moment) for one in made[::2]]
    assert max(moves) <= timedelta(hours=12)
    assert max(moves) > timedelta(hours=10)
    assert made[1::2] == [None] * 100
    bounded = {"distribution": "laplace", "days": 30, "at_most": "2024-02-29 14:00:00"}
    assert max(noisy(bounded, [moment] * 50, pa.timestamp("us", zone))) <= moment + timedelta(minutes=30)


def test_dates_stay_within_bounds_and_years() -> None:
    days = [date(2024, 1, 1)] * 200
    made = noisy({"distribution": "normal", "days": 20, "at_least": "2024-01-01"}, days, pa.date32())
    assert min(made) >= date(2024, 1, 1)
    with pytest.raises(CellsRefused, match="years 1 to 9999"):
        noisy({"distribution": "uniform", "days": 20}, [date(9999, 12, 31)] * 50, pa.date32())


def test_the_image_is_as_wide_as_the_noise() -> None:
    (step,) = parse_steps({"noise": {"distribution": "uniform", "scale": 5, "at_least": 0}})
    assert isinstance(step, ColumnTechnique)
    image = step.image(Numbers(nullable=False, pieces=(Piece(0, 100),)), Given(SITE))
    assert image.contains(pa.array([-1, 0, 105, 106, None])).tolist() == [False, True, True, False, False]


def test_the_draw_is_the_rows_own_whatever_the_batch() -> None:
    values, step = list(range(100)), {"distribution": "laplace", "scale": 9, "at_least": 0}
    parts = noisy(step, values[:31], pa.int64()) + noisy(step, values[31:], pa.int64(), first=31)
    assert noisy(step, values, pa.int64()) == parts


NUMBERS = st.none() | st.integers(-(10**12), 10**12)


@over(st.lists(st.tuples(NUMBERS, st.sampled_from("abc")), min_size=1), st.sampled_from(["normal", "uniform"]))
def test_a_kept_sum_is_kept_exactly_in_each_class(rows: list[tuple[int | None, str]], distribution: str) -> None:
    (step,) = parse_steps(
        {"noise": {"distribution": distribution, "scale": 500, "keep_sum": True, "by": ["c"], "small": "keep"}}
    )
    assert isinstance(step, ColumnTechnique)
    cents = pa.array([None if value is None else Decimal(value).scaleb(-2) for value, _ in rows], pa.decimal128(18, 2))
    ids = encode_ids([pa.array(range(len(rows)), pa.int64())])
    here = Given(SITE, draws=DRAWS, rows=ids, columns={"c": pa.array([letter for _, letter in rows])})
    result = step.apply(cents, here)
    assert step.applied_image(Anything(), here).contains(result).all()
    made = result.to_pylist()
    assert [one is None for one in made] == [value is None for value, _ in rows]
    for letter in "abc":
        before = [value for value, own in rows if own == letter and value is not None]
        after = [
            int(one.scaleb(2)) for one, (_, own) in zip(made, rows, strict=True) if own == letter and one is not None
        ]
        assert sum(after) == sum(before)
        if len(before) < 3:
            assert after == before


def test_the_correction_is_nearly_the_same_for_all() -> None:
    """Beside the same noise without a kept sum: the difference is the mean noise, up to one unit."""
    step = {"distribution": "laplace", "scale": 50}
    free, kept = (noisy({**step, **more}, [0] * 1_000, pa.int64()) for more in ({}, {"keep_sum": True}))
    assert sum(kept) == 0
    moved = {after - before for before, after in zip(free, kept, strict=True)}
    assert moved <= {-(sum(free) // 1_000), -(sum(free) // 1_000) - 1}
    assert len(moved) == 2


def test_small_classes_would_show_the_number_itself() -> None:
    def step(**more: Any) -> list[Any]:
        parameters = {"distribution": "uniform", "scale": 9, "keep_sum": True, **more}
        return noisy(parameters, [100, None, 50], pa.int64())

    with pytest.raises(CellsRefused, match="fewer than 3"):
        step()
    assert step(small="keep") == [100, None, 50]
    assert step(small="suppress") == [None, None, None]
    assert sum(one for one in step(least=2) if one is not None) == 150


def test_sums_never_wrap() -> None:
    for values, type_ in (
        ([2**63 - 2] * 60, pa.int64()),
        ([126] * 60, pa.int8()),
        ([Decimal("9.99")] * 60, pa.decimal128(3, 2)),
    ):
        with pytest.raises(CellsRefused, match="range"):
            noisy({"distribution": "uniform", "scale": 5}, values, type_)
    for big, type_ in ((2**62, pa.int64()), (1.7e308, pa.float64()), (3e38, pa.float32())):
        with pytest.raises(CellsRefused, match="range"):
            noisy({"distribution": "laplace", "scale": 1, "how": "multiply"}, [big] * 60, type_)
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(CellsRefused):
            noisy({"distribution": "uniform", "scale": 5}, [1.0, wrong], pa.float64())


@pytest.mark.parametrize(
    "parameters",
    [
        {"scale": 1},
        {"distribution": "normal"},
        {"distribution": "normal", "scale": 1, "days": 1},
        {"distribution": "normal", "scale": -1},
        {"distribution": "normal", "scale": 2, "how": "multiply"},
        {"distribution": "normal", "days": 2, "how": "multiply"},
        {"distribution": "normal", "scale": 1, "at_least": 5, "at_most": 5},
        {"distribution": "normal", "days": 1, "at_least": 5, "at_most": "2024-01-01"},
        {"distribution": "normal", "scale": 1, "by": ["c"]},
        {"distribution": "normal", "scale": 1, "least": 3},
        {"distribution": "normal", "days": 1, "keep_sum": True},
        {"distribution": "normal", "scale": 1, "keep_sum": True, "at_least": 0},
        {"distribution": "normal", "scale": 1, "keep_sum": True, "per": "subject"},
        {"distribution": "normal", "scale": 1, "keep_sum": True, "how": "multiply"},
        {"distribution": "normal", "scale": 1, "keep_sum": True, "least": 1},
        {"distribution": "normal", "scale": 1, "keep_sum": True, "when": {"c": {"above": 1}}},
    ],
)
def test_bad_parameters(parameters: Any) -> None:
    with pytest.raises(ValidationError):
        parse_steps({"noise": parameters})


@pytest.mark.parametrize(
    ("parameters", "type_"),
    [
        ({"scale": 1}, pa.string()),
        ({"scale": 1}, pa.date32()),
        ({"days": 1}, pa.int64()),
        ({"scale": Fraction(1, 2)}, pa.int64()),
        ({"scale": 1, "keep_sum": True}, pa.float64()),
        ({"scale": 2**40, "keep_sum": True}, pa.int64()),
        ({"scale": 1}, pa.decimal128(30, 2)),
        ({"scale": 1, "at_least": "2024-01-01"}, pa.int64()),
        ({"days": 1, "at_least": "2024-01-01"}, pa.timestamp("us")),
    ],
)
def test_types_that_do_not_fit(parameters: Any, type_: pa.DataType) -> None:
    scale = {key: float(value) if isinstance(value, Fraction) else value for key, value in parameters.items()}
    (step,) = parse_steps({"noise": {"distribution": "uniform", **scale}})
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(TechniqueError):
        step.output_type(type_)
