"""Rows of a Delta table into the sealed files of a package, by tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.combination.engines import failed
from jobs.combination.sealed_files import PackedFile, Sealer
from jobs.errors import Operational
from jobs.tables import FileEntry
from transforms.pipeline.engine import Engine, PassFailed
from transforms.pipeline.feed import Damaged, FileUnit, Unit, pack_units

FILE_BYTES = 64 << 20
# Units are dealt to as many tasks; a cluster with more cores gets smaller ones only where they are large.
CORES = 8


@dataclass(frozen=True)
class SealRows:
    """Task: a unit's rows as sealed files of the table `label`; what comes out are the files' names and counts.

    `names`: the package's columns, in order, and the table's that they are made of. `chosen`: of the column `by`, the
    values whose rows are taken (None: all rows).
    """

    sealer: Sealer
    label: str
    names: Mapping[str, str]
    by: str = ""
    chosen: pa.Array | None = None

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        waiting: list[pa.RecordBatch] = []
        size = 0
        for batch in unit.batches(list(self.names.values())):
            if self.chosen is not None:
                batch = batch.filter(pc.is_in(batch.column(self.by), value_set=self.chosen))
            if batch.num_rows:
                waiting.append(batch.rename_columns(list(self.names)))
                size += batch.nbytes
            if size >= FILE_BYTES:
                yield self._file(waiting)
                waiting, size = [], 0
        if waiting:
            yield self._file(waiting)

    def _file(self, batches: list[pa.RecordBatch]) -> bytes:
        return json.dumps(asdict(self.sealer.write(pa.Table.from_batches(batches), self.label))).encode()


def units_of(files: Sequence[FileEntry], schema: pa.Schema, cores: int = CORES) -> list[FileUnit]:
    """A pinned table's files as units; Operational where one can't be read."""
    plain = pa.schema([pa.field(field.name, field.type) for field in schema])
    try:
        return pack_units([file.source for file in files], plain, cores)
    except Damaged as damaged:
        raise Operational(f"{damaged}: the table is no longer whole; restore it") from None


def sealed(engine: Engine, task: SealRows, schema: pa.Schema) -> list[PackedFile]:
    """The files that the task makes of all units; one without rows where there are none."""
    try:
        found = [packed(blob) for blob in engine.each(task, f"seal {task.label}")]
    except PassFailed as error:
        raise failed(error) from None
    if found:
        return found
    fields = [pa.field(name, schema.field(column).type) for name, column in task.names.items()]
    return [task.sealer.write(pa.schema(fields).empty_table(), task.label)]


def packed(blob: bytes) -> PackedFile:
    """A file as its task told of it."""
    told: dict[str, Any] = json.loads(blob)
    return PackedFile(**told)
