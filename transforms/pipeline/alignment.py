"""Rows that came by two ways, brought together by their own order draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
LOST = "rows without their class's cells"


def partners(rows: Words, found: Words) -> npt.NDArray[np.int64]:
    """For each row its place in `found`. Both are draws, uint64 (n, 2), each once; `found` may hold others too.

    RuntimeError where a row has no partner: rows were lost on the way.
    """
    if not len(rows):
        return np.empty(0, np.int64)
    if not len(found):
        raise RuntimeError(LOST)
    turn = np.argsort(found[:, 0])
    highs = found[turn, 0]
    places = turn[np.minimum(np.searchsorted(highs, rows[:, 0]), len(highs) - 1)]
    if (found[places] == rows).all():
        return places
    return _by_all_bits(rows, found)


def _by_all_bits(rows: Words, found: Words) -> npt.NDArray[np.int64]:
    """The slow way, where two draws begin alike."""
    count = len(rows)
    both = np.concatenate([rows, found])
    turn = np.lexsort((np.arange(len(both)) >= count, both[:, 1], both[:, 0]))
    mine = np.flatnonzero(turn < count)
    following = turn[np.minimum(mine + 1, len(turn) - 1)]
    if not (both[following] == both[turn[mine]]).all() or (following < count).any():
        raise RuntimeError(LOST)
    places = np.empty(count, np.int64)
    places[turn[mine]] = following - count
    return places
