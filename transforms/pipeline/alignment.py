"""Rows that came by two ways, brought together by their own order draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]


def partners(rows: Words, found: Words) -> npt.NDArray[np.int64]:
    """For each row its place in `found`. Both are draws, uint64 (n, 2), each once; `found` may hold others too.

    RuntimeError where a row has no partner: rows were lost on the way.
    """
    count = len(rows)
    if not count:
        return np.empty(0, np.int64)
    both = np.concatenate([rows, found])
    second = np.arange(len(both)) >= count
    turn = np.lexsort((second, both[:, 1], both[:, 0]))
    mine = np.flatnonzero(turn < count)
    following = turn[np.minimum(mine + 1, len(turn) - 1)]
    if not (both[following] == both[turn[mine]]).all() or (following < count).any():
        raise RuntimeError("rows without their class's cells")
    places = np.empty(count, np.int64)
    places[turn[mine]] = following - count
    return places
