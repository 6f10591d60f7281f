"""The ledger: a chain of signed entries in an append-only Delta table (처리 기록).

Each entry holds the hash of the one before. Two appends never get the same place: an entry computed
from version v of the table is committed as version v + 1 or not at all. A chain can't stop who may
rewrite the whole table, so its head is kept beside its key, and decisions and documents carry it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, CommitProperties, PostCommitHookProperties

from jobs.clock import Clock, stamp, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput, Operational, Refused
from jobs.ledger_heads import KeptHead, kept_head
from jobs.signers import Pin, Signer, ledger_signer, may_sign, pinned_signers
from jobs.signing import signed_by
from jobs.storage import Location, unique_name
from transforms.derivation import canonical_json

GENESIS = "0" * 64
ATTEMPTS = 60
SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        *(pa.field(name, pa.string(), nullable=False)
          for name in ("previous", "at", "type", "body", "key_id", "signature", "hash")),
    ]
)
CONFIGURATION = {
    "delta.appendOnly": "true",
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.logRetentionDuration": "interval 36500 days",
}


@dataclass(frozen=True)
class Entry:
    """One entry; `body` is canonical JSON, `previous` and `hash` SHA-256 in hex, `seq` counts from 1."""

    seq: int
    previous: str
    at: str
    type: str
    body: str
    key_id: str
    signature: str
    hash: str

    def content(self) -> Any:
        """The body as plain data."""
        return json.loads(self.body)

    def signed(self) -> bytes:
        """The bytes that hash and signature cover."""
        return _signed(self.seq, self.previous, self.at, self.type, self.body, self.key_id)


@dataclass(frozen=True)
class Head:
    """The last entry's place and hash; the head of an empty ledger is 0 and zeros."""

    seq: int = 0
    hash: str = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """From `SEQ:HASH`; BadInput otherwise."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise BadInput(f"{text!r} is no head; allowed: what `gamyeong ledger export-head` printed")
        return cls(int(seq), digest)


# Held while an entry is appended; is told who signed those that are there.
Guard = Callable[[Iterable[str]], AbstractContextManager[None]]


class Ledger:
    """The ledger at one place. Reading needs no signer; `append` does."""

    def __init__(
        self,
        place: Location,
        signer: Signer | None = None,
        clock: Clock = utc_now,
        guard: Guard = lambda signed: nullcontext(),
        kept: KeptHead | None = None,
    ) -> None:
        self.place, self._signer, self._clock, self._guard, self._kept = place, signer, clock, guard, kept
        self._known: dict[str, list[Entry]] = {}

    def entries(self) -> list[Entry]:
        """All entries in the order of their numbers; none where there is no ledger yet."""
        table = self._open()
        return [] if table is None else self._entries(table)

    def head(self) -> Head:
        """The last entry's number and hash."""
        return _head(self.entries())

    def find(self, kind: str, **body: Any) -> Entry | None:
        """The first entry of this type whose body has these fields, or None."""
        return _find(self.entries(), kind, body)

    def append(self, kind: str, body: Mapping[str, Any], *, once: Iterable[str] = ()) -> Entry:
        """Appends an entry and gives it back.

        `once` names fields of the body: if an entry of this type with the same values is there already,
        it is given back and nothing is written. Operational if the place is never free.
        """
        if self._signer is None:
            raise ValueError("this ledger was opened for reading")
        same = {name: body[name] for name in once}
        text = canonical_json(dict(body)).decode()
        for attempt in range(ATTEMPTS):
            table = self._open() or self._create()
            entries = self._entries(table)
            found = _find(entries, kind, same) if same else None
            if found is not None:
                return found
            with self._guard({one.key_id for one in entries}):
                entry = self._next(entries, kind, text)
                if self._commit(table, entry) and entry in (now := self.entries()):
                    self._keep(now)
                    return entry
            time.sleep(0.01 * min(attempt + 1, 10))
        raise Operational(f"the ledger at {self.place} was never free; try again")

    def _keep(self, entries: list[Entry]) -> None:
        """Keeps the head. Killed before, the one that is kept is older, which the ledger holds as well."""
        if self._kept is not None:
            self._kept.write(str(_head(entries)), lambda head: holds(entries, Head.parse(head)))

    def _next(self, entries: list[Entry], kind: str, body: str) -> Entry:
        assert self._signer is not None
        head = _head(entries)
        at, key = stamp(self._clock()), self._signer.key_id
        signed = _signed(head.seq + 1, head.hash, at, kind, body, key)
        digest = hashlib.sha256(signed).hexdigest()
        return Entry(head.seq + 1, head.hash, at, kind, body, key, self._signer.sign(signed), digest)

    def _commit(self, table: DeltaTable, entry: Entry) -> bool:
        """True if the entry became the version after `table`'s; its file is removed if not."""
        name = f"{entry.seq:08d}-{unique_name()}.parquet"
        filesystem, path = (self.place / name).filesystem()
        rows = pa.Table.from_pylist([asdict(entry)], schema=SCHEMA)
        pq.write_table(rows, path, filesystem=filesystem, store_schema=False, write_statistics=False)
        size = filesystem.get_file_info(path).size
        action = AddAction(name, size, {}, int(self._clock().timestamp() * 1000), True, '{"numRecords": 1}')
        try:
            table.create_write_transaction(
                [action],
                "append",
                table.schema(),
                # no retry by deltalake: its conflict check lets two appends pass, which forks the chain
                commit_properties=CommitProperties(max_commit_retries=0),
                post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
            )
        except CommitFailedError:
            filesystem.delete_file(path)
            return False
        return True

    def _entries(self, table: DeltaTable) -> list[Entry]:
        """The entries of a version. A file never changes once it is in the log, so each is read once.

        Not by deltalake's dataset: its reading threads may still hold Python objects when a short job ends,
        and then abort the process.
        """
        paths = pa.table(table.get_add_actions()).column("path").to_pylist()
        for path in paths:
            if path not in self._known:
                filesystem, place = (self.place / path).filesystem()
                with filesystem.open_input_file(place) as file:
                    rows = pq.ParquetFile(file).read(use_threads=False).to_pylist()
                self._known[path] = [Entry(**row) for row in rows]
        found = (entry for path in paths for entry in self._known[path])
        return sorted(found, key=lambda entry: (entry.seq, entry.hash))

    def _open(self) -> DeltaTable | None:
        try:
            return DeltaTable(str(self.place), storage_options=dict(self.place.options.deltalake) or None)
        except TableNotFoundError:
            return None

    def _create(self) -> DeltaTable:
        try:
            return DeltaTable.create(
                str(self.place),
                SCHEMA,
                mode="error",
                configuration=CONFIGURATION,
                storage_options=dict(self.place.options.deltalake) or None,
            )
        except (CommitFailedError, DeltaError):
            table = self._open()  # another writer made it meanwhile
            if table is None:
                raise Operational(f"the ledger at {self.place} can't be made") from None
            return table


