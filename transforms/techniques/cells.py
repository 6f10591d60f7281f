"""Numeric cells as numpy numbers and back: what rounding, coding and ranges compute with."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import CellsRefused, TechniqueError
from transforms.kernels.memory import room

Cells = npt.NDArray[Any]
# Unscaled decimals of up to 18 digits fit int64.
LONGEST_DECIMAL = 18


def check_numeric(type_: pa.DataType, technique: str, *, times: bool = False) -> pa.DataType:
    """The type itself, or TechniqueError where it is no number (nor, with `times`, a date or a time)."""
    number = pa.types.is_signed_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal128(type_)
    if number or (times and (pa.types.is_date32(type_) or pa.types.is_timestamp(type_))):
        return type_
    allowed = "integers, floats and decimals" + (", dates and timestamps" if times else "")
    raise TechniqueError(f"{technique} on a column of type {type_}", allowed)


def is_long_decimal(type_: pa.DataType) -> bool:
    """Is it a decimal whose unscaled value does not fit int64?"""
    return bool(pa.types.is_decimal128(type_) and type_.precision > LONGEST_DECIMAL)


def numbers_of(values: pa.Array) -> tuple[Cells, pa.Buffer | None]:
    """Numbers (integers as they are, dates and times as their count, decimals of ≤ 18 digits unscaled,
    floats without NaN) and Arrow's validity bits, None where nothing is null. Null cells are zero.

    Raises CellsRefused for NaN.
    """
    if pa.types.is_date32(values.type) or pa.types.is_timestamp(values.type):
        values = values.cast(pa.int32() if pa.types.is_date32(values.type) else pa.int64())
    valid = None
    if values.null_count:
        # `is_valid` would return a slice's bits with their offset.
        valid = pc.invert(pc.is_null(values)).buffers()[1]
        values = pc.fill_null(values, pa.scalar(0, values.type))
    numbers = _numbers(values)
    if numbers.dtype.kind == "f" and (found := int(np.isnan(numbers).sum())):
        raise CellsRefused("NaN has no place in an order", found)
    return numbers, valid


def _numbers(values: pa.Array) -> Cells:
    if not pa.types.is_decimal128(values.type):
        plain: Cells = values.to_numpy(zero_copy_only=False)
        return plain
    words = np.frombuffer(values.buffers()[1], "<i8") if len(values) else np.empty(0, "<i8")
    return np.ascontiguousarray(words[2 * values.offset : 2 * (values.offset + len(values)) : 2])


def column_of(numbers: Cells, valid: pa.Buffer | None, type_: pa.DataType) -> pa.Array:
    """The way back; raises CellsRefused for numbers that the type can't hold."""
    if pa.types.is_decimal128(type_):
        limit = 10**type_.precision
        words = room(2 * len(numbers), "<i8").reshape(-1, 2)
        words[:, 0] = _within(numbers, 1 - limit, limit - 1)
        np.right_shift(words[:, 0], 63, out=words[:, 1])
        numbers = words
    elif pa.types.is_integer(type_) and numbers.dtype.itemsize > type_.bit_width // 8:
        limit = 1 << (type_.bit_width - 1)
        numbers = _within(numbers, -limit, limit - 1).astype(type_.to_pandas_dtype())
    return pa.Array.from_buffers(type_, len(numbers), [valid, pa.py_buffer(numbers)])


def finite(results: Cells, cells: Cells) -> Cells:
    """Results in the type of the cells; CellsRefused where floats can't hold one, and it became infinite."""
    with np.errstate(over="ignore"):
        narrow = results.astype(cells.dtype)
    if narrow.dtype.kind == "f" and (endless := len(narrow) - int(np.isfinite(narrow).sum())):
        raise CellsRefused("result outside the range of the column's type", endless)
    return narrow


def _within(numbers: Cells, low: int, high: int) -> Cells:
    if len(numbers) and (numbers.max() > high or numbers.min() < low):
        raise CellsRefused(
            "result outside the range of the column's type", int(((numbers > high) | (numbers < low)).sum())
        )
    return numbers


def map_distinct(values: pa.Array, change: Callable[[Decimal], Decimal]) -> pa.Array:
    """Long decimals by Python, once for each distinct value."""
    encoded = values.dictionary_encode()
    changed = [change(value) for value in encoded.dictionary.to_pylist()]
    limit = 10 ** (values.type.precision - values.type.scale)
    if found := sum(abs(value) >= limit for value in changed):
        raise CellsRefused("result outside the range of the column's type, distinct values", found)
    return pc.take(pa.array(changed, values.type), encoded.indices)
