"""Images of numeric steps: sets of numbers as pieces, cut, rounded and joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal
from fractions import Fraction

from transforms.images import Image, Numbers, Piece
from transforms.kernels.rounding import Direction, Grade, round_exact

_EXACT = Context(prec=100)


def pieces_of(before: Image) -> tuple[Piece, ...]:
    """The pieces of a set of numbers; every number where the set is not given by pieces."""
    return before.pieces if isinstance(before, Numbers) else (Piece(),)


def plain(number: Fraction) -> int | Decimal:
    """A finite decimal fraction as int or Decimal."""
    if number.denominator == 1:
        return number.numerator
    return _EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))


def as_number(value: int | float | Decimal | date) -> int | Decimal:
    """A bound as an exact number: a date as its day number, a time as its microseconds since 1970 (UTC)."""
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        passed = zoned - datetime(1970, 1, 1, tzinfo=UTC)
        return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days
    return Decimal(repr(value)) if isinstance(value, float) else value


def rounded(pieces: Iterable[Piece], grades: Sequence[Grade]) -> tuple[Piece, ...]:
    """All that rounding makes of the pieces."""
    return joined(one for piece in pieces for grade in grades for one in _rounded(piece, grade))


def _rounded(piece: Piece, grade: Grade) -> Iterator[Piece]:
    end = None if grade.below is None else Fraction(grade.below)
    if grade.start == 0:
        yield from _part(piece, None if end is None else -end, end, grade, low_open=True)
        return
    start = Fraction(grade.start)
    yield from _part(piece, start, end, grade, low_open=False)
    yield from _part(piece, None if end is None else -end, -start, grade, low_open=True, high_open=False)


def _part(
    piece: Piece,
    low: Fraction | None,
    high: Fraction | None,
    grade: Grade,
    *,
    low_open: bool,
    high_open: bool = True,
) -> Iterator[Piece]:
    """What rounding by `grade` makes of the piece between two bounds."""
    inner_low = None if piece.low is None else Fraction(as_number(piece.low))
    inner_high = None if piece.high is None else Fraction(as_number(piece.high))
    if inner_low is not None and (low is None or inner_low > low):
        low, low_open = inner_low, False
    if inner_high is not None and (high is None or inner_high < high):
        high, high_open = inner_high, False
    if piece.unit is not None:
        step = as_number(piece.unit)
        low, low_open = _aligned(low, low_open, step, upward=True), False
        high, high_open = _aligned(high, high_open, step, upward=False), False
    if low is not None and high is not None and (low > high or (low == high and (low_open or high_open))):
        return
    coarse = piece.unit is not None and Fraction(as_number(piece.unit)) % Fraction(grade.unit) == 0
    yield Piece(
        None if low is None else plain(_end(low, low_open, grade, upward=True)),
        None if high is None else plain(_end(high, high_open, grade, upward=False)),
        piece.unit if coarse else grade.unit,
    )


def _aligned(bound: Fraction | None, is_open: bool, step: int | Decimal, *, upward: bool) -> Fraction | None:
    """The multiple of `step` next to the bound, inside it."""
    if bound is None:
        return None
    inside = round_exact(bound, step, "up" if upward else "down")
    if is_open and inside == bound:
        inside += Fraction(step) if upward else -Fraction(step)
    return inside


def _end(bound: Fraction, is_open: bool, grade: Grade, *, upward: bool) -> Fraction:
    """The outermost multiple. Just inside an open bound neither a middle nor a multiple is met."""
    if not is_open:
        return round_exact(bound, grade.unit, grade.direction)
    if grade.direction in ("up", "down"):
        outward: Direction = "down" if upward else "up"
        if grade.direction == outward:
            return round_exact(bound, grade.unit, outward)
        inward = round_exact(bound, grade.unit, outward)
        return inward + (Fraction(grade.unit) if upward else -Fraction(grade.unit))
    return round_exact(bound, grade.unit, "half-up" if upward else "half-down")


def joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same set in fewer pieces: neighbours of one unit become one."""
    result: list[Piece] = []
    for piece in sorted(set(pieces), key=lambda one: (one.unit is not None, one.unit or 0, _low(one))):
        last = result[-1] if result else None
        if last is not None and last.unit == piece.unit and _touch(last, piece):
            result[-1] = Piece(last.low, _higher(last, piece), last.unit)
        else:
            result.append(piece)
    return tuple(result)


def _low(piece: Piece) -> Fraction | float:
    return float("-inf") if piece.low is None else Fraction(as_number(piece.low))


def _touch(left: Piece, right: Piece) -> bool:
    if left.high is None or right.low is None:
        return True
    return Fraction(as_number(right.low)) <= Fraction(as_number(left.high)) + Fraction(as_number(left.unit or 0))


def _higher(left: Piece, right: Piece) -> int | float | Decimal | None:
    if left.high is None or right.high is None:
        return None
    return left.high if as_number(left.high) >= as_number(right.high) else right.high
