"""Combination as tasks: attribute rows find their record by their serial, then records are put side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.combination.combining import LINK_BYTES, LINKING, SERIAL, Combining, Sourced, Supplied
from transforms.combination.records import Records
from transforms.combination.words import (
    HELD,
    LINK_ID,
    OWN,
    PLACE,
    TARGET,
    narrowed,
    places_of,
    repeats,
    sorting,
    together,
    with_words,
    word_arrays,
    words_of,
)
from transforms.errors import CellsRefused
from transforms.identifiers import encode_ids
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.members import Words
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import BLOB_BYTES, to_blob

# Kinds of blobs; 9 is the engine's.
COUNTS, RECORDS = 1, 2
_FIRST = 10
Dealt = Iterator[tuple[int, int, pa.Buffer]]
Counts = dict[str, int]


def rows_kind(party: int) -> int:
    """The kind of blobs with a party's attribute rows."""
    return _FIRST + 2 * party


def links_kind(party: int) -> int:
    """The kind of blobs that say which record a party's serial belongs to."""
    return _FIRST + 2 * party + 1


def deal(batch: pa.RecordBatch, words: Words, buckets: int, kind: int, chosen: Any = None) -> Dealt:
    """The batch's rows (`chosen` places alone) by the buckets of their words, as blobs of bounded size."""
    if chosen is not None:
        words = words[chosen]
    if not len(words):
        return
    places = bucket_of(words[:, 0], buckets)
    turn = np.argsort(places.astype(np.uint16), kind="stable")
    sizes = np.bincount(places, minlength=buckets)
    batch = batch.take(pa.array(turn if chosen is None else np.asarray(chosen)[turn]))
    most = max(1, BLOB_BYTES * batch.num_rows // max(1, batch.nbytes))
    start = 0
    for bucket in np.flatnonzero(sizes):
        end = start + int(sizes[bucket])
        for first in range(start, end, most):
            yield int(bucket), kind, to_blob(batch.slice(first, min(most, end - first)))
        start = end


@dataclass(frozen=True)
class Links:
    """The linking rows of a batch: each party's draws, where they are needed, and the record's own draws.

    `named`: rows that name a party that takes part; the others are of parties that were left out meanwhile.
    """

    own: Mapping[int, Words]
    held: Sequence[npt.NDArray[np.bool_]]
    record: Words
    named: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, work: Combining, batch: pa.RecordBatch, wanted: Sequence[int] = ()) -> Links:
        """A record is named by the draws of its first party in the order of leading; `wanted`: whose all are needed."""
        serials = [batch.column(serial_column(work, place)) for place in range(len(work.parties))]
        held = [one.is_valid().to_numpy(zero_copy_only=False) for one in serials]
        own: dict[int, Words] = {}
        record = np.zeros((batch.num_rows, 2), np.uint64)
        free = np.ones(batch.num_rows, np.bool_)
        for place in work.order:
            mine = free & held[place]
            if place in wanted or mine.any():
                own[place] = draws_of(work, place, serials[place])
                record[mine] = own[place][mine]
                free &= ~mine
        return cls(own, held, record, ~free)

    @property
    def pattern(self) -> npt.NDArray[np.int64]:
        """The parties that each row names, one bit for each."""
        found = np.zeros(len(self.record), np.int64)
        for place, one in enumerate(self.held):
            found |= one.astype(np.int64) << place
        return found


def serial_column(work: Combining, place: int) -> str:
    """The linking table's column with a party's serials."""
    return f"serial_{work.parties[place].party}"


def draws_of(work: Combining, place: int, serials: pa.Array) -> Words:
    """The keyed draws of a party's serials; those of nulls mean nothing."""
    return work.keys.serials[work.parties[place].party].bits(encode_ids([serials]))


def attribute_rows(work: Combining, unit: Sourced) -> Iterator[tuple[pa.RecordBatch, Words]]:
    """A party's attributes without serials, voided ones left out, and the draws of the serials."""
    party = work.parties[unit.source]
    voided = work.voids.get(party.party)
    row = unit.first_row
    for batch in unit.batches([SERIAL, *party.schema.names]):
        places = np.arange(row, row + batch.num_rows, dtype=np.int64)
        row += batch.num_rows
        serials = batch.column(SERIAL)
        if serials.null_count:
            raise CellsRefused(
                f"attributes of {party.party}: rows without a serial; allowed: one in each row", serials.null_count
            )
        rows = batch.select(party.schema.names)
        if party.many:
            rows = rows.append_column(PLACE, pa.array(places))
        if voided is not None and len(voided):
            stays = pc.invert(pc.is_in(serials, value_set=voided))
            rows, serials = rows.filter(stays), serials.filter(stays)
        yield narrowed(rows), draws_of(work, unit.source, serials)


@dataclass(frozen=True)
class FindMap:
    """By serial bucket: what the linking table says of the followers' serials, and the followers' rows."""

    work: Combining
    buckets: int

    def __call__(self, unit: Unit) -> Dealt:
        assert isinstance(unit, Sourced)
        lead, *followers = self.work.order
        if unit.source == LINKING:
            for batch in unit.batches([serial_column(self.work, place) for place in self.work.order]):
                links = Links.of(self.work, batch, followers)
                for place in followers:
                    own = links.own[place]
                    pairs = pa.RecordBatch.from_arrays(
                        [*word_arrays(own), *word_arrays(links.record)], names=[*OWN, *TARGET]
                    )
                    yield from deal(pairs, own, self.buckets, links_kind(place), np.flatnonzero(links.held[place]))
        elif unit.source != lead:
            for rows, words in attribute_rows(self.work, unit):
                yield from deal(with_words(rows, words, OWN), words, self.buckets, rows_kind(unit.source))


