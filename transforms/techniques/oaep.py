"""RSA-OAEP with SHA-256 (RFC 8017, section 7.1), its seeds given: one cell after another, for few cells."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from transforms.derivation import Secret
from transforms.errors import CellsRefused
from transforms.kernels.aes import Bytes

LEAST_BITS = 2048
_HASH = 32


def _public(pem: str) -> rsa.RSAPublicKey | None:
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError:
        return None
    return key if isinstance(key, rsa.RSAPublicKey) else None


def problem_of(pem: str) -> str | None:
    """What is wrong with a public key's PEM text, or None."""
    key = _public(pem)
    if key is None:
        return "a text that is no RSA public key"
    return f"an RSA key of {key.key_size} bits" if key.key_size < LEAST_BITS else None


def size(pem: str) -> int:
    """Bytes of a ciphertext under this public key."""
    key = _public(pem)
    return -(-key.key_size // 8) if key is not None else 0


def seal(pem: str, label: bytes, messages: pa.Array, chosen: pa.Array, seeds: Bytes) -> pa.BinaryArray:
    """The ciphertexts of the chosen messages (an empty one for others); `seeds`: 32 bytes for each, uint8 (n, 32).

    CellsRefused for messages that are too long for the key.
    """
    key = _public(pem)
    if key is None:
        raise ValueError("no RSA public key")
    numbers, length = key.public_numbers(), size(pem)
    most = length - 2 * _HASH - 2
    if long := int(pc.sum(pc.greater(pc.binary_length(messages), most)).as_py() or 0):
        raise CellsRefused(f"cells of more than {most} bytes, the most that this RSA key takes", long)
    digest = sha256(label).digest()
    sealed = []
    for message, wanted, seed in zip(messages.to_pylist(), chosen.to_pylist(), seeds, strict=True):
        if not wanted:
            sealed.append(b"")
            continue
        block = digest + bytes(most - len(message)) + b"\x01" + message
        masked = _xor(block, _mask(seed.tobytes(), len(block)))
        whole = b"\0" + _xor(seed.tobytes(), _mask(masked, _HASH)) + masked
        sealed.append(pow(int.from_bytes(whole, "big"), numbers.e, numbers.n).to_bytes(length, "big"))
    return pa.array(sealed, pa.binary())


def open_(private: Secret, label: bytes, sealed: pa.Array) -> tuple[pa.BinaryArray, npt.NDArray[np.bool_]]:
    """The messages under a private key (PEM), and which ciphertexts are that key's: the others are empty.

    ValueError where the secret is no RSA private key without a password.
    """
    try:
        key = serialization.load_pem_private_key(private.reveal(), None)
    except TypeError:
        raise ValueError("a private key with a password") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("no RSA private key")
    scheme = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)
    messages, right = [], np.zeros(len(sealed), np.bool_)
    for place, ciphertext in enumerate(sealed.to_pylist()):
        try:
            messages.append(key.decrypt(ciphertext, scheme))
            right[place] = True
        except ValueError:
            messages.append(b"")
    return pa.array(messages, pa.binary()), right


def _mask(seed: bytes, length: int) -> bytes:
    """MGF1 (appendix B.2.1)."""
    blocks = (sha256(seed + number.to_bytes(4, "big")).digest() for number in range(-(-length // _HASH)))
    return b"".join(blocks)[:length]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
