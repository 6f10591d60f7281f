"""Sealed Parquet files: written and read inside Spark tasks, so that rows never lie anywhere unencrypted.

A file is one Parquet file, sealed as a whole (AES-256-GCM, a nonce of its own, `jobs.additional.sealed`) under its
package's data key and bound to the package's and the file's name: it opens nowhere else. Tasks get the key in a
broadcast; what comes back to the driver is a `PackedFile`: name, rows, bytes and hash, never a cell.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.exceptions import InvalidTag

from jobs import additional
from jobs.combination.shares import opened
from jobs.names import folder_name
from jobs.parquet import WRITE_OPTIONS
from jobs.storage import unique_name
from transforms.derivation import Secret
from transforms.pipeline.feed import BATCH_ROWS, PILOT_ROWS, Damaged, conform

ENDING = ".parquet.sealed"
# Random bytes neither repeat nor compress: trying costs time alone.
_RANDOM: dict[str, Any] = {"compression": "none", "compression_level": None, "use_dictionary": False}


@dataclass(frozen=True)
class PackedFile:
    """A sealed file of a package: which of its tables it belongs to, rows, bytes, SHA-256 of the sealed bytes."""

    name: str
    label: str
    rows: int
    bytes: int
    sha256: str
    schema: str


@dataclass(frozen=True)
class Sealer:
    """Writes sealed files of one package; goes into tasks by broadcast only (it holds the data key)."""

    place: str
    package: str
    key: Secret

    def write(self, table: pa.Table, label: str = "rows", *, random: bool = False) -> PackedFile:
        """Writes one file of the table `label`, under a name that no other attempt has.

        Several files may have one label: they make up one table and have one schema. Keep a table under some
        128 MB; `random` for columns of random bytes (keys, serials), which don't compress.
        """
        sink = pa.BufferOutputStream()
        options = {**WRITE_OPTIONS, **(_RANDOM if random else {}), "store_schema": True}
        schema = table.schema.remove_metadata()
        pq.write_table(table.replace_schema_metadata(None), sink, row_group_size=max(1, table.num_rows), **options)
        name = f"{folder_name(label)}-{unique_name()}{ENDING}"
        parts = additional.sealed_parts(memoryview(sink.getvalue()).cast("B"), self.key, self.package, name)
        digest = hashlib.sha256()
        descriptor = os.open(Path(self.place) / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            for part in parts:
                digest.update(part)
                file.write(part)
        size = sum(map(len, parts))
        return PackedFile(name, label, table.num_rows, size, digest.hexdigest(), schema_text(schema))


@dataclass(frozen=True)
class SealedUnit:
    """Some sealed files of one table, opened and decrypted inside the task that reads them (a feed's Unit).

    Damaged where a file is missing, was altered, or has other columns than its manifest says.
    """

    index: int
    place: str
    package: str
    files: tuple[str, ...]
    key: Secret
    schema: pa.Schema

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Their rows, in batches of at most BATCH_ROWS."""
        for name in self.files:
            yield from self._file(name, columns, BATCH_ROWS)

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        """A first few rows."""
        return next(self._file(self.files[0], columns, PILOT_ROWS), None) if self.files else None

    def _file(self, name: str, columns: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        try:
            with opened(Path(self.place) / name) as file:
                content = file.read()
            plain = additional.opened(content, self.key, self.package, name)
            with pq.ParquetFile(pa.BufferReader(plain)) as file:
                if not file.schema_arrow.remove_metadata().equals(self.schema):
                    raise Damaged(name, "other columns than its manifest says")
                for batch in file.iter_batches(batch_size=size, columns=list(columns), use_threads=False):
                    yield conform(batch, self.schema, columns)
        except InvalidTag:
            raise Damaged(name, "tampered with, or of another package") from None
        except (pa.ArrowException, OSError) as error:
            raise Damaged(name, type(error).__name__) from None


def schema_text(schema: pa.Schema) -> str:
    """An Arrow schema as text for a manifest (base64 of its IPC message)."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def schema_from(text: str) -> pa.Schema:
    """The schema again; ValueError for anything else."""
    try:
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text, validate=True)))
    except (pa.ArrowException, OSError):
        raise ValueError("no schema") from None
