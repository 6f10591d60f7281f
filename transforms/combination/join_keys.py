"""Join keys (결합키): one-way functions (일방향 암호화) of the key columns and the salt.

Measured on one core, messages of 28 bytes and a salt of 32: hashlib (OpenSSL, with the processor's SHA instructions)
0.44 µs a digest, Python's own `_sha256` 0.6, libsodium by cffi 0.7, the same wrapped by PyNaCl 1.7, SHA-256 by numpy
over 16,384 messages at once 1.05. A library's call per message wins.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.combination.key_spec import Algorithm, KeySpec
from transforms.derivation import Secret

_DIGESTS: Mapping[Algorithm, Callable[..., Any]] = {
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
    "SHA3-256": hashlib.sha3_256,
    "SHA3-384": hashlib.sha3_384,
    "SHA3-512": hashlib.sha3_512,
    "HMAC-SHA-256": hashlib.sha256,
    "HMAC-SHA-384": hashlib.sha384,
    "HMAC-SHA-512": hashlib.sha512,
}
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def join_keys(messages: pa.Array, spec: KeySpec, salt: Secret) -> pa.BinaryArray:
    """The join key of each message: binary, `spec.digest_bytes` each.

    In: binary without nulls (ValueError), as `key_inputs` makes it; a salt of `spec.salt_bytes` (ValueError).
    SHA-2 (FIPS 180-4) and SHA-3 (FIPS 202) of message and salt, in this order; HMAC (FIPS 198-1) of the message with
    the salt as key. Guideline L1385-1400.
    """
    value = salt.reveal()
    if len(value) != spec.salt_bytes:
        raise ValueError(f"a salt of {len(value)} bytes; allowed: {spec.salt_bytes}")
    if messages.null_count:
        raise ValueError(f"{messages.null_count} null messages; allowed: none")
    digest = _DIGESTS[spec.algorithm]
    many = messages.cast(pa.binary()).to_pylist()
    keys = _macs(many, digest, value) if spec.keyed else [digest(one + value).digest() for one in many]
    ends = np.arange(len(many) + 1, dtype=np.int64) * spec.digest_bytes
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(keys))]
    return pa.Array.from_buffers(pa.binary(), len(many), buffers)


def _macs(messages: list[bytes], digest: Callable[..., Any], key: bytes) -> list[bytes]:
    """HMAC of each: the key's two blocks are hashed once, and what follows them goes on from copies."""
    block = key.ljust(digest().block_size, b"\0")
    inner, outer = digest(block.translate(_INNER)), digest(block.translate(_OUTER))
    made = []
    for message in messages:
        first, second = inner.copy(), outer.copy()
        first.update(message)
        second.update(first.digest())
        made.append(second.digest())
    return made
