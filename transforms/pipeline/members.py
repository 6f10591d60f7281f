"""Who is in the sample, as tasks see it: how often each row's subject was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids

Words = npt.NDArray[np.uint64]
Copies = npt.NDArray[np.int64]


def at_most(draws: Words, threshold: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which 128-bit draws are not above the threshold."""
    high, low = np.uint64(threshold[0]), np.uint64(threshold[1])
    inside: npt.NDArray[np.bool_] = (draws[:, 0] < high) | ((draws[:, 0] == high) & (draws[:, 1] <= low))
    return inside


def places_in(draws: Words, listed: Words) -> npt.NDArray[np.int64]:
    """Where 128-bit draws stand in a sorted list, -1 where they don't; high words almost never collide there."""
    found = np.full(len(draws), -1, np.int64)
    if not len(listed):
        return found
    near = np.searchsorted(listed[:, 0], draws[:, 0])
    for shift in range(2):
        place = np.minimum(near + shift, len(listed) - 1)
        same = (listed[place, 0] == draws[:, 0]) & (listed[place, 1] == draws[:, 1])
        found[same] = place[same]
    return found


@dataclass(frozen=True)
class Members:
    """Subjects by their draws, sorted, and how often each was drawn (once, where that is not said)."""

    draws: Words
    times: npt.NDArray[np.uint16] | None = None

    def times_of(self, draws: Words) -> Copies:
        """How often; -1 for a subject who is not listed."""
        places = places_in(draws, self.draws)
        if self.times is None:
            return np.where(places < 0, places, 1)
        known = self.times[places] if len(self.times) else np.zeros(len(places), np.uint16)
        return np.where(places < 0, -1, known.astype(np.int64))


class Membership(Protocol):
    """How often the subjects of a batch were drawn, from the batch and its draws: 0 for who is not in the sample."""

    def times(self, batch: pa.RecordBatch, draws: Words) -> Copies: ...


def group_draws(groups: Draws, batch: pa.RecordBatch, columns: Sequence[str]) -> Words:
    """The keyed draw of each row's stratum or cluster; null cells make one of their own."""
    few = encode_ids([batch.column(name) for name in columns]).dictionary_encode()
    words: Words = groups.bits(few.dictionary)[few.indices.to_numpy()]
    return words


@dataclass(frozen=True)
class ByStratum:
    """A threshold for each stratum: `strata` are their draws, sorted; a stratum of which nobody is drawn has none."""

    groups: Draws
    columns: tuple[str, ...]
    strata: Words
    thresholds: Words
    gives: npt.NDArray[np.bool_]

    def times(self, batch: pa.RecordBatch, draws: Words) -> Copies:
        return self.of(group_draws(self.groups, batch, self.columns), draws)

    def of(self, strata: Words, draws: Words) -> Copies:
        """The same from the draws of the strata."""
        places = places_in(strata, self.strata)
        if not len(self.strata):
            return np.zeros(len(draws), np.int64)
        limit = self.thresholds[places]
        below = (draws[:, 0] < limit[:, 0]) | ((draws[:, 0] == limit[:, 0]) & (draws[:, 1] <= limit[:, 1]))
        drawn: Copies = (below & self.gives[places] & (places >= 0)).astype(np.int64)
        return drawn


@dataclass(frozen=True)
class ByCluster:
    """A threshold on the draws of clusters; None where no cluster is drawn."""

    groups: Draws
    column: str
    threshold: tuple[int, int] | None

    def times(self, batch: pa.RecordBatch, draws: Words) -> Copies:
        return self.of(group_draws(self.groups, batch, (self.column,)), draws)

    def of(self, clusters: Words, draws: Words) -> Copies:
        """The same from the draws of the clusters."""
        if self.threshold is None:
            return np.zeros(len(draws), np.int64)
        return at_most(clusters, self.threshold).astype(np.int64)


@dataclass(frozen=True)
class Listed:
    """The drawn subjects one by one."""

    members: Members

    def times(self, batch: pa.RecordBatch, draws: Words) -> Copies:
        return np.maximum(self.members.times_of(draws), 0)


def repeated(rows: npt.NDArray[np.int64], times: Copies) -> tuple[npt.NDArray[np.int64], Copies]:
    """Each row as often as its subject was drawn, and the number (from 0) of each copy."""
    starts = np.cumsum(times) - times
    return np.repeat(rows, times), np.arange(int(times.sum())) - np.repeat(starts, times)


def bits_of_copies(draws: Draws, ids: pa.Array, copies: Copies | None) -> Words:
    """Draws of ids, others for each further copy of an id."""
    words = draws.bits(ids)
    if copies is not None:
        for number in np.unique(copies[copies > 0]):
            places = np.flatnonzero(copies == number)
            words[places] = draws.bits(ids.take(pa.array(places)), round=int(number))
    return words


def draws_of_copy(draws: Draws, number: int) -> Draws:
    """Draws of their own for a further copy of a subject; the first copy (0) keeps the subject's.

    The subkey is a draw of an id of two parts, which no pseudonym of one column is.
    """
    if number == 0:
        return draws
    named = encode_ids([pa.array(["copy"]), pa.array([number])])
    key = b"".join(draws.bits(named, round=half).astype(">u8").tobytes() for half in (0, 1))
    return Draws(Secret(key))
