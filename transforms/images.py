"""Images: the set of values that a chain of steps can put out. The review asks whether a cell lies in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import values_and_mask
from transforms.ordered import numbers

Bools = npt.NDArray[np.bool_]
Number = int | float | Decimal


@dataclass(frozen=True)
class Image(ABC):
    """A set of values; `nullable` says whether null is in it."""

    nullable: bool = True

    @abstractmethod
    def holds(self, values: pa.Array) -> Bools:
        """For every value of an array without nulls: is it in the set?"""

    def contains(self, values: pa.Array) -> Bools:
        """For every cell: is it in the set (null: is null in it)? numpy bool, no nulls."""
        if values.null_count == 0:
            return self.holds(values)
        valid = values.is_valid().to_numpy(zero_copy_only=False)
        result = np.full(len(values), self.nullable)
        result[valid] = self.holds(values.drop_null())
        return result

    def with_null(self) -> Self:
        return replace(self, nullable=True)

    def without_null(self) -> Self:
        return replace(self, nullable=False)

    def union(self, other: Image) -> Image:
        if isinstance(other, Anything) or isinstance(self, Anything):
            return Anything(nullable=self.nullable or other.nullable)
        return Union(nullable=self.nullable or other.nullable, parts=(self, other))


@dataclass(frozen=True)
class Anything(Image):
    """Every value of the type: what is known of a source column."""

    def holds(self, values: pa.Array) -> Bools:
        return np.ones(len(values), np.bool_)


@dataclass(frozen=True)
class Nothing(Image):
    """No value at all; with `nullable`, null alone (a suppressed column)."""

    def holds(self, values: pa.Array) -> Bools:
        return np.zeros(len(values), np.bool_)


@dataclass(frozen=True)
class Union(Image):
    """A value of any of the parts."""

    parts: tuple[Image, ...] = ()

    def holds(self, values: pa.Array) -> Bools:
        result = self.parts[0].holds(values)
        for part in self.parts[1:]:
            result |= part.holds(values)
        return result


@dataclass(frozen=True)
class Finite(Image):
    """Listed values. A deterministic step maps them one by one, so its image is exact too."""

    values: pa.Array = None

    def holds(self, values: pa.Array) -> Bools:
        listed = self.values if self.values.type == values.type else self.values.cast(values.type)
        found: Bools = pc.is_in(values, value_set=listed).to_numpy(zero_copy_only=False)
        return found


@dataclass(frozen=True)
class Piece:
    """Numbers from `low` to `high` (both included, None = open) that are multiples of `unit` (None = any)."""

    low: Number | None = None
    high: Number | None = None
    unit: Number | None = None


@dataclass(frozen=True)
class Numbers(Image):
    """Numbers that lie in one of the pieces. Dates and timestamps count as their integer."""

    pieces: tuple[Piece, ...] = (Piece(),)

    def holds(self, values: pa.Array) -> Bools:
        if pa.types.is_decimal(values.type) and values.type.precision > 18:
            return self._holds_long_decimals(values)
        result = np.zeros(len(values), np.bool_)
        if pa.types.is_floating(values.type):
            floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
            for piece in self.pieces:
                result |= _floats_in(floats, piece, values.type)
            result &= ~np.isnan(floats)
            return result
        scale = values.type.scale if pa.types.is_decimal(values.type) else 0
        integers = numbers(values)
        for piece in self.pieces:
            result |= _integers_in(integers, piece, scale)
            if result.all():
                break
        return result

    def contains(self, values: pa.Array) -> Bools:
        if values.null_count == 0 or pa.types.is_decimal(values.type):
            return super().contains(values)
        # Faster than picking out the valid cells: null cells are looked at as zeros, then set.
        mask = values.is_null().to_numpy(zero_copy_only=False)
        result = self.holds(_with_zeros(values))
        result[mask] = self.nullable
        return result

    def _holds_long_decimals(self, values: pa.Array) -> Bools:
        distinct = values.dictionary_encode()
        fractions = [Fraction(value) for value in distinct.dictionary.to_pylist()]
        listed = [any(_in_piece(one, piece) for piece in self.pieces) for one in fractions]
        result: Bools = np.asarray(listed, np.bool_)[distinct.indices.to_numpy(zero_copy_only=False)]
        return result


def _with_zeros(values: pa.Array) -> pa.Array:
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.int32() if values.type.bit_width == 32 else pa.int64())
    return pc.fill_null(values, pa.scalar(0, values.type))


def _exact(bound: Number) -> Fraction:
    """A bound as it is written: the float 0.1 is a tenth."""
    return Fraction(repr(bound)) if isinstance(bound, float) else Fraction(bound)


def _integers_in(array: npt.NDArray[Any], piece: Piece, scale: int) -> Bools:
    """Are integers (of decimals: unscaled, with `scale` places) in the piece?"""
    inside = np.ones(len(array), np.bool_)
    if piece.low is not None:
        inside &= array >= ceil(_exact(piece.low) * 10**scale)
    if piece.high is not None:
        inside &= array <= floor(_exact(piece.high) * 10**scale)
    if piece.unit is not None:
        # Integers that are multiples of a fraction in lowest terms are multiples of its numerator.
        unit = (_exact(piece.unit) * 10**scale).numerator
        if unit > np.iinfo(np.int64).max:
            inside &= array == 0
        elif unit != 1:
            inside &= (array // unit) * unit == array
    return inside


def _floats_in(array: npt.NDArray[Any], piece: Piece, type_: pa.DataType) -> Bools:
    """Are floats in the piece? Bounds and multiples as near as `type_` can come to them."""
    narrow = type_.to_pandas_dtype()
    inside = np.ones(len(array), np.bool_)
    if piece.low is not None:
        inside &= array >= float(narrow(piece.low))
    if piece.high is not None:
        inside &= array <= float(narrow(piece.high))
    if piece.unit is not None:
        steps = array / float(piece.unit)
        near = np.rint(steps)
        inside &= np.abs(steps - near) <= np.abs(near) * (2 * float(np.finfo(narrow).eps))
    return inside


def _in_piece(value: Fraction, piece: Piece) -> bool:
    return (
        (piece.low is None or value >= _exact(piece.low))
        and (piece.high is None or value <= _exact(piece.high))
        and (piece.unit is None or (value / _exact(piece.unit)).denominator == 1)
    )


@dataclass(frozen=True)
class Matching(Image):
    """Strings that match a regular expression (RE2) as a whole."""

    pattern: str = ""

    def holds(self, values: pa.Array) -> Bools:
        if not pa.types.is_string(values.type):
            return np.zeros(len(values), np.bool_)
        matched = pc.match_substring_regex(values, f"^(?:{self.pattern})$")
        found: Bools = matched.to_numpy(zero_copy_only=False)
        return found


@dataclass(frozen=True)
class Written(Image):
    """Values of `type` written as text (local generalization leaves numbers so beside its ranges)."""

    inner: Image = field(default_factory=Anything)
    type: pa.DataType = field(default_factory=pa.string)

    def holds(self, values: pa.Array) -> Bools:
        distinct = values.dictionary_encode()
        listed = [self._read(text) for text in distinct.dictionary.to_pylist()]
        read = pa.array(listed, self.type)
        known = read.is_valid().to_numpy(zero_copy_only=False)
        good = np.zeros(len(read), np.bool_)
        good[known] = self.inner.holds(read.drop_null())
        # The text must be the one that the value is written as: 007 is no 7.
        good &= pc.fill_null(pc.equal(read.cast(pa.string()), distinct.dictionary), False).to_numpy(
            zero_copy_only=False
        )
        result: Bools = good[distinct.indices.to_numpy(zero_copy_only=False)]
        return result

    def _read(self, text: str) -> Any:
        try:
            return pa.scalar(text).cast(self.type).as_py()
        except pa.ArrowException:
            return None


def bound_type(value: Number, type_: pa.DataType) -> Number:
    """A bound as a number that compares with values of `type_` (a date's bound as its day number)."""
    if pa.types.is_date32(type_) or pa.types.is_timestamp(type_):
        numbers, _ = values_and_mask(pa.array([value], type_))
        return int(numbers[0])
    return value


__all__ = [
    "Anything",
    "Bools",
    "Finite",
    "Image",
    "Matching",
    "Nothing",
    "Number",
    "Numbers",
    "Piece",
    "Union",
    "Written",
    "bound_type",
]
