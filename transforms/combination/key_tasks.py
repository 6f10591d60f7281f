"""Key making as tasks: one pass over a party's register, one shuffle by serial.

A register's row becomes the 128 bits of its subject's serial and its join key; the columns end there. Behind the
shuffle each subject has one row, and rows stand in the order of serials, which are drawn anew in each round: neither
the order nor the files tell the register's order, and the rows are the same under any partitioning. Marks of join
keys go by buckets of their own, to count subjects that share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import one_chunk
from transforms.combination.canonical import EXPLAINED, Fault
from transforms.combination.combine_tasks import Dealt, deal, gathered
from transforms.combination.join_keys import join_keys
from transforms.combination.key_inputs import key_inputs
from transforms.combination.key_spec import KeySpec
from transforms.combination.matching import JOIN_KEY, KEYS_SCHEMA
from transforms.combination.words import OWN, sorting, with_words, words_of
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.identifiers import encode_ids, whole
from transforms.pipeline.feed import Unit
from transforms.pipeline.members import Words, places_in
from transforms.pipeline.states import pack
from transforms.pipeline.work import guarded
from transforms.pipeline_model import RowRule
from transforms.techniques.pseudonyms import LONGEST, base32

# Kinds of blobs; 9 is the engine's.
COUNTS, FILE = 1, 2
_ROWS, _MARKS = 10, 11
_KEY, _SHARER = ("\x00key0", "\x00key1"), "\x00sharer"
FILE_ROWS = 1_000_000
Rows = npt.NDArray[np.int64]
Name = TypeVar("Name")


class KeySink(Protocol):
    """What becomes of a bucket's rows (`matching.KEYS_SCHEMA`): the description of a file."""

    def __call__(self, rows: pa.Table) -> bytes: ...


@dataclass(frozen=True)
class KeyMaking:
    """All that tasks need; holds the salt, so it goes into broadcasts alone.

    `columns`: the register's columns by the spec's key columns, in its order; `stopped`: sorted draws of subjects
    who asked to stop; `rules`: which rows the plan takes at all.
    """

    table: str
    subject: str
    columns: Mapping[str, str]
    spec: KeySpec
    salt: Secret
    serials: Draws
    stopped: Words
    rules: tuple[RowRule, ...] = ()
    buckets: int = 1

    @property
    def needed(self) -> list[str]:
        """The register's columns that are read."""
        named = {self.subject, *self.columns.values()}
        named |= {name for rule in self.rules for name in rule.technique.columns()}
        return sorted(named)


@dataclass(frozen=True)
class KeyCounts:
    """Counts of rows and subjects, never values.

    `rows` read; of them `stopped` (withdrawn subjects), `ruled_out` by the plan's row rules, `without_key`, of which
    `missing` by key column; `faults` by key column and kind. Of subjects: `repeated` rows of a subject with one key
    that are left out, `several` subjects with different keys, who have none; `subjects` with a key; `sharing` of all
    with a key whose key another subject has too.
    """

    rows: int = 0
    stopped: int = 0
    ruled_out: int = 0
    without_key: int = 0
    repeated: int = 0
    several: int = 0
    subjects: int = 0
    sharing: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[tuple[str, Fault], int] = field(default_factory=dict)

    def __add__(self, other: KeyCounts) -> KeyCounts:
        return KeyCounts(
            self.rows + other.rows,
            self.stopped + other.stopped,
            self.ruled_out + other.ruled_out,
            self.without_key + other.without_key,
            self.repeated + other.repeated,
            self.several + other.several,
            self.subjects + other.subjects,
            self.sharing + other.sharing,
            _summed(self.missing, other.missing),
            _summed(self.faults, other.faults),
        )

    def problems(self) -> list[str]:
        """What must be put right before keys can be sent, one line for each column and kind of fault."""
        return [f"key column {name}: {count} cells {EXPLAINED[fault]}" for (name, fault), count in self.faults.items()]


def _summed(one: Mapping[Name, int], other: Mapping[Name, int]) -> dict[Name, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in dict.fromkeys((*one, *other))}


def subject_draws(ids: pa.Array, serials: Draws) -> Words:
    """The bits of the subjects' serials; ids as `transforms.combination.serials` takes them, without nulls."""
    return serials.bits(encode_ids([whole(ids) if pa.types.is_floating(ids.type) else ids]))


