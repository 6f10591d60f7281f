"""Individual risk of sampled records: against sdcMicro's figures and against the sum that defines it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from transforms.risk.individual import individual, individual_risks

# sdcMicro, tests/testthat/test_indivRisk.R, method exact: fk and Fk of test_freqCalc.R.
FK = [3, 1, 3, 1, 2, 2, 1, 3]
POPULATION = [108.0, 45.5, 108.0, 17.0, 100.0, 100.0, 123.5, 108.0]
EXACT = [0.01355297, 0.08579129, 0.01355297, 0.17707583, 0.01877883, 0.01877883, 0.03931625, 0.01355297]


def test_individual_risks_of_sdcmicro() -> None:
    assert individual_risks(np.array(FK), np.array(POPULATION)) == pytest.approx(EXACT, abs=5e-9)


@pytest.mark.parametrize(("f", "people"), [(1, 10.0), (2, 7.5), (5, 30.0), (60, 90.0)])
def test_the_risk_is_the_mean_of_one_over_the_population(f: int, people: float) -> None:
    """F is negative binomial given f: P(F = h) = C(h - 1, f - 1) p^f (1 - p)^(h - f), p = f / F."""
    p = f / people
    mean = sum(
        math.exp(math.log(math.comb(h - 1, f - 1)) + f * math.log(p) + (h - f) * math.log1p(-p)) / h
        for h in range(f, 3_000)
    )
    assert individual_risks(np.array([f]), np.array([people]))[0] == pytest.approx(mean, rel=1e-9)


def test_whoever_is_all_there_is_as_likely_as_the_class_is_large() -> None:
    assert individual_risks(np.array([1, 4]), np.array([1.0, 4.0])).tolist() == [1.0, 0.25]


def test_millions_in_a_class() -> None:
    assert individual_risks(np.array([3_000_000]), np.array([6_000_000.0]))[0] == pytest.approx(1 / 6e6, rel=1e-5)


def test_figures_are_over_records() -> None:
    found = individual(np.array([3, 1]), np.array([3, 1]), np.array([108.0, 17.0]), threshold=10)
    assert found.highest == pytest.approx(0.17707583)
    assert found.expected == pytest.approx(3 * 0.01355297 + 0.17707583, abs=1e-7)
    assert found.average == pytest.approx(found.expected / 4)
    assert found.at_risk == 1  # one record above 1/10
