"""The vault (토큰 대응표): from each token of a column back to its id; additional information (추가정보), encrypted.

Only a plan that says `additional_information: {keep: …}` may have one (`tokenization: {vault: true}`). It lies in
the run's folder of the additional-information zone:

    vault/index.json.sealed                      {"format": 1, "files": {TABLE: {COLUMN: [NAME, …]}}}
    vault/<table>/<column>/00000.arrow.sealed    one file for each bucket of tokens, named in the index

Each file is sealed as `jobs.additional` seals all that a run keeps: 12 bytes of nonce, the ciphertext, 16 bytes
of tag; AES-256-GCM under the subkey of the run's secret for the file's name (the path above without ".sealed"),
bound to run and name. So `additional.unseal(folder, record, name, target)` opens it, and whoever destroys the run's
secret destroys the vault. Within is an Arrow IPC stream (lz4) with the columns `token` (text) and `value` (the
id's own type, text in NFC): one row for each distinct token, sorted by token. Tasks write ciphertext alone.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from jobs import additional
from jobs.errors import BadInput
from jobs.names import folder_name
from jobs.runs import RunFolder, RunRecord
from jobs.storage import Location, write_atomically
from transforms.derivation import Secret
from transforms.pipeline.engine import Engine
from transforms.pipeline.run import Prepared
from transforms.pipeline.transform import to_blob
from transforms.pipeline.vault import VaultMap, VaultReduce, bucket_count, vaults
from transforms.run_keys import RunKeys

FOLDER, INDEX = "vault", "vault/index.json"
Files = Mapping[str, Mapping[str, list[str]]]


@dataclass(frozen=True)
class SealedSink:
    """Seals a bucket's entries in the task and writes them under the bucket's name; yields that name."""

    place: Location
    run: str
    names: tuple[str, ...]
    keys: tuple[Secret, ...]

    def __call__(self, bucket: int, entries: pa.Table) -> Iterator[bytes]:
        content = b"".join(to_blob(batch).to_pybytes() for batch in entries.combine_chunks().to_batches()[:1])
        name = self.names[bucket]
        _write(self.place, name, additional.sealed(content, self.keys[bucket], self.run, name))
        yield name.encode()


def write(folder: RunFolder, prepared: Prepared, engine: Engine, keys: RunKeys) -> dict[str, list[str]]:
    """Writes the vaults of one table; the names of their files by column (none where it has no vault).

    PassFailed where two ids share a token.
    """
    table = prepared.work.table
    columns = [chain.name for chain in vaults(table)]
    if not columns:
        return {}
    buckets = bucket_count(prepared.rows)
    names = tuple(
        f"{FOLDER}/{folder_name(table.name)}/{folder_name(column)}/{bucket:05d}.arrow"
        for column in columns
        for bucket in range(buckets)
    )
    sealing = tuple(additional.file_key(keys.secret, keys.organisation, keys.run, keys.recipient, n) for n in names)
    sink = SealedSink(folder.additional, keys.run, names, sealing)
    map_ = VaultMap(prepared.work, buckets)
    found = {blob.decode() for blob in engine.shuffle(map_, VaultReduce(sink), len(names), "vault of tokens")}
    return {
        column: [name for name in names[place * buckets : (place + 1) * buckets] if name in found]
        for place, column in enumerate(columns)
    }


def write_index(folder: RunFolder, keys: RunKeys, files: Files) -> None:
    """Seals the list of a run's vault files; nothing where there are none."""
    named = {table: columns for table, columns in files.items() if columns}
    if named:
        content = json.dumps({"format": 1, "files": named}, ensure_ascii=False).encode()
        key = additional.file_key(keys.secret, keys.organisation, keys.run, keys.recipient, INDEX)
        _write(folder.additional, INDEX, additional.sealed(content, key, keys.run, INDEX))


def entries(folder: RunFolder, record: RunRecord, table: str, column: str) -> Iterator[pa.Table]:
    """All entries of a column's vault (`token`, `value`), file by file.

    BadInput where the column has none; Operational where a file is missing or was altered.
    """
    files: Files = json.loads(_read(folder, record, INDEX))["files"]
    if column not in files.get(table, {}):
        known = ", ".join(f"{name}.{one}" for name, columns in files.items() for one in columns)
        raise BadInput(f"no vault of column {column!r} of table {table!r}; allowed: {known}")
    for name in files[table][column]:
        yield pa.ipc.open_stream(_read(folder, record, name)).read_all()


def lookup(folder: RunFolder, record: RunRecord, table: str, column: str, tokens: pa.Array) -> pa.Array:
    """The id of each token, null for a token that is none of the column's (and for null)."""
    found: pa.Array | None = None
    for part in entries(folder, record, table, column):
        places = pc.index_in(tokens, value_set=part.column("token").combine_chunks(), skip_nulls=True)
        values = part.column("value").combine_chunks().take(places)
        found = values if found is None else pc.coalesce(found, values)
    return pa.nulls(len(tokens)) if found is None else found


def _read(folder: RunFolder, record: RunRecord, name: str) -> bytes:
    content = io.BytesIO()
    additional.unseal(folder, record, name, content.write)
    return content.getvalue()


def _write(place: Location, name: str, content: bytes) -> None:
    target = place / f"{name}{additional.SEALED}"
    if target.is_local:
        write_atomically(target.local, content)
        return
    filesystem, path = target.filesystem()
    with filesystem.open_output_stream(path) as file:
        file.write(content)
