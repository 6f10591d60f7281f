"""Parquet files as all our tables hold them: no statistics, no metadata, row groups of bounded size."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.storage import Location, unique_name

ROW_GROUP_BYTES = 128 * 2**20
FILE_BYTES = 2**30
# statistics and the stored Arrow schema would tell values, and the names of columns that are left out
WRITE_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 1,
    "write_statistics": False,
    "store_schema": False,
}


@dataclass(frozen=True)
class NewFile:
    """A Parquet file to commit: path below the table, size in bytes, rows, partition values as text."""

    path: str
    size: int
    rows: int
    partition: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def stats(self) -> str:
        """What Delta's log may know of the file: the number of rows alone."""
        return json.dumps({"numRecords": self.rows})


class ParquetSink:
    """Writes record batches to one or more files below `table/folder`, under names no other attempt has.

    Takes batches of `schema`; holds at most one row group (`row_group_bytes` of Arrow) in memory, and
    begins a new file after `file_bytes` of Arrow. `close()` gives the files; in a `with` that ends in an
    error, all files written are deleted.
    """

    def __init__(
        self,
        table: Location,
        folder: str,
        schema: pa.Schema,
        *,
        row_group_bytes: int = ROW_GROUP_BYTES,
        file_bytes: int = FILE_BYTES,
    ) -> None:
        self._table, self._folder = table, folder
        self._schema = schema.remove_metadata()
        self._row_group_bytes, self._file_bytes = row_group_bytes, file_bytes
        self._waiting: list[pa.RecordBatch] = []
        self._bytes = self._in_file = self._rows = 0
        self._path: str | None = None
        self._writer: pq.ParquetWriter | None = None
        self.files: list[NewFile] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Takes one batch; it is written once a row group is full."""
        if batch.num_rows == 0:
            return
        self._waiting.append(batch)
        self._bytes += batch.nbytes
        if self._bytes >= self._row_group_bytes:
            self.end_row_group()

    def end_row_group(self) -> None:
        """Writes what waits as one row group."""
        if not self._waiting:
            return
        group = pa.Table.from_batches(self._waiting, self._schema)
        if self._writer is None:
            self._open()
        assert self._writer is not None
        self._writer.write_table(group, row_group_size=max(1, group.num_rows))
        self._rows += group.num_rows
        self._in_file += self._bytes
        self._waiting, self._bytes = [], 0
        if self._in_file >= self._file_bytes:
            self._end_file()

    def close(self) -> list[NewFile]:
        """Writes the rest; the files written. No batch, no file."""
        self.end_row_group()
        self._end_file()
        return self.files

    def abandon(self) -> None:
        """Deletes whatever was written."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for path in [file.path for file in self.files] + ([self._path] if self._path else []):
            (self._table / path).delete()

    def __enter__(self) -> ParquetSink:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.abandon()

    def _open(self) -> None:
        self._path = f"{self._folder}/{unique_name()}.parquet"
        filesystem, path = (self._table / self._path).filesystem()
        filesystem.create_dir(path.rsplit("/", 1)[0], recursive=True)
        self._writer = pq.ParquetWriter(path, self._schema, filesystem=filesystem, **WRITE_OPTIONS)

    def _end_file(self) -> None:
        if self._writer is None or self._path is None:
            return
        self._writer.close()
        filesystem, path = (self._table / self._path).filesystem()
        self.files.append(NewFile(self._path, int(filesystem.get_file_info(path).size), self._rows))
        self._writer, self._path, self._rows, self._in_file = None, None, 0, 0


def write_batches(
    table: Location, folder: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> list[NewFile]:
    """All batches into files below `table/folder`; on an error nothing stays."""
    with ParquetSink(table, folder, schema) as sink:
        for batch in batches:
            sink.write(batch)
        return sink.close()
