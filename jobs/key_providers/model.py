"""What a key provider does, and what those that hand out the root key's bytes have in common."""

from __future__ import annotations

import base64
import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jobs.errors import BadInput, Operational
from transforms.derivation import SECRET_BYTES, Secret, canonical_json

FORMAT = 1
_ALGORITHM = "AES-256-GCM"
_NONCE_BYTES = 12


class KeyProvider(Protocol):
    """Who holds the root key: a file, a variable, a command, a KMS."""

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """The secret encrypted and bound to `context`, as JSON content that tells nothing about it."""

    def unwrap(self, wrapped: Mapping[str, Any]) -> Secret:
        """The secret again; Operational if anything was altered, its context too; BadInput if another root's."""

    def check(self) -> str:
        """The root key's id; BadInput if it can't be used."""


def damaged() -> Operational:
    """A wrapped secret that is not as it was written."""
    return Operational(
        "a wrapped secret is damaged or was altered; allowed: as it was written; restore the file"
    )


def anothers(where: str, key_id: str) -> BadInput:
    """A wrapped secret of another root key."""
    return BadInput(
        f"a secret wrapped by another root key than {where} (key id {key_id}); allowed: "
        "the root key that it was wrapped with; name that one in the environment"
    )


class LocalRoot(ABC):
    """A root key of 32 random bytes that wraps here, in this process: AES-256-GCM (SP 800-38D)."""

    @property
    @abstractmethod
    def where(self) -> str:
        """Who keeps it, for people; never the key."""

    @abstractmethod
    def read(self) -> tuple[str, Secret]:
        """The root key's id, and the key; BadInput if it can't be had."""

    def wrap(self, secret: Secret, context: Mapping[str, str]) -> dict[str, Any]:
        """AES-256-GCM (SP 800-38D), nonce random, associated data: format, key id, algorithm, context."""
        key_id, root = self.read()
        wrapped = {"format": FORMAT, "key_id": key_id, "algorithm": _ALGORITHM, "context": dict(context)}
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(root.reveal()).encrypt(nonce, secret.reveal(), canonical_json(wrapped))
        return {
            **wrapped,
            "nonce": base64.b64encode(nonce).decode(),
            "secret": base64.b64encode(sealed).decode(),
        }

    def unwrap(self, wrapped: Mapping[str, Any]) -> Secret:
        """The secret again; BadInput for another root key's, Operational for an altered one."""
        key_id, root = self.read()
        if wrapped.get("key_id") != key_id:
            raise anothers(self.where, key_id)
        associated = {name: wrapped.get(name) for name in ("format", "key_id", "algorithm", "context")}
        try:
            nonce, sealed = (base64.b64decode(wrapped[name], validate=True) for name in ("nonce", "secret"))
            return Secret(AESGCM(root.reveal()).decrypt(nonce, sealed, canonical_json(associated)))
        except (InvalidTag, KeyError, TypeError, ValueError):
            raise damaged() from None

    def check(self) -> str:
        """The root key's id."""
        return self.read()[0]


def new_root() -> dict[str, Any]:
    """The content of a new root key's file."""
    return {
        "format": FORMAT,
        "key_id": secrets.token_hex(8),
        "key": base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode(),
    }


def parsed_root(content: bytes | str, where: str) -> tuple[str, Secret]:
    """Key id and key, out of what `new_root` gave as JSON; BadInput, without a byte of it, otherwise."""
    try:
        body = json.loads(content)
        key = base64.b64decode(body["key"], validate=True)
        if body["format"] == FORMAT and isinstance(body["key_id"], str) and len(key) == SECRET_BYTES:
            return body["key_id"], Secret(key)
    except (KeyError, TypeError, ValueError):
        pass
    raise BadInput(f"{where} is no root key; allowed: a file made by `gamyeong keys init`")
