"""Exact sums of numbers and of their squares by class, and the bounds of the 3-sigma rule made from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import CellsRefused
from transforms.outlier_changes import as_numbers, class_keys
from transforms.pipeline.members import Words
from transforms.pipeline.outlier_gather import KEY, Cells, summed

POWER, EXPONENT, UPPER, LOWER = "power", "exponent", "upper", "lower"
_BY = (KEY, POWER, EXPONENT)
_HALF = 0xFFFFFFFF
_LARGEST = 1e150
Number = int | float
Terms = Iterator[tuple[int, npt.NDArray[np.int64] | int, npt.NDArray[Any]]]


def terms(found: npt.NDArray[Any]) -> Terms:
    """A number and its square as sums of integers x 2^exponent: (power, exponents, integers), all exact.

    A float is an integer of 53 bits x 2^exponent; the square of that integer is taken of its two halves.
    """
    if found.dtype.kind != "f":
        wide = found.astype(np.int64, copy=False)
        yield 1, 0, wide
        if len(wide) == 0 or (wide.max() < 1 << 31 and wide.min() > -(1 << 31)):
            yield 2, 0, wide * wide
            return
        high, low = wide >> 32, wide & _HALF
        yield 2, 64, high * high
        yield 2, 33, high * low
        yield 2, 0, low.astype(np.uint64) * low.astype(np.uint64)
        return
    if too_large := int((~(np.abs(found) < _LARGEST)).sum()):
        raise CellsRefused("numbers too large to be squared", too_large)
    mantissas, powers = np.frexp(found)
    exponents, whole = powers.astype(np.int64) - 53, (mantissas * 2.0**53).astype(np.int64)
    yield 1, exponents, whole
    high, low = whole >> 27, whole & ((1 << 27) - 1)
    yield 2, 2 * exponents + 54, high * high
    yield 2, 2 * exponents + 28, high * low
    yield 2, 2 * exponents, low * low


@dataclass(frozen=True)
class SumsGather:
    """Count, sum and sum of squares of the non-null numbers of `column` by class `within`.

    `only`: encoded classes that alone are looked at. `finish` gives {class: (count, sum, sum of squares)}, in the
    units of `as_numbers`.
    """

    column: str
    within: tuple[str, ...]
    only: pa.Array | None = None

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        found = as_numbers(cells[self.column])
        keys = class_keys(cells, self.within, len(found))
        valid = found.is_valid()
        if self.only is not None:
            valid = pc.and_(valid, pc.is_in(keys, value_set=self.only))
        keys, plain = keys.filter(valid), found.filter(valid).to_numpy(zero_copy_only=False)
        count = np.ones(len(plain), np.int64)
        parts = [_lines(keys, 0, 0, count)]
        parts += [_lines(keys, power, exponents, whole) for power, exponents, whole in terms(plain)]
        return self.merge(pa.concat_tables(parts))

    def merge(self, rows: pa.Table) -> pa.Table:
        return summed(rows, _BY, (UPPER, LOWER))

    def finish(self, rows: pa.Table) -> dict[bytes, tuple[int, Fraction, Fraction]]:
        sums: dict[bytes, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 3)
        for key, power, exponent, upper, lower in zip(*(one.to_pylist() for one in rows.columns), strict=True):
            sums[key][power] += Fraction((upper << 32) + lower) * Fraction(2) ** exponent
        return {key: (int(count), total, squares) for key, (count, total, squares) in sums.items()}


def _lines(
    keys: pa.Array, power: int, exponents: npt.NDArray[np.int64] | int, whole: npt.NDArray[Any]
) -> pa.Table:
    rows = len(keys)
    if isinstance(exponents, int):
        exponents = np.full(rows, exponents, np.int64)
    upper, lower = (whole >> whole.dtype.type(32)).astype(np.int64), (whole & whole.dtype.type(_HALF)).astype(np.int64)
    return pa.table(
        {KEY: keys, POWER: np.full(rows, power, np.int8), EXPONENT: exponents, UPPER: upper, LOWER: lower}
    )


@dataclass(frozen=True)
class SigmaGather(SumsGather):
    """The bounds of the 3-sigma rule by class: {class: (low, high)}, exact for integers, decimals and dates."""

    factor: Fraction = Fraction(3)
    floats: bool = False

    def finish(self, rows: pa.Table) -> Any:
        found = SumsGather.finish(self, rows)
        return {key: sigma_bounds(*figures, self.factor, self.floats) for key, figures in found.items()}


def sigma_bounds(
    count: int, total: Fraction, squares: Fraction, factor: Fraction, floats: bool
) -> tuple[Number, Number]:
    """mean ± factor x standard deviation (of all n): whole numbers inwards (an integer beyond the exact bound is
    beyond the whole one), floats to the nearest."""
    # n * mean = total; n * sd = sqrt(n * squares - total^2)
    spread = factor * factor * (count * squares - total * total)
    # A common power of the denominators makes the root's argument whole; more digits where floats are asked for.
    digits = total.denominator * spread.denominator * (1 << 64 if floats else 1)
    root = isqrt(int(spread * digits * digits))
    middle = int(total * digits)
    if floats:
        return float(Fraction(middle - root, digits * count)), float(Fraction(middle + root, digits * count))
    return -((root - middle) // (digits * count)), (middle + root) // (digits * count)
