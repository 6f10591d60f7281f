"""Uniqueness in the population, estimated from a sample: three published models.

Each takes how many classes of the sample have how many records, and the population's size N; n records were drawn.
None says more than its assumptions: they are shown side by side, and what a model can't answer has its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, root
from scipy.special import digamma, gammaln

from transforms.risk.figures import Model, PopulationFigures
from transforms.risk.keys import Longs

Numbers = NDArray[np.float64]


class NoAnswerError(Exception):
    """A model that these counts don't fit."""


@dataclass(frozen=True)
class Sample:
    """Classes by size: `numbers[i]` classes have `sizes[i]` records each; `population` persons in all."""

    sizes: Numbers
    numbers: Numbers
    population: float

    @classmethod
    def of(cls, counts: Longs, population: float) -> Sample:
        """From the records of each class. ValueError for a population smaller than the sample."""
        if population < counts.sum():
            raise ValueError("a population smaller than its sample; allowed: the sample's records or more")
        sizes, numbers = np.unique(counts, return_counts=True)
        return cls(sizes.astype(np.float64), numbers.astype(np.float64), float(population))

    @property
    def records(self) -> float:
        """n"""
        return float((self.sizes * self.numbers).sum())

    @property
    def classes(self) -> float:
        """u"""
        return float(self.numbers.sum())

    def of_size(self, size: int) -> float:
        """Classes with so many records."""
        return float(self.numbers[self.sizes == size].sum())


def zayatz(sample: Sample) -> float:
    """Unique persons of the population: sample uniques / (n/N), times the chance that one is unique there.

    The chance is Bayes' rule over class sizes as they are in the sample, each drawn hypergeometrically. Tends to
    overestimate for small samples. Source: Zayatz 1991.
    """
    draws, people = sample.records, sample.population
    once = sample.numbers * _drawn_once(people, sample.sizes, draws)
    chance = float(once[sample.sizes == 1].sum() / once.sum())
    return sample.of_size(1) * chance * people / draws


def pitman(sample: Sample) -> float:
    """Unique persons by Pitman's sampling formula: Γ(θ + 1) / Γ(θ + α) · N^α, θ and α of the largest likelihood.

    For small samples. Source: Hoshino 2001, section 2.
    """
    rest = [(size, number) for size, number in zip(sample.sizes, sample.numbers, strict=True) if size > 1]
    if not rest:
        raise NoAnswerError("no class has two records")
    u, n = sample.classes, sample.records
    sizes, numbers = (np.array(part) for part in zip(*rest, strict=True))

    def by_theta(theta: float, alpha: float) -> float:
        return _inverses(theta, alpha, u) - float(digamma(n + theta) - digamma(theta + 1))

    def best_theta(alpha: float) -> float:
        low, high = 1e-9, 10.0 * n
        if by_theta(low, alpha) <= 0:
            return low
        while by_theta(high, alpha) > 0:
            high *= 10
            if high > 1e15:
                raise NoAnswerError("the likelihood has no maximum with α from 0 to 1")
        return float(brentq(by_theta, low, high, args=(alpha,), xtol=1e-10, rtol=1e-12))

    def by_alpha(alpha: float) -> float:
        theta = best_theta(alpha)
        first = ((u - 1) - theta * _inverses(theta, alpha, u)) / alpha
        return first - float((numbers * (digamma(sizes - alpha) - digamma(1 - alpha))).sum())

    alpha = _zero(by_alpha, 1e-6, 1 - 1e-9)
    theta = best_theta(alpha)
    return math.exp(float(gammaln(theta + 1) - gammaln(theta + alpha)) + alpha * math.log(sample.population))


