"""Codes of several columns as one integer, and rows in the order of such integers, for millions of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

NarrowCodes = NDArray[np.unsignedinteger]
Longs = NDArray[np.int64]
_LIMIT = 1 << 62


def narrow(codes: NDArray[np.integer], size: int) -> NarrowCodes:
    """The same numbers, below `size`, in the narrowest unsigned type: a byte a cell for most quasi-identifiers."""
    return codes.astype(np.min_scalar_type(max(size - 1, 0)))


def combined(codes: Sequence[NDArray[np.integer]], sizes: Sequence[int], rows: int) -> tuple[Longs, int]:
    """One int64 a row, equal where all codes are equal, and the bound below which they lie.

    Codes of column i lie below `sizes[i]`. No column: all rows are equal. Too many possible combinations for 62 bits:
    those met so far are numbered anew. Holds one array of the rows, where `measures.codes.combined` holds one a column.
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


def in_order(keys: Longs, bound: int) -> tuple[Longs, Longs]:
    """The keys in ascending order, and the rows that they stand in.

    Key and row in one integer, where 63 bits are enough, sort several times faster than an order of keys.
    """
    bits = max(len(keys) - 1, 1).bit_length()
    if bound.bit_length() + bits > 63:
        order = np.argsort(keys)
        return keys[order], order
    both = keys << bits | np.arange(len(keys))
    both.sort()
    return both >> bits, both & ((1 << bits) - 1)


def steady_sum(values: NDArray[np.floating]) -> float:
    """The sum, to the last digit the same in whatever order the values stand (partitions leave none to rely on)."""
    return float(np.sort(values).sum())


__all__ = ["Longs", "NarrowCodes", "combined", "in_order", "narrow", "steady_sum"]
