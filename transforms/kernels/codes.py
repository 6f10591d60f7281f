"""Columns as small whole numbers, and several such columns as one: equal rows become equal numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int64]

LARGEST = 1 << 62
# Up to so many possible numbers (or four a row) are counted in an array of all of them, without hashing.
DIRECT = 1 << 16


def encoded(cells: pa.Array) -> tuple[Codes, pa.Array]:
    """A column's cells as places in the array of its distinct values; null is a value. NaN equals NaN, -0.0 is 0.0."""
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    if pa.types.is_floating(cells.type):
        # one bit pattern for each: hashing tells -0.0 from 0.0, and one NaN from another
        cells = pc.if_else(
            pc.is_nan(cells), pa.scalar(float("nan"), cells.type), pc.add(cells, pa.scalar(0, cells.type))
        )
    found = pc.dictionary_encode(cells, null_encoding="encode")
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int64), found.dictionary


def combined(columns: Sequence[npt.NDArray[np.integer]], sizes: Sequence[int], rows: int) -> tuple[Codes, int]:
    """One number a row for its codes in all columns, ordered as they are, and a bound above all numbers.

    `sizes` are bounds of the columns' codes, which may be of any width; `rows` is their length, for rows of no column
    are all alike. Too many possible combinations for 62 bits: those met so far are numbered anew. Holds one array of
    the rows.
    """
    whole, bound = np.zeros(rows, np.int64), 1
    for codes, size in zip(columns, sizes, strict=True):
        size = max(1, size)
        if bound > LARGEST // size:
            distinct, whole = np.unique(whole, return_inverse=True)
            bound = max(1, len(distinct))
        whole *= size
        whole += codes
        bound *= size
    return whole, bound


def numbered(codes: Codes, bound: int) -> tuple[Codes, Codes]:
    """Each row's group among rows of equal numbers, 0 … n - 1, and one row of each group."""
    if bound <= max(DIRECT, 4 * len(codes)):
        there = np.zeros(bound, np.int64)
        there[codes] = 1
        groups = (np.cumsum(there) - 1)[codes]
        count = int(there.sum())
    else:
        found = pc.dictionary_encode(pa.array(codes))
        groups = found.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        count = len(found.dictionary)
    first = np.empty(count, np.int64)
    first[groups] = np.arange(len(codes))
    return groups, first


def summed(groups: Codes, weights: Codes | None, count: int) -> Codes:
    """The sum of weights (ones where there are none) of each group; exact below 2^53."""
    if weights is None:
        return np.bincount(groups, minlength=count).astype(np.int64, copy=False)
    return np.rint(np.bincount(groups, weights, minlength=count)).astype(np.int64)


def ranked(values: pa.Array) -> tuple[pa.Array, Codes]:
    """Distinct values in ascending order, null last, and for each old place its new one."""
    if pa.types.is_null(values.type):
        return values, np.arange(len(values), dtype=np.int64)
    order = pc.array_sort_indices(values)
    ranks = np.empty(len(values), np.int64)
    ranks[order.to_numpy(zero_copy_only=False)] = np.arange(len(values))
    return values.take(order), ranks


def unified(dictionaries: Sequence[pa.Array]) -> tuple[pa.Array, list[Codes]]:
    """One array of the distinct values of several, and for each of them its places there."""
    codes, values = encoded(pa.concat_arrays(list(dictionaries)))
    ends = np.cumsum([len(one) for one in dictionaries])[:-1]
    return values, list(np.split(codes, ends))


__all__ = ["Codes", "combined", "encoded", "numbered", "ranked", "summed", "unified"]
