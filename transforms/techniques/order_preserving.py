"""Order-preserving encryption (순서보존 암호화): numbers and dates that can still be compared, and no more read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from transforms.complaint import complain, complaint
from transforms.draws import Draws
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given, KeyUse
from transforms.images import Image, Numbers, Piece
from transforms.kernels.order_tree import (
    NARROW_BITS,
    NARROW_RANGE,
    WIDE_RANGE,
    Places,
    decrypt,
    encrypt,
    range_bits,
)
from transforms.ordered import number_of, value_of
from transforms.technique import Language
from transforms.techniques.cells import check_numeric, is_long_decimal, numbers_of
from transforms.techniques.coding import typed
from transforms.techniques.parameters import Bound, refuse
from transforms.techniques.phrases import number
from transforms.techniques.shape import CellTechnique

_WIDE = pa.decimal128(38, 0)
_ALGORITHM = "AES-256-CMAC order tree"


class OrderPreservingEncryption(CellTechnique):
    """Every number becomes another one under the run's key; a larger number becomes a larger one.

    In: integers, decimals of up to 18 digits, dates, timestamps; `between` names the least and the largest value
    (those of the type where it is not given; a decimal's are all its digits). Out: int64 from 2^62 on where
    `between` holds at most 2^42 steps of the type's smallest unit, else decimal(38, 0) from 2^125 on. Null stays
    null. Results depend on the key and the value alone. Each column of a run has a key of its own, so its
    results compare with nobody else's; columns that name the same `domain` (admission, discharge) share one, and with
    `stable_over` a series of runs does. Columns that are compared need the same `between` and type.

    Kept: order, and so ranks, quantiles, minimum and maximum, comparisons; which cells are equal. Lost: the values,
    their differences, sums and means. Leak: the order, whole; and a result alone tells where between the ends its value
    lies, so reckon with the upper half of its bits. So the plan must say `accept_leak: order`. About 0.3 million
    different values a second and core, 20,000 of the wide ones; a value that repeats within a batch costs nothing.

    Attack: whoever knows how the values are spread (a register, a census) finds each value's neighbourhood by its
    rank, and its exact value where nearly all values occur (ages, days); whoever knows some pairs interpolates
    between them. What helps: coarser values first (rounding), top-coding, a sample, and this technique only where
    comparing is the purpose. There is no standard for such a map: this one splits ranges by AES-256-CMAC draws over
    a binary tree.

    Refused: no `accept_leak` (exit 3), floats, values outside `between`, `when`, `by`. Source: guideline L2110-2113
    (순서보존 암호화); idea: Boldyreva, Chenette, Lee, O'Neill 2009; what leaks: the same, 2011.
    """

    name: ClassVar[str] = "order-preserving-encryption"
    korean: ClassVar[str] = "순서보존 암호화"

    accept_leak: Literal["order"] | None = None
    domain: str | None = Field(default=None, min_length=1)
    stable_over: str | None = Field(default=None, min_length=1)
    between: tuple[Bound, Bound] | None = Field(default=None)

    @model_validator(mode="after")
    def _accepted(self) -> Self:
        if self.accept_leak is None:
            found = "order-preserving encryption without `accept_leak`"
            hint = "it shows the order of all values, and about the upper half of their bits"
            raise complain([complaint(found, "`accept_leak: order`", hint, ("accept_leak",), refused=True)])
        if self.when is not None:
            refuse("`when` with order-preserving-encryption", "encryption of all cells", None, "when")
        if self.between is not None:
            low, high = self.between
            times = isinstance(low, date) or isinstance(high, date)
            if times and type(low) is not type(high):
                refuse("bounds of two kinds", "two numbers, two dates or two times", None, "between")
            if low >= high:  # type: ignore[operator]
                refuse("bounds that do not increase", "the least value, then the largest", None, "between")
        return self

    def key_use(self) -> KeyUse:
        return KeyUse(_ALGORITHM, domain=self.domain, stable_over=self.stable_over)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if pa.types.is_floating(source):
            allowed = "integers, decimals, dates and timestamps"
            raise TechniqueError(f"{self.name} on a column of type {source}", allowed)
        check_numeric(source, self.name, times=True)
        if is_long_decimal(source):
            raise TechniqueError(f"{self.name} on a column of type {source}", "decimals of up to 18 digits")
        return pa.int64() if self._domain(source)[2] <= NARROW_BITS else _WIDE

    def _domain(self, source: pa.DataType) -> tuple[int, int, int]:
        """Least and largest number (a decimal's unscaled, a date's day) and the bits of a number between them."""
        if self.between is not None:
            low, high = (int(number_of(typed(bound, source), source)) for bound in self.between)
        elif pa.types.is_decimal(source):
            high = 10**source.precision - 1
            low = -high
        else:
            high = (1 << (source.bit_width - 1)) - 1
            low = -high - 1
        return low, high, max(1, (high - low).bit_length())

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.key is None:
            raise CellsRefused("order-preserving encryption needs the run's keys", len(values))
        low, high, bits = self._domain(values.type)
        encoded = values.dictionary_encode()
        numbers = numbers_of(encoded.dictionary)[0].astype(np.int64)
        if outside := int(((numbers < low) | (numbers > high)).sum()):
            raise CellsRefused("values outside `between`, distinct ones", outside)
        turn = np.argsort(numbers)
        # Wraps around as 64-bit words do, so that a difference of up to 2^64 - 1 comes out right.
        places: Places = numbers[turn].view(np.uint64) - np.uint64(low % (1 << 64))
        results = np.empty(len(numbers), np.uint64 if bits <= NARROW_BITS else object)
        results[turn] = encrypt(Draws(given.key.secret), places, bits)
        return _column(results, bits).take(encoded.indices)

    def inverse(self, values: pa.Array, source: pa.DataType, given: Given) -> pa.Array:
        """The values of type `source` again; null stays null. CellsRefused for what this key never made."""
        if given.key is None:
            raise CellsRefused("decryption needs the run's keys", len(values))
        low, high, bits = self._domain(source)
        encoded = values.dictionary_encode()
        narrow = bits <= NARROW_BITS
        listed = [int(one) for one in encoded.dictionary.to_pylist()]
        first = 1 << range_bits(bits)
        if foreign := sum(not first <= one < 2 * first for one in listed):
            raise CellsRefused("values that this key did not encrypt, distinct ones", foreign)
        results = np.array(listed, np.uint64 if narrow else object)
        turn = np.argsort(results)
        places, ours = decrypt(Draws(given.key.secret), results[turn], bits)
        if foreign := int((~ours | (places > np.uint64(high - low))).sum()):
            raise CellsRefused("values that this key did not encrypt, distinct ones", foreign)
        numbers = np.empty(len(listed), np.int64)
        numbers[turn] = (places + np.uint64(low % (1 << 64))).view(np.int64)
        plain = [value_of(int(one), source) for one in numbers]
        return pc.take(pa.array(plain, source), encoded.indices)

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        pieces = tuple(Piece(low=1 << top, high=(2 << top) - 1) for top in (NARROW_RANGE, WIDE_RANGE))
        return Numbers(nullable=before.nullable, pieces=pieces)

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        words = ("키가 있는 순증가 함수, 순서는 그대로 드러남", "a keyed increasing map; the order stays visible")
        text = words[0] if korean else words[1]
        if self.between is None:
            return text
        low, high = (number(_plain(bound)) for bound in self.between)
        return f"{text} ({low}~{high})" if korean else f"{text} (from {low} to {high})"


def _plain(bound: int | Decimal | date) -> object:
    return bound.isoformat() if isinstance(bound, date) else bound


def _column(results: Any, bits: int) -> pa.Array:
    if bits <= NARROW_BITS:
        return pa.array(results.astype(np.int64))
    return pa.array([Decimal(one) for one in results], _WIDE)


__all__ = ["OrderPreservingEncryption"]
