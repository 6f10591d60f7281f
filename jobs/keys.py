"""Root keys and the secrets under them (키 관리).

The root key only wraps, it never derives: a secret can be destroyed (crypto-shredding) because nothing
but its wrapped form in the keys zone leads to it. Where that zone's disk keeps old blocks (SSD,
snapshots, backups), a destroyed file may survive as ciphertext; whoever must rule that out replaces the
root key.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jobs.errors import BadInput, Operational, Refused
from jobs.storage import private_folder, unique_name
from transforms.derivation import SECRET_BYTES, Secret, canonical_json

_FORMAT = 1
_ALGORITHM = "AES-256-GCM"
_NONCE_BYTES = 12


class KeyGone(Refused):
    """No secret of this name: destroyed, or never made (exit 3)."""


class KeyExists(BadInput):
    """A key or secret of this name is there already and is not overwritten (exit 2)."""


class KeyProvider(Protocol):
    """Who holds the root key: a file, a KMS."""

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """The secret encrypted and bound to `context`, as JSON content that tells nothing about it."""

    def unwrap(self, wrapped: Mapping[str, Any]) -> Secret:
        """The secret again; Operational if anything was altered, its context too."""

    def check(self) -> str:
        """The root key's id; BadInput if it can't be used."""


class FileProvider:
    """A root key of 32 random bytes in a JSON file that its owner alone may read.

    The key is read anew for each use, so the object holds none. BadInput if the file is missing, open
    to others or no root key.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    @classmethod
    def init(cls, path: str | os.PathLike[str]) -> FileProvider:
        """Makes a new root key (mode 0600); KeyExists if a file is there."""
        body = {
            "format": _FORMAT,
            "key_id": secrets.token_hex(8),
            "key": base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
        }
        allowed = "one for an environment; nothing to do: `gamyeong keys check` tells whether it can be used"
        new_file(Path(path), body, f"the root key {os.fspath(path)}", allowed)
        return cls(path)

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """AES-256-GCM (SP 800-38D), nonce random, associated data: format, key id, algorithm, context."""
        key_id, root = self._read()
        wrapped = {"format": _FORMAT, "key_id": key_id, "algorithm": _ALGORITHM, "context": dict(context)}
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(root.reveal()).encrypt(nonce, secret.reveal(), canonical_json(wrapped))
        return {
            **wrapped,
            "nonce": base64.b64encode(nonce).decode(),
            "secret": base64.b64encode(sealed).decode(),
        }

    def unwrap(self, wrapped: Mapping[str, Any]) -> Secret:
        """The secret again; BadInput for another root key's, Operational for an altered one."""
        key_id, root = self._read()
        if wrapped.get("key_id") != key_id:
            raise BadInput(
                f"a secret wrapped by another root key than {self._path} (key id {key_id}); allowed: "
                "the root key that it was wrapped with; name that one in the environment"
            )
        associated = {name: wrapped.get(name) for name in ("format", "key_id", "algorithm", "context")}
        try:
            nonce, sealed = (base64.b64decode(wrapped[name], validate=True) for name in ("nonce", "secret"))
            return Secret(AESGCM(root.reveal()).decrypt(nonce, sealed, canonical_json(associated)))
        except (InvalidTag, KeyError, TypeError, ValueError):
            raise Operational(
                "a wrapped secret is damaged or was altered; allowed: as it was written; restore the file"
            ) from None

    def check(self) -> str:
        """The root key's id."""
        return self._read()[0]

    def _read(self) -> tuple[str, Secret]:
        try:
            with self._path.open("rb") as file:
                # Of the open file, so that none can be put in its place between check and reading.
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read() if not mode & 0o077 else b""
        except OSError as error:
            raise BadInput(
                f"the root key {self._path} can't be read: {error.strerror}; allowed: a file made by "
                "`gamyeong keys init`"
            ) from None
        if mode & 0o077:
            raise BadInput(
                f"the root key {self._path} has mode {mode:04o}; allowed: 0600 or stricter; others may "
                "have read it: take a new one, or `chmod 600` if surely nobody has"
            )
        try:
            body = json.loads(content)
            key = base64.b64decode(body["key"], validate=True)
            if body["format"] == _FORMAT and isinstance(body["key_id"], str) and len(key) == SECRET_BYTES:
                return body["key_id"], Secret(key)
        except (KeyError, TypeError, ValueError):
            pass
        raise BadInput(f"{self._path} is no root key; allowed: a file made by `gamyeong keys init`")


def passing_secret() -> Secret:
    """32 random bytes that are never stored: what they key can't be known before, nor repeated."""
    return Secret(secrets.token_bytes(SECRET_BYTES))


