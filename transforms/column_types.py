"""The closed list of types that columns may have, in a source and delivered."""

from __future__ import annotations

import re

import pyarrow as pa

from transforms.errors import TechniqueError

ALLOWED = "bool, int8 … int64, float, double, decimal, string, binary, date, timestamp[us] with UTC or no zone"
PLAIN = (
    pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(),
    pa.binary(), pa.date32(), pa.timestamp("us", "UTC"), pa.timestamp("us"),
)  # fmt: skip


def is_allowed(type_: pa.DataType) -> bool:
    """Is it a type that Spark, DuckDB and Polars all read back from Delta as it was written?"""
    return type_ in PLAIN or pa.types.is_decimal128(type_)


def type_of_text(text: str) -> pa.DataType | None:
    """The type on the list that Arrow writes so (`int64`, `timestamp[us, tz=UTC]`, `decimal128(12, 2)`), else None."""
    if found := re.fullmatch(r"decimal128\((\d+), (-?\d+)\)", text):
        return pa.decimal128(int(found[1]), int(found[2]))
    return next((one for one in PLAIN if str(one) == text), None)


def check_output_type(type_: pa.DataType) -> None:
    """Raise TechniqueError for a type outside of the list."""
    if not is_allowed(type_):
        hint = "flatten nested columns to one column per item before" if pa.types.is_nested(type_) else None
        raise TechniqueError(f"type {type_}", ALLOWED, hint)
