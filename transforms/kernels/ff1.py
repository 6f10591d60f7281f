"""FF1, format-preserving encryption (NIST SP 800-38G Rev. 1), of many values at once.

Values of one length go through the ten rounds together: one AES-ECB call a round. Each half of a value is
one 64-bit number; what the cipher chains before the round's own block is the same for all values of one
length and tweak, and computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import CipherContext

from transforms.kernels.aes import BLOCK, Bytes, Words, block_cipher, encrypted_one, words
from transforms.kernels.lengths import Collected, by_length

Places = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.uint64]

ROUNDS = 10
# Rows worked on together: more than elsewhere, for a round is many short steps.
CHUNK = 16_384
LEAST_DOMAIN = 10**6
# A half, and the sum of two, must fit 64 bits, with one to spare.
_LARGEST_HALF = 2**62


class FF1:
    """FF1 under one key of 16, 24 or 32 bytes, over values written in `alphabet`.

    `alphabet`: 2 to 94 different ASCII characters, in the order of their numerals. ValueError for others.
    """

    def __init__(self, key: bytes, alphabet: str) -> None:
        letters = alphabet.encode("ascii", "replace")
        if not 2 <= len(set(alphabet)) == len(letters) <= 94 or not alphabet.isascii():
            raise ValueError("an alphabet of other than 2 to 94 different ASCII characters")
        self._cipher = block_cipher(key)
        self.radix = len(letters)
        self._letters = np.frombuffer(letters, np.uint8)
        self._numerals = np.full(256, 255, np.uint8)
        self._numerals[self._letters] = np.arange(self.radix)
        # Characters that follow one another, such as the digits, need no table.
        follow = (np.diff(self._letters) == 1).all()
        self._run: np.uint8 | None = self._letters[0] if follow else None
        self.shortest = next(n for n in range(2, 21) if self.radix**n >= LEAST_DOMAIN)
        self.longest = 2 * max(n for n in range(1, 64) if self.radix**n <= _LARGEST_HALF)

    def encrypt(self, values: pa.Array, tweak: bytes = b"") -> pa.StringArray:
        """Every value as another one of the same length in the same alphabet; null stays null.

        ValueError, with their number and never a value, for values with other characters, or shorter than
        `shortest` (fewer than 10^6 values of that length, which Rev. 1 forbids) or longer than `longest`.
        """
        return self._texts(values, tweak, decrypt=False)

    def decrypt(self, values: pa.Array, tweak: bytes = b"") -> pa.StringArray:
        """The values that `encrypt` turned into these, under the same key and tweak. As `encrypt` otherwise."""
        return self._texts(values, tweak, decrypt=True)

    def _texts(self, values: pa.Array, tweak: bytes, *, decrypt: bool) -> pa.StringArray:
        present = values.is_valid() if values.null_count else None
        plain = values.drop_null() if present is not None else values
        done = Collected(len(plain))
        for group in by_length(plain):
            texts = np.empty_like(group.rows)
            for first in range(0, len(texts), CHUNK):
                numerals = self.numerals(group.rows[first : first + CHUNK])
                if numerals.size and numerals.max() >= self.radix:
                    wrong = int((self.numerals(group.rows) >= self.radix).any(axis=1).sum())
                    raise ValueError(f"{wrong} values with characters outside of the alphabet")
                texts[first : first + CHUNK] = self.letters(self.turned(numerals, [tweak], decrypt=decrypt))
            done.add(group.places, texts)
        result = done.array(pa.string())
        if present is None:
            return result
        return pc.replace_with_mask(pa.nulls(len(values), pa.string()), present, result)

    def numerals(self, rows: Bytes) -> Bytes:
        """Characters as numerals; those that the alphabet lacks as numbers from `radix` on."""
        return rows - self._run if self._run is not None else self._numerals.take(rows)

    def letters(self, numerals: Bytes) -> Bytes:
        """Numerals as characters."""
        return numerals + self._run if self._run is not None else self._letters.take(numerals)

    def turned(
        self, numerals: Bytes, tweaks: Sequence[bytes], which: Places | None = None, *, decrypt: bool = False
    ) -> Bytes:
        """Rows of numerals of one length, uint8 (n, length), encrypted (or decrypted) to such rows.

        `tweaks`: the different ones, all of one length; `which` tells each row's (None: all have the first).
        ValueError for lengths below `shortest` or above `longest`. SP 800-38G Rev. 1, algorithms 7 and 8.
        """
        length = numerals.shape[1]
        if not self.shortest <= length <= self.longest:
            raise ValueError(
                f"{len(numerals)} values of length {length}; allowed with {self.radix} characters: "
                f"{self.shortest} to {self.longest}"
            )
        network = _Network(self.radix, length)
        starts = np.array([network.start(self._cipher, tweak) for tweak in tweaks])
        result = np.empty_like(numerals)
        for first in range(0, len(numerals), CHUNK):
            rows = slice(first, first + CHUNK)
            start = starts[:1] if which is None else starts.take(which[rows], 0)
            left, right = network.halves(numerals[rows])
            rounds = _Rounds(self._cipher, network, start, len(left))
            for number in reversed(range(ROUNDS)) if decrypt else range(ROUNDS):
                modulus = network.left if number % 2 == 0 else network.right
                if decrypt:
                    rounds.subtract(number, left, right, modulus)
                else:
                    rounds.add(number, right, left, modulus)
                left, right = right, left
            network.put(left, right, result[rows])
        return result


class _Network:
    """The figures of SP 800-38G for one radix and length: u, v, b, d, and the two moduli."""

    def __init__(self, radix: int, length: int) -> None:
        self.radix, self.length, self.u = radix, length, length // 2
        self.v = length - self.u
        self.left, self.right = radix**self.u, radix**self.v
        self.b = -(-(self.right - 1).bit_length() // 8)
        self.wide = self.b > 4  # then d is 12 bytes, else 8
        # Half as many bits, half the time.
        self.number: type[np.unsignedinteger[Any]] = np.uint32 if self.right <= 2**32 else np.uint64

    def start(self, cipher: CipherContext, tweak: bytes) -> Words:
        """What the chain of blocks has come to before each round's own block, with that block's fixed bytes."""
        fixed = bytes([1, 2, 1]) + self.radix.to_bytes(3, "big") + bytes([ROUNDS, self.u % 256])
        fixed += self.length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        fixed += tweak + bytes((-len(tweak) - self.b - 1) % BLOCK) + bytes(self.b + 1)
        state = bytes(BLOCK)
        for first in range(0, len(fixed) - BLOCK, BLOCK):
            state = encrypted_one(cipher, _xor(state, fixed[first : first + BLOCK]))
        return words(_xor(state, fixed[-BLOCK:]))

    def halves(self, numerals: Bytes) -> tuple[Numbers, Numbers]:
        """The two halves of each row as numbers."""
        columns = np.ascontiguousarray(numerals.T)
        return self._number(columns[: self.u]), self._number(columns[self.u :])

    def _number(self, columns: Bytes) -> Numbers:
        number = columns[0].astype(self.number)
        for column in columns[1:]:
            number *= self.number(self.radix)
            number += column
        whole: Numbers = number.astype(np.uint64)
        return whole

    def put(self, left: Numbers, right: Numbers, rows: Bytes) -> None:
        """The way back: both numbers as the numerals of `rows`."""
        columns = np.empty((self.length, len(rows)), np.uint8)
        radix = self.number(self.radix)
        for whole, first, last in ((left, 0, self.u), (right, self.u, self.length)):
            half = whole.astype(self.number)
            for place in range(last - 1, first, -1):
                tenth = half // radix
                np.subtract(half, tenth * radix, out=columns[place], casting="unsafe")
                half = tenth
            columns[first] = half
        rows[:] = columns.T


class _Rounds:
    """Rounds on some rows, with room that all of them share: new arrays would cost more than the arithmetic."""

    def __init__(self, cipher: CipherContext, network: _Network, start: Words, count: int) -> None:
        self._cipher, self._network, self._start = cipher, network, start
        self._blocks = np.empty((count, 2), np.uint64)
        self._blocks[:, 0] = start[:, 0]
        # update_into asks for room for one block more than it fills.
        self._room = np.empty(BLOCK * (count + 1), np.uint8)
        self._found = self._room[: BLOCK * count].view(np.uint64).reshape(-1, 2)
        self._drawn, self._other = np.empty(count, np.uint64), np.empty(count, np.uint64)

    def add(self, number: int, known: Numbers, changed: Numbers, modulus: int) -> None:
        """One round of encryption: `changed` plus what is drawn by `known`, modulo the modulus, in place."""
        self._draw(number, known, modulus)
        changed += self._drawn
        # Unsigned: what is below the modulus wraps to a large number, so the smaller one is the rest.
        np.subtract(changed, np.uint64(modulus), out=self._other)
        np.minimum(changed, self._other, out=changed)

    def subtract(self, number: int, known: Numbers, changed: Numbers, modulus: int) -> None:
        """One round of decryption: minus in place of plus."""
        self._draw(number, known, modulus)
        changed -= self._drawn
        np.add(changed, np.uint64(modulus), out=self._other)
        np.minimum(changed, self._other, out=changed)

    def _draw(self, number: int, known: Numbers, modulus: int) -> None:
        """The round's pseudorandom numbers below `modulus`: steps 6.i to 6.v."""
        b, own = self._network.b, self._blocks[:, 1]
        own.view(">u8")[:] = known
        if b == 8:
            np.bitwise_xor(self._start[:, 0], np.uint64(number).byteswap(), out=self._blocks[:, 0])
            own ^= self._start[:, 1]
        else:
            own ^= self._start[:, 1] ^ np.uint64(number << (8 * b)).byteswap()
        self._cipher.update_into(self._blocks.view(np.uint8).reshape(-1).data, self._room.data)
        self._drawn[:] = self._found.view(">u8")[:, 0]
        self._reduce(modulus)
        if self._network.wide:
            self._lengthen(self._found[:, 1].byteswap() >> np.uint64(32), modulus)

    def _reduce(self, modulus: int) -> None:
        # By way of the quotient: numpy divides by one number with vector instructions, but has no such remainder.
        np.floor_divide(self._drawn, np.uint64(modulus), out=self._other)
        self._other *= np.uint64(modulus)
        self._drawn -= self._other

    def _lengthen(self, low: Numbers, modulus: int) -> None:
        """(drawn × 2^32 + low) modulo the modulus, in steps that fit 64 bits."""
        left = 32
        while left:
            step = min(left, 64 - modulus.bit_length())
            left -= step
            self._drawn <<= np.uint64(step)
            self._drawn |= (low >> np.uint64(left)) & np.uint64((1 << step) - 1)
            self._reduce(modulus)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
