"""A sample of a column's distinct values with their exact counts: distinct values, entropy, values that stand alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from transforms.profiling.hashing import Words

Numbers = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint16]

KEPT = 1024
# Values that at least so great a share of the first cells have are counted apart; up to so many.
HEAVY, MOST_HEAVY = 1 / 64, 16
_EVERYTHING = np.uint64((1 << 64) - 1)


def _no_words() -> Words:
    return np.empty(0, np.uint64)


def _no_numbers() -> Numbers:
    return np.empty(0, np.int64)


@dataclass
class Sketch:
    """The `KEPT` smallest hashes with the number of cells and the looks (bits) of each.

    What stays to the end was never dropped, so its count is exact (bottom-k sketch: Cohen, Kaplan, 2007); up to
    `KEPT` distinct values everything told is exact. Beyond, the most frequent values are counted too (`heavy`), for
    a sample of values would often miss them. Sketches of parts add up.
    """

    hashes: Words = field(default_factory=_no_words)
    counts: Numbers = field(default_factory=_no_numbers)
    looks: Bits = field(default_factory=lambda: np.empty(0, np.uint16))
    # The smallest hash that was ever dropped.
    below: np.uint64 = _EVERYTHING
    heavy: Words = field(default_factory=_no_words)
    heavy_counts: Numbers = field(default_factory=_no_numbers)

    @property
    def full(self) -> bool:
        """Are there more distinct values than are kept?"""
        return bool(self.below < _EVERYTHING)

    def add(self, hashes: Words, weights: Numbers | None, looks: Callable[[Numbers], Bits]) -> None:
        """Takes in cells, or distinct values with the number of cells of each; `looks` tells those at some places."""
        if self.full:
            self.heavy_counts = self.heavy_counts + _cells(self.heavy, hashes, weights)
        places = np.flatnonzero(hashes < self.below) if self.full else np.arange(len(hashes))
        some, first, turn = np.unique(hashes[places], return_index=True, return_inverse=True)
        counts = np.bincount(turn, None if weights is None else weights[places], len(some)).astype(np.int64)
        # Of what is new no more can stay than the smallest.
        new = np.flatnonzero(~np.isin(some, self.hashes, assume_unique=True))[:KEPT]
        bits = np.zeros(len(some), np.uint16)
        bits[new] = looks(places[first[new]])
        self._take(some, counts, bits)

    def merge(self, other: Sketch) -> None:
        """Takes in the sketch of another part of the column."""
        if self.full and other.full:
            both, mine, theirs = np.intersect1d(self.heavy, other.heavy, assume_unique=True, return_indices=True)
            self.heavy, self.heavy_counts = both, self.heavy_counts[mine] + other.heavy_counts[theirs]
        elif other.full:
            self.heavy, self.heavy_counts = other.heavy, other.heavy_counts + _of(other.heavy, self)
        elif self.full:
            self.heavy_counts = self.heavy_counts + _of(self.heavy, other)
        self.below = min(self.below, other.below)
        self._take(other.hashes, other.counts, other.looks)

    def _take(self, hashes: Words, counts: Numbers, looks: Bits) -> None:
        some, turn = np.unique(np.concatenate([self.hashes, hashes]), return_inverse=True)
        total = np.bincount(turn, np.concatenate([self.counts, counts]), len(some)).astype(np.int64)
        bits = np.zeros(len(some), np.uint16)
        bits[turn[len(self.hashes) :]] = looks
        bits[turn[: len(self.hashes)]] = self.looks
        if len(some) > KEPT:
            if not self.full:
                most = np.argsort(-total, kind="stable")[:MOST_HEAVY]
                chosen = np.sort(most[total[most] >= HEAVY * total.sum()])
                self.heavy, self.heavy_counts = some[chosen], total[chosen]
            self.below = min(self.below, some[KEPT])
        stays = some < self.below if self.full else np.ones(len(some), np.bool_)
        self.hashes, self.counts, self.looks = some[stays], total[stays], bits[stays]

    @property
    def distinct(self) -> float:
        """Distinct values; beyond `KEPT` an estimate with a standard error of about 3 %."""
        if not self.full:
            return float(len(self.hashes))
        return len(self.hashes) * 2.0**64 / float(self.below)

    def alone(self, cells: int) -> float:
        """The share of cells whose value no other cell has; 1 where none of the sample is met twice."""
        kept, once = len(self.hashes), int((self.counts == 1).sum())
        if not kept or not cells:
            return 0.0
        # Of a column without repeated values the estimate would differ from 1 by its error alone.
        return 1.0 if once == kept else min(1.0, once * self.distinct / kept / cells)

    def entropy(self, cells: int) -> float:
        """Shannon's entropy of the values in bits (an estimate where `full`), at most that of as many alike."""
        light = ~np.isin(self.hashes, self.heavy, assume_unique=True)
        known, sampled = _entropy(self.heavy_counts, cells), _entropy(self.counts[light], cells)
        if light.any():
            known += sampled * (self.distinct - len(self.heavy)) / int(light.sum())
        most = math.log2(max(1.0, min(self.distinct, cells)))
        return max(0.0, min(known, most))

    def share(self, bit: int) -> float:
        """The share of the sampled cells with this look."""
        total = int(self.counts.sum())
        return int(self.counts[(self.looks & bit) > 0].sum()) / total if total else 0.0


def _cells(heavy: Words, hashes: Words, weights: Numbers | None) -> Numbers:
    """The cells of each of some hashes. There are few: to compare with each is faster than to search."""
    met = (hashes == one for one in heavy)
    counts = [np.count_nonzero(one) if weights is None else weights[one].sum() for one in met]
    return np.array(counts, np.int64)


def _of(heavy: Words, exact: Sketch) -> Numbers:
    """The counts of some hashes in a sketch that holds all."""
    return _cells(heavy, exact.hashes, exact.counts)


def _entropy(counts: Numbers, cells: int) -> float:
    shares = counts / max(cells, 1)
    return float(-(shares * np.log2(shares)).sum()) if len(counts) else 0.0
