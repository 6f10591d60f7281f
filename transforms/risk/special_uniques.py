"""SUDA2: minimal sample uniques (최소 유일 조합) of all records, their scores, and the scores with DIS.

A set of columns is a record's minimal sample unique where no other record agrees with it in them, and in no smaller
part of them the record is alone. Since a record that is alone in some columns is alone in more of them, it is enough to
look one column down: a subset's unique records, less those of its parts with one column less.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

import numpy as np
from numpy.typing import NDArray

from transforms.risk.combinations import Combinations
from transforms.risk.figures import ScoreBand, SpecialUniques, SubsetFigures
from transforms.risk.frequencies import frequencies
from transforms.risk.keys import steady_sum
from transforms.risk.subsets import Bits, Surveyor, subsets_of

# sdcMicro's bands, for its readers.
_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.0)


@dataclass
class Scores:
    """What the records' minimal sample uniques add up to: their number by size, and each combination's score.

    A minimal sample unique of k out of n columns, with M columns looked at together at most, scores
    (n - k)(n - k - 1) … (n - min(M, n - 1)). `by_column`: the scores of all that hold a column, added up. Source:
    Elliot, Manning, Mayes, Gurd, Bane 2005 (SUDA: A Program for Detecting Special Uniques).
    """

    scores: NDArray[np.float64]
    by_column: NDArray[np.float64]
    found: list[int] = field(default_factory=list)


def weight(columns: int, size: int, largest: int) -> float:
    """The score of one minimal sample unique of `size` of so many columns, where `largest` are looked at."""
    return float(prod(columns - taken for taken in range(size, min(largest, columns - 1) + 1)))


def survey_all(given: Combinations, size: int, surveyor: Surveyor) -> tuple[tuple[SubsetFigures, ...], Scores]:
    """Figures of all subsets up to `size` columns, and the scores of the minimal sample uniques among them.

    Keeps a bit a combination for each subset of the size before, no more.
    """
    columns, rows = len(given.names), len(given.counts)
    largest = min(size, columns)
    total = Scores(np.zeros(rows), np.zeros(columns))
    figures: list[SubsetFigures] = []
    before: dict[tuple[int, ...], Bits] = {}
    for taken in range(1, largest + 1):
        unique: dict[tuple[int, ...], Bits] = {}
        score, found = weight(columns, taken, largest), 0
        told: dict[tuple[int, ...], SubsetFigures] = {}
        for one in surveyor(subsets_of(columns, taken)):
            told[one.places] = one.figures
            unique[one.places] = one.unique
            alone = _less(one.unique, [before[part] for part in _parts(one.places) if part in before])
            hit = np.flatnonzero(np.unpackbits(alone, count=rows))
            total.scores[hit] += score
            total.by_column[list(one.places)] += score * len(hit)
            found += len(hit)
        figures += [told[places] for places in sorted(told)]
        total.found.append(found)
        before = unique
    return tuple(figures), total


def special_uniques(
    given: Combinations,
    total: Scores,
    size: int,
    fraction: float | None = None,
    wildcards: Collection[str] = (),
) -> SpecialUniques:
    """Figures of the scores. `fraction`: the share of the population that was sampled (0 to 1), None where unknown.

    DIS, the probability that a unique match is right: fU / (fU + (1 - f)P), with U unique records and P records in
    pairs (Skinner, Elliot 2002). It is spread over the records by their scores, with the exponent 1 + (8 - n)/20 for n
    columns (Elliot et al. 2005, as sdcMicro's suda2 does). ValueError for a fraction outside 0 to 1.
    """
    if fraction is not None and not 0 < fraction <= 1:
        raise ValueError("a sampling fraction outside 0 to 1; allowed: above 0, 1 at most")
    scored = total.scores[total.scores > 0]
    whole = float(scored.sum())
    shares = total.by_column / whole if whole else total.by_column
    dis = values = None
    if fraction is not None:
        sizes = frequencies(given, wildcards=wildcards)
        unique = int(given.counts[sizes == 1].sum())
        dis = dis_of(unique, int(given.counts[sizes == 2].sum()), fraction)
        values = dis_scores(scored, len(given.names), unique, dis)
    return SpecialUniques(
        size=min(size, len(given.names)),
        fraction=fraction,
        found=tuple(total.found),
        records=len(scored),
        highest=float(scored.max(initial=0)),
        contributions=tuple(zip(given.names, shares.tolist(), strict=True)),
        dis=dis,
        highest_dis=None if values is None else float(values.max(initial=0)),
        bands=() if values is None else _bands(values),
    )


def dis_of(unique: int, paired: int, fraction: float) -> float:
    """DIS (0 to 1) from the numbers of unique records and of records in pairs; 0 where nothing is unique."""
    return unique * fraction / (unique * fraction + paired * (1 - fraction)) if unique else 0.0


def dis_scores(scores: NDArray[np.float64], columns: int, unique: int, dis: float) -> NDArray[np.float64]:
    """The DIS score (0 to 1) of each of these scores, all above 0."""
    if not len(scores) or not dis:
        return np.zeros(len(scores))
    powers = scores ** (1 + (8 - columns) / 20)
    values: NDArray[np.float64] = 1 / (1 + (unique / dis - unique) / (powers * steady_sum(1 / powers)))
    return values


def _parts(places: tuple[int, ...]) -> list[tuple[int, ...]]:
    return [places[:number] + places[number + 1 :] for number in range(len(places))]


def _less(bits: Bits, others: list[Bits]) -> Bits:
    left = bits.copy()
    for other in others:
        left &= ~other
    return left


def _bands(values: NDArray[np.float64]) -> tuple[ScoreBand, ...]:
    return tuple(
        ScoreBand(low, high, int(((values > low) & (values <= high)).sum()))
        for low, high in pairwise(_EDGES)
    )


__all__ = ["Scores", "dis_of", "dis_scores", "special_uniques", "survey_all", "weight"]
