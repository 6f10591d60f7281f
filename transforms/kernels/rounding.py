"""Rounding to multiples of a unit: arrays of integers and floats, and single exact numbers.

"up" is toward +∞ and "down" toward −∞, for negative numbers too: −15 to 10 is −10 up and −20 down.
`half-up` and `half-down` go to the nearest multiple and from the middle up or down, `half-even` from
the middle to the even multiple.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from transforms.errors import CellsRefused
from transforms.kernels.memory import room

Direction = Literal["up", "down", "half-up", "half-down", "half-even"]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]
# Cells that stay in a core's cache while they pass several times.
BLOCK = 1 << 15
# Fewer cells of a grade than one in so many are picked out; more are computed along with all others.
SPARSE = 8
_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True)
class Grade:
    """Numbers of magnitude `start` ≤ |x| < `below` (None = no end) are rounded to `unit`."""

    start: int | Decimal
    below: int | Decimal | None
    unit: int | Decimal
    direction: Direction


def round_exact(number: int | Decimal | Fraction, unit: int | Decimal, direction: Direction) -> Fraction:
    """One number, without any loss."""
    share = Fraction(number) / Fraction(unit)
    whole = share.numerator // share.denominator
    rest = share - whole
    half = Fraction(1, 2)
    up = {
        "up": rest > 0,
        "down": False,
        "half-up": rest >= half,
        "half-down": rest > half,
        "half-even": rest > half or (rest == half and whole % 2 == 1),
    }[direction]
    return (whole + up) * Fraction(unit)


def round_integers(numbers: npt.NDArray[Any], grades: Sequence[Grade]) -> Integers:
    """Integers of any width, each by the grade of its magnitude; int64 out.

    Raises CellsRefused for numbers that lie within one unit of the limits of int64.
    """
    largest = max(int(grade.unit) for grade in grades)
    limits = _INT64.min + largest, _INT64.max - largest
    result = room(len(numbers), np.int64)
    other = room(min(BLOCK, len(numbers)), np.int64)
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        low, high = int(block.min()), int(block.max())
        if low < limits[0] or high > limits[1]:
            found = int(((numbers < limits[0]) | (numbers > limits[1])).sum())
            raise CellsRefused("too near the limits of int64 to be rounded", found)
        smallest, greatest = max(low, -high, 0), max(high, -low)
        present = [
            grade
            for grade in grades
            if grade.start <= greatest and (grade.below is None or smallest < grade.below)
        ]
        _round_block(block, present, low < 0, result[start : start + len(block)], other[: len(block)])
    return result


def _round_block(
    block: npt.NDArray[Any], grades: Sequence[Grade], negatives: bool, out: Integers, other: Integers
) -> None:
    """Round by the first grade, then overwrite what belongs to each further one."""
    _to_multiples(block, grades[0], out)
    for grade in grades[1:]:
        chosen = block >= grade.start
        if negatives:
            chosen |= block <= -grade.start
        few = int(np.count_nonzero(chosen))
        if few * SPARSE < len(block):
            places = np.flatnonzero(chosen)
            _to_multiples(block[places], grade, other[:few])
            out[places] = other[:few]
        else:
            _to_multiples(block, grade, other)
            # Selection by arithmetic: a branch for each cell would be mispredicted half of the time.
            np.subtract(other, out, out=other)
            np.multiply(other, chosen, out=other)
            np.add(out, other, out=out)


def _to_multiples(block: npt.NDArray[Any], grade: Grade, out: Integers) -> None:
    unit, direction = int(grade.unit), grade.direction
    added = {"up": unit - 1, "down": 0, "half-up": unit // 2}.get(direction, (unit - 1) // 2)
    np.add(block, np.int64(added), out=out)
    np.floor_divide(out, np.int64(unit), out=out)
    if direction == "half-even" and unit % 2 == 0:
        # `half-down` left the middles at the lower multiple: the odd ones go up.
        out += (block - out * unit == unit // 2) & (out & 1 == 1)
    np.multiply(out, np.int64(unit), out=out)


def round_floats(numbers: Floats, grades: Sequence[Grade]) -> Floats:
    """float32 or float64, each by the grade of its magnitude; the same type out.

    A number that lies within two units in the last place of a multiple or of a middle counts as it, so
    that 0.3 is three times 0.1. Raises CellsRefused for infinite numbers.
    """
    if infinite := int(np.isinf(numbers).sum()):
        raise CellsRefused("infinite numbers can't be rounded", infinite)
    wide = numbers.astype(np.float64)
    tolerance = 2 * float(np.finfo(numbers.dtype).eps)
    result = _float_multiples(wide, grades[0], tolerance)
    for grade in grades[1:]:
        np.copyto(result, _float_multiples(wide, grade, tolerance), where=np.abs(wide) >= float(grade.start))
    return result.astype(numbers.dtype)


def _float_multiples(numbers: Floats, grade: Grade, tolerance: float) -> Floats:
    over, under = Fraction(grade.unit).as_integer_ratio()
    # Twice the number of units: middles are odd integers.
    halves = numbers * (2.0 * under) / over
    near = np.rint(halves)
    halves = np.where(np.abs(halves - near) <= np.abs(near) * tolerance, near, halves)
    whole = np.floor(halves / 2)
    rest = halves - 2 * whole
    match grade.direction:
        case "up":
            whole += rest > 0
        case "half-up":
            whole += rest >= 1
        case "half-down":
            whole += rest > 1
        case "half-even":
            whole += (rest > 1) | ((rest == 1) & (whole % 2 == 1))
    return whole * over / under
