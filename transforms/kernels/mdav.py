"""MDAV (maximum distance to average vector): groups of at least k rows that lie near each other.

Source: J. Domingo-Ferrer, J. M. Mateo-Sanz, Practical data-oriented microaggregation for statistical disclosure
control, IEEE TKDE 14(1), 2002; J. Domingo-Ferrer, V. Torra, Data Min. Knowl. Disc. 11(2), 2005.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def standardized(points: Points) -> Points:
    """Columns with mean 0 and standard deviation 1 (a constant column becomes zeros)."""
    centred = points - points.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    scaled: Points = centred / np.where(spread > 0, spread, 1.0)
    return scaled


def mdav(points: Points, k: int) -> Places:
    """A group's number for each row; groups have k rows, the last ones up to 2k - 1. Fewer than 2k rows are one group.

    Distances are Euclidean; of equally near (or far) rows the first ones are taken. Time grows with n² / k.
    """
    groups = np.zeros(len(points), np.int64)
    left = np.arange(len(points))
    number = 0
    while len(left) >= 3 * k:
        first = _farthest(points, left, points[left].mean(axis=0))
        second = _farthest(points, left, points[first])
        for end in (first, second):
            near = _nearest(points, left, points[end], k)
            groups[left[near]] = number
            left = np.delete(left, near)
            number += 1
    if len(left) >= 2 * k:
        end = _farthest(points, left, points[left].mean(axis=0))
        near = _nearest(points, left, points[end], k)
        groups[left[near]] = number
        left = np.delete(left, near)
        number += 1
    groups[left] = number
    return groups


def _distances(points: Points, left: Places, to: Points) -> Points:
    apart = points[left] - to
    distances: Points = np.einsum("ij,ij->i", apart, apart)
    return distances


def _farthest(points: Points, left: Places, to: Points) -> int:
    return int(left[np.argmax(_distances(points, left, to))])


def _nearest(points: Points, left: Places, to: Points, k: int) -> Places:
    distances = _distances(points, left, to)
    kth = np.partition(distances, k - 1)[k - 1]
    surely, ties = np.flatnonzero(distances < kth), np.flatnonzero(distances == kth)
    return np.concatenate([surely, ties[: k - len(surely)]])


def partitioned(points: Points, k: int, largest: int) -> Places:
    """MDAV within blocks of at most `largest` rows (at least 2k): the rows are halved, again and again, at the median
    of the column that spreads most. A group's number for each row."""
    groups = np.empty(len(points), np.int64)
    number = 0
    for block in _blocks(points, np.arange(len(points)), max(largest, 2 * k)):
        groups[block] = number + mdav(points[block], k)
        number = int(groups[block].max()) + 1
    return groups


def _blocks(points: Points, rows: Places, largest: int) -> Iterator[Places]:
    if len(rows) <= largest:
        yield rows
        return
    spread = points[rows].max(axis=0) - points[rows].min(axis=0)
    turn = rows[np.argsort(points[rows, int(np.argmax(spread))], kind="stable")]
    yield from _blocks(points, np.sort(turn[: len(turn) // 2]), largest)
    yield from _blocks(points, np.sort(turn[len(turn) // 2 :]), largest)