class _StoredSecrets:
    """Secrets of 32 random bytes, by name, wrapped, one JSON file each in a folder of the keys zone."""

    folder: ClassVar[str]
    noun: ClassVar[str]

    def __init__(self, zone: str | os.PathLike[str], provider: KeyProvider) -> None:
        self._folder = Path(zone) / self.folder
        self._provider = provider

    def create(self, name: str) -> Secret:
        """A new secret, wrapped and stored whole or not at all; KeyExists if there is one of the name."""
        path = self._path(name)
        secret = Secret(secrets.token_bytes(SECRET_BYTES))
        new_file(path, self._provider.wrap(secret, self._context(name)), f"the secret of {self._named(name)}")
        return secret

    def load(self, name: str) -> Secret:
        """The secret; KeyGone if destroyed or never made, Operational if damaged or another one's."""
        try:
            wrapped = json.loads(self._path(name).read_bytes())
        except FileNotFoundError:
            raise KeyGone(
                f"no secret of {self._named(name)}: destroyed, or never made; what was made with it can't be "
                "made or linked again"
            ) from None
        except ValueError:
            wrapped = None
        except OSError as error:
            raise Operational(f"the secret of {self._named(name)} can't be read: {error.strerror}") from None
        # A wrapped secret under another name would be a valid one of the wrong run.
        if not isinstance(wrapped, dict) or wrapped.get("context") != self._context(name):
            raise Operational(
                f"the file with the secret of {self._named(name)} is damaged or another one's; allowed: as "
                "it was written; restore the file"
            )
        return self._provider.unwrap(wrapped)

    def obtain(self, name: str) -> Secret:
        """The secret, made now if there is none: for runs that are repeated and series that go on.

        Not for a run whose secret may have been destroyed: it would get another one.
        """
        try:
            return self.load(name)
        except KeyGone:
            pass
        try:
            return self.create(name)
        except KeyExists:
            return self.load(name)

    def exists(self, name: str) -> bool:
        """True if there is a secret of this name."""
        return self._path(name).is_file()

    def names(self) -> tuple[str, ...]:
        """The names of all secrets that are there, in order."""
        return tuple(sorted(path.stem for path in self._folder.glob("[!.]*.json")))

    def destroy(self, name: str) -> bool:
        """Removes the secret and what a crash while storing it left behind; True if there was anything."""
        path = self._path(name)
        if not self._folder.is_dir():
            return False
        draft = re.compile(re.escape(_draft_name(path, "")) + "[0-9a-f]+")
        doomed = [file for file in self._folder.iterdir() if file == path or draft.fullmatch(file.name)]
        for file in doomed:
            file.unlink(missing_ok=True)
        _sync_folder(self._folder)
        return bool(doomed)

    def _path(self, name: str) -> Path:
        composed = unicodedata.normalize("NFC", name)
        if not re.fullmatch(r"\w[\w.-]*", composed) or len(composed.encode()) > 200:
            raise BadInput(
                f"{name!r} as the name of a {self.noun}; allowed: letters, digits, '_', '-' and '.', "
                "a letter or digit first, to 200 bytes"
            )
        return self._folder / f"{composed}.json"

    def _context(self, name: str) -> dict[str, str]:
        return {"kind": self.noun, "name": unicodedata.normalize("NFC", name)}

    def _named(self, name: str) -> str:
        return f"{self.noun} {name}"


class RunSecrets(_StoredSecrets):
    """Secrets of runs: for order, serials, sample, noise; destroyed after publishing where the plan says."""

    folder = "runs"
    noun = "run"


class SeriesSecrets(_StoredSecrets):
    """Secrets of series (`stable_over:`): for tokens and links that stay the same over several runs."""

    folder = "series"
    noun = "series"


class IdentitySecrets(_StoredSecrets):
    """Private keys of a role in combinations: what signs its packages, and what opens those sealed to it."""

    folder = "identity"
    noun = "identity"


class CombinationSecrets(_StoredSecrets):
    """Secrets of combinations: salts of a series, and what a round's serials come from."""

    folder = "combinations"
    noun = "combination"


def random_bits(count: int) -> int:
    """`count` random bits of the machine, for keys that are made elsewhere."""
    return secrets.randbits(count)


def new_file(path: Path, body: Mapping[str, Any], what: str, allowed: str = "a new name") -> None:
    """Writes a new JSON file of mode 0600 whole or not at all, and never over another one (KeyExists)."""
    private_folder(path.parent)
    draft = path.with_name(_draft_name(path, unique_name()))
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(body, file, ensure_ascii=False, sort_keys=True, indent=1)
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: of two that create at once, the second must not replace the first's key.
        os.link(draft, path)
    except FileExistsError:
        raise KeyExists(f"{what} is there already and is not overwritten; allowed: {allowed}") from None
    except OSError as error:
        raise Operational(
            f"{what} can't be written: {error.strerror}; try again with space and rights"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
        _sync_folder(path.parent)


def _draft_name(path: Path, attempt: str) -> str:
    return f".{path.name}.{attempt}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
