"""Key pairs of homomorphic encryption: the public one lies beside plans, the private one with whoever reads sums."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

from jobs.errors import BadInput, Refused
from jobs.key_files import new_file
from jobs.keys import random_bits
from jobs.signing import KEY_ID_DIGITS
from transforms.kernels.paillier import LEAST_BITS, PrivateKey, PublicKey, generate

DEFAULT_BITS = 3072


def new_sum_key(private: Path, public: Path, bits: int) -> PublicKey:
    """Makes a Paillier key: two new JSON files, the private one of mode 0600.

    BadInput for fewer than 2048 bits, KeyExists where a file is there: then none is written.
    """
    if bits < LEAST_BITS or bits % 2:
        raise BadInput(f"--bits {bits}; allowed: an even number from {LEAST_BITS} on, such as {DEFAULT_BITS}")
    key = generate(bits, random_bits)
    new_file(private, json.loads(key.to_text()), f"the private key {private}")
    try:
        new_file(public, json.loads(key.public.to_text()), f"the public key {public}")
        public.chmod(0o644)
    except BaseException:
        private.unlink(missing_ok=True)
        raise
    return key.public


def sum_key_id(key: PublicKey) -> str:
    """The beginning of the modulus' SHA-256, 16 hex digits: names a key in ledgers."""
    return hashlib.sha256(hex(key.n).encode()).hexdigest()[:KEY_ID_DIGITS]


def load_sum_key(path: Path) -> PrivateKey:
    """Reads a private key; Refused where others may read the file, BadInput for what is no such key."""
    return PrivateKey.from_text(private_text(path, "a private key made by `gamyeong keys paillier`"))


def private_text(path: Path, what: str) -> str:
    """The text of a file that nobody but its owner may read; Refused otherwise, BadInput where it can't be read."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read()
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}; allowed: {what}") from None
    if mode & 0o077:
        raise Refused(f"{path} may be read by others (mode {mode:o}); allowed: 600 (`chmod 600 {path}`)")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not {what}") from None
