"""Uniques of the population, estimated from a sample: against ARX on the adult table, and against populations made."""

from __future__ import annotations

import math

import numpy as np
import pytest

from transforms.risk.population import Sample, pitman, population_models, slide_negative_binomial, zayatz

# Classes of ARX's data/adult.csv (30,162 rows of the 1994 census, nine columns): records of a class, number of classes.
ADULT = {
    1: 15512, 2: 2098, 3: 754, 4: 375, 5: 189, 6: 155, 7: 97, 8: 73, 9: 39, 10: 37, 11: 29, 12: 18, 13: 23, 14: 14,
    15: 15, 16: 9, 17: 11, 18: 10, 19: 10, 20: 5, 21: 3, 22: 4, 23: 3, 24: 2, 25: 1, 26: 3, 27: 5, 29: 1, 30: 2, 32: 1,
    34: 1, 35: 1, 36: 1, 45: 1,
}  # fmt: skip
COUNTS = np.repeat(list(ADULT), list(ADULT.values())).astype(np.int64)


def adult(fraction: float) -> Sample:
    return Sample.of(COUNTS, 30_162 / fraction)


def test_the_table_is_arxs() -> None:
    """ARX, TestRiskMetrics.java, testAverageRisk2: average risk (classes over records) before anonymization."""
    assert (COUNTS.sum(), len(COUNTS) / COUNTS.sum()) == (30_162, 0.6465751607983555)


@pytest.mark.parametrize(("fraction", "share"), [(0.1, 0.27684993883653597), (0.01, 0.1446083531167384)])
def test_pitmans_model_as_in_arx(fraction: float, share: float) -> None:
    """ARX, TestRiskMetrics.java, testDecisionRule2: Pitman is chosen for a tenth and less."""
    assert pitman(adult(fraction)) * fraction / 30_162 == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize(("fraction", "share"), [(0.1, 0.3207402393466189), (0.2, 0.3577099234829125)])
def test_zayatz_model_as_in_arx(fraction: float, share: float) -> None:
    """As above; at a fifth ARX takes Zayatz' figure, for its other one is larger."""
    assert zayatz(adult(fraction)) * fraction / 30_162 == pytest.approx(share, rel=1e-6)


def test_whoever_sampled_all_knows() -> None:
    """ARX, as above, fraction 1: 0.5142895033485844, the sample's own uniques."""
    for found in population_models(COUNTS, 30_162):
        assert found.share == pytest.approx(0.5142895033485844)


def test_zayatz_by_exact_fractions() -> None:
    """20 persons, 6 drawn: three classes of one, one of three. Hypergeometric chances from binomials."""
    def once(size: int) -> float:
        return size * math.comb(20 - size, 5) / math.comb(20, 6)

    chance = 3 / 4 * once(1) / (3 / 4 * once(1) + 1 / 4 * once(3))
    assert zayatz(Sample.of(np.array([1, 1, 1, 3]), 20)) == pytest.approx(3 * chance * 20 / 6)


def test_slide_negative_binomial_finds_the_population_that_it_assumes() -> None:
    """Sizes of 200,000 classes are 1 + negative binomial (0.8, 0.4); three tenths of the persons are drawn."""
    chance = np.random.default_rng(7)
    sizes = 1 + chance.negative_binomial(0.8, 0.4, 200_000)
    drawn = chance.binomial(sizes, 0.3)
    counts = drawn[drawn > 0].astype(np.int64)
    truth = int((sizes == 1).sum())
    assert truth == pytest.approx(200_000 * 0.4**0.8, rel=0.01)
    sample = Sample.of(counts, int(sizes.sum()))
    assert slide_negative_binomial(sample, classes=200_000) == pytest.approx(truth, rel=0.005)
    # Where the number of classes is not known, it is estimated too, here 6 % too high.
    assert slide_negative_binomial(sample) == pytest.approx(truth, rel=0.25)
    assert zayatz(sample) > 1.5 * truth  # the larger share of uniques in a sample misleads the simpler model


def test_pitmans_likelihood_is_largest_where_it_is_solved() -> None:
    """θ and α found from the uniques at two population sizes; nearby ones have a lower likelihood."""
    counts = np.repeat([1, 2, 3, 5, 9], [60, 20, 9, 4, 2]).astype(np.int64)
    u, n = len(counts), int(counts.sum())

    def likelihood(theta: float, alpha: float) -> float:
        first = sum(math.log(theta + i * alpha) for i in range(1, u)) - sum(math.log(theta + i) for i in range(1, n))
        return first + sum(math.log(size - 1 - alpha - i) for size in counts.tolist() for i in range(size - 1))

    few, many = (pitman(Sample.of(counts, population)) for population in (10**4, 10**6))
    alpha = math.log(many / few) / math.log(100)
    low, high = 1e-6, 1e6  # Γ(θ + 1) / Γ(θ + α) grows with θ
    for _ in range(200):
        theta = math.sqrt(low * high)
        value = math.exp(math.lgamma(theta + 1) - math.lgamma(theta + alpha) + alpha * math.log(10**4))
        low, high = (theta, high) if value < few else (low, theta)
    best = likelihood(theta, alpha)
    for step in (0.99, 1.01):
        assert likelihood(theta * step, alpha) < best
        assert likelihood(theta, alpha * step) < best


def test_no_unique_in_the_sample_none_in_the_population() -> None:
    for found in population_models(np.array([2, 3, 5]), 1_000):
        assert (found.uniques, found.share, found.reason) == (0.0, 0.0, None)
    assert {found.uniques for found in population_models(np.zeros(0, np.int64), 0)} == {0.0}


def test_what_a_model_cannot_answer_has_its_reason() -> None:
    found = {one.model: one for one in population_models(np.ones(50, np.int64), 1_000)}
    assert found["pitman"].uniques is None
    assert found["pitman"].reason == "no class has two records"
    assert found["slide-negative-binomial"].reason == "no class has two records"
    assert found["zayatz"].share == 1.0  # by its rule every class is of one


def test_a_population_smaller_than_its_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="a population smaller than its sample"):
        population_models(np.array([3, 4]), 6)
