"""Join keys of all parties side by side: who has which subject. Nothing but keys and serials comes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.combination.combine_tasks import Dealt, deal, gathered
from transforms.combination.combining import SERIAL
from transforms.combination.joins import JoinRule
from transforms.combination.link_keys import LinkKeys, ids_of
from transforms.combination.words import OWN, with_words, words_of
from transforms.errors import CellsRefused
from transforms.pipeline.feed import Unit
from transforms.pipeline.members import Words
from transforms.pipeline.states import pack, unpack

JOIN_KEY = "join_key"
KEYS_SCHEMA = pa.schema([(JOIN_KEY, pa.binary()), (SERIAL, pa.string())])
BUCKET_ROWS = 1_500_000
# Rows that a map task deals out at once.
DEAL_ROWS = 1_000_000
# Kinds of blobs; 9 is the engine's.
COUNTS, FILE = 1, 2
_FIRST = 10
# 96 bits of a serial's mark: that two serials share them by chance is less likely than a broken machine.
MARK = ("\x00mark0", "\x00mark1")
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Matching:
    """All that tasks need to match keys. `parties`: those that take part, in the file's order; `rules` by user;
    `key_bytes`: length of a join key; `voids`: serials of a party whose subjects asked to be left out."""

    parties: tuple[str, ...]
    rules: Mapping[str, JoinRule]
    keys: LinkKeys
    key_bytes: int
    buckets: int = 1
    voids: Mapping[str, pa.Array] = field(default_factory=dict)


def bucket_count(rows: int, cores: int) -> int:
    """How many buckets the keys are dealt into: of bounded size, all cores busy where it pays."""
    return max(1, -(-rows // BUCKET_ROWS), min(cores, -(-rows // (BUCKET_ROWS // 16))))


@dataclass(frozen=True)
class Tally:
    """Counts by party (file's order) of one or many buckets, and of subjects by pattern of presence.

    `rows` that came in, of them `voided`, and `doubled`: with a join key of several serials, so left out;
    `repeated`: serials that stood on a second row.
    """

    rows: Places
    voided: Places
    doubled: Places
    repeated: Places
    patterns: Places

    @classmethod
    def none(cls, parties: int) -> Tally:
        """Nothing counted yet."""
        rows, voided, doubled, repeated = np.zeros((4, parties), np.int64)
        return cls(rows, voided, doubled, repeated, np.zeros(1 << parties, np.int64))

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def having(self, party: int, which: npt.NDArray[np.bool_] | None = None) -> int:
        """Subjects of a party, voided and doubled ones left out; of `which` patterns alone, where said."""
        numbers = np.arange(len(self.patterns))
        chosen = (numbers >> party & 1).astype(np.bool_)
        return int(self.patterns[chosen if which is None else chosen & which].sum())


def keys_kind(party: int) -> int:
    """The kind of blobs with a party's subjects (and serials)."""
    return _FIRST + 2 * party


def marks_kind(party: int) -> int:
    """The kind of blobs with the marks of a party's serials."""
    return _FIRST + 2 * party + 1


@dataclass(frozen=True)
class KeyUnit:
    """A unit of a party's keys, with the place of its party."""

    index: int
    inner: Unit
    party: int

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return self.inner.batches(columns)

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return self.inner.pilot(columns)


def key_units(parties: Sequence[Sequence[Unit]]) -> list[KeyUnit]:
    """All parties' units, numbered."""
    found = [(unit, party) for party, units in enumerate(parties) for unit in units]
    return [KeyUnit(index, unit, party) for index, (unit, party) in enumerate(found)]


@dataclass(frozen=True)
class KeysMap:
    """Keys of a unit by bucket, each as its keyed draw: no join key leaves the task.

    `serials`: the serials go with them, and their marks go by their own buckets. CellsRefused for keys or serials
    that are null or empty, and keys of another length.
    """

    work: Matching
    serials: bool = True

    def __call__(self, unit: Unit) -> Dealt:
        assert isinstance(unit, KeyUnit)
        party, name = unit.party, self.work.parties[unit.party]
        tally = Tally.none(len(self.work.parties))
        voided = name in self.work.voids
        for batch in _together(unit, [JOIN_KEY, SERIAL] if self.serials or voided else [JOIN_KEY]):
            tally.rows[party] += batch.num_rows
            self._check(batch, name)
            if voided:
                kept = batch.filter(pc.invert(pc.is_in(batch.column(SERIAL), value_set=self.work.voids[name])))
                tally.voided[party] += batch.num_rows - kept.num_rows
                batch = kept
            subjects = self.work.keys.subjects.bits(batch.column(JOIN_KEY))
            order = self.work.keys.order.bits(ids_of(subjects))
            rows = with_words(batch.select([SERIAL] if self.serials else []), subjects, OWN)
            yield from deal(rows, order, self.work.buckets, keys_kind(party))
            if self.serials:
                marks = self.work.keys.serials.bits(batch.column(SERIAL))
                low = pa.array(marks[:, 1].astype(np.uint32))
                rows = pa.RecordBatch.from_arrays([pa.array(marks[:, 0].copy()), low], names=list(MARK))
                yield from deal(rows, marks, self.work.buckets, marks_kind(party))
        yield 0, COUNTS, pa.py_buffer(pack(tally))

    def _check(self, batch: pa.RecordBatch, party: str) -> None:
        unfit = pc.not_equal(pc.binary_length(batch.column(JOIN_KEY)), self.work.key_bytes).fill_null(True)
        if found := unfit.true_count:
            allowed = f"{self.work.key_bytes} bytes, as the combination file's algorithm makes them"
            raise CellsRefused(f"keys of {party}: join keys null or of another length; allowed: {allowed}", found)
        if SERIAL in batch.schema.names:
            empty = pc.equal(pc.binary_length(batch.column(SERIAL)), 0).fill_null(True)
            if found := empty.true_count:
                raise CellsRefused(f"keys of {party}: rows without a serial; allowed: one in each row", found)


def _together(unit: KeyUnit, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """A unit's batches in larger ones: fewer and larger blobs go through the shuffle."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in unit.batches(columns):
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= DEAL_ROWS:
            yield pa.concat_batches(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_batches(waiting)


@dataclass(frozen=True)
class Matched:
    """A bucket's subjects in keyed order. `patterns`: who has them; `row_of`: (n, parties), the row in each party's
    rows, -1 where it has none; `doubled`: rows of a party whose key has others. `words` of all rows, party by party,
    and the place in them of each subject's first, `turn`."""

    words: Words
    turn: Places
    patterns: Places
    row_of: Places
    doubled: tuple[Places, ...]

    @classmethod
    def of(cls, work: Matching, parts: Sequence[Words]) -> Matched:
        """From the subjects' draws of each party's rows."""
        count, starts = len(parts), np.cumsum([0, *(len(part) for part in parts)])
        turn, first = side_by_side(work.keys.order.bits(ids_of(np.concatenate(parts))))
        party = np.searchsorted(starts[1:], turn, side="right")
        local = turn - starts[party]
        cell = (np.cumsum(first) - 1) * count + party
        groups = np.flatnonzero(first)
        often = np.bincount(cell, minlength=len(groups) * count)
        cells = np.full(len(often), -1, np.int64)
        cells[cell] = local
        doubled = [np.empty(0, np.int64)] * count
        if (more := often > 1).any():
            again = more[cell]
            doubled = [np.sort(local[again & (party == one)]) for one in range(count)]
            cells[more] = -1
        row_of: Places = cells.reshape(len(groups), count)
        patterns = np.zeros(len(groups), np.int64)
        for one in range(count):
            patterns |= (row_of[:, one] >= 0).astype(np.int64) << one
        return cls(np.concatenate(parts), turn[groups], patterns, row_of, tuple(doubled))

    def draws(self, chosen: Places) -> Words:
        """The draws of some subjects, by their places."""
        return self.words.take(self.turn[chosen], 0)


def side_by_side(words: Words) -> tuple[Places, npt.NDArray[np.bool_]]:
    """The order of 128-bit numbers, equal ones together, and where each other one begins.

    Equal high words are the rule here (a subject of two parties), so they alone call for no further sorting.
    """
    high, low = np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])
    turn = np.argsort(high)
    other_high, other_low = (word[turn][1:] != word[turn][:-1] for word in (high, low))
    if (other_low & ~other_high).any():
        turn = np.lexsort((low, high))
        other_high, other_low = (word[turn][1:] != word[turn][:-1] for word in (high, low))
    return turn, np.append(True, other_high | other_low)[: len(turn)]


