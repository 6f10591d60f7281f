"""Cover (비결합대상정보) of extraction lists: who stands in a party's list beside those who are joined.

Each of a party's subjects has a keyed draw for this, the same in all rounds; the cover are those that are not joined
and have the smallest. Were they drawn anew each round, only the joined would be in all lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.combination.combining import SERIAL
from transforms.combination.joins import needed
from transforms.combination.link_keys import ids_of
from transforms.combination.matching import COUNTS, FILE, Matching, Places, Sink, opened
from transforms.pipeline.members import Words, at_most
from transforms.pipeline.states import pack, unpack

HISTOGRAM = 3
_BINS, _DIGIT_BITS, _DIGITS = 1 << 16, 16, 8
Histograms = dict[str, Places]


@dataclass(frozen=True)
class Search:
    """Where the `need`-th smallest draw lies, as far as it is known: among those that begin with these digits (of 16
    bits). `settled`: all draws that begin so, and all smaller ones, are as many as are wanted."""

    need: int
    digits: tuple[int, ...] = ()
    settled: bool = False

    def narrowed(self, histogram: Places) -> Search:
        """One digit more, from how many draws that begin with `digits` go on with each digit."""
        sums = np.cumsum(histogram)
        digit = int(np.searchsorted(sums, self.need))
        need = self.need - int(sums[digit] - histogram[digit])
        digits = (*self.digits, digit)
        return Search(need, digits, need == histogram[digit] or len(digits) == _DIGITS)

    @property
    def threshold(self) -> tuple[int, int]:
        """The largest draw that is wanted."""
        number = 0
        for digit in (*self.digits, *[_BINS - 1] * (_DIGITS - len(self.digits))):
            number = number << _DIGIT_BITS | digit
        return number >> 64, number & ((1 << 64) - 1)


def _digit(draws: Words, place: int) -> npt.NDArray[np.int64]:
    shift = np.uint64(48 - _DIGIT_BITS * (place % 4))
    return ((draws[:, place // 4] >> shift) & np.uint64(_BINS - 1)).astype(np.int64)


def histogram_of(draws: Words, digits: Sequence[int]) -> Places:
    """How many of the draws that begin with `digits` go on with each digit."""
    for place, digit in enumerate(digits):
        draws = draws[_digit(draws, place) == digit]
    return np.bincount(_digit(draws, len(digits)), minlength=_BINS)


@dataclass(frozen=True)
class CountReduce:
    """One bucket: counts of who has what; of the parties in `searches`, also histograms of the draws of those who
    are not joined."""

    work: Matching
    searches: Mapping[str, Search] = field(default_factory=dict)

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Iterator[tuple[int, bytes]]:
        work = self.work
        matched, _, tally = opened(work, blobs, ())
        joined = needed(work.rules)[matched.patterns]
        histograms: Histograms = {}
        for party, search in self.searches.items():
            place = work.parties.index(party)
            free = np.flatnonzero(~joined & (matched.row_of[:, place] >= 0))
            histograms[party] = histogram_of(work.keys.cover[party].bits(ids_of(matched.draws(free))), search.digits)
        if histograms:
            yield HISTOGRAM, pack(histograms)
        yield COUNTS, pack(tally)


def merged(blobs: Sequence[bytes]) -> Histograms:
    """The histograms of all buckets."""
    found: Histograms = {}
    for blob in blobs:
        for party, histogram in unpack(blob).items():
            found[party] = found[party] + histogram if party in found else histogram
    return found


@dataclass(frozen=True)
class ListReduce:
    """One bucket: each party's list of serials, the joined ones and the cover alike, in the round's keyed order.

    `thresholds` by party: the largest draw of its cover; None: no cover.
    """

    work: Matching
    thresholds: Mapping[str, tuple[int, int] | None]
    sink: Sink

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Iterator[tuple[int, bytes]]:
        work = self.work
        matched, tables, tally = opened(work, blobs, (SERIAL,))
        joined = needed(work.rules)[matched.patterns]
        for party, threshold in self.thresholds.items():
            place = work.parties.index(party)
            has = np.flatnonzero(matched.row_of[:, place] >= 0)
            chosen = joined[has]
            if threshold is not None:
                chosen = chosen | at_most(work.keys.cover[party].bits(ids_of(matched.draws(has))), threshold)
            rows = matched.row_of[has[chosen], place]
            if len(rows):
                yield FILE, self.sink(party, tables[place].take(pa.array(rows)))
        yield COUNTS, pack(tally)