@dataclass(frozen=True)
class KeysMap:
    """Subjects' serials and join keys of a unit, by bucket. CellsRefused for rows without a subject."""

    work: KeyMaking

    def __call__(self, unit: Unit) -> Dealt:
        work, counts = self.work, KeyCounts()
        for batch in unit.batches(work.needed):
            ids = batch.column(work.subject)
            if ids.null_count:
                raise CellsRefused(f"table {work.table}: null in the subject's column {work.subject}", ids.null_count)
            draws = subject_draws(ids, work.serials)
            going = places_in(draws, work.stopped) < 0
            taken = going & _taken(work, batch)
            rows = batch if taken.all() else batch.filter(pa.array(taken))
            draws = draws if taken.all() else draws[taken]
            inputs = key_inputs(work.spec, [rows.column(name) for name in work.columns.values()])
            has = inputs.messages.is_valid()
            messages = inputs.messages if inputs.messages.null_count == 0 else inputs.messages.drop_null()
            draws = draws if inputs.messages.null_count == 0 else draws[has.to_numpy(zero_copy_only=False)]
            counts += KeyCounts(
                rows=batch.num_rows,
                stopped=int((~going).sum()),
                ruled_out=int(going.sum()) - rows.num_rows,
                without_key=inputs.messages.null_count,
                missing=inputs.missing,
                faults=inputs.faults,
            )
            yield from self._dealt(draws, join_keys(messages, work.spec, work.salt))
        yield 0, COUNTS, pa.py_buffer(pack(counts))

    def _dealt(self, draws: Words, keys: pa.Array) -> Dealt:
        fixed = pa.Array.from_buffers(pa.binary(self.work.spec.digest_bytes), len(keys), [None, keys.buffers()[2]])
        rows = with_words(pa.RecordBatch.from_arrays([fixed], names=[JOIN_KEY]), draws, OWN)
        yield from deal(rows, draws, self.work.buckets, _ROWS)
        marks = np.ascontiguousarray(_key_words(fixed)[:, :2])
        sharers = pa.RecordBatch.from_arrays([pa.array(np.ascontiguousarray(draws[:, 0]))], names=[_SHARER])
        yield from deal(with_words(sharers, marks, _KEY), marks, self.work.buckets, _MARKS)


def _taken(work: KeyMaking, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    """Which rows the plan's row rules keep."""
    taken = np.ones(batch.num_rows, np.bool_)
    for rule in work.rules:
        given = Given(rule.site, columns={name: batch.column(name) for name in rule.technique.columns()})
        kept = guarded(rule.site, lambda rule=rule, given=given: rule.technique.keeps(batch, given))
        taken &= pc.fill_null(kept, False).to_numpy(zero_copy_only=False)
    return taken


def _key_words(keys: pa.Array) -> Words:
    """Join keys of one width as big-endian words: (n, width / 8)."""
    width = keys.type.byte_width
    stored = np.frombuffer(keys.buffers()[1], ">u8", len(keys) * width // 8, keys.offset * width)
    return stored.reshape(len(keys), width // 8).astype(np.uint64)


@dataclass(frozen=True)
class KeysReduce:
    """One bucket: each subject once, in the order of serials, through the sink; counts."""

    work: KeyMaking
    sink: KeySink

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Iterator[tuple[int, bytes | pa.Buffer]]:
        yield from ((COUNTS, blob) for kind, blob in blobs if kind == COUNTS)
        counts = KeyCounts(sharing=_sharing(gathered(blobs, _MARKS)))
        rows = gathered(blobs, _ROWS)
        if rows is not None:
            kept, more = _one_each(rows)
            counts += more
            for first in range(0, len(kept), FILE_ROWS):
                yield FILE, self.sink(_finished(rows, kept[first : first + FILE_ROWS]))
        yield COUNTS, pack(counts)


def _one_each(rows: pa.Table) -> tuple[Rows, KeyCounts]:
    """The places of the rows that stay, in the order of serials; subjects with several different keys have none."""
    words = words_of(rows, OWN)
    turn = sorting(words)
    words = words[turn]
    first = np.append(True, (words[1:] != words[:-1]).any(axis=1))
    if first.all():
        return turn, KeyCounts(subjects=len(turn))
    keys = _key_words(one_chunk(rows.column(JOIN_KEY)))[turn]
    group = np.cumsum(first) - 1
    other = (keys != keys[np.flatnonzero(first)[group]]).any(axis=1)
    several = np.zeros(int(first.sum()), np.bool_)
    several[group[other]] = True
    stays = first & ~several[group]
    repeated = int((~first & ~several[group]).sum())
    return turn[stays], KeyCounts(repeated=repeated, several=int(several.sum()), subjects=int(stays.sum()))


def _sharing(marks: pa.Table | None) -> int:
    """How many subjects have a key that another subject has too. Marks are 128 bits of a key, 64 of a serial."""
    if marks is None:
        return 0
    keys = words_of(marks, _KEY)
    subjects = one_chunk(marks.column(_SHARER)).to_numpy()
    turn = sorting(keys)
    keys, subjects = keys[turn], subjects[turn]
    same = (keys[1:] == keys[:-1]).all(axis=1)
    if not same.any():
        return 0
    # The few that share a key with a neighbour, each subject once.
    near = np.append(same, False) | np.append(False, same)
    lines = np.unique(np.column_stack([keys[near], subjects[near]]), axis=0)
    _, sizes = np.unique(lines[:, :2], axis=0, return_counts=True)
    return int(sizes[sizes > 1].sum())


def _finished(rows: pa.Table, places: Rows) -> pa.Table:
    kept = rows.take(pa.array(places))
    keys = one_chunk(kept.column(JOIN_KEY)).cast(pa.binary())
    return pa.Table.from_arrays([keys, base32(words_of(kept, OWN), LONGEST)], schema=KEYS_SCHEMA)
