"""Combined codes: several small integers as one, and sums over equal ones, in numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.unsignedinteger]
Longs = NDArray[np.int64]
# Counting by place needs 8 bytes a place: above it, sorting is faster than missing the processor's caches.
MOST_PLACES = 1 << 25
_LIMIT = 1 << 62


def narrow(codes: NDArray[np.integer], size: int) -> Codes:
    """The same numbers, below `size`, in the narrowest unsigned type."""
    return codes.astype(np.min_scalar_type(max(size - 1, 0)))


def combined(codes: Sequence[NDArray[np.integer]], sizes: Sequence[int], rows: int) -> tuple[Longs, int]:
    """One int64 a row, equal where all codes are equal, and the bound below which they lie.

    Codes of column i lie below `sizes[i]`. No column: all rows are equal. Too many possible combinations for 62 bits:
    those met so far are numbered anew.
    """
    keys, bound = np.zeros(rows, np.int64), 1
    for column, size in zip(codes, sizes, strict=True):
        if bound * max(size, 1) >= _LIMIT:
            met, keys = np.unique(keys, return_inverse=True)
            bound = len(met)
        keys *= size
        keys += column
        bound *= max(size, 1)
    return keys, bound


def dense(keys: Longs, bound: int) -> tuple[Longs, int]:
    """The keys' classes numbered 0, 1, … in the keys' order: a number a row, and how many there are."""
    if bound <= _places(len(keys)):
        there = np.zeros(bound, bool)
        there[keys] = True
        numbers = np.cumsum(there) - 1
        return numbers[keys], int(numbers[-1]) + 1 if len(numbers) else 0
    order = np.argsort(keys)
    ordered = keys[order]
    starts = np.empty(len(keys), bool)
    starts[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=starts[1:])
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = np.cumsum(starts) - 1
    return numbers, int(starts.sum())


def class_sums(keys: Longs, bound: int, counts: Longs) -> tuple[Longs, Longs]:
    """The class of each row, numbered from 0, and the sum of `counts` over each class."""
    numbers, classes = dense(keys, bound)
    # Sums of counts below 2^53 are exact in the floats that bincount adds up.
    return numbers, np.bincount(numbers, counts, classes).astype(np.int64)


def _places(rows: int) -> int:
    return max(min(4 * rows, MOST_PLACES), 1 << 12)


__all__ = ["Codes", "Longs", "class_sums", "combined", "dense", "narrow"]
