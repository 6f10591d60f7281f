"""Individual risk of records of a sample (Benedetti, Franconi): the expectation of 1 / F, given f."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import hyp2f1

from transforms.risk.figures import IndividualFigures
from transforms.risk.keys import Longs, steady_sum


def individual_risks(sizes: Longs, population: NDArray[np.float64]) -> NDArray[np.float64]:
    """The risk of each combination's records (0 to 1), from its frequency f in the sample and F in the population.

    F is known or estimated by sampling weights. With p = f / F, persons follow a negative binomial distribution given
    f, and E(1/F | f) = p^f / f · 2F1(f, f; f + 1; 1 - p), which is (p / f) · 2F1(1, 1; f + 1; 1 - p). Where F is not
    above f, all are in the sample: 1 / f. Source: Benedetti, Franconi 1998; Franconi, Polettini 2004, section 3.
    """
    f = sizes.astype(np.float64)
    p = np.minimum(f / np.maximum(population, f), 1.0)
    risks: NDArray[np.float64] = p / f * hyp2f1(1.0, 1.0, f + 1, 1 - p)
    return risks


def individual(
    counts: Longs, sizes: Longs, population: NDArray[np.float64], threshold: int
) -> IndividualFigures:
    """Figures over records; at risk are those above 1 / threshold. All 0 where there is no record."""
    risks = individual_risks(sizes, population)
    expected = steady_sum(risks * counts)
    whole = int(counts.sum())
    return IndividualFigures(
        highest=float(risks.max(initial=0)),
        average=expected / whole if whole else 0.0,
        expected=expected,
        at_risk=int(counts[risks > 1 / threshold].sum()),
    )


__all__ = ["individual", "individual_risks"]
