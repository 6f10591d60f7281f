"""How many records may be the same person's: frequencies in the sample (fk) and in the population (Fk)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from transforms.kernels.codes import combined, numbered
from transforms.kernels.wildcards import meetings
from transforms.risk.combinations import Combinations
from transforms.risk.keys import Longs

Numbers = NDArray[np.float64]


def frequencies(
    given: Combinations, columns: Sequence[str] | None = None, wildcards: Collection[str] = ()
) -> Longs:
    """For each combination, the records that agree with it in `columns` (default: all), itself included: fk.

    Null is a value of its own; in a column of `wildcards` it may be any value, on either side, and two nulls agree.
    Where persons have several combinations, distinct persons are counted; wildcards are refused there (ValueError), for
    one person may agree in several ways. Source: Franconi, Polettini 2004 (μ-Argus), and sdcMicro's freqCalc.
    """
    wild = wild_columns(given, given.names if columns is None else columns, wildcards)
    places = given.places(given.names if columns is None else columns)
    if given.persons is None:
        return _added(given, places, wild, given.counts).astype(np.int64)
    if wild:
        raise ValueError("nulls as wildcards where a person has several combinations; allowed: nulls as values there")
    keys, bound = given.keys(places)
    groups, first = numbered(keys, bound)
    _, pair = numbered(*combined([groups, given.persons], [len(first), given.most_persons], len(groups)))
    people: Longs = np.bincount(groups[pair], minlength=len(first)).astype(np.int64)[groups]
    return people


def population_frequencies(
    given: Combinations, columns: Sequence[str] | None = None, wildcards: Collection[str] = ()
) -> Numbers:
    """For each combination, the persons of the population that agree with it: Fk, from `given.population`.

    Nulls as in `frequencies`: they meet the combinations that the sample has. ValueError where the population is not
    known.
    """
    if given.population is None:
        raise ValueError("combinations without a population; allowed: Combinations.of(…, population=COLUMN)")
    names = given.names if columns is None else columns
    return _added(given, given.places(names), wild_columns(given, names, wildcards), given.population)


def wild_columns(given: Combinations, columns: Sequence[str], wildcards: Collection[str]) -> list[int]:
    """Places of those of `columns` that are wildcards and have a null. ValueError for a wildcard that isn't there."""
    given.places(tuple(wildcards))
    return [place for place in given.places(columns) if given.names[place] in wildcards and given.blanks(place).any()]


def _added(given: Combinations, places: Sequence[int], wild: Sequence[int], numbers: Numbers | Longs) -> Numbers:
    if not wild:
        keys, bound = given.keys(places)
        groups, first = numbered(keys, bound)
        whole: Numbers = np.bincount(groups, numbers, len(first)).astype(np.float64)[groups]
        return whole
    codes, sizes = [given.codes[place] for place in places], [given.sizes[place] for place in places]
    blanks = {number: given.blanks(place) for number, place in enumerate(places) if place in wild}
    result = np.zeros(len(given.counts), np.float64)
    for one in meetings(codes, sizes, blanks):
        result[one.mine] += np.bincount(one.others, numbers[one.theirs], one.count)[one.own]
    return result


__all__ = ["frequencies", "population_frequencies", "wild_columns"]