def _signed(seq: int, previous: str, at: str, kind: str, body: str, key: str) -> bytes:
    return canonical_json(
        {"seq": seq, "previous": previous, "at": at, "type": kind, "body": body, "key_id": key}
    )


def _head(entries: list[Entry]) -> Head:
    return Head(entries[-1].seq, entries[-1].hash) if entries else Head()


def _find(entries: list[Entry], kind: str, body: Mapping[str, Any]) -> Entry | None:
    wanted = json.loads(canonical_json(dict(body)))
    for entry in entries:
        if entry.type == kind:
            content = entry.content()
            if all(content.get(name) == value for name, value in wanted.items()):
                return entry
    return None


def chain_problems(
    entries: list[Entry], signers: Mapping[str, Pin], against: Head | None = None, after: Head | None = None
) -> list[str]:
    """What is wrong with a chain, or nothing: gaps, forks, altered entries, foreign signers, a lost head.

    `signers` are the pinned public keys by key id; `after` is the head that these entries go on from.
    """
    problems: list[str] = []
    before = after or Head()
    last = {name: _last_place(entries, pin) for name, pin in signers.items() if pin.ended is not None}
    for entry in entries:
        if entry.seq != before.seq + 1:
            problems.append(f"entry {entry.seq}: follows entry {before.seq}; allowed: {before.seq + 1}")
        if entry.previous != before.hash:
            problems.append(f"entry {entry.seq}: does not name the hash of the entry before it")
        if hashlib.sha256(entry.signed()).hexdigest() != entry.hash:
            problems.append(f"entry {entry.seq}: its content does not have its hash: it was altered")
        if entry.key_id not in signers:
            problems.append(f"entry {entry.seq}: signed by key {entry.key_id}, which is not pinned")
        elif not signed_by(signers[entry.key_id].public, entry.signed(), entry.signature):
            problems.append(f"entry {entry.seq}: its signature is not that of key {entry.key_id}")
        elif entry.seq > last.get(entry.key_id, entry.seq):
            problems.append(f"entry {entry.seq}: signed by key {entry.key_id}, which was ended before")
        before = Head(entry.seq, entry.hash)
    if against is not None and not holds(entries, against):
        problems.append(f"the ledger does not hold the head {against}: entries were replaced or are missing")
    return problems


def holds(entries: list[Entry], head: Head) -> bool:
    """True if the chain once ended in `head`."""
    return head == Head() or any(entry.seq == head.seq and entry.hash == head.hash for entry in entries)


def _last_place(entries: list[Entry], pin: Pin) -> int:
    """The last number at which an ended key's entries count in this chain."""
    heads = [Head.parse(one) for one in pin.ended or ()]
    return max((head.seq for head in heads if head.seq and holds(entries, head)), default=0)


def evidence_ledger(environment: Environment, clock: Clock = utc_now, *, write: bool = True) -> Ledger:
    """The ledger of all jobs but those of the source zone."""
    return _at(environment, environment.zone("evidence") / "ledger", clock, write)


def source_ledger(environment: Environment, clock: Clock = utc_now, *, write: bool = True) -> Ledger:
    """The source zone's own ledger, for generate and ingest."""
    return _at(environment, environment.zone("source") / "_ledger", clock, write)


def _at(environment: Environment, place: Location, clock: Clock, write: bool) -> Ledger:
    if not write:
        return Ledger(place, None, clock)
    signer = ledger_signer(environment)
    return Ledger(place, signer, clock, partial(may_sign, environment, signer), kept_head(environment, place))


def entries_and_loss(environment: Environment, ledger: Ledger) -> tuple[list[Entry], list[str]]:
    """The entries, and what is wrong where they do not hold the head that is kept beside the ledger's key."""
    kept = kept_head(environment, ledger.place)
    head = kept.read()
    entries = ledger.entries()
    return entries, [kept.lost(head)] if head is not None and not holds(entries, Head.parse(head)) else []


def trusted_entries(
    environment: Environment, ledger: Ledger, trusted: Sequence[Entry] = ()
) -> list[Entry]:
    """The entries of a ledger whose chain holds, to the head that is kept; Refused, with every problem, if not.

    Those that were `trusted` before, and still stand there, are not tried again.
    """
    entries, lost = entries_and_loss(environment, ledger)
    known = len(trusted) if entries[: len(trusted)] == list(trusted) else 0
    signers = pinned_signers(environment)
    problems = chain_problems(entries[known:], signers, after=_head(entries[:known])) + lost
    if problems:
        raise Refused("\n".join([f"the ledger at {ledger.place} is damaged:", *problems]))
    return entries
