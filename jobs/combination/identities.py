"""Who a role is to the others: an Ed25519 pair that signs its packages, an X25519 pair that they are sealed to.

The private parts are 32 random bytes each, wrapped in the keys zone by the root key. The public parts go to the
partners as one JSON file, by any way; each partner pins it by hand in its `partners` folder, after comparing the
fingerprint by another way (a telephone call).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jobs.environment import Environment
from jobs.errors import BadInput, Operational, Refused
from jobs.key_providers import provider_of
from jobs.keys import IdentitySecrets, KeyGone
from jobs.signing import SigningKey, signed_by
from jobs.storage import write_atomically
from transforms.derivation import Secret, canonical_json

FORMAT = 1
SIGNING, SEALING = "signing", "sealing"
FINGERPRINT_DIGITS = 32
# RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True)
class PublicIdentity:
    """What the others know of a role: its name, organisation and public keys (64 hex digits each)."""

    name: str
    organisation: str
    signing: str
    sealing: str

    @property
    def fingerprint(self) -> str:
        """32 hex digits in groups of four, to be compared by another way than the file took."""
        digest = hashlib.sha256(canonical_json(asdict(self))).hexdigest()[:FINGERPRINT_DIGITS]
        return " ".join(digest[at : at + 4] for at in range(0, FINGERPRINT_DIGITS, 4))

    def plain(self) -> dict[str, Any]:
        """As the content of NAME.json."""
        return {"format": FORMAT, **asdict(self)}

    def signed(self, message: bytes, signature: str) -> bool:
        """True if `signature` (hex) is this role's over `message`."""
        return signed_by(self.signing, message, signature)

    def seal(self, secret: Secret, info: bytes) -> bytes:
        """A secret that only this role can read, bound to `info` (HPKE, RFC 9180)."""
        key = X25519PublicKey.from_public_bytes(bytes.fromhex(self.sealing))
        return _SUITE.encrypt(secret.reveal(), key, info)


def identity_secrets(environment: Environment) -> IdentitySecrets:
    """The store of this place's private keys."""
    return IdentitySecrets(environment.zone("keys"), provider_of(environment))


def make_identity(environment: Environment) -> PublicIdentity:
    """This role's identity; its keys are made now where there are none."""
    stored = identity_secrets(environment)
    for name in (SIGNING, SEALING):
        stored.obtain(name)
    return own_identity(environment)


def own_identity(environment: Environment) -> PublicIdentity:
    """This role's identity; BadInput where its keys were not made yet."""
    sealing = X25519PrivateKey.from_private_bytes(_private(environment, SEALING).reveal()).public_key()
    return PublicIdentity(
        environment.exchange.name,
        environment.organisation,
        signing_key(environment).public,
        sealing.public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
    )


def signing_key(environment: Environment) -> SigningKey:
    """The key that signs this role's packages; needs the keys zone."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(_private(environment, SIGNING).reveal()))


def unseal(environment: Environment, sealed: bytes, info: bytes) -> Secret:
    """What was sealed to this role; Operational where it was sealed to another key, for another `info`, or altered."""
    private = X25519PrivateKey.from_private_bytes(_private(environment, SEALING).reveal())
    try:
        return Secret(_SUITE.decrypt(sealed, private, info))
    except (InvalidTag, ValueError):
        raise Operational(
            "a package's data key does not open with this role's private key: it was sealed to an older one; the"
            " sender pins this role's present public identity (`gamyeong combination identity`) and sends again"
        ) from None


def _private(environment: Environment, name: str) -> Secret:
    try:
        return identity_secrets(environment).load(name)
    except KeyGone:
        raise BadInput(
            f"{environment.exchange.name} has no identity yet; `gamyeong combination identity --environment "
            f"{environment.file}` makes it"
        ) from None


def partner(environment: Environment, name: str) -> PublicIdentity:
    """The pinned public identity of another role; Refused where none is pinned, BadInput where it is damaged."""
    place = environment.exchange.partners / f"{name}.json"
    try:
        raw = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(
            f"{name} is no pinned partner: no {place}; allowed: the public file that {name} made by `gamyeong "
            "combination identity`, put there by hand after its fingerprint was compared by another way"
        ) from None
    except (OSError, ValueError):
        raise BadInput(f"{place} can't be read as a public identity (JSON)") from None
    found = _parsed(raw)
    if found is None:
        raise BadInput(f"{place} is no public identity; allowed: what `gamyeong combination identity` made")
    if found.name != name:
        raise Refused(f"{place} is the identity of {found.name}; allowed: that of {name}")
    return found


def pinned(environment: Environment) -> tuple[str, ...]:
    """The names of all pinned partners, in order."""
    folder = environment.exchange.partners
    return tuple(sorted(path.stem for path in folder.glob("*.json"))) if folder.is_dir() else ()


def save_public(identity: PublicIdentity, path: Path) -> None:
    """Writes NAME.json for the partners: whole or not at all."""
    text = json.dumps(identity.plain(), ensure_ascii=False, sort_keys=True, indent=1)
    write_atomically(path, text.encode())


def _parsed(raw: object) -> PublicIdentity | None:
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        return None
    try:
        found = PublicIdentity(**{name: str(raw[name]) for name in PublicIdentity.__dataclass_fields__})
        keys = [bytes.fromhex(found.signing), bytes.fromhex(found.sealing)]
    except (KeyError, ValueError):
        return None
    return found if all(len(key) == 32 for key in keys) else None
