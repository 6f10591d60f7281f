"""AES-GCM (NIST SP 800-38D) of many messages at once, each with a nonce of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels.aes import (
    BLOCK,
    CHUNK,
    Bytes,
    Words,
    block_cipher,
    encrypted,
    encrypted_one,
    padded,
    words,
)
from transforms.kernels.lengths import Collected, by_length
from transforms.kernels.siv import streamed

NONCE, TAG = 12, 16
_REDUCTION = 0xE1 << 120


class GCM:
    """AES-GCM under one key of 16, 24 or 32 bytes, with the same associated data for all messages.

    Two different messages must never share a nonce: whoever calls sees to that. ValueError for other keys.
    """

    def __init__(self, key: bytes, associated: bytes = b"") -> None:
        self._cipher = block_cipher(key)
        subkey = int.from_bytes(encrypted_one(self._cipher, bytes(BLOCK)), "big")
        self._times, self._times_twice = _table(subkey), _table(_product(subkey, subkey))
        self._associated = len(associated)
        state = np.zeros((1, 2), np.uint64)
        blocks = padded(np.frombuffer(associated, np.uint8).reshape(1, -1))
        for place in range(0, blocks.shape[1] if associated else 0, 2):
            state = _multiplied(self._times, state ^ blocks[:, place : place + 2])
        self._start = state

    def seal(self, messages: pa.Array, nonces: Bytes) -> pa.BinaryArray:
        """Nonce (12 bytes), ciphertext (as long as the message) and tag (16 bytes) of every message.

        `messages`: string or binary; `nonces`: uint8 (n, 12). ValueError for nulls. SP 800-38D, section 7.1.
        """
        done = Collected(len(messages))
        for group in by_length(messages):
            count, length = group.rows.shape
            own = nonces if group.places is None else nonces[group.places]
            sealed = np.empty((count, NONCE + length + TAG), np.uint8)
            sealed[:, :NONCE] = own
            for first in range(0, count, CHUNK):
                part = sealed[first : first + CHUNK]
                counters = _counters(own[first : first + CHUNK])
                stream = streamed(self._cipher, _next(counters), padded(group.rows[first : first + CHUNK]))
                part[:, NONCE:-TAG] = stream.view(np.uint8)[:, :length]
                part[:, -TAG:] = self._tags(part[:, NONCE:-TAG], counters).view(np.uint8)
            done.add(group.places, sealed)
        return done.array(pa.binary())

    def open(self, sealed: pa.Array) -> tuple[pa.BinaryArray, npt.NDArray[np.bool_]]:
        """The messages, and which of them are authentic: the others (altered, another key's) are empty.

        `sealed`: binary, as `seal` gives. ValueError for nulls. SP 800-38D, section 7.2.
        """
        done = Collected(len(sealed))
        authentic = np.zeros(len(sealed), np.bool_)
        for group in by_length(sealed):
            count, length = group.rows.shape
            opened = np.zeros((count, max(0, length - NONCE - TAG)), np.uint8)
            right = np.zeros(count, np.bool_)
            for first in range(0, count if length >= NONCE + TAG else 0, CHUNK):
                rows = group.rows[first : first + CHUNK]
                counters = _counters(rows[:, :NONCE])
                inner = rows[:, NONCE:-TAG]
                stream = streamed(self._cipher, _next(counters), padded(inner))
                opened[first : first + CHUNK] = stream.view(np.uint8)[:, : inner.shape[1]]
                same = self._tags(inner, counters) == padded(rows[:, -TAG:])
                right[first : first + CHUNK] = same.all(axis=1)
            authentic[slice(None) if group.places is None else group.places] = right
            places = np.arange(count) if group.places is None else group.places
            done.add(places[right], opened[right])
            done.add(places[~right], opened[~right][:, :0])
        return done.array(pa.binary()), authentic

    def _tags(self, inner: Bytes, counters: Words) -> Words:
        """The tags of ciphertexts of one length: GHASH, masked (section 7.1, steps 4 to 6)."""
        lengths = (8 * self._associated).to_bytes(8, "big") + (8 * inner.shape[1]).to_bytes(8, "big")
        # The block of lengths is the same for all rows: what it adds is computed once.
        added = _multiplied(self._times, words(lengths).reshape(1, 2))
        state = np.broadcast_to(self._start, (len(inner), 2))
        blocks = padded(inner)
        last = blocks.shape[1] - 2 if inner.shape[1] else -2
        if last < 0:
            state = _multiplied(self._times, state)
        for place in range(0, last + 2, 2):
            table = self._times_twice if place == last else self._times
            state = _multiplied(table, state ^ blocks[:, place : place + 2])
        tags: Words = state ^ added ^ encrypted(self._cipher, counters)
        return tags


def _counters(nonces: Bytes) -> Words:
    """The first counter blocks: nonce and the number 1 (section 7.1, step 2)."""
    blocks = np.zeros((len(nonces), BLOCK), np.uint8)
    blocks[:, :NONCE], blocks[:, -1] = nonces, 1
    return blocks.view(np.uint64)


def _next(counters: Words) -> Words:
    """The counter blocks behind the first ones: the number 2."""
    blocks = counters.copy()
    blocks.view(np.uint8)[:, -1] = 2
    return blocks


def _product(left: int, right: int) -> int:
    """Two blocks multiplied in GF(2^128), the first bit the lowest (section 6.3, algorithm 1)."""
    result = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            result ^= right
        right = right >> 1 ^ (_REDUCTION if right & 1 else 0)
    return result


def _table(factor: int) -> Words:
    """(16, 256, 2): what each value of each byte of a block adds to the block's product with `factor`."""
    powers = []
    for _ in range(128):
        powers.append(words(factor.to_bytes(BLOCK, "big")))
        factor = factor >> 1 ^ (_REDUCTION if factor & 1 else 0)
    basis = np.array(powers).reshape(BLOCK, 8, 2)
    values = np.arange(256)
    table = np.zeros((BLOCK, 256, 2), np.uint64)
    for bit in range(8):
        chosen = (values >> (7 - bit) & 1).astype(np.bool_)
        table[:, chosen] ^= basis[:, bit, None]
    return table


def _multiplied(table: Words, blocks: Words) -> Words:
    octets = np.ascontiguousarray(blocks).view(np.uint8)
    result: Words = table[0].take(octets[:, 0], 0)
    for place in range(1, BLOCK):
        result ^= table[place].take(octets[:, place], 0)
    return result
