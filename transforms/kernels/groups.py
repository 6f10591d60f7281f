"""Means of groups of numbers that stand one after another: exact for integers, rounded half away from zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
Places = npt.NDArray[np.int64]


def rounded_quotients(high: Places, low: Places, counts: Places) -> Places:
    """(high x 2^32 + low) / counts, half away from zero. `low` and what is left of `high` must not pass 2^62."""
    whole, left = np.divmod(high, counts)
    more, rest = np.divmod((left << 32) + low, counts)
    floor = (whole << 32) + more
    # Beside a negative number the middle lies nearer to the lower one.
    up = np.where(floor < 0, 2 * rest > counts, 2 * rest >= counts)
    return floor + up


def group_means(numbers: Numbers, starts: Places) -> Numbers:
    """The mean of each group; group g holds numbers[starts[g] : starts[g + 1]], the last one all the rest.

    Integers (int64): exact, rounded half away from zero. Floats: the sum in the order of the numbers, divided; it may
    be infinite.
    """
    if not len(starts):
        return numbers[:0]
    counts = np.diff(np.append(starts, len(numbers)))
    if numbers.dtype.kind == "f":
        with np.errstate(over="ignore"):
            floats: Numbers = np.add.reduceat(numbers, starts) / counts
        return floats
    wide = numbers.astype(np.int64, copy=False)
    high, low = np.add.reduceat(wide >> 32, starts), np.add.reduceat(wide & 0xFFFFFFFF, starts)
    return rounded_quotients(high, low, counts)


def fixed_groups(codes: Places, size: int) -> Places:
    """Groups of `size` neighbours within runs of equal codes (sorted): a number for each place, rising.

    The last group of a run takes what is left, up to 2 x size - 1; a shorter run than `size` is one group.
    """
    if not len(codes):
        return np.empty(0, np.int64)
    first = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    counts = np.diff(np.append(first, len(codes)))
    run = np.repeat(np.arange(len(first)), counts)
    groups = np.maximum(1, counts // size)
    within = np.minimum((np.arange(len(codes)) - first[run]) // size, groups[run] - 1)
    before = np.cumsum(groups) - groups
    found: Places = before[run] + within
    return found


def starts_of(groups: Places) -> Places:
    """Where each run of equal numbers begins."""
    if not len(groups):
        return np.empty(0, np.int64)
    return np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))
