"""AES on many blocks at once: what CMAC, SIV, GCM and FF1 are built on.

A block is a row of two 64-bit words as they lie in memory: `byteswap` turns them into the numbers that their
bytes write, the first byte the highest, for our machines (as Arrow's files) are little-endian.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

BLOCK = 16
# Rows worked on together: their blocks stay in the processor's cache.
CHUNK = 8_192


def block_cipher(key: bytes) -> CipherContext:
    """AES in ECB mode under a key of 16, 24 or 32 bytes; ValueError for others."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()


def encrypted(cipher: CipherContext, blocks: Words) -> Words:
    """Every block enciphered: uint64 (n, 2) to uint64 (n, 2)."""
    source = np.ascontiguousarray(blocks).view(np.uint8).reshape(-1)
    # update_into asks for room for one block more than it fills.
    target = np.empty(len(source) + BLOCK - 1, np.uint8)
    cipher.update_into(source.data, target.data)
    return target[: len(source)].view(np.uint64).reshape(-1, 2)


def encrypted_one(cipher: CipherContext, block: bytes) -> bytes:
    """One block enciphered."""
    target = bytearray(2 * BLOCK)
    cipher.update_into(block, target)
    return bytes(target[:BLOCK])


def words(block: bytes) -> Words:
    """One block as its two words."""
    return np.frombuffer(block, np.uint64)


def doubled(block: bytes) -> bytes:
    """A block times x in GF(2^128), the first bit the highest (SP 800-38B, 5.3; RFC 5297, 2.3)."""
    number = int.from_bytes(block, "big")
    shifted = ((number << 1) & ((1 << 128) - 1)) ^ (0x87 if number >> 127 else 0)
    return shifted.to_bytes(BLOCK, "big")


def counted(first: Words, step: int) -> Words:
    """Counter blocks: `first`, (n, 2), with `step` added to the number in the last 8 bytes (modulo 2^64)."""
    blocks = first.copy()
    if step:
        blocks[:, 1] = (first[:, 1].byteswap() + np.uint64(step)).byteswap()
    return blocks


def padded(rows: Bytes) -> Words:
    """Rows of one length as whole blocks (at least one), zeros behind: uint64 (n, 2 × blocks)."""
    count, length = rows.shape
    whole = np.zeros((count, max(1, -(-length // BLOCK)) * BLOCK), np.uint8)
    whole[:, :length] = rows
    return whole.view(np.uint64)