@dataclass(frozen=True)
class FindReduce:
    """One serial bucket: followers' rows get their record's draws; rows without a record go no further."""

    work: Combining

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Dealt:
        counts: Counts = {}
        for place in self.work.order[1:]:
            name = self.work.parties[place].party
            rows = gathered(blobs, rows_kind(place))
            links = gathered(blobs, links_kind(place))
            if links is not None:
                links = links.take(pa.array(sorting(words_of(links, OWN))))
                check_once(words_of(links, OWN), f"linking table: serials of {name} that stand in several rows")
            if rows is None:
                continue
            own = words_of(rows, OWN)
            found = sought(own, None if links is None else words_of(links, OWN), self.work.parties[place])
            known = np.flatnonzero(found >= 0)
            counts[f"unlinked {name}"] = len(own) - len(known)
            if links is not None and len(known):
                record = words_of(links, TARGET)[found]
                batch = rows.drop_columns(list(OWN)).combine_chunks().to_batches()[0]
                yield from deal(with_words(batch, record, TARGET), record, self.work.buckets, rows_kind(place), known)
        yield 0, COUNTS, pa.py_buffer(pack(counts))


@dataclass(frozen=True)
class RecordMap:
    """By record bucket: the linking table's records, and the leading party's rows."""

    work: Combining

    def __call__(self, unit: Unit) -> Dealt:
        assert isinstance(unit, Sourced)
        work = self.work
        if unit.source == LINKING:
            names = [serial_column(work, place) for place in work.order]
            for batch in unit.batches([*names, *work.elsewhere, *([] if work.link is None else [work.link])]):
                links = Links.of(work, batch)
                held = links.pattern
                for column in work.elsewhere:
                    known = batch.column(column).is_valid().to_numpy(zero_copy_only=False)
                    held |= known.astype(np.int64) << len(work.parties)
                arrays, columns = [*word_arrays(links.record), pa.array(held)], [*TARGET, HELD]
                if work.link is not None:
                    arrays.append(batch.column(work.link).cast(pa.binary(LINK_BYTES)))
                    columns.append(LINK_ID)
                batch = pa.RecordBatch.from_arrays(arrays, names=columns)
                yield from deal(batch, links.record, work.buckets, RECORDS, np.flatnonzero(links.named))
        elif unit.source == work.order[0]:
            for rows, words in attribute_rows(work, unit):
                yield from deal(with_words(rows, words, TARGET), words, work.buckets, rows_kind(unit.source))


class CombinedSink(Protocol):
    """What becomes of a bucket's finished rows of one table ("" or a party's name): descriptions of files."""

    def __call__(self, bucket: int, table: str, rows: pa.Table) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class RecordReduce:
    """One record bucket: the records that the join keeps, in keyed order, through the sink. Yields files, counts."""

    work: Combining
    sink: CombinedSink

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Iterator[tuple[int, bytes]]:
        counts: Counts = {}
        for kind, blob in blobs:
            if kind == COUNTS:
                add(counts, unpack(blob))
        lead = self.work.order[0]
        name = self.work.parties[lead].party
        links = gathered(blobs, RECORDS)
        rows = {place: gathered(blobs, rows_kind(place)) for place in self.work.order}
        if links is None:
            if (own := rows[lead]) is not None:
                sought(words_of(own, TARGET), None, self.work.parties[lead])
                add(counts, {f"unlinked {name}": own.num_rows})
        else:
            links = links.take(pa.array(sorting(words_of(links, TARGET))))
            own_words = words_of(links, TARGET)
            check_once(own_words, f"linking table: serials of {name} that stand in several rows")
            found = {
                place: sought(words_of(table, TARGET), own_words, self.work.parties[place])
                for place, table in rows.items()
                if table is not None
            }
            made = Records.of(self.work, links, rows, found)
            add(counts, made.counts)
            for table, finished in made.tables():
                if finished.num_rows:
                    for out in self.sink(bucket, table, finished):
                        yield RECORDS, out
        if counts:
            yield COUNTS, pack(counts)


def gathered(blobs: Sequence[tuple[int, pa.Buffer]], kind: int) -> pa.Table | None:
    """All rows of a kind, in one chunk; None where there are none."""
    found = [blob for one, blob in blobs if one == kind]
    return together([pa.ipc.open_stream(blob).read_all() for blob in found]) if found else None


def sought(words: Words, listed: Words | None, party: Supplied) -> npt.NDArray[np.int64]:
    """For each row of a party its place in a sorted list, -1 where it is not there.

    CellsRefused where a party that has one row for each subject has several.
    """
    found = places_of(words, words[:0] if listed is None else listed)
    if not party.many:
        there, rest = found[found >= 0], words[found < 0]
        several = len(there) - int(np.count_nonzero(np.bincount(there))) + repeats(rest[sorting(rest)])
        if several:
            raise CellsRefused(
                f"attributes of {party.party}: rows with the serial of another row; allowed: one row for each serial; "
                "send them again as a new revision, or declare `rows: many` for a party with several rows of a subject",
                several,
            )
    return found


def check_once(words: Words, what: str) -> None:
    """CellsRefused where a serial of the linking table stands twice (sorted draws)."""
    if found := repeats(words):
        raise CellsRefused(f"{what}; allowed: each serial once; ask the key agency for a new revision", found)


def add(total: Counts, more: Mapping[str, int]) -> None:
    """Adds counts, in place."""
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
