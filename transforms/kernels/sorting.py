"""Sorting by classes and keyed draws: radix and quick sorts where they suffice, exact in every case."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
# numpy sorts numbers of 16 bits by radix.
SMALL = 1 << 16


def by_code(turn: Places, codes: Places, count: int) -> Places:
    """`turn`, sorted by the codes (0 … count - 1) of the places in it; equal ones stay in order."""
    if count <= 1:
        return turn
    mine = codes[turn]
    if count <= SMALL:
        return turn[np.argsort(mine.astype(np.uint16), kind="stable")]
    low, high = (mine & (SMALL - 1)).astype(np.uint16), (mine >> 16).astype(np.uint16)
    if count > SMALL * SMALL:
        return turn[np.argsort(mine, kind="stable")]
    first = np.argsort(low, kind="stable")
    return turn[first[np.argsort(high[first], kind="stable")]]


def by_draw(codes: Places, count: int, first: Words, second: Words) -> Places:
    """Places sorted by code, then by a draw's first word, and where two are equal by its second."""
    turn = by_code(np.argsort(first), codes, count)
    line, mine = first[turn], codes[turn]
    if ((line[1:] == line[:-1]) & (mine[1:] == mine[:-1])).any():
        return np.lexsort((second, first, codes))
    return turn


def by_value(codes: Places, count: int, values: npt.NDArray[Any], draw: Words) -> Places:
    """Places sorted by code, then by value; equal values by their draws."""
    drawn = np.argsort(draw)
    return by_code(drawn[np.argsort(values[drawn], kind="stable")], codes, count)
