"""CSV: a header, then records; cells may be quoted and hold line ends (RFC 4180)."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv

from jobs.errors import BadInput
from jobs.formats.common import Batches, Options, Problems, Survey, checked_names
from jobs.formats.pieces import Piece, Utf8, pieces
from jobs.formats.typed import first_misfit, inferred, typed
from jobs.storage import Location

SUFFIXES = (".csv", ".tsv", ".txt")


def survey(files: list[Location], options: Options) -> Survey:
    """Columns by the first file's header, types by its first records; every file must have that header."""
    headers, units = [], []
    for file in files:
        parts = pieces(file, quote=b'"')
        if not parts:
            raise BadInput(f"{file}: an empty file; allowed: a header and records")
        names, size = _header(parts[0], options)
        headers.append(checked_names(names, file))
        for part in parts:
            start = part.start + (size if part is parts[0] else 0)
            line = part.line + (part is parts[0])
            if part.end > start:
                units.append({"file": str(file), "start": start, "end": part.end, "line": line})
    for file, names in zip(files, headers, strict=True):
        if names != headers[0]:
            raise BadInput(f"{file}: its header differs from that of {files[0]}; allowed: one header for all")
    return Survey(_types(headers[0], units, options), [{**unit, "names": headers[0]} for unit in units])


def read(unit: dict[str, Any], schema: pa.Schema, options: Options) -> Batches:
    """The records of one unit in `schema`. Problems for records of another length and cells that misfit."""
    record = 0
    bad_rows: list[str] = []
    for batch in _texts(unit, options, bad_rows):
        problems = list(bad_rows)
        columns = []
        for field in schema:
            texts = batch.column(field.name)
            try:
                columns.append(typed(texts, field.type, options.time_zone))
            except (pa.ArrowInvalid, ValueError):
                at = first_misfit(texts, field.type, options.time_zone) or 0
                problems.append(f"{_place(unit, record + at)}, column {field.name}: {misfit(field.type)}")
        if problems:
            raise Problems(problems)
        record += batch.num_rows
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
    if bad_rows:
        raise Problems(bad_rows)


def misfit(type_: pa.DataType) -> str:
    """What to say of a cell that isn't of its column's type."""
    hint = ""
    if type_ == pa.timestamp("us", "UTC"):
        hint = " (ISO 8601 with its offset, or wall clock time with --time-zone)"
    elif type_ == pa.timestamp("us"):
        hint = " (ISO 8601 without offset)"
    return f"a cell that is no {type_}{hint}; allowed: such cells alone, or another type by --schema"


def _texts(unit: dict[str, Any], options: Options, bad_rows: list[str]) -> Batches:
    """All cells as texts. Records of another length are told in `bad_rows` (their texts are never kept)."""

    def handler(row: Any) -> str:
        found = f"{row.actual_columns} cells; allowed: {row.expected_columns}"
        bad_rows.append(
            f"{_place(unit, row.number - 1)}: {found}" if row.number else f"{unit['file']}: {found}"
        )
        return "skip"

    names = unit["names"]
    piece = Piece(Location.of(unit["file"]), unit["start"], unit["end"], unit["line"])
    with Utf8(piece, options.encoding) as stream:
        reader = pacsv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pacsv.ReadOptions(column_names=names, block_size=2 * 2**20, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=options.delimiter,
                newlines_in_values=True,
                invalid_row_handler=handler,
                ignore_empty_lines=len(names) > 1,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in names},
                null_values=list(options.nulls),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        yield from reader


def _place(unit: dict[str, Any], record: int) -> str:
    return f"{unit['file']}, record {record + 1} from line {unit['line']}"


def _header(piece: Piece, options: Options) -> tuple[list[str], int]:
    """Names and length in bytes of the first record."""
    with Utf8(piece, options.encoding) as stream:
        start = b""
        while (more := stream.read(2**16)) and b"\n" not in start:
            start += more
        start += more
    text = io.StringIO(start.decode(errors="ignore"), newline="")
    names = next(csv.reader(text, delimiter=options.delimiter), [])
    return names, len(text.getvalue()[: text.tell()].encode(options.encoding))


def _types(names: list[str], units: list[dict[str, Any]], options: Options) -> dict[str, pa.DataType]:
    if not units:
        return {name: pa.string() for name in names}
    bad_rows: list[str] = []
    sample = next(iter(_texts({**units[0], "names": names}, options, bad_rows)), None)
    if sample is None:
        if bad_rows:
            raise Problems(bad_rows)
        return {name: pa.string() for name in names}
    return {name: inferred(sample.column(name), options.time_zone) for name in names}
