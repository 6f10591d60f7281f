"""Moves of integers corrected so that they sum to zero within each class, each by nearly the same amount."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


def balanced(moves: Integers, codes: Integers, classes: int, turn: npt.NDArray[np.uint64]) -> Integers:
    """The moves, each changed by the mean of its class's moves (up or down to a whole number), so that they sum to 0.

    `codes` numbers each row's class, 0 … `classes` − 1. `turn` (n, 2) are the rows' draws: they decide who takes
    the unit that a mean leaves over. The sum of a class's moves must stay within int64.
    """
    counts = np.bincount(codes, minlength=classes)
    totals = np.zeros(classes, np.int64)
    np.add.at(totals, codes, moves)
    held = np.maximum(counts, 1)
    share = -totals // held
    over = -totals - share * held
    order = np.lexsort((turn[:, 1], turn[:, 0], codes))
    rank = np.empty(len(codes), np.int64)
    rank[order] = np.arange(len(codes)) - (np.cumsum(counts) - counts)[codes[order]]
    result: Integers = moves + share[codes] + (rank < over[codes])
    return result
