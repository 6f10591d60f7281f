"""Ed25519 keys (RFC 8032) in files, for reviewers' decisions and the ledger's entries."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from jobs.errors import BadInput, Refused
from jobs.storage import private_folder, unique_name

KEY_ID_DIGITS = 16


@dataclass(frozen=True)
class SigningKey:
    """A private key; its repr shows the key id alone."""

    _private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public key, 64 hex digits."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @property
    def key_id(self) -> str:
        """The beginning of the public key's SHA-256, 16 hex digits."""
        return key_id(self.public)

    def sign(self, message: bytes) -> str:
        """The signature, 128 hex digits."""
        return self._private.sign(message).hex()

    def __repr__(self) -> str:
        return f"SigningKey({self.key_id})"


def key_id(public: str) -> str:
    """The id of a public key (hex)."""
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()[:KEY_ID_DIGITS]


def signed_by(public: str, message: bytes, signature: str) -> bool:
    """True if `signature` (hex) is that of the public key (hex) over `message`; malformed text is False."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def new_key(path: Path, passphrase: bytes | None = None) -> SigningKey:
    """Makes a key and writes it to a new file (PEM, PKCS #8, mode 0600); an existing file is BadInput."""
    private = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)
    private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{unique_name()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # unlike a rename, refuses to replace a key that is there already
    except FileExistsError:
        raise BadInput(f"{path} exists already; allowed: the name of a new file") from None
    finally:
        draft.unlink(missing_ok=True)
    return SigningKey(private)


def load_key(path: Path, passphrase: bytes | None = None) -> SigningKey:
    """Reads a key file; one that others may read is Refused, one that is no Ed25519 key BadInput."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise Refused(f"{path} may be read by others (mode {mode:o}); allowed: 600 (`chmod 600 {path}`)")
        private = load_pem_private_key(path.read_bytes(), passphrase)
    except OSError as error:
        raise BadInput(f"the key file {path} can't be read: {error.strerror}") from None
    except TypeError:
        need = "no passphrase" if passphrase else "a passphrase (--passphrase-file FILE)"
        raise BadInput(f"the key file {path} needs {need}") from None
    except ValueError:
        raise BadInput(f"{path} is no private key in PEM, or the passphrase is wrong") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise BadInput(f"{path} holds another kind of key; allowed: Ed25519 (`gamyeong reviewer new`)")
    return SigningKey(private)


def passphrase_from(path: Path | None) -> bytes | None:
    """The passphrase in the first line of a file, or None without a file."""
    if path is None:
        return None
    try:
        first = path.read_bytes().split(b"\n", 1)[0].rstrip(b"\r")
    except OSError as error:
        raise BadInput(f"the passphrase file {path} can't be read: {error.strerror}") from None
    if not first:
        raise BadInput(f"the passphrase file {path} is empty")
    return first
