"""Where record batches come from: row groups of Parquet files, an Arrow table, or any Spark DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.predicate import Predicate

# Synthetic columns that name a row by its place in the pinned version (row_key: row-number).
FILE, ROW = "__gamyeong_file", "__gamyeong_row"
PLACE_TYPES = {FILE: pa.string(), ROW: pa.int64()}
BATCH_ROWS = 131_072
UNIT_BYTES = 128 << 20
PILOT_ROWS = 1024


class Damaged(Exception):
    """A source file that can't be read: its name and the kind of trouble, never its content."""

    def __init__(self, file: str, kind: str) -> None:
        super().__init__(file, kind)
        self.file, self.kind = file, kind

    def __str__(self) -> str:
        return f"file {self.file} can't be read ({self.kind})"


class Unit(Protocol):
    """A piece of the source that one task works on."""

    @property
    def index(self) -> int:
        """Its number; units of one source count from 0."""

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Its rows, in batches of at most BATCH_ROWS, cast to the pinned schema."""

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        """A first few rows, to see how wide they are; None where that would cost a whole read."""


def conform(batch: pa.RecordBatch, schema: pa.Schema, columns: Sequence[str]) -> pa.RecordBatch:
    """Cast a batch, safely, to the pinned types: missing columns null, extra ones dropped, dictionaries decoded."""
    arrays, fields = [], []
    for name in columns:
        type_ = PLACE_TYPES[name] if name in PLACE_TYPES else schema.field(name).type
        fields.append(pa.field(name, type_))
        place = batch.schema.get_field_index(name)
        if place < 0:
            arrays.append(pa.nulls(batch.num_rows, type_))
            continue
        array = batch.column(place)
        if array.type != type_:
            if pa.types.is_dictionary(array.type):
                array = array.dictionary_decode()
            if pa.types.is_timestamp(array.type) and pa.types.is_timestamp(type_) and array.type.tz != type_.tz:
                array = array.cast(pa.timestamp(array.type.unit, tz=type_.tz))
            array = array.cast(type_)
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


@dataclass(frozen=True)
class SourceFile:
    """A data file of the pinned version, with the typed values of its partition columns.

    `path` is one of this machine, or lies in `store`, a file system of pyarrow's (which goes to tasks by pickle).
    """

    path: str
    partition_values: Mapping[str, Any] = field(default_factory=dict)
    store: Any = None

    @property
    def name(self) -> str:
        """The file's own name: all that errors tell of it."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Piece:
    """One row group of a file, and the place of its first row in it."""

    file: SourceFile
    row_group: int
    first_row: int
    rows: int


@dataclass(frozen=True)
class FileUnit:
    """Some row groups of Parquet files."""

    index: int
    pieces: tuple[Piece, ...]
    schema: pa.Schema

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        for piece in self.pieces:
            yield from self._piece(piece, columns, BATCH_ROWS)

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return next(self._piece(self.pieces[0], columns, PILOT_ROWS), None) if self.pieces else None

    def _piece(self, piece: Piece, columns: Sequence[str], size: int) -> Iterator[pa.RecordBatch]:
        stored = [c for c in columns if c not in (FILE, ROW) and c not in piece.file.partition_values]
        name = piece.file.name
        row = piece.first_row
        try:
            with open_parquet(piece.file) as file:
                held = set(file.schema_arrow.names)
                present = [c for c in stored if c in held]
                if present:
                    source: Iterable[Any] = file.iter_batches(
                        batch_size=size, row_groups=[piece.row_group], columns=present, use_threads=False
                    )
                else:
                    source = _empty_batches(piece.rows, size)
                for batch in source:
                    batch = _with_partition_values(batch, piece.file.partition_values, self.schema, columns)
                    batch = _with_place(batch, name, row, columns)
                    yield conform(batch, self.schema, columns)
                    row += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise Damaged(name, type(error).__name__) from None


def _empty_batches(rows: int, size: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, rows, size):
        yield pa.RecordBatch.from_arrays([pa.nulls(min(size, rows - start))], names=["\x00none"])


def _with_partition_values(
    batch: pa.RecordBatch, values: Mapping[str, Any], schema: pa.Schema, columns: Sequence[str]
) -> pa.RecordBatch:
    for name, value in values.items():
        if name in columns:
            scalar = pa.scalar(value, schema.field(name).type)
            batch = batch.append_column(name, pa.repeat(scalar, batch.num_rows))
    return batch


