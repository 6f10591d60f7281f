"""Numeric cells as numpy numbers and back: what rounding, coding and ranges compute with."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import from_values, values_and_mask
from transforms.errors import CellsRefused, TechniqueError

Cells = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]
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
    return pa.types.is_decimal128(type_) and type_.precision > LONGEST_DECIMAL


def numbers_of(values: pa.Array) -> tuple[Cells, Mask | None]:
    """Numbers (integers as they are, decimals of ≤ 18 digits unscaled, floats without NaN) and null mask.

    Null cells are zero under the mask. Raises CellsRefused for NaN.
    """
    if pa.types.is_decimal128(values.type):
        mask = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
        words = np.frombuffer(values.buffers()[1], "<i8") if len(values) else np.empty(0, "<i8")
        low = words[2 * values.offset : 2 * (values.offset + len(values)) : 2]
        return (np.ascontiguousarray(low) if mask is None else np.where(mask, 0, low)), mask
    numbers, mask = values_and_mask(values)
    if numbers.dtype.kind == "f" and (found := int(np.isnan(numbers).sum())):
        raise CellsRefused("NaN has no place in an order", found)
    return numbers, mask


def column_of(numbers: Cells, mask: Mask | None, type_: pa.DataType) -> pa.Array:
    """The way back; raises CellsRefused for numbers that the type can't hold."""
    if pa.types.is_decimal128(type_):
        limit = 10**type_.precision
        return _decimals(_within(numbers, 1 - limit, limit - 1), mask, type_)
    if pa.types.is_integer(type_) and numbers.dtype.itemsize > type_.bit_width // 8:
        limit = 1 << (type_.bit_width - 1)
        numbers = _within(numbers, -limit, limit - 1).astype(type_.to_pandas_dtype())
    return from_values(numbers, mask, type_)


def _within(numbers: Cells, low: int, high: int) -> Cells:
    if len(numbers) and (numbers.max() > high or numbers.min() < low):
        raise CellsRefused(
            "result outside the range of the column's type", int(((numbers > high) | (numbers < low)).sum())
        )
    return numbers


def _decimals(unscaled: Cells, mask: Mask | None, type_: pa.DataType) -> pa.Array:
    words = np.empty((len(unscaled), 2), "<i8")
    words[:, 0] = unscaled
    words[:, 1] = unscaled >> 63
    valid = None if mask is None else pa.array(~mask).buffers()[1]
    return pa.Array.from_buffers(type_, len(unscaled), [valid, pa.py_buffer(words)])


def map_distinct(values: pa.Array, change: Callable[[Decimal], Decimal]) -> pa.Array:
    """Long decimals by Python, once for each distinct value."""
    encoded = values.dictionary_encode()
    changed = [change(value) for value in encoded.dictionary.to_pylist()]
    limit = 10 ** (values.type.precision - values.type.scale)
    if found := sum(abs(value) >= limit for value in changed):
        raise CellsRefused("result outside the range of the column's type, distinct values", found)
    return pc.take(pa.array(changed, values.type), encoded.indices)
