"""Ordered values as int64 or float64 numbers, and back: what quantiles and means count with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import values_and_mask
from transforms.errors import CellsRefused, TechniqueError

Value = int | float | Decimal | date | datetime


def check_ordered(type_: pa.DataType) -> None:
    """Raise TechniqueError for a type that has no exact order as a 64-bit number."""
    fits = (
        pa.types.is_signed_integer(type_)
        or pa.types.is_floating(type_)
        or pa.types.is_date32(type_)
        or pa.types.is_timestamp(type_)
        or (pa.types.is_decimal128(type_) and type_.precision <= 18)
    )
    if not fits:
        raise TechniqueError(
            f"a column of type {type_}",
            "integers, floats, decimals of up to 18 digits, dates and timestamps",
        )


def numbers(values: pa.Array) -> npt.NDArray[Any]:
    """The non-null values as int64 (decimals unscaled, dates and times as their count) or float64; NaN is refused."""
    present = values.drop_null() if values.null_count else values
    if pa.types.is_decimal128(present.type):
        words = np.frombuffer(present.buffers()[1], "<i8") if len(present) else np.empty(0, "<i8")
        unscaled: npt.NDArray[Any] = words[2 * present.offset : 2 * (present.offset + len(present)) : 2]
        return unscaled
    if pa.types.is_floating(present.type):
        floats: npt.NDArray[Any] = present.cast(pa.float64()).to_numpy(zero_copy_only=False)
        if nans := int(np.isnan(floats).sum()):
            raise CellsRefused("NaN has no place in an order", nans)
        return floats
    plain, _ = values_and_mask(present)
    return plain.astype(np.int64, copy=False)


def value_of(number: int | float, type_: pa.DataType) -> Value:
    """One number of `numbers` as a Python value of the column's type."""
    if pa.types.is_decimal128(type_):
        return Decimal(int(number)).scaleb(-type_.scale)
    if pa.types.is_date32(type_):
        return pa.scalar(int(number), pa.int32()).cast(type_).as_py()  # type: ignore[no-any-return]
    if pa.types.is_timestamp(type_):
        return pa.scalar(int(number), pa.int64()).cast(type_).as_py()  # type: ignore[no-any-return]
    return float(number) if pa.types.is_floating(type_) else int(number)


def number_of(value: Value, type_: pa.DataType) -> int | float:
    """The way back: a Python value of the column's type as a number of `numbers`."""
    if pa.types.is_decimal128(type_):
        return int(Decimal(str(value)).scaleb(type_.scale))
    if pa.types.is_date32(type_) or pa.types.is_timestamp(type_):
        integer = pa.int32() if pa.types.is_date32(type_) else pa.int64()
        return int(pc.cast(pa.scalar(value, type_), integer).as_py())
    return float(value) if pa.types.is_floating(type_) else int(value)  # type: ignore[arg-type]


def exact_sum(array: npt.NDArray[Any]) -> Fraction:
    """The sum of the finite numbers without rounding, so that it is the same in any order."""
    if array.dtype.kind != "f":
        wide = array.astype(np.int64, copy=False)
        high, low = int((wide >> 32).sum()), int((wide & 0xFFFFFFFF).sum())
        return Fraction((high << 32) + low)
    mantissas, exponents = np.frexp(array[np.isfinite(array)])
    integers = (mantissas * 2.0**53).astype(np.int64)
    total = Fraction(0)
    for exponent in np.unique(exponents):
        total += exact_sum(integers[exponents == exponent]) * Fraction(2) ** (int(exponent) - 53)
    return total


def to_json(value: Any) -> Any:
    """A concluded value as JSON that keeps its type."""
    match value:
        case bool() | None | str():
            return value
        case int():
            return {"int": str(value)}
        case float():
            return {"float": value.hex()}
        case Decimal():
            return {"decimal": str(value)}
        case Fraction():
            return {"fraction": str(value)}
        case datetime():
            return {"timestamp": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case tuple():
            return [to_json(one) for one in value]
    raise TypeError(type(value).__name__)


def from_json(value: Any) -> Any:
    """The way back of `to_json`."""
    if isinstance(value, list):
        return tuple(from_json(one) for one in value)
    if not isinstance(value, dict):
        return value
    ((tag, text),) = value.items()
    readers: dict[str, Callable[[str], Any]] = {
        "int": int,
        "float": float.fromhex,
        "decimal": Decimal,
        "fraction": Fraction,
        "timestamp": datetime.fromisoformat,
        "date": date.fromisoformat,
    }
    return readers[tag](text)
