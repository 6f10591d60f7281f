"""Secret sharing over the field of 2^61 - 1 (a Mersenne prime): additive, and by polynomials (Shamir 1979).

A share is a number of the field; sums of shares are shares of the sums, modulo the prime. Negative numbers
are those above half of the prime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

PRIME = (1 << 61) - 1
LARGEST = (PRIME - 1) // 2
# A polynomial's value is computed with products of a field number and a share's number below 2^64.
MOST_SHARES = 7
Field = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]

_P = np.uint64(PRIME)
_31, _30, _61 = np.uint64(31), np.uint64(30), np.uint64(61)


def to_field(numbers: Integers) -> Field:
    """Numbers from -LARGEST to LARGEST as numbers of the field."""
    return np.where(numbers < 0, numbers + PRIME, numbers).astype(np.uint64)


def from_field(values: Field) -> Integers:
    """The way back."""
    signed = values.astype(np.int64)
    return np.where(signed > LARGEST, signed - PRIME, signed)


def additive_share(secret: Field, chance: Sequence[Field], number: int) -> Field:
    """Share `number` of len(chance) + 1: the chance itself, and for the last one what is missing to the secret."""
    if number <= len(chance):
        return chance[number - 1]
    rest = secret
    for one in chance:
        rest = _less(rest + (_P - one))
    return rest


def polynomial_share(secret: Field, chance: Sequence[Field], number: int) -> Field:
    """Value at `number` (1 to 7) of the polynomial that is the secret at 0; `chance` are its coefficients."""
    value = np.zeros_like(secret)
    for coefficient in (*reversed(chance), secret):
        value = _reduced(value * np.uint64(number)) + coefficient
        value = _less(value)
    return value


def additive_secret(shares: Sequence[Field]) -> Field:
    """The secret from all shares."""
    total = np.zeros_like(shares[0])
    for one in shares:
        total = _less(total + one)
    return total


def polynomial_secret(shares: Mapping[int, Field]) -> Field:
    """The secret from as many shares, by their numbers, as the polynomial has coefficients with the secret's."""
    total = np.zeros_like(next(iter(shares.values())))
    for number, one in shares.items():
        weight = 1
        for other in shares:
            if other != number:
                weight = weight * other * pow(other - number, -1, PRIME) % PRIME
        total = _less(total + _times(one, weight))
    return total


def _less(values: Field) -> Field:
    """Values below twice the prime, reduced."""
    return np.where(values >= _P, values - _P, values)


def _reduced(values: Field) -> Field:
    """Any values below 2^64, reduced: 2^61 is 1."""
    return _less((values & _P) + (values >> _61))


def _times(values: Field, factor: int) -> Field:
    """Product with one number of the field, by halves of 31 bits: 2^62 is 2, and 2^61 is 1."""
    high, low = np.uint64(factor >> 31), np.uint64(factor & ((1 << 31) - 1))
    above, below = values >> _31, values & np.uint64((1 << 31) - 1)
    middle = above * low + below * high
    low_part = below * low
    spread = (middle >> _30) + ((middle & np.uint64((1 << 30) - 1)) << _31)
    return _less(_reduced(np.uint64(2) * above * high + spread) + _reduced(low_part))
