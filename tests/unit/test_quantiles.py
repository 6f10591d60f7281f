"""Quantiles without a mathematical library: near the standard library's, and to the bit the same everywhere."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.quantiles import laplace, logarithm, normal

LOGARITHMS = [
    "-0x1.ba18a998fffa0p+2",
    "-0x1.26bb1bbb55515p+1",
    "-0x1.34378fcbda721p+0",
    "-0x1.058aefa811452p-1",
    "-0x1.495453e6fd4bcp-7",
]
NORMAL = [
    "-0x1.8b8cbb7204470p+1",
    "-0x1.4813c36e26d33p+0",
    "-0x1.0c7e39582c5fap-1",
    "0x1.036d6c4a04b59p-2",
    "0x1.29c5c4630ff0ep+1",
]
SHARES = st.integers(0, 2**52 - 1).map(lambda step: (step + 0.5) * 2.0**-52)


@given(st.lists(st.floats(min_value=2.3e-308, max_value=1e300), min_size=1))
def test_logarithm(numbers: list[float]) -> None:
    found = logarithm(np.array(numbers))
    for number, result in zip(numbers, found, strict=True):
        assert result == pytest.approx(math.log(number), rel=4e-16, abs=2e-16)


@given(st.lists(SHARES, min_size=1))
def test_normal_quantiles(shares: list[float]) -> None:
    found = normal(np.array(shares))
    for share, result in zip(shares, found, strict=True):
        assert result == pytest.approx(NormalDist().inv_cdf(share), rel=1e-14, abs=1e-15)


@given(st.lists(SHARES, min_size=1))
def test_laplace_quantiles(shares: list[float]) -> None:
    """The share of the distribution below the quantile is the share again."""
    for share, result in zip(shares, laplace(np.array(shares)), strict=True):
        below = math.exp(result) / 2 if result < 0 else 1 - math.exp(-result) / 2
        assert below == pytest.approx(share, rel=1e-12, abs=1e-15)


def test_both_are_odd_around_the_middle_and_reach_no_further_than_told() -> None:
    ends = np.array([2.0**-53, 1 - 2.0**-53, 0.5, 0.25, 0.75])
    for quantile, reach in ((normal, 8.3), (laplace, 37.0)):
        low, high, middle, quarter, three = quantile(ends)
        assert -reach < low == -high
        assert middle == 0
        assert quarter == -three


def test_results_are_the_same_to_the_last_bit_everywhere() -> None:
    """Bits as they came out once; another machine or numpy that gives others would make other releases.

    They are also shown to be right: within two units in the last place of the exact logarithm, by a series of
    fractions.
    """
    shares = np.array([0.001, 0.1, 0.3, 0.6, 0.99])
    assert [value.hex() for value in logarithm(shares).tolist()] == LOGARITHMS
    assert [value.hex() for value in normal(shares).tolist()] == NORMAL
    for share, text in zip(shares.tolist(), LOGARITHMS, strict=True):
        exact, found = exact_logarithm(Fraction(share)), Fraction(float.fromhex(text))
        assert abs(found - exact) <= 2 * Fraction(math.ulp(float(found)))


def exact_logarithm(number: Fraction) -> Fraction:
    """ln by halving down to near 1 and 60 terms of its series, to some 40 digits."""
    two, halvings = Fraction(1, 3), 0
    while number < Fraction(2, 3):
        number, halvings = number * 2, halvings + 1
    return series((number - 1) / (number + 1)) - halvings * series(two)


def series(share: Fraction) -> Fraction:
    return 2 * sum((share ** (2 * place + 1) / (2 * place + 1) for place in range(60)), Fraction(0))
