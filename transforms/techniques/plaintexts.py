"""Cells as the bytes that a cipher takes, and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import from_values, values_and_mask
from transforms.errors import CellsRefused, TechniqueError

_WHOLE, _FLOAT, _DECIMAL, _BOOL = 8, 8, 16, 1


def kind_of(type_: pa.DataType, technique: str) -> str:
    """What a cell's bytes mean; ciphertexts are bound to it. TechniqueError for types that have none."""
    if pa.types.is_string(type_):
        return "text"
    if pa.types.is_binary(type_):
        return "binary"
    if pa.types.is_signed_integer(type_):
        return "integer"
    if pa.types.is_boolean(type_):
        return "bool"
    if pa.types.is_floating(type_) and not pa.types.is_float16(type_):
        return "float"
    if pa.types.is_decimal128(type_):
        return f"decimal, scale {type_.scale}"
    if pa.types.is_date32(type_):
        return "date"
    if pa.types.is_timestamp(type_):
        return "instant" if type_.tz else "local time"
    raise TechniqueError(f"{technique} on a column of type {type_}", "a plain type")


def to_bytes(values: pa.Array) -> pa.BinaryArray:
    """Every cell's bytes, null's empty: texts in UTF-8, numbers and times in 8 (decimals 16, bool 1), the first
    the highest; integers of every width alike. CellsRefused for NaN.
    """
    if pa.types.is_string(values.type) or pa.types.is_binary(values.type):
        return pc.fill_null(values.cast(pa.binary()), b"")
    if pa.types.is_decimal128(values.type):
        digits = np.zeros((len(values), _DECIMAL), np.uint8)
        if len(values):
            stored = np.frombuffer(values.buffers()[1], np.uint8).reshape(-1, _DECIMAL)
            digits[:] = stored[values.offset : values.offset + len(values), ::-1]
        return _binary(digits, values)
    if pa.types.is_boolean(values.type):
        numbers, _ = values_and_mask(values)
        return _binary(numbers.astype(np.uint8).reshape(-1, _BOOL), values)
    numbers, _ = values_and_mask(values)
    if pa.types.is_floating(values.type):
        if found := int(np.isnan(numbers).sum()):
            raise CellsRefused("NaN", found)
        return _binary(numbers.astype(">f8").view(np.uint8).reshape(-1, _FLOAT), values)
    return _binary(numbers.astype(">i8").view(np.uint8).reshape(-1, _WHOLE), values)


def _binary(digits: np.ndarray, values: pa.Array) -> pa.BinaryArray:
    rows, width = digits.shape
    buffers = [None, pa.py_buffer(np.ascontiguousarray(digits))]
    whole = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), rows, buffers).cast(pa.binary())
    return whole if values.null_count == 0 else pc.if_else(values.is_valid(), whole, pa.scalar(b"", pa.binary()))


def from_bytes(strings: pa.Array, type_: pa.DataType) -> pa.Array:
    """The way back, to cells of `type_`; null stays null. CellsRefused for bytes that are no such cell."""
    if pa.types.is_binary(type_):
        return strings
    try:
        if pa.types.is_string(type_):
            return strings.cast(pa.string())
        return _numbers(strings, type_)
    except (pa.ArrowInvalid, ValueError, OverflowError):
        raise CellsRefused(f"decrypted bytes that are no {type_}", len(strings)) from None


def _numbers(strings: pa.Array, type_: pa.DataType) -> pa.Array:
    width = _DECIMAL if pa.types.is_decimal128(type_) else _BOOL if pa.types.is_boolean(type_) else _WHOLE
    filled = pc.fill_null(strings, bytes(width))
    if len(filled) and pc.min_max(pc.binary_length(filled)).as_py() != {"min": width, "max": width}:
        raise ValueError
    fixed = filled.cast(pa.binary(width))
    whole = np.frombuffer(fixed.buffers()[1], np.uint8) if len(fixed) else np.empty(0, np.uint8)
    rows = whole.reshape(-1, width)[fixed.offset : fixed.offset + len(fixed)]
    mask = strings.is_null().to_numpy(zero_copy_only=False) if strings.null_count else None
    if pa.types.is_decimal128(type_):
        turned = pa.py_buffer(np.ascontiguousarray(rows[:, ::-1]))
        decimals = pa.Array.from_buffers(type_, len(rows), [None, turned])
        return decimals if mask is None else pc.if_else(pa.array(~mask), decimals, pa.scalar(None, type_))
    if pa.types.is_boolean(type_):
        return from_values(rows[:, 0] == 1, mask, type_)
    numbers = np.ascontiguousarray(rows).view(">f8" if pa.types.is_floating(type_) else ">i8")[:, 0]
    if pa.types.is_floating(type_):
        return from_values(numbers.astype(type_.to_pandas_dtype()), mask, type_)
    if pa.types.is_integer(type_):
        return from_values(numbers.astype(np.int64), mask, pa.int64()).cast(type_)
    return from_values(numbers.astype(np.int64), mask, type_)
