"""What tests of linking share: made keys, the tasks in this process, a plain-Python reference."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from transforms.combination.joins import JoinRule
from transforms.combination.link_keys import LinkKeys
from transforms.combination.linking import LINKING_TABLE, LinkReduce
from transforms.combination.matching import COUNTS, FILE, KEYS_SCHEMA, KeysMap, Matching, Tally, key_units
from transforms.derivation import Secret
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.states import pack, unpack

Rows = Sequence[tuple[str, str]]
L = Secret(bytes(range(32)))


def key_of(subject: str) -> bytes:
    """A join key as a party makes it, under a salt that the linking never sees."""
    return hashlib.sha256(subject.encode() + b"salt of the parties").digest()


def package(rows: Rows) -> pa.Table:
    """A party's keys from (subject, serial)."""
    return pa.table([[key_of(one) for one, _ in rows], [serial for _, serial in rows]], schema=KEYS_SCHEMA)


def matching(
    parties: Mapping[str, Rows],
    rules: Mapping[str, JoinRule],
    *,
    linked: Sequence[str] = (),
    buckets: int = 1,
    round: str = "2024-07",
    voids: Mapping[str, Sequence[str]] | None = None,
    secret: Secret = L,
) -> Matching:
    """What the tasks need, with keys that are always the same."""
    keys = LinkKeys.of(secret, "key agency", "test", round, tuple(parties), linked)
    gone = {party: pa.array(list(serials), pa.string()) for party, serials in (voids or {}).items()}
    return Matching(tuple(parties), rules, keys, 32, buckets, gone)


def engine_of(parties: Mapping[str, Rows], pieces: int = 1) -> LocalEngine:
    """All parties' keys, each in so many units."""
    units = []
    for rows in parties.values():
        table = package(rows)
        size = max(1, -(-table.num_rows // pieces))
        starts = range(0, max(1, table.num_rows), size)
        units.append([TableUnit(number, table.slice(first, size), KEYS_SCHEMA) for number, first in enumerate(starts)])
    return LocalEngine(key_units(units))


def kept(table: str, rows: pa.Table) -> bytes:
    """A sink that hands the rows back."""
    return pack((table, rows))


@dataclass(frozen=True)
class Linked:
    """What came out: linking rows in their order, doubled serials by party, counts."""

    rows: pa.Table
    doubled: dict[str, list[str]]
    tally: Tally

    def records(self, parties: Sequence[str]) -> list[tuple[str | None, ...]]:
        """Serials side by side, sorted."""
        columns = [self.rows.column(f"serial_{party}").to_pylist() for party in parties]
        return sorted(zip(*columns, strict=True), key=lambda row: [one or "" for one in row])

    def links(self, user: str, party: str) -> dict[str, bytes | None]:
        """A user's link id by the serial of a party."""
        serials = self.rows.column(f"serial_{party}").to_pylist()
        return dict(zip(serials, self.rows.column(f"link_{user}").to_pylist(), strict=True))


def link(work: Matching, engine: LocalEngine) -> Linked:
    """The tasks, as the step runs them on Spark."""
    files, tally = [], Tally.none(len(work.parties))
    doubled: dict[str, list[str]] = {party: [] for party in work.parties}
    for kind, blob in engine.shuffle(KeysMap(work), LinkReduce(work, kept), work.buckets, "link", kinds=True):
        if kind == COUNTS:
            tally += unpack(blob)
        elif kind == FILE:
            table, rows = unpack(blob)
            if table == LINKING_TABLE:
                files.append(rows)
            else:
                doubled[table] += rows.column("serial").to_pylist()
    empty = pa.table({f"serial_{party}": pa.array([], pa.string()) for party in work.parties})
    rows = pa.concat_tables(files) if files else empty
    return Linked(rows, {party: sorted(serials) for party, serials in doubled.items()}, tally)


def reference(
    parties: Mapping[str, Rows], rules: Mapping[str, JoinRule], voids: Mapping[str, Sequence[str]]
) -> tuple[list[tuple[str | None, ...]], dict[str, list[str]]]:
    """Linking by dictionaries of subjects: records that some rule takes, and serials of doubled keys."""
    known: dict[str, dict[str, str]] = {}
    doubled = {}
    for party, rows in parties.items():
        stay = [(subject, serial) for subject, serial in rows if serial not in voids.get(party, ())]
        often = Counter(subject for subject, _ in stay)
        doubled[party] = sorted(serial for subject, serial in stay if often[subject] > 1)
        known[party] = {subject: serial for subject, serial in stay if often[subject] == 1}
    records = []
    for subject in {subject for rows in known.values() for subject in rows}:
        present = [party for party in parties if subject in known[party]]
        if any(rule.takes(present) for rule in rules.values()):
            records.append(tuple(known[party].get(subject) for party in parties))
    return sorted(records, key=lambda row: [one or "" for one in row]), doubled