def slide_negative_binomial(sample: Sample, classes: float | None = None) -> float:
    """Unique persons where sizes of classes, less one, are negative binomial (α, β): K β^α.

    The number K of the population's `classes` by Shlosser's estimator in its third form (Haas, Stokes 1998, section 3)
    where it isn't known, α and β so that the expected classes of one and of two records are those of the sample. For
    samples that are not small. Source: Chen, Keller-McNulty 1998. ARX's ModelSNB differs: it multiplies by
    (1 - left)^(α + 2) where the expectation divides, and Shlosser's second sum lacks its brackets.
    """
    fraction = sample.records / sample.population
    ones, twos = sample.of_size(1), sample.of_size(2)
    if fraction >= 1:
        return ones
    if not twos:
        raise NoAnswerError("no class has two records")
    whole = classes or _shlosser(sample, fraction)

    def misses(found: Numbers) -> Numbers:
        alpha, beta = math.exp(found[0]), 1 / (1 + math.exp(-found[1]))
        left = (1 - fraction) * (1 - beta)
        grown = math.exp(alpha * (math.log(beta) - math.log1p(-left)))
        one = whole * fraction * grown * (1 + alpha * left / (1 - left))
        two = whole * alpha * (1 - beta) * fraction**2 / 2 * grown * (2 - (1 - alpha) * left) / (1 - left) ** 2
        return np.array([math.log(one / ones), math.log(two / twos)])

    for start in ((0.0, 0.0), (-2.0, -2.0), (1.0, 2.0), (-1.0, -4.0)):
        try:
            answer = root(misses, np.array(start), tol=1e-12)
        except (OverflowError, ValueError, ZeroDivisionError):
            continue
        if answer.success and float(np.abs(misses(answer.x)).max()) < 1e-8:
            beta = 1 / (1 + math.exp(-answer.x[1]))
            return float(whole * beta ** math.exp(answer.x[0]))
    raise NoAnswerError("no parameters give the sample's classes of one and two records")


MODELS: dict[Model, Callable[[Sample], float]] = {
    "zayatz": zayatz,
    "pitman": pitman,
    "slide-negative-binomial": slide_negative_binomial,
}


def population_models(counts: Longs, population: int) -> tuple[PopulationFigures, ...]:
    """What each model says of a table whose classes have so many records, drawn from so many persons.

    ValueError for a population smaller than the sample.
    """
    sample = Sample.of(counts, population)
    return tuple(_answer(name, model, sample) for name, model in MODELS.items())


def no_models(reason: str) -> tuple[PopulationFigures, ...]:
    """No figure, for a `reason` that holds for all models."""
    return tuple(PopulationFigures(name, None, None, reason) for name in MODELS)


def _answer(name: Model, model: Callable[[Sample], float], sample: Sample) -> PopulationFigures:
    if not sample.of_size(1):
        return PopulationFigures(name, 0.0, 0.0, None)
    if sample.population == sample.records:
        return PopulationFigures(name, sample.of_size(1), sample.of_size(1) / sample.population, None)
    try:
        uniques = model(sample)
    except NoAnswerError as problem:
        return PopulationFigures(name, None, None, str(problem))
    if not math.isfinite(uniques) or not 0 <= uniques <= sample.population:
        return PopulationFigures(name, None, None, "an estimate outside 0 to the population")
    return PopulationFigures(name, uniques, uniques / sample.population, None)


def _drawn_once(people: float, sizes: Numbers, draws: float) -> Numbers:
    """The chance that exactly one of `sizes` persons is among `draws` drawn out of `people` without replacement."""
    rest = people - sizes
    possible = draws - 1 <= rest
    left = np.where(possible, rest, draws)
    logs = _log_choices(left, draws - 1) - _log_choices(people, draws)
    return np.where(possible, sizes * np.exp(logs), 0.0)


def _log_choices(people: Numbers | float, draws: float) -> Numbers:
    choices: Numbers = gammaln(people + 1.0) - gammaln(draws + 1.0) - gammaln(people - draws + 1.0)
    return choices


def _inverses(theta: float, alpha: float, classes: float) -> float:
    """The sum of 1 / (θ + iα) for i from 1 to u - 1."""
    return float(digamma(classes + theta / alpha) - digamma(1 + theta / alpha)) / alpha


def _zero(function: Callable[[float], float], low: float, high: float) -> float:
    first, last = function(low), function(high)
    if first * last > 0:
        raise NoAnswerError("the likelihood has no maximum with α from 0 to 1")
    return float(brentq(function, low, high, xtol=1e-12, rtol=1e-12))


def _shlosser(sample: Sample, fraction: float) -> float:
    sizes, numbers, left = sample.sizes, sample.numbers, 1 - fraction
    squared = fraction**2
    first = float((sizes * squared * (1 - squared) ** (sizes - 1) * numbers).sum())
    second = float((left**sizes * ((1 + fraction) ** sizes - 1) * numbers).sum())
    third = float((left**sizes * numbers).sum())
    fourth = float((sizes * fraction * left ** (sizes - 1) * numbers).sum())
    return sample.classes + sample.of_size(1) * first / second * (third / fourth) ** 2


__all__ = [
    "MODELS",
    "NoAnswerError",
    "Sample",
    "no_models",
    "pitman",
    "population_models",
    "slide_negative_binomial",
    "zayatz",
]
