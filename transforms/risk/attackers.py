"""Prosecutor, journalist and marketer: how likely somebody names the persons behind records.

Definitions: El Emam 2013 (Guide to the De-Identification of Personal Health Information), chapters 15 and 16, as ARX
has them. The prosecutor knows that a person is in the table, the journalist doesn't, the marketer wants many persons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transforms.risk.figures import AttackerFigures
from transforms.risk.keys import Longs, steady_sum

Numbers = NDArray[np.float64]


def prosecutor(counts: Longs, sizes: Longs, threshold: int) -> AttackerFigures:
    """From each combination's records and the records that agree with it (`frequencies`).

    A record's probability is 1 / size. All 0 where there is no record.
    """
    return _figures(counts, sizes.astype(np.float64), threshold, marketer(counts, sizes.astype(np.float64)))


def journalist(counts: Longs, population: Numbers, threshold: int) -> AttackerFigures:
    """From each combination's records and the persons of the population that agree with it, known or estimated.

    A record's probability is 1 / persons; the average is the larger of classes / persons of these classes and the
    average over records, for the journalist may start from either side.
    """
    if not len(counts):
        return AttackerFigures(0.0, 0.0, 0.0, 0.0)
    people = np.maximum(population, 1.0)
    return _figures(counts, people, threshold, max(len(counts) / steady_sum(people), marketer(counts, people)))


def marketer(counts: Longs, people: Numbers) -> float:
    """The share of records that are named rightly on average; `people` as the population is known, or the sample."""
    whole = int(counts.sum())
    return steady_sum(counts / np.maximum(people, 1.0)) / whole if whole else 0.0


def _figures(counts: Longs, sizes: Numbers, threshold: int, average: float) -> AttackerFigures:
    if not len(counts):
        return AttackerFigures(0.0, 0.0, 0.0, 0.0)
    return AttackerFigures(
        highest=1 / float(sizes.min()),
        lowest=1 / float(sizes.max()),
        average=average,
        at_risk=float(counts[sizes < threshold].sum()) / float(counts.sum()),
    )


__all__ = ["journalist", "marketer", "prosecutor"]
