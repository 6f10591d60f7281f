"""A run's additional information (추가정보) after its release: destroyed, or kept encrypted."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import GCM

from jobs.errors import Operational
from jobs.key_files import overwrite
from jobs.key_providers import provider_of
from jobs.keys import KeyGone, RunSecrets
from jobs.runs import RunFolder, RunRecord
from jobs.storage import unique_name
from transforms.derivation import Secret, canonical_json, subkey

SEALED = ".sealed"
CHUNK = 4 << 20
NONCE, TAG = 12, 16


def run_secrets(folder: RunFolder) -> RunSecrets:
    """The store of the environment's run secrets."""
    environment = folder.environment
    return RunSecrets(environment.zone("keys"), provider_of(environment))


def card(folder: RunFolder) -> dict[str, str] | None:
    """The run secret's check value and canary, for the ledger; None where there is no secret (any more)."""
    try:
        return run_secrets(folder).card(folder.run).plain()
    except KeyGone:
        return None


def destroy(folder: RunFolder) -> bool:
    """Overwrites and removes the run's wrapped secret (crypto-shredding), facts and maps; True if there was any."""
    secret = run_secrets(folder).destroy(folder.run)
    rest = folder.additional.exists()
    for path in folder.additional.local.rglob("*") if rest else ():
        if path.is_file() and not path.is_symlink():
            overwrite(path)
    folder.additional.delete()
    return secret or rest


def anything_left(folder: RunFolder) -> bool:
    """True if the run still has a secret or additional information."""
    return run_secrets(folder).exists(folder.run) or folder.additional.exists()


def keep(folder: RunFolder, record: RunRecord) -> list[str]:
    """Encrypts every file of the run's additional information where it lies; gives the names of those it did.

    AES-256-GCM under a subkey of the run's secret for each path, nonce random, path and run bound. A file
    is replaced only when its encrypted form is complete on disk.
    """
    place = folder.additional.local
    for draft in place.rglob(f".*{SEALED}") if place.is_dir() else ():
        draft.unlink()
    plain = plain_files(folder)
    if plain:
        secret = run_secrets(folder).load(folder.run)
        for path in plain:
            name = path.relative_to(folder.additional.local).as_posix()
            _seal(path, _key(secret, record, name), _bound(record.run, name))
    return [path.name for path in plain]


def plain_files(folder: RunFolder) -> list[Path]:
    """Files of the run's additional information that are not encrypted."""
    place = folder.additional.local
    files = (path for path in place.rglob("*") if path.is_file()) if place.is_dir() else ()
    return sorted(path for path in files if path.suffix != SEALED)


def sealed(content: bytes, key: Secret, run: str, name: str) -> bytes:
    """A whole file's content, encrypted as `keep` encrypts it under `name`: nonce, ciphertext, tag."""
    return b"".join(sealed_parts(content, key, run, name))


def sealed_parts(content: bytes | memoryview, key: Secret, run: str, name: str) -> tuple[bytes, bytes, bytes]:
    """What `sealed` gives, in its three parts: large contents are not copied once more."""
    nonce = secrets.token_bytes(NONCE)
    encryptor = Cipher(AES256(key.reveal()), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(_bound(run, name))
    ciphertext = encryptor.update(content)
    encryptor.finalize()
    return nonce, ciphertext, encryptor.tag


def opened(content: bytes, key: Secret, run: str, name: str) -> bytes:
    """The content that `sealed` encrypted; InvalidTag where it was altered, or under another name or key."""
    if len(content) < NONCE + TAG:
        raise InvalidTag
    decryptor = Cipher(AES256(key.reveal()), GCM(content[:NONCE], content[-TAG:])).decryptor()
    decryptor.authenticate_additional_data(_bound(run, name))
    return decryptor.update(memoryview(content)[NONCE:-TAG]) + decryptor.finalize()


def unseal(folder: RunFolder, record: RunRecord, name: str, target: Callable[[bytes], object]) -> None:
    """Decrypts the kept file that was `name`, handing its bytes to `target` in pieces.

    The pieces may be used only when this returns: Operational, at the end, if the file was altered.
    """
    path = folder.additional.local / f"{name}{SEALED}"
    key = _key(run_secrets(folder).load(folder.run), record, name)
    try:
        with path.open("rb") as file:
            left = os.fstat(file.fileno()).st_size - NONCE - TAG
            decryptor = Cipher(AES256(key.reveal()), GCM(file.read(NONCE))).decryptor()
            decryptor.authenticate_additional_data(_bound(record.run, name))
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                target(decryptor.update(chunk))
                left -= len(chunk)
            decryptor.finalize_with_tag(file.read(TAG))
    except FileNotFoundError:
        raise Operational(f"{path} is missing: destroyed, or never kept") from None
    except (InvalidTag, ValueError):
        raise Operational(f"{path} is damaged or was altered; restore the file") from None


def _seal(path: Path, key: Secret, associated: bytes) -> None:
    nonce = secrets.token_bytes(NONCE)
    encryptor = Cipher(AES256(key.reveal()), GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    target = path.with_name(path.name + SEALED)
    # drafts end like sealed files, so that one that a crash left is never sealed itself
    draft = path.with_name(f".{path.name}.{unique_name()}{SEALED}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with path.open("rb") as source, os.fdopen(descriptor, "wb") as out:
        out.write(nonce)
        while chunk := source.read(CHUNK):
            out.write(encryptor.update(chunk))
        out.write(encryptor.finalize())
        out.write(encryptor.tag)
        out.flush()
        os.fsync(out.fileno())
    os.replace(draft, target)
    path.unlink()


def file_key(secret: Secret, organisation: str, run: str, recipient: str, name: str) -> Secret:
    """The subkey of one file of a run's additional information."""
    return subkey(
        secret,
        organisation=organisation,
        run_or_series=run,
        recipient=recipient,
        algorithm="AES-256-GCM",
        domain="additional-information",
        step=name,
        purpose="keep",
    )


def _key(secret: Secret, record: RunRecord, name: str) -> Secret:
    return file_key(secret, record.organisation, record.run, record.recipient, name)


def _bound(run: str, name: str) -> bytes:
    return canonical_json({"run": run, "file": name})
