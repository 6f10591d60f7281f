"""AES-CMAC (NIST SP 800-38B, RFC 4493) of many messages at once.

One AES-ECB call encrypts the current block of every message; a round per block of the longest one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import CipherContext

from transforms.kernels.aes import BLOCK, CHUNK, Bytes, Words, block_cipher, doubled, encrypted, encrypted_one
from transforms.kernels.lengths import flat

# Row L keeps the first L bytes of a block; the other table sets the 1 bit that follows a short one.
_KEEP: Words = np.where(np.arange(BLOCK) < np.arange(BLOCK + 1)[:, None], 255, 0).astype(np.uint8).view(np.uint64)
_ONE_BIT: Bytes = np.eye(BLOCK + 1, BLOCK, dtype=np.uint8) * 0x80


def cmac_many(key: bytes, messages: pa.Array) -> Bytes:
    """The 16-byte MAC of every message: uint8 (n, 16), in the order of `messages`.

    `messages` is a binary (or string) array without nulls, of any lengths, empty ones too; `key` has
    16, 24 or 32 bytes (Gamyeong derives 32: AES-256). ValueError for other keys and for nulls. Best
    where messages have at most 16 bytes. SP 800-38B, section 6.
    """
    starts, ends, data = _layout(messages)
    encryptor = block_cipher(key)
    finish = _finishers(encryptor)
    macs = np.empty((len(starts), BLOCK), np.uint8)
    for first in range(0, len(starts), CHUNK):
        rows = slice(first, first + CHUNK)
        macs[rows] = _chunk(encryptor, finish, data, starts[rows], ends[rows])
    return macs


def _layout(messages: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.void]]:
    """Where each message starts and ends, and the data as overlapping 16-byte windows, one per byte."""
    offsets, data = flat(messages)
    # The last message's window may reach 16 bytes beyond the data.
    padded = np.zeros(len(data) + BLOCK, np.uint8)
    padded[: len(data)] = data
    windows = np.ndarray((len(data) + 1,), f"V{BLOCK}", padded, strides=(1,))
    return offsets[:-1], offsets[1:], windows


def _finishers(encryptor: CipherContext) -> Words:
    """(17, 2) words to XOR on a last block of 0 … 16 bytes: the 1 bit behind it, and K1 or K2 (6.1)."""
    first = doubled(encrypted_one(encryptor, bytes(BLOCK)))
    second = doubled(first)
    table = _ONE_BIT.copy()
    table[:BLOCK] ^= np.frombuffer(second, np.uint8)
    table[BLOCK] ^= np.frombuffer(first, np.uint8)
    return table.view(np.uint64)


def _chunk(
    encryptor: CipherContext,
    finish: Words,
    windows: npt.NDArray[np.void],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> Bytes:
    lengths = ends - starts
    if lengths.max() <= BLOCK:
        return encrypted(encryptor, _last_blocks(finish, windows, starts, lengths)).view(np.uint8)
    falling = -np.maximum((lengths + BLOCK - 1) // BLOCK, 1)
    # Most blocks first: the messages that still go on stand first, behind them those that end.
    order = np.argsort(falling, kind="stable")
    starts, lengths, falling = starts[order], lengths[order], falling[order]
    state = np.zeros((len(order), 2), np.uint64)
    for done in range(-int(falling[0])):
        going = int(np.searchsorted(falling, -(done + 1), side="left"))
        alive = int(np.searchsorted(falling, -done, side="left"))
        at = starts[:alive] + done * BLOCK
        state[:going] ^= windows[at[:going]].view(np.uint64).reshape(-1, 2)
        state[going:alive] ^= _last_blocks(finish, windows, at[going:], lengths[going:alive] - done * BLOCK)
        state[:alive] = encrypted(encryptor, state[:alive])
    macs = np.empty_like(state)
    macs[order] = state
    return macs.view(np.uint8)


def _last_blocks(
    finish: Words, windows: npt.NDArray[np.void], at: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> Words:
    """The last block of each message, cut to its length, padded, and masked with K1 or K2 (6.2, step 4)."""
    blocks = windows[at].view(np.uint64).reshape(-1, 2)
    # take, not [ ]: for rows of two words it is more than ten times as fast.
    blocks &= _KEEP.take(lengths, 0)
    blocks ^= finish.take(lengths, 0)
    return blocks
