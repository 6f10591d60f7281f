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
from transforms.arrow import one_chunk

SUFFIXES = (".csv", ".tsv", ".txt")
SAMPLE = 20_000


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
    table, problems = _texts(unit, options)
    columns = []
    for field in schema:
        texts = one_chunk(table.column(field.name))
        try:
            columns.append(typed(texts, field.type, options.time_zone))
        except (pa.ArrowInvalid, ValueError):
            at = first_misfit(texts, field.type, options.time_zone) or 0
            problems.append(f"{_place(unit, at)}, column {field.name}: {misfit(field.type)}")
    if problems:
        raise Problems(problems)
    yield pa.RecordBatch.from_arrays(columns, schema=schema)


def misfit(type_: pa.DataType) -> str:
    """What to say of a cell that isn't of its column's type."""
    hint = ""
    if type_ == pa.timestamp("us", "UTC"):
        hint = " (ISO 8601 with its offset, or wall clock time with --time-zone)"
    elif type_ == pa.timestamp("us"):
        hint = " (ISO 8601 without offset)"
    return f"a cell that is no {type_}{hint}; allowed: such cells alone, or another type by --schema"


def _texts(unit: dict[str, Any], options: Options) -> tuple[pa.Table, list[str]]:
    """All cells as texts, and what to say of records of another length (their texts are never kept)."""
    problems: list[str] = []

    def handler(row: Any) -> str:
        problems.append(f"{_place(unit, row.number - 1)}: {row.actual_columns} cells; allowed: {len(names)}")
        return "skip"

    names = unit["names"]
    piece = Piece(Location.of(unit["file"]), unit["start"], unit["end"], unit["line"])
    with Utf8(piece, options.encoding) as stream:
        text = stream.readall()
    table = pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
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
    return table, problems


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
    table, _ = _texts({**units[0], "names": names}, options)  # `read` will tell all that is wrong
    sample = table.slice(0, SAMPLE)
    return {name: inferred(one_chunk(sample.column(name)), options.time_zone) for name in names}
