"""JSON lines: one object a line; a key that a line doesn't have is null."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.json as pajson

from jobs.formats.common import Batches, Options, Problems, Survey, allowed_types, checked_names
from jobs.formats.delimited import misfit
from jobs.formats.pieces import Piece, Utf8, pieces
from jobs.formats.typed import first_misfit, inferred, typed
from jobs.storage import Location, parsed

SUFFIXES = (".jsonl", ".ndjson", ".json")
SAMPLE = 4 * 2**20
BLOCK = 2 * 2**20


def survey(files: list[Location], options: Options) -> Survey:
    """Columns and types by the first megabytes of the first file; nested ones are BadInput."""
    units = [
        {"file": str(file), "start": part.start, "end": part.end, "line": part.line}
        for file in files
        for part in pieces(file)
    ]
    return Survey(_types(units[0], options) if units else {}, units)


def read(unit: dict[str, Any], schema: pa.Schema, options: Options) -> Batches:
    """The lines of one unit in `schema`. Problems for no JSON, unknown keys and values that don't fit."""
    line = unit["line"]
    with Utf8(_piece(unit), options.encoding) as stream:
        for lines in _blocks(stream):
            columns, problems = [], []
            table = _parsed(lines, _carrier(schema), unit, line)
            for field in schema:
                column = table.column(field.name).combine_chunks()
                column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
                try:
                    columns.append(typed(column, field.type, options.time_zone))
                except (pa.ArrowInvalid, ValueError):
                    at = first_misfit(column, field.type, options.time_zone) or 0
                    problems.append(f"{unit['file']}, line {line + at}, column {field.name}: {misfit(field.type)}")
            if problems:
                raise Problems(problems)
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            line += lines.count(b"\n")


def _carrier(schema: pa.Schema) -> pa.Schema:
    """The types that JSON itself has; the others come as text."""
    return pa.schema([pa.field(f.name, f.type if _own(f.type) else pa.string()) for f in schema])


def _own(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_boolean(type_))


def _parsed(lines: bytes, schema: pa.Schema, unit: dict[str, Any], line: int) -> pa.Table:
    try:
        return pajson.read_json(
            io.BytesIO(lines),
            read_options=pajson.ReadOptions(use_threads=False, block_size=len(lines) + 1),
            parse_options=pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Problems(_explained(lines, schema, unit["file"], line)) from None


def _explained(lines: bytes, schema: pa.Schema, file: str, line: int) -> list[str]:
    """What is wrong with the first lines that are: found by plain Python, for its words hold no values."""
    problems: list[str] = []
    for number, text in enumerate(lines.split(b"\n"), line):
        if not text.strip():
            continue
        try:
            found = parsed(text)
        except ValueError:
            problems.append(f"{file}, line {number}: no JSON; allowed: one object a line")
            continue
        if not isinstance(found, dict):
            problems.append(f"{file}, line {number}: no JSON object; allowed: one object a line")
            continue
        for key, value in found.items():
            if key not in schema.names:
                known = ", ".join(schema.names[:12])
                problems.append(f"{file}, line {number}: a key that is no column; allowed: {known} …")
            elif problem := _mismatch(value, schema.field(key).type):
                problems.append(f"{file}, line {number}, column {key}: {problem}")
        if len(problems) > 5:
            break
    return problems or [f"{file}, from line {line}: a number or text that its column's type can't hold"]


def _mismatch(value: object, type_: pa.DataType) -> str | None:
    kinds: dict[type, str] = {dict: "an object", list: "an array", str: "text", bool: "true or false",
                              int: "a number", float: "a number"}  # fmt: skip
    if value is None:
        return None
    fits = (
        (type(value) is bool and pa.types.is_boolean(type_))
        or (type(value) is str and pa.types.is_string(type_))
        or (type(value) is int and (pa.types.is_integer(type_) or pa.types.is_floating(type_)))
        or (type(value) is float and pa.types.is_floating(type_))
    )
    return None if fits else f"{kinds[type(value)]}; allowed: {type_} (nested items as columns of their own)"


def _blocks(stream: Utf8) -> Any:
    """Whole lines, some megabytes at a time."""
    rest = b""
    while block := stream.read(BLOCK):
        cut = block.rfind(b"\n") + 1
        if cut:
            yield rest + block[:cut]
            rest = block[cut:]
        else:
            rest += block
    if rest.strip():
        yield rest + b"\n"


def _piece(unit: dict[str, Any]) -> Piece:
    return Piece(Location.of(unit["file"]), unit["start"], unit["end"], unit["line"])


def _types(unit: dict[str, Any], options: Options) -> dict[str, pa.DataType]:
    with Utf8(_piece(unit), options.encoding) as stream:
        lines = next(_blocks(stream), b"\n")
    file = Location.of(unit["file"])
    try:
        read_options = pajson.ReadOptions(use_threads=False, block_size=len(lines) + 1)
        sample = pajson.read_json(io.BytesIO(lines), read_options=read_options)
    except pa.ArrowInvalid:
        raise Problems(_explained(lines, _first_seen(lines), unit["file"], unit["line"])) from None
    checked_names(sample.schema.names, file)
    # a column of dates comes as Arrow's own guess: its texts are looked at again, by our rules
    plain = {f.name: pa.string() if _text_like(f.type) else f.type for f in sample.schema}
    types = allowed_types(plain, file)
    texts = [name for name, type_ in types.items() if type_ == pa.string()]
    again = pajson.read_json(
        io.BytesIO(lines),
        read_options=read_options,
        parse_options=pajson.ParseOptions(
            explicit_schema=pa.schema([(name, pa.string()) for name in texts]),
            unexpected_field_behavior="ignore",
        ),
    )
    for name in texts:
        column = pa.chunked_array(again.column(name)).combine_chunks()
        types[name] = inferred(column, options.time_zone, numbers=False)
    return types


def _first_seen(lines: bytes) -> pa.Schema:
    """For an explanation: each key with the type of its first value (numbers as one type)."""
    types: dict[type, pa.DataType] = {bool: pa.bool_(), int: pa.float64(), float: pa.float64()}
    seen: dict[str, pa.DataType] = {}
    for text in lines.split(b"\n"):
        try:
            found = parsed(text)
        except ValueError:
            continue
        if isinstance(found, dict):
            for key, value in found.items():
                if value is not None:
                    seen.setdefault(key, types.get(type(value), pa.string()))
    return pa.schema(list(seen.items()))


def _text_like(type_: pa.DataType) -> bool:
    return bool(pa.types.is_temporal(type_) or pa.types.is_null(type_) or pa.types.is_string(type_))
