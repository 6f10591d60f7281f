"""Images: the set of values that a chain of steps can put out. The review asks whether a cell lies in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import values_and_mask

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
        return pc.is_in(values, value_set=listed).to_numpy(zero_copy_only=False)


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
        if pa.types.is_decimal(values.type):
            return self._holds_decimals(values)
        numbers, _ = values_and_mask(values)
        result = np.zeros(len(numbers), np.bool_)
        for piece in self.pieces:
            result |= _in_piece(numbers, piece)
        return result

    def _holds_decimals(self, values: pa.Array) -> Bools:
        distinct = values.dictionary_encode()
        listed = [any(_decimal_in_piece(v, piece) for piece in self.pieces) for v in distinct.dictionary.to_pylist()]
        return np.asarray(listed, np.bool_)[distinct.indices.to_numpy(zero_copy_only=False)]


def _in_piece(numbers: npt.NDArray[Any], piece: Piece) -> Bools:
    inside = np.ones(len(numbers), np.bool_)
    if piece.low is not None:
        inside &= numbers >= piece.low
    if piece.high is not None:
        inside &= numbers <= piece.high
    if piece.unit is not None:
        if numbers.dtype.kind == "f":
            steps = np.round(numbers / float(piece.unit))
            inside &= np.isclose(steps * float(piece.unit), numbers, rtol=1e-12, atol=0)
        elif piece.unit != 1:
            unit = int(piece.unit)
            inside &= (numbers // unit) * unit == numbers
    return inside


def _decimal_in_piece(value: Decimal, piece: Piece) -> bool:
    return (
        (piece.low is None or value >= Decimal(str(piece.low)))
        and (piece.high is None or value <= Decimal(str(piece.high)))
        and (piece.unit is None or value % Decimal(str(piece.unit)) == 0)
    )


@dataclass(frozen=True)
class Matching(Image):
    """Strings that match a regular expression (RE2) as a whole."""

    pattern: str = ""

    def holds(self, values: pa.Array) -> Bools:
        if not pa.types.is_string(values.type):
            return np.zeros(len(values), np.bool_)
        return pc.match_substring_regex(values, f"^(?:{self.pattern})$").to_numpy(zero_copy_only=False)


def bound_type(value: Number, type_: pa.DataType) -> Number:
    """A bound as a number that compares with values of `type_` (a date's bound as its day number)."""
    if pa.types.is_date32(type_) or pa.types.is_timestamp(type_):
        numbers, _ = values_and_mask(pa.array([value], type_))
        return int(numbers[0])
    return value


__all__ = [
    "Anything", "Bools", "Finite", "Image", "Matching", "Nothing", "Number", "Numbers", "Piece", "Union",
    "bound_type",
]
