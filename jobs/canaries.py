"""What proves that a secret is gone: its check value and a canary, both made with it (파기 증적).

The check value says which secret it was; the canary is a known text sealed under a subkey of the secret, so whoever
has a copy of the secret can open it, and nobody else. Neither tells anything of the secret.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from transforms.derivation import Secret, canonical_json, subkey

CHECK_BYTES = 8
_NONCE = bytes(12)  # the subkey seals this one text alone
_TEXT = b"gamyeong canary"


def check_value(secret: Secret, context: Mapping[str, str]) -> str:
    """16 hex digits that only this secret has; of a subkey for this purpose alone."""
    return _own_key(secret, context, "HKDF-SHA-256", "check value").reveal()[:CHECK_BYTES].hex()


def new_canary(secret: Secret, context: Mapping[str, str]) -> str:
    """A known text, sealed (AES-256-GCM, base 64) under the secret and bound to what it is the secret of."""
    cipher = AESGCM(_own_key(secret, context, "AES-256-GCM", "canary").reveal())
    return base64.b64encode(cipher.encrypt(_NONCE, _TEXT, canonical_json(dict(context)))).decode()


def opens(secret: Secret, context: Mapping[str, str], canary: str) -> bool:
    """Does this secret open the canary?"""
    try:
        sealed = base64.b64decode(canary, validate=True)
        cipher = AESGCM(_own_key(secret, context, "AES-256-GCM", "canary").reveal())
        return cipher.decrypt(_NONCE, sealed, canonical_json(dict(context))) == _TEXT
    except (InvalidTag, ValueError):
        return False


def _own_key(secret: Secret, context: Mapping[str, str], algorithm: str, purpose: str) -> Secret:
    return subkey(
        secret,
        organisation="",
        run_or_series=context["name"],
        recipient=None,
        algorithm=algorithm,
        domain=context["kind"],
        step=None,
        purpose=purpose,
    )
