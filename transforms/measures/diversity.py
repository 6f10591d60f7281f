"""How various a sensitive column is within each class (l-다양성): figures by class, of a class table.

All functions give one number for each class that has a value, in the table's order; null is a value like others.
Whoever knows that a person is in a class learns the person's value where the class has but one, and almost where one
outweighs the others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.kernels.codes import Codes
from transforms.measures.class_table import Values

Numbers = npt.NDArray[np.float64]


def starts_of(values: Values) -> Codes:
    """Where each class's pairs begin (they stand one after another)."""
    if not len(values.classes):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.append(True, values.classes[1:] != values.classes[:-1]))


def class_totals(values: Values) -> Codes:
    """How many cells (or persons, each once for each of its values) each class has."""
    starts = starts_of(values)
    return np.add.reduceat(values.counts, starts) if len(starts) else starts


def shares(values: Values) -> Numbers:
    """The share of each pair's value in its class."""
    found: Numbers = values.counts / np.repeat(class_totals(values), lengths(values))
    return found


def lengths(values: Values) -> Codes:
    """Distinct values of each class: distinct l-diversity. Source: Machanavajjhala et al. 2007, section 4.2."""
    return np.diff(np.append(starts_of(values), len(values.classes)))


def entropies(values: Values) -> Numbers:
    """exp of the entropy of each class's values: as many as equally frequent ones would be.

    A table is entropy l-diverse up to the smallest: every class has -Σ q ln q ≥ ln l. Source: Machanavajjhala et al.
    2007, definition 4.1.
    """
    starts, totals = starts_of(values), class_totals(values)
    if not len(starts):
        return np.zeros(0)
    sums = np.add.reduceat(values.counts * np.log(values.counts), starts)
    found: Numbers = np.exp(np.log(totals) - sums / totals)
    return found


def recursions(values: Values, l: int) -> Numbers:  # noqa: E741 - as the measure is called everywhere
    """r1 / (r_l + … + r_m) of each class, r1 ≥ r2 ≥ … being how often its m values stand there.

    A class is recursive (c, l)-diverse for every c above that: r1 < c (r_l + … + r_m). Infinite where it has fewer than
    l values. Source: Machanavajjhala et al. 2007, definition 4.2.
    """
    starts = starts_of(values)
    if not len(starts):
        return np.zeros(0)
    falling = values.counts[np.lexsort((-values.counts, values.classes))]
    rank = np.arange(len(falling)) - np.repeat(starts, lengths(values))
    tails = np.add.reduceat(np.where(rank >= l - 1, falling, 0), starts)
    with np.errstate(divide="ignore"):
        found: Numbers = falling[starts] / tails
    return found


def largest_shares(values: Values, sizes: Codes) -> Numbers:
    """The share of the most frequent value of each class among its rows or persons (`sizes` of the class table): alpha.

    Source: Wong et al. 2006, definition 2 (α-deassociation), over all values.
    """
    starts = starts_of(values)
    if not len(starts):
        return np.zeros(0)
    found: Numbers = np.maximum.reduceat(values.counts, starts) / sizes[values.classes[starts]]
    return found


__all__ = ["class_totals", "entropies", "largest_shares", "lengths", "recursions", "shares", "starts_of"]
