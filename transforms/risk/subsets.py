"""Every small subset of the quasi-identifiers: how many records it makes unique, and which."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations as choices

import numpy as np
from numpy.typing import NDArray

from transforms.risk.combinations import Combinations
from transforms.risk.figures import SubsetFigures
from transforms.risk.frequencies import frequencies, wild_columns
from transforms.risk.keys import Longs, in_order, steady_sum

Bits = NDArray[np.uint8]
# Counting by place takes 8 bytes a possible combination: with more of them, sorting is as fast and smaller.
MOST_PLACES = 1 << 24


@dataclass(frozen=True)
class Surveyed:
    """What one subset of columns (by their places) shows: its figures, and a bit for each combination that it makes
    unique (packed, eight a byte).
    """

    places: tuple[int, ...]
    figures: SubsetFigures
    unique: Bits


# Surveys some subsets: here, or in tasks of Spark.
Surveyor = Callable[[Sequence[tuple[int, ...]]], Iterable[Surveyed]]


def subsets_of(columns: int, size: int) -> list[tuple[int, ...]]:
    """The subsets of `size` of so many columns, by their places."""
    return list(choices(range(columns), size))


def survey(given: Combinations, places: tuple[int, ...], threshold: int, wildcards: Collection[str] = ()) -> Surveyed:
    """Figures of one subset. Records in classes of less than `threshold` records (persons) count as `below`.

    Nulls as in `frequencies`: a value of its own, or, in columns of `wildcards`, any value.
    """
    names = tuple(given.names[place] for place in places)
    mine = [name for name in names if name in wildcards]
    agreeing, classes = class_sizes(given, places)
    sizes = agreeing
    if given.persons is not None or wild_columns(given, names, mine):
        sizes = frequencies(given, names, mine)
        agreeing = agreeing if given.persons is not None else sizes
    unique = sizes == 1
    whole = given.records
    # Each record meets (size - 1) others that agree with it; floats, for squares of millions.
    met = steady_sum(given.counts * (agreeing.astype(np.float64) - 1))
    figures = SubsetFigures(
        columns=names,
        k=int(sizes.min()) if len(sizes) else 0,
        classes=classes,
        unique=int(given.counts[unique].sum()),
        below=int(given.counts[sizes < threshold].sum()),
        distinction=classes / whole if whole else 0.0,
        separation=1 - met / (whole * (whole - 1)) if whole > 1 else 0.0,
    )
    return Surveyed(places, figures, np.packbits(unique))


def class_sizes(given: Combinations, places: Sequence[int]) -> tuple[Longs, int]:
    """The records that agree with each combination in these columns (null is a value), and the number of classes."""
    rows = len(given.counts)
    keys, bound = given.keys(places)
    if bound <= max(min(4 * rows, MOST_PLACES), 1 << 12):
        sums = np.bincount(keys, given.counts, bound)
        return sums[keys].astype(np.int64), int(np.count_nonzero(sums))
    ordered, order = in_order(keys, bound)
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.empty(rows, np.int64)
    sizes[order] = np.repeat(np.add.reduceat(given.counts[order], starts), np.diff(np.append(starts, rows)))
    return sizes, len(starts)


__all__ = ["Bits", "Surveyed", "Surveyor", "class_sizes", "subsets_of", "survey"]