def subjects_of(
    work: Matching, blobs: Sequence[tuple[int, pa.Buffer]], columns: Sequence[str]
) -> tuple[list[Words], list[pa.Table]]:
    """Each party's subjects in a bucket, and its rows (`columns`)."""
    words, tables = [], []
    empty = pa.schema([KEYS_SCHEMA.field(name) for name in columns]).empty_table()
    for party in range(len(work.parties)):
        found = gathered(blobs, keys_kind(party))
        words.append(np.empty((0, 2), np.uint64) if found is None else words_of(found, OWN))
        tables.append(empty if found is None else found.select(list(columns)))
    return words, tables


def opened(
    work: Matching, blobs: Sequence[tuple[int, pa.Buffer]], columns: Sequence[str]
) -> tuple[Matched, list[pa.Table], Tally]:
    """A bucket's subjects, each party's rows with these columns, and the counts."""
    tally = reduce(Tally.__add__, (unpack(b) for kind, b in blobs if kind == COUNTS), Tally.none(len(work.parties)))
    words, tables = subjects_of(work, blobs, columns)
    matched = Matched.of(work, words)
    tally.patterns[:] += np.bincount(matched.patterns, minlength=len(tally.patterns))
    tally.doubled[:] += [len(rows) for rows in matched.doubled]
    return matched, tables, tally


class Sink(Protocol):
    """What becomes of a bucket's rows of a table (the linking table, or serials for a party): a file's description."""

    def __call__(self, table: str, rows: pa.Table) -> bytes: ...
