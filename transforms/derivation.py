"""Secrets, and subkeys derived from them (키 파생).

Derivation is HKDF with SHA-256 (RFC 5869), no salt: what goes in is 32 uniformly random bytes already.
"""

from __future__ import annotations

import hmac
import json
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NoReturn, SupportsIndex

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECRET_BYTES = 32
_LEAST_BYTES = 16
_LABEL = b"gamyeong/1\0"

_broadcasting: ContextVar[bool] = ContextVar("gamyeong_broadcasting", default=False)


class SecretStays(TypeError):
    """A secret was about to be pickled or copied outside of `for_broadcast()`."""


@contextmanager
def for_broadcast() -> Iterator[None]:
    """Inside, in this thread alone, secrets may be pickled: only `SparkContext.broadcast(…)` goes in it."""
    token = _broadcasting.set(True)
    try:
        yield
    finally:
        _broadcasting.reset(token)


class Secret:
    """Key bytes (16 or more; 32 where nothing else is said) that show themselves to nobody by accident.

    `repr`, `str` and formatting hide them; pickling and copying raise SecretStays outside of
    `for_broadcast()`; comparison takes the same time wherever the bytes differ; not hashable.
    ValueError for fewer than 16 bytes.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: bytes) -> None:
        if len(value) < _LEAST_BYTES:
            raise ValueError(f"a secret of {len(value)} bytes; allowed: {_LEAST_BYTES} or more")
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The bytes themselves: to be handed to a cipher at once, never kept or printed."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    def __getstate__(self) -> NoReturn:
        raise SecretStays("a secret gives no state; allowed: pickling inside of `for_broadcast()`")

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[type[Secret], tuple[bytes]]:
        if not _broadcasting.get():
            raise SecretStays(
                "a secret outside of `for_broadcast()` is not pickled or copied; allowed: "
                "inside of it, into a broadcast of the task's own closure"
            )
        return Secret, (self._value,)


def canonical_json(content: object) -> bytes:
    """One byte string per content: keys sorted, no spaces, UTF-8, every text in NFC.

    ValueError for NaN and infinities, TypeError for what JSON does not know or a key that is no text.
    """
    text = json.dumps(
        _composed(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def _composed(content: object) -> object:
    if isinstance(content, str):
        return unicodedata.normalize("NFC", content)
    if isinstance(content, dict):
        composed = {_composed_key(key): _composed(value) for key, value in content.items()}
        if len(composed) != len(content):
            raise ValueError("two keys are the same text once composed (NFC); allowed: distinct keys")
        return composed
    if isinstance(content, list | tuple):
        return [_composed(value) for value in content]
    return content


def _composed_key(key: object) -> str:
    # json.dumps would write the key 1 and the key "1" alike.
    if not isinstance(key, str):
        raise TypeError(f"a key of type {type(key).__name__}; allowed: text")
    return unicodedata.normalize("NFC", key)


def hkdf_sha256(secret: Secret, info: bytes, length: int) -> Secret:
    """HKDF-SHA-256 (RFC 5869) without salt: `length` bytes, 16 … 8160; ValueError otherwise."""
    return Secret(HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret.reveal()))


def subkey(
    secret: Secret,
    *,
    organisation: str,
    run_or_series: str,
    recipient: str | None,
    algorithm: str,
    domain: str,
    step: int | str | None,
    purpose: str,
    length: int = SECRET_BYTES,
) -> Secret:
    """The subkey of one algorithm for one purpose: another one as soon as any name differs.

    `domain` is a pseudonym domain, shared by all columns of one person over all tables, or
    "table.column"; `step` the number of the step in its chain (None where there is none). `length` in
    bytes is not part of the derivation (a shorter subkey begins a longer one), so one name of an
    algorithm stands for one length. HKDF-SHA-256, info = "gamyeong/1", a zero byte, canonical JSON.
    """
    names = {
        "organisation": organisation,
        "run_or_series": run_or_series,
        "recipient": recipient,
        "algorithm": algorithm,
        "domain": domain,
        "step": step,
        "purpose": purpose,
    }
    return hkdf_sha256(secret, _LABEL + canonical_json(names), length)
