"""Distributions for documents: exact counts, round edges, no bin that stands for a few persons."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.distributions import Bin, Distribution, distribution, fine_bins, is_shown

LEAST = 10
RNG = np.random.default_rng(5)
COLUMNS = {
    "ages": RNG.integers(10, 98, 5000),
    "amounts with zeros": np.where(RNG.random(5000) < 0.3, 0, RNG.lognormal(11, 1.2, 5000)).astype(np.int64),
    "negative and positive": RNG.integers(-5000, 5000, 3000),
    "shares": RNG.integers(0, 1000, 3000) / 1000,
    "one value": np.full(50, 7),
    "far from zero": RNG.integers(1_000_000, 1_900_000, 2000),
    "to the ends": np.array([0, 2**62, -(2**62), 10**15, -(10**15)] * 20),
}


def shown(before: npt.NDArray[np.int64], after: npt.NDArray[np.int64], least: int = LEAST) -> Distribution:
    whole = before.dtype.kind == "i"
    found = distribution(fine_bins(pa.array(before)), fine_bins(pa.array(after)), whole, least)
    assert found is not None
    return found


def counted(one: Bin, values: npt.NDArray[np.int64]) -> int:
    low = -np.inf if one.low is None else float(one.low)
    high = np.inf if one.high is None else float(one.high)
    return int(((values >= low) & (values < high)).sum())


@pytest.mark.parametrize("name", COLUMNS)
def test_bins_hold_the_values_between_their_edges(name: str) -> None:
    before = COLUMNS[name]
    after = before // 10 * 10
    for bins in (shown(before, after).bins, shown(before, after).outliers):
        assert [(one.before, one.after) for one in bins] == [(counted(b, before), counted(b, after)) for b in bins]
        assert sum(one.before for one in bins) == len(before)
        assert [one.high for one in bins[:-1]] == [one.low for one in bins[1:]]
        assert (bins[0].low, bins[-1].high) == (None, None)


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("least", [10, 25])
def test_no_bin_stands_for_fewer_persons(name: str, least: int) -> None:
    before = COLUMNS[name]
    after = np.minimum(before, np.sort(before)[-40])
    found = shown(before, after, least)
    for one in (*found.bins, *found.outliers):
        assert one.before >= least
        assert one.after == 0 or one.after >= least


def test_edges_are_round_and_never_the_extremes() -> None:
    ages = COLUMNS["ages"]
    bins = shown(ages, ages // 10 * 10).bins
    assert [one.low for one in bins[1:]] == [Decimal(edge) for edge in range(15, 95, 5)]
    amounts = COLUMNS["amounts with zeros"]
    edges = [int(one.low) for one in shown(amounts, amounts).bins[1:] if one.low is not None]
    step = edges[1] - edges[0]
    assert str(step).strip("0") in ("1", "2", "5")
    assert all(edge % step == 0 for edge in edges)
    assert max(edges) < amounts.max()


def test_a_single_extreme_person_changes_no_edge() -> None:
    ages = COLUMNS["ages"]
    with_one = np.append(ages, 123)
    assert [one.low for one in shown(ages, ages).bins] == [one.low for one in shown(with_one, with_one).bins]
    assert [one.low for one in shown(ages, ages).outliers] == [one.low for one in shown(with_one, with_one).outliers]


def test_too_few_persons_are_not_shown_at_all() -> None:
    few, many = fine_bins(pa.array(range(9))), fine_bins(pa.array(range(10)))
    assert distribution(few, few, True, LEAST) is None
    assert distribution(many, few, True, LEAST) is None
    assert distribution(many, many, True, LEAST) is not None


def test_nulls_and_nan_are_left_out() -> None:
    assert fine_bins(pa.array([1, None, 2, None])).sum() == 2
    assert fine_bins(pa.array([1.0, float("nan"), None, float("inf")])).sum() == 1
    assert fine_bins(pa.array([], pa.int64())).sum() == 0


def test_decimals_count_in_their_own_unit() -> None:
    prices = [Decimal(number) / 100 for number in range(100, 2000)]
    as_decimals = fine_bins(pa.array(prices, pa.decimal128(9, 2)))
    assert (as_decimals == fine_bins(pa.array([float(price) for price in prices]))).all()


@given(st.lists(st.integers(-(10**9), 10**9), min_size=40, max_size=200))
def test_any_whole_numbers(values: list[int]) -> None:
    before = np.array(values)
    after = before // 100 * 100
    found = shown(before, after)
    for bins in (found.bins, found.outliers):
        for one in bins:
            assert (one.before, one.after) == (counted(one, before), counted(one, after))
            assert one.before >= LEAST
            assert one.after == 0 or one.after >= LEAST


def test_only_numbers_are_shown() -> None:
    assert all(map(is_shown, (pa.int8(), pa.int64(), pa.float64(), pa.decimal128(18, 2))))
    assert not any(map(is_shown, (pa.string(), pa.bool_(), pa.date32(), pa.decimal128(38, 2))))
