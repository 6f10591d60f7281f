"""How many records may be the same person's: frequencies in the sample (fk) and in the population (Fk)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from transforms.risk.combinations import Combinations
from transforms.risk.keys import Longs, combined, dense


def frequencies(
    given: Combinations, columns: Sequence[str] | None = None, wildcards: Collection[str] = ()
) -> Longs:
    """For each combination, the records that agree with it in `columns` (default: all), itself included: fk.

    Null is a value of its own; in a column of `wildcards` it may be any value, on either side. Two nulls agree. Source:
    Franconi, Polettini 2004 (μ-Argus), and sdcMicro's freqCalc (its missing values).
    """
    return _added(given, columns, wildcards, given.counts).astype(np.int64)


def population_frequencies(
    given: Combinations, columns: Sequence[str] | None = None, wildcards: Collection[str] = ()
) -> NDArray[np.float64]:
    """For each combination, the persons of the population that agree with it: Fk, from `given.population`.

    Nulls as in `frequencies`. ValueError where the population is not known.
    """
    if given.population is None:
        raise ValueError("combinations without a population; allowed: Combinations.of(…, population=COLUMN)")
    return _added(given, columns, wildcards, given.population)


def _added(
    given: Combinations,
    columns: Sequence[str] | None,
    wildcards: Collection[str],
    numbers: NDArray[np.float64] | Longs,
) -> NDArray[np.float64]:
    places = given.places(given.names if columns is None else columns)
    given.places(tuple(wildcards))
    wild = [place for place in places if given.names[place] in wildcards and given.nulls[place] is not None]
    if not wild:
        return _matched(given, places, slice(None), slice(None), numbers)
    # Rows of one pattern of nulls are matched with those of another one in the columns that neither leaves open.
    patterns, kind = _patterns(given, wild)
    members = [np.flatnonzero(kind == number) for number in range(len(patterns))]
    result = np.zeros(len(given.counts), np.float64)
    for mine, my_open in zip(members, patterns, strict=True):
        for theirs, their_open in zip(members, patterns, strict=True):
            told = [place for place in places if place not in my_open and place not in their_open]
            result[mine] += _matched(given, told, mine, theirs, numbers)
    return result


def _patterns(given: Combinations, wild: Sequence[int]) -> tuple[list[frozenset[int]], Longs]:
    bits = np.zeros(len(given.counts), np.int64)
    for number, place in enumerate(wild):
        bits |= given.blanks(place).astype(np.int64) << number
    met, kind = np.unique(bits, return_inverse=True)
    open_in = [frozenset(place for number, place in enumerate(wild) if bit >> number & 1) for bit in met.tolist()]
    return open_in, kind


def _matched(
    given: Combinations,
    places: Sequence[int],
    mine: Longs | slice,
    theirs: Longs | slice,
    numbers: NDArray[np.float64] | Longs,
) -> NDArray[np.float64]:
    sizes = [given.sizes[place] for place in places]
    if isinstance(mine, slice) or mine is theirs:
        keys, bound = combined([given.codes[p][mine] for p in places], sizes, len(given.counts[mine]))
        classes, found = dense(keys, bound)
        return np.bincount(classes, numbers[mine], found)[classes]
    both = np.concatenate([mine, np.asarray(theirs)])
    keys, bound = combined([given.codes[p][both] for p in places], sizes, len(both))
    classes, found = dense(keys, bound)
    sums = np.bincount(classes[len(mine) :], numbers[theirs], found)
    return sums[classes[: len(mine)]]


__all__ = ["frequencies", "population_frequencies"]
