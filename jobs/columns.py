"""The closed list of column types, and how what comes from outside is brought to it."""

from __future__ import annotations

import re

import pyarrow as pa

from transforms.column_types import ALLOWED, PLAIN, is_allowed

__all__ = ["ALLOWED", "brought_in", "is_allowed", "named_type", "type_problems"]

_WIDER = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
}
_NAMES = {
    "boolean": pa.bool_(), "bool": pa.bool_(), "int8": pa.int8(), "byte": pa.int8(), "int16": pa.int16(),
    "short": pa.int16(), "int32": pa.int32(), "int": pa.int32(), "integer": pa.int32(), "int64": pa.int64(),
    "long": pa.int64(), "bigint": pa.int64(), "float32": pa.float32(), "float": pa.float32(),
    "float64": pa.float64(), "double": pa.float64(), "string": pa.string(), "binary": pa.binary(),
    "date": pa.date32(), "date32": pa.date32(), "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}  # fmt: skip
_DECIMAL = re.compile(r"decimal(?:128)?\(\s*(\d+)\s*,\s*(\d+)\s*\)")


def brought_in(type_: pa.DataType) -> pa.DataType | None:
    """The type of the closed list that holds all values of `type_`; None where there is none (nested …).

    Kept: every value. A timestamp in nanoseconds becomes microseconds; a cell that would lose digits is
    found when it is cast.
    """
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return brought_in(type_.value_type)
    if pa.types.is_timestamp(type_):
        return pa.timestamp("us", "UTC") if type_.tz else pa.timestamp("us")
    if pa.types.is_decimal(type_):
        return pa.decimal128(type_.precision, type_.scale) if type_.precision <= 38 else None
    return type_ if type_ in PLAIN else _WIDER.get(type_)


def named_type(name: str) -> pa.DataType | None:
    """The type of a name as users write it (`long`, `decimal(12, 2)`, `timestamp_ntz`), else None."""
    text = name.strip().lower()
    if found := _DECIMAL.fullmatch(text):
        precision, scale = int(found[1]), int(found[2])
        return pa.decimal128(precision, scale) if 1 <= precision <= 38 and scale <= precision else None
    return _NAMES.get(text)


def type_problems(schema: pa.Schema, table: str) -> list[str]:
    """One text per column whose type is not on the closed list; nested columns get advice of their own."""
    problems = []
    for field in schema:
        if is_allowed(field.type):
            continue
        nested = pa.types.is_nested(field.type)
        advice = "; flatten nested columns to one column per item before" if nested else ""
        kind = "nested" if nested else str(field.type)
        problems.append(f"{table}, column {field.name}: type {kind}; allowed: {ALLOWED}{advice}")
    return problems
