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
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from jobs.canaries import check_value, new_canary
from jobs.errors import BadInput, Operational, Refused
from jobs.key_files import KeyExists, alone_in, draft_name, new_file, overwrite
from jobs.key_providers.model import KeyProvider
from jobs.storage import sync_folder, write_atomically
from transforms.derivation import SECRET_BYTES, Secret

_DRAFT = re.compile(r"\..+\.json\.[0-9a-f]{16}")


class KeyGone(Refused):
    """No secret of this name: destroyed, or never made (exit 3)."""


def passing_secret() -> Secret:
    """32 random bytes that are never stored: what they key can't be known before, nor repeated."""
    return Secret(secrets.token_bytes(SECRET_BYTES))


@dataclass(frozen=True)
class KeyCard:
    """What is known of a stored secret without opening it, and what its destruction is proved by.

    `roots` are the ids of the root keys that ever wrapped it, the present one last; `check` is the secret's check
    value and `canary` what was sealed under it, both of its creation; `wrapped` the bytes of its wrapped form, and
    `written` when these were (seconds since 1970).
    """

    name: str
    roots: tuple[str, ...]
    check: str
    canary: str
    wrapped: bytes
    written: float

    @property
    def key_id(self) -> str:
        """The id of the root key that wraps it now."""
        return self.roots[-1]

    def plain(self) -> dict[str, str]:
        """What may stand in the ledger: neither tells anything of the secret."""
        return {"key_id": self.key_id, "check": self.check, "canary": self.canary}


class StoredSecrets:
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
        context = self._context(name)
        proofs = {"check": check_value(secret, context), "canary": new_canary(secret, context)}
        body = {**self._provider.wrap(secret, context), **proofs}
        with alone_in(self._folder):
            new_file(path, body, f"the secret of {self._named(name)}")
        return secret

    def load(self, name: str) -> Secret:
        """The secret; KeyGone if destroyed or never made, Operational if damaged or another one's."""
        return self._provider.unwrap(self._read(name))

    def card(self, name: str) -> KeyCard:
        """What is known of a secret that is there, without the root key; errors as for `load`."""
        body = self._read(name)
        try:
            wrapped = base64.b64decode(body["secret"], validate=True)
            roots = tuple(map(str, [*body.get("earlier", ()), body["key_id"]]))
            written = self._path(name).stat().st_mtime
            return KeyCard(name, roots, str(body["check"]), str(body["canary"]), wrapped, written)
        except (KeyError, TypeError, ValueError):
            raise self._damaged(name) from None

    def rewrap(self, name: str) -> bool:
        """Wraps a secret under the provider's current root key; False where it is so already, or was destroyed.

        The file is replaced whole: whenever the work is stopped, one of both root keys opens it.
        """
        try:
            before = self._path(name).read_bytes()
            body = self._read(name)
            if body.get("key_id") == self._provider.check():
                return False
            proofs = {key: body[key] for key in ("check", "canary") if key in body}
            earlier = {"earlier": [*body.get("earlier", ()), body.get("key_id")]}
            fresh = self._provider.wrap(self._provider.unwrap(body), self._context(name)) | proofs | earlier
        except (KeyGone, FileNotFoundError):
            return False
        with alone_in(self._folder):
            # Destroyed meanwhile, or another made in its place: what was must not come back.
            if not self.exists(name) or self._path(name).read_bytes() != before:
                return False
            write_atomically(self._path(name), json.dumps(fresh, ensure_ascii=False, sort_keys=True, indent=1).encode())
        return True

    def sweep(self) -> int:
        """Removes what killed attempts left half-written; how many files that were."""
        if not self._folder.is_dir():
            return 0
        with alone_in(self._folder):
            doomed = [file for file in self._folder.iterdir() if _DRAFT.fullmatch(file.name)]
            for file in doomed:
                file.unlink(missing_ok=True)
            sync_folder(self._folder)
        return len(doomed)

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
        draft = re.compile(re.escape(draft_name(path, "")) + "[0-9a-f]+")
        with alone_in(self._folder):
            doomed = [file for file in self._folder.iterdir() if file == path or draft.fullmatch(file.name)]
            for file in doomed:
                overwrite(file)
                file.unlink(missing_ok=True)
            sync_folder(self._folder)
        return bool(doomed)

    def _read(self, name: str) -> dict[str, Any]:
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
            raise self._damaged(name)
        return wrapped

    def _damaged(self, name: str) -> Operational:
        return Operational(
            f"the file with the secret of {self._named(name)} is damaged or another one's; allowed: as "
            "it was written; restore the file"
        )

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


class RunSecrets(StoredSecrets):
    """Secrets of runs: for order, serials, sample, noise; destroyed after publishing where the plan says."""

    folder = "runs"
    noun = "run"


class SeriesSecrets(StoredSecrets):
    """Secrets of series (`stable_over:`): for tokens and links that stay the same over several runs."""

    folder = "series"
    noun = "series"


class IdentitySecrets(StoredSecrets):
    """Private keys of a role in combinations: what signs its packages, and what opens those sealed to it."""

    folder = "identity"
    noun = "identity"


class CombinationSecrets(StoredSecrets):
    """Secrets of combinations: salts of a series, and what a round's serials come from."""

    folder = "combinations"
    noun = "combination"


STORES: tuple[type[StoredSecrets], ...] = (RunSecrets, SeriesSecrets, IdentitySecrets, CombinationSecrets)


def random_bits(count: int) -> int:
    """`count` random bits of the machine, for keys that are made elsewhere."""
    return secrets.randbits(count)