def _with_place(batch: pa.RecordBatch, name: str, row: int, columns: Sequence[str]) -> pa.RecordBatch:
    if FILE in columns:
        batch = batch.append_column(FILE, pa.repeat(pa.scalar(name), batch.num_rows))
    if ROW in columns:
        batch = batch.append_column(ROW, pa.array(range(row, row + batch.num_rows), pa.int64()))
    return batch


def open_parquet(file: SourceFile, dictionaries: Sequence[str] = ()) -> pq.ParquetFile:
    """A Parquet file, opened; INT96 timestamps in microseconds (nanoseconds would wrap in 2262).

    Text columns named in `dictionaries` are read as dictionaries, which the file mostly holds already.
    """
    as_they_are: dict[str, Any] = {"coerce_int96_timestamp_unit": "us", "read_dictionary": list(dictionaries)}
    if file.store is not None:
        return pq.ParquetFile(file.store.open_input_file(file.path), **as_they_are)
    return pq.ParquetFile(file.path, memory_map=False, **as_they_are)


@dataclass(frozen=True)
class TableUnit:
    """An Arrow table, in one piece or several: small data without Spark."""

    index: int
    table: pa.Table
    schema: pa.Schema
    first_row: int = 0

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        held = [c for c in columns if c in self.table.column_names]
        row = self.first_row
        for batch in (self.table.select(held) if held else self.table).to_batches(BATCH_ROWS):
            yield conform(_with_place(batch, "table", row, columns), self.schema, columns)
            row += batch.num_rows

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return None


@dataclass(frozen=True)
class StreamUnit:
    """The batches that Spark hands to a mapInArrow task, put together into larger ones."""

    index: int
    stream: Iterator[pa.RecordBatch]
    schema: pa.Schema

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        waiting: list[pa.RecordBatch] = []
        rows = 0
        for batch in self.stream:
            if not batch.num_rows:
                continue
            waiting.append(conform(batch, self.schema, columns))
            rows += batch.num_rows
            if rows >= BATCH_ROWS:
                yield pa.concat_batches(waiting)
                waiting, rows = [], 0
        if waiting:
            yield pa.concat_batches(waiting)

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return None


@dataclass(frozen=True)
class WindowedUnit:
    """A unit whose rows outside of a window (a period) are left out before anything else sees them."""

    inner: Unit
    window: Predicate

    @property
    def index(self) -> int:
        return self.inner.index

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        needed = [*columns, *sorted(self.window.columns() - set(columns))]
        for batch in self.inner.batches(needed):
            inside = pc.fill_null(self.window.evaluate({n: batch.column(n) for n in self.window.columns()}), False)
            yield batch.filter(inside).select(list(columns))

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return self.inner.pilot(columns)


def pack_units(
    files: Sequence[SourceFile], schema: pa.Schema, cores: int, unit_bytes: int = UNIT_BYTES
) -> list[FileUnit]:
    """Row groups packed by their size in Arrow: small files together, large ones apart, every core busy.

    The result depends on the files alone (and the number of cores): the facts' states belong to units.
    Errors: Damaged for a footer that can't be read.
    """
    with ThreadPoolExecutor(8) as pool:
        pieces = [piece for found in pool.map(_pieces, files) for piece in found]
    width = row_bytes(schema)
    sizes = [piece.rows * width for piece in pieces]
    total = sum(sizes)
    limit = max(1 << 20, min(unit_bytes, total // (2 * cores) + 1))
    count = -(-total // limit)
    # As many units as keep all cores busy to the end.
    count += -count % cores if count > 1 else 0
    units: dict[int, list[Piece]] = {}
    before = 0
    for piece, size in zip(pieces, sizes, strict=True):
        # A piece belongs where its middle lies on the way from the first to the last.
        units.setdefault((2 * before + size) * count // (2 * total), []).append(piece)
        before += size
    return [FileUnit(number, tuple(unit), schema) for number, unit in enumerate(units.values())]


def _pieces(file: SourceFile) -> list[Piece]:
    try:
        with open_parquet(file) as parquet:
            metadata = parquet.metadata
            pieces, first = [], 0
            for group in range(metadata.num_row_groups):
                rows = metadata.row_group(group).num_rows
                if rows:
                    pieces.append(Piece(file, group, first, rows))
                first += rows
            return pieces
    except (pa.ArrowException, OSError) as error:
        raise Damaged(file.name, type(error).__name__) from None


def row_bytes(schema: pa.Schema) -> int:
    """A row's width in Arrow as the types tell it; text counts 24 bytes."""
    widths = 0
    for type_ in schema.types:
        try:
            widths += max(1, type_.bit_width // 8)
        except ValueError:
            widths += 24
    return max(1, widths)
