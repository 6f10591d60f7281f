"""n divided among strata: whole numbers that add up, by rules that this page states on plain lists."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.allocation import Stratum, neyman, planned_size, proportional
from transforms.errors import CellsRefused
from transforms.pipeline import sample_lines
from transforms.pipeline.sample_lines import CountStrata, exact_sums
from transforms.pipeline.verify_sample import neyman_holds, proportional_holds

SIZES = st.lists(st.integers(0, 400), min_size=1, max_size=12)


def largest_remainder(n: int, sizes: list[int]) -> list[int]:
    """The textbook's: everybody's share rounded down, what is missing to the largest remainders, the first first."""
    shares = [Fraction(n * size, sum(sizes)) for size in sizes]
    given_ = [math.floor(share) for share in shares]
    turn = sorted(range(len(sizes)), key=lambda place: (given_[place] - shares[place], place))
    for place in turn[: n - sum(given_)]:
        given_[place] += 1
    return given_


@given(SIZES, st.integers(0, 100))
def test_proportional_is_largest_remainder(sizes: list[int], percent: int) -> None:
    n = sum(sizes) * percent // 100
    found = proportional(n, sizes)
    assert sum(found) == n
    assert found == (largest_remainder(n, sizes) if sum(sizes) else [0] * len(sizes))
    assert all(number <= size for number, size in zip(found, sizes, strict=True))
    assert proportional_holds(found, [Stratum(size) for size in sizes])


def test_proportional_by_hand() -> None:
    """10 of 21, 46, 33: shares 2.1, 4.6, 3.3; the missing one goes to .6."""
    assert proportional(10, [21, 46, 33]) == [2, 5, 3]


def strata_of(values: list[list[int]]) -> list[Stratum]:
    return [Stratum(len(v), len(v), sum(v), sum(x * x for x in v)) for v in values]


NUMBERS = st.lists(st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30), min_size=1, max_size=8)


@given(NUMBERS, st.integers(1, 100))
def test_neyman_gives_by_size_times_standard_deviation(values: list[list[int]], percent: int) -> None:
    sizes = [len(v) for v in values]
    n = sum(sizes) * percent // 100
    found, whole = neyman(n, strata_of(values))
    assert sum(found) == n
    assert all(0 <= number <= size for number, size in zip(found, sizes, strict=True))
    assert neyman_holds(found, strata_of(values))
    weights = [len(v) * (statistics.stdev(v) if len(v) > 1 else 0.0) for v in values]
    if not whole and sum(weights):
        for number, weight in zip(found, weights, strict=True):
            assert abs(number - n * weight / sum(weights)) < 1 + 1e-6


def test_neyman_by_hand() -> None:
    """Two towns of four: amounts 0 2 0 2 and 0 20 0 20 spread 1 : 10, but no town can give more than it has."""
    strata = strata_of([[0, 2, 0, 2], [0, 20, 0, 20]])
    assert strata[0].variance == Fraction(4, 3)
    assert neyman(3, strata) == ([0, 3], 0)
    assert neyman(6, strata) == ([2, 4], 1)


def test_neyman_without_any_spread_goes_by_size() -> None:
    assert neyman(3, strata_of([[5] * 10, [7] * 20])) == ([1, 2], 0)


@given(NUMBERS, st.integers(1, 99), st.data())
def test_a_number_moved_to_another_stratum_is_noticed(
    values: list[list[int]], percent: int, data: st.DataObject
) -> None:
    strata = strata_of(values)
    n = sum(one.size for one in strata) * percent // 100
    found, _ = neyman(n, strata)
    movable = [(a, b) for a in range(len(found)) for b in range(len(found)) if a != b and found[a]]
    if not movable:
        return
    left, right = data.draw(st.sampled_from(movable))
    two = min(2, found[left])
    if two < 2:
        return
    moved = [*found]
    moved[left], moved[right] = moved[left] - 2, moved[right] + 2
    assert not neyman_holds(moved, strata)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**63), 2**63 - 1)), max_size=60))
def test_sums_and_squares_are_exact(rows: list[tuple[int, int]]) -> None:
    group = np.array([row[0] for row in rows], np.int64)
    found = exact_sums(np.array([row[1] for row in rows], np.int64), group, 4)
    for place in range(4):
        numbers = [number for one, number in rows if one == place]
        assert found[place].tolist() == [len(numbers), sum(numbers), sum(number**2 for number in numbers)]


def test_a_million_large_numbers_still_add_up() -> None:
    """Beyond the rows whose limbs a float adds up exactly, the sums are taken in parts."""
    count = (1 << 20) + 17
    found = exact_sums(np.full(count, -(2**63), np.int64), np.zeros(count, np.int64), 1)
    assert found[0].tolist() == [count, -count * 2**63, count * 2**126]


def test_too_many_strata_are_no_strata(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_lines, "MOST_STRATA", 3)
    lines = np.arange(16, dtype=np.uint64).reshape(4, 4)
    with pytest.raises(CellsRefused, match="more than 3 strata"):
        CountStrata()(lines)


@pytest.mark.parametrize(("fraction", "count", "n"), [(0.29, 100, 29), (0.1, 9, 0), (1.0, 7, 7)])
def test_a_share_is_taken_as_written_and_rounded_down(fraction: float, count: int, n: int) -> None:
    assert planned_size(fraction, None, count) == n
    assert planned_size(None, 4, count) == 4
