"""All that a role can read: the bytes of its zones and inbox, cells of its Parquet files, packages that it can open."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.combination import entries
from jobs.combination.packages import received, senders
from jobs.combination.salts import LINK_SALT, join_salt
from jobs.combination.secret_store import series_secret

from .reference import key_of
from .world import ROUNDS, happened
from .year import Year

KINDS = ("application", "receipt", "salt", "proof", "keys", "duplicates", "attributes", "linking", "void", "export")
SHORTEST = 16


def held(year: Year, role: str, round_: str) -> bytes:
    """Everything, one after the other."""
    return b"\n".join(_held(year, role, round_))


def _held(year: Year, role: str, round_: str) -> Iterator[bytes]:
    environment = year.roles[role]
    folders = [zone.local for zone in environment.zones.values()]
    folders += [environment.exchange.inbox.local, environment.scratch]
    files = [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        yield content
        if content[:4] == content[-4:] == b"PAR1":
            yield from _cells(pq.ParquetFile(path).read())
    entries.forget()
    for kind in KINDS:
        for sender in senders(environment, year.combination, round_, kind):  # type: ignore[arg-type]
            package = received(environment, year.combination, round=round_, kind=kind, sender=sender)  # type: ignore[arg-type]
            assert package is not None
            yield json.dumps(dict(package.content), ensure_ascii=False).encode()
            for label in package.manifest.labels:
                yield from _cells(package.table(label))


def _cells(table: pa.Table) -> Iterator[bytes]:
    yield " ".join(table.schema.names).encode()
    for column in table.columns:
        for cell in column.to_pylist():
            yield cell if isinstance(cell, bytes) else str(cell).encode()


def written(secret: bytes) -> list[bytes]:
    """A secret as it might stand in a file: raw, hex, base64."""
    assert len(secret) >= SHORTEST
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)]


def salts(year: Year) -> list[bytes]:
    """S, and what L and S are made from, as the key agency has them."""
    agency = year.roles["KMA"]
    stored = [series_secret(agency, year.combination, one).reveal() for one in ("join-salt", LINK_SALT)]
    return [join_salt(agency, year.combination).reveal(), *stored]


def join_keys(salt: bytes) -> set[bytes]:
    """Join keys of everybody by the guideline's order (L1385): name, phone, birth, salt; SHA-256."""
    keys = {key for party in "ABC" for name in ROUNDS for row in happened(party, name) if (key := key_of(row))}
    return {hashlib.sha256("".join(key).encode() + salt).digest() for key in keys}


def found(haystack: bytes, needles: Iterable[bytes]) -> int:
    """How many of the needles (eight bytes or more) are in it. One pass: their first eight bytes are looked for."""
    wanted = list(needles)
    starts = np.unique(np.frombuffer(b"".join(one[:8] for one in wanted), np.uint64))
    places: set[int] = set()
    for offset in range(8):
        words = np.frombuffer(haystack, np.uint64, (len(haystack) - offset) // 8, offset)
        places |= {int(one) * 8 + offset for one in np.flatnonzero(np.isin(words, starts))}
    return sum(any(haystack.startswith(needle, place) for place in places) for needle in wanted) if places else 0


def inbox_kinds(year: Year, role: str, round_: str) -> set[str]:
    """Kinds of packages that lie in a role's inbox."""
    place: Path = year.roles[role].exchange.inbox.local / "year" / round_
    return {one.name for one in place.iterdir()} if place.is_dir() else set()
