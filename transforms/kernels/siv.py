"""AES-SIV (RFC 5297) of many messages at once: deterministic authenticated encryption.

Equal messages give equal ciphertexts, and nothing else shows but their lengths; no nonce can be misused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import CipherContext

from transforms.kernels.aes import (
    BLOCK,
    CHUNK,
    Bytes,
    Words,
    block_cipher,
    counted,
    doubled,
    encrypted,
    encrypted_one,
    padded,
    words,
)
from transforms.kernels.cmac import cmac_many
from transforms.kernels.lengths import Collected, by_length

# Clears the highest bits of the two last 32-bit words, so that no addition to the counter carries (2.5).
_MASK = words(bytes.fromhex("ffffffffffffffff7fffffff7fffffff"))


class SIV:
    """AES-SIV under one key of 32, 48 or 64 bytes, with the same associated data for all messages.

    The key's first half makes the synthetic IV, the second half encrypts. `associated` are the components
    that each ciphertext is bound to, in order. ValueError for other keys.
    """

    def __init__(self, key: bytes, associated: Sequence[bytes] = ()) -> None:
        if len(key) not in (32, 48, 64):
            raise ValueError(f"a key of {len(key)} bytes; allowed: 32, 48 or 64")
        half = len(key) // 2
        self._mac, self._stream = block_cipher(key[:half]), block_cipher(key[half:])
        zero = encrypted_one(self._mac, bytes(BLOCK))
        self._first, self._second = doubled(zero), doubled(doubled(zero))
        chain = cmac_many(key[:half], pa.array([bytes(BLOCK), *associated], pa.binary()))
        bound = chain[0].tobytes()
        for component in chain[1:]:
            bound = _xor(doubled(bound), component.tobytes())
        self._bound = bound

    def seal(self, messages: pa.Array) -> pa.BinaryArray:
        """Synthetic IV (16 bytes) and ciphertext (as long as the message) of every message.

        `messages`: string or binary, of any lengths. ValueError for nulls. RFC 5297, section 2.6.
        """
        done = Collected(len(messages))
        for group in by_length(messages):
            count, length = group.rows.shape
            sealed = np.empty((count, BLOCK + length), np.uint8)
            for first in range(0, count, CHUNK):
                rows = group.rows[first : first + CHUNK]
                blocks = padded(rows)
                vectors = self._vectors(rows, blocks)
                part = sealed[first : first + CHUNK]
                part[:, :BLOCK] = vectors.view(np.uint8)
                part[:, BLOCK:] = streamed(self._stream, vectors & _MASK, blocks).view(np.uint8)[:, :length]
            done.add(group.places, sealed)
        return done.array(pa.binary())

    def open(self, sealed: pa.Array) -> tuple[pa.BinaryArray, npt.NDArray[np.bool_]]:
        """The messages, and which of them are authentic: the others (altered, another key's) are empty.

        `sealed`: binary, as `seal` gives. ValueError for nulls. RFC 5297, section 2.7.
        """
        done = Collected(len(sealed))
        authentic = np.zeros(len(sealed), np.bool_)
        for group in by_length(sealed):
            count, length = group.rows.shape
            opened = np.zeros((count, max(0, length - BLOCK)), np.uint8)
            right = np.zeros(count, np.bool_)
            for first in range(0, count if length >= BLOCK else 0, CHUNK):
                rows = group.rows[first : first + CHUNK]
                vectors = padded(rows[:, :BLOCK])
                stream = streamed(self._stream, vectors & _MASK, padded(rows[:, BLOCK:]))
                part = opened[first : first + CHUNK]
                part[:] = stream.view(np.uint8)[:, : length - BLOCK]
                same = self._vectors(part, padded(part)) == vectors
                right[first : first + CHUNK] = same.all(axis=1)
            authentic[slice(None) if group.places is None else group.places] = right
            places = np.arange(count) if group.places is None else group.places
            done.add(places[right], opened[right])
            done.add(places[~right], opened[~right][:, :0])
        return done.array(pa.binary()), authentic

    def _vectors(self, rows: Bytes, blocks: Words) -> Words:
        """The synthetic IVs of messages of one length: S2V (section 2.4). `blocks` are the rows, padded."""
        length = rows.shape[1]
        if length < BLOCK:
            one = np.zeros(BLOCK, np.uint8)
            one[length] = 0x80
            last = _xor(_xor(doubled(self._bound), one.tobytes()), self._first)
            return encrypted(self._mac, blocks ^ words(last))
        # The chain's value goes onto the message's last 16 bytes; then CMAC, the last block apart.
        mask = np.zeros(blocks.shape[1] * 8, np.uint8)
        mask[length - BLOCK : length] = np.frombuffer(self._bound, np.uint8)
        if length % BLOCK:
            mask[length] ^= 0x80
        mask[-BLOCK:] ^= np.frombuffer(self._second if length % BLOCK else self._first, np.uint8)
        masked = blocks ^ mask.view(np.uint64)
        state = encrypted(self._mac, masked[:, :2])
        for place in range(2, masked.shape[1], 2):
            state = encrypted(self._mac, state ^ masked[:, place : place + 2])
        return state


def streamed(cipher: CipherContext, counters: Words, blocks: Words) -> Words:
    """Blocks of rows, (n, 2 × blocks), XOR the enciphered counters that begin with each row's own, (n, 2)."""
    result = np.empty_like(blocks)
    for place in range(0, blocks.shape[1], 2):
        stream = encrypted(cipher, counted(counters, place // 2))
        np.bitwise_xor(blocks[:, place : place + 2], stream, out=result[:, place : place + 2])
    return result


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
