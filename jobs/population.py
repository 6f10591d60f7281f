"""Made persons by number: name, phone, birth; who belongs to which party of a combination, and when.

Pure: person `number` under a seed is always the same, in whichever party and chunk. No two persons have the
same phone, so that name, phone and birth together tell one from all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Numbers = npt.NDArray[np.int64]
MOST = 10**8  # so many phones of eight digits there are
_SURNAMES = "김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심"
_FIRST = "민서지도하예준시주은수현승유채윤다태가나라소아영우재정진혜효"
_SECOND = "준서윤우원호후진현민아연은지율린빈영주희경수인환성석훈철자숙"
_NAMES = tuple(f"{a}{b}{c}" for a in _SURNAMES for b in _FIRST for c in _SECOND)
# Surnames are as unequal as in Korea, roughly: the n-th of them is 1/n as frequent.
_SHARES = np.cumsum(1 / np.arange(1, len(_SURNAMES) + 1))
COMMON_NAME, COMMON_BIRTH = "김민준", np.datetime64("1970-01-01", "D")
_OLDEST, _BORN_DAYS = np.datetime64("1940-01-01", "D"), 24_106  # to 2005-12-31
_STEP = 61_803_399  # odd and no multiple of 5: a bijection of the numbers below a power of ten
_LEAVE_OR_JOIN = 8  # one person in so many is not there from the first month to the last


def mixed(numbers: Numbers, seed: int, purpose: int) -> npt.NDArray[np.uint64]:
    """64 well mixed bits of each number, others for each seed and purpose (SplitMix64, Steele et al. 2014)."""
    bits = numbers.astype(np.uint64) + np.uint64((seed * 1_000_003 + purpose) % 2**32 << 32)
    bits = bits * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def shares(numbers: Numbers, seed: int, purpose: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each."""
    return (mixed(numbers, seed, purpose) >> np.uint64(11)).astype(np.float64) / 2**53


@dataclass(frozen=True)
class Population:
    """Persons under a seed; a share `skew` of them have the commonest name and day of birth."""

    seed: int
    skew: float = 0.0

    def names(self, persons: Numbers) -> pa.Array:
        """Three syllables in NFC."""
        surnames = np.searchsorted(_SHARES / _SHARES[-1], shares(persons, self.seed, 1), side="right")
        given = (mixed(persons, self.seed, 2) % np.uint64(len(_FIRST) * len(_SECOND))).astype(np.int64)
        places = surnames * (len(_FIRST) * len(_SECOND)) + given
        places[self._common(persons)] = _NAMES.index(COMMON_NAME)
        return pa.array(_NAMES).take(pa.array(places))

    def births(self, persons: Numbers) -> npt.NDArray[np.datetime64]:
        """Days of birth, 1940 to 2005."""
        days = (mixed(persons, self.seed, 3) % np.uint64(_BORN_DAYS)).astype(np.int64)
        born: npt.NDArray[np.datetime64] = _OLDEST + days
        born[self._common(persons)] = COMMON_BIRTH
        return born

    def phones(self, persons: Numbers, shape: str) -> pa.Array:
        """Numbers as `shape` writes them: each `#` is a digit, say 010-####-####."""
        left = (persons * _STEP + 12_345_678) % MOST
        text = np.tile(np.frombuffer(shape.encode(), np.uint8), (len(persons), 1))
        for place in [place for place, letter in enumerate(shape) if letter == "#"][::-1]:
            text[:, place] = left % 10 + ord("0")
            left = left // 10
        return fixed_texts(text)

    def present(self, persons: Numbers, month: int, months: int) -> npt.NDArray[np.bool_]:
        """Who is there in a month of so many: some come late, some leave early, most stay throughout."""
        kind = mixed(persons, self.seed, 4) % np.uint64(_LEAVE_OR_JOIN)
        turn = 1 + (mixed(persons, self.seed, 5) % np.uint64(max(months - 1, 1))).astype(np.int64)
        absent: npt.NDArray[np.bool_] = ((kind == 0) & (month < turn)) | ((kind == 1) & (month >= turn))
        return ~absent

    def _common(self, persons: Numbers) -> npt.NDArray[np.bool_]:
        return shares(persons, self.seed, 6) < self.skew


@dataclass(frozen=True)
class Membership:
    """Which person stands in a row of a party: `rows` persons from number `start` on, in no order.

    A share `duplicates` of the rows are persons who stand in another row too.
    """

    rows: int
    start: int
    duplicates: float = 0.0

    def persons(self, rows: Numbers) -> Numbers:
        """The numbers of the persons in these rows."""
        twice = rows < int(self.rows * self.duplicates / 2)
        places = np.where(twice, self.rows - 1 - rows, rows)
        return self.start + (places * self._stride + self.rows // 3) % self.rows

    @property
    def _stride(self) -> int:
        """About the golden section of the rows, without a common divisor: a bijection of the rows."""
        stride = max(int(self.rows * 0.618), 1)
        while gcd(stride, self.rows) > 1:
            stride += 1
        return stride


def fixed_texts(letters: npt.NDArray[np.uint8]) -> pa.Array:
    """Texts of one length from their bytes, rows × length."""
    count, length = letters.shape
    offsets = np.arange(0, (count + 1) * length, length, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters)))
