"""Who signs the ledger: one key per place of work, pinned beside the list of reviewers."""

from __future__ import annotations

from typing import Protocol

from jobs.clock import stamp, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.locks import exclusive
from jobs.signing import SigningKey, key_id, load_key, new_key
from jobs.storage import Location


class Signer(Protocol):
    """Signs entries; a service (KMS) may stand behind it."""

    @property
    def key_id(self) -> str: ...

    def sign(self, message: bytes) -> str: ...


def ledger_signer(environment: Environment) -> SigningKey:
    """The key of this place of work, made and pinned at first use.

    It lies beside the reviewers' list, not in the keys zone: reviewers sign entries too and never see
    that zone.
    """
    path = environment.reviewers.with_name("ledger-key.pem")
    pins = _pins(environment)
    with exclusive(Location.of(path.with_name(".ledger-key.lock")), "the ledger's key", wait=True):
        key = load_key(path) if path.exists() else new_key(path)
        pinned = pinned_signers(environment)
        if key.key_id not in pinned:
            raw = pins.read_json()["signers"] if pins.exists() else []
            pins.write_json({"signers": [*raw, {"public": key.public, "since": stamp(utc_now())}]})
    return key


def pinned_signers(environment: Environment) -> dict[str, str]:
    """Public keys (hex) by key id of all whose entries count."""
    pins = _pins(environment)
    if not pins.exists():
        return {}
    try:
        return {key_id(one["public"]): one["public"] for one in pins.read_json()["signers"]}
    except (ValueError, KeyError, TypeError):
        raise BadInput(f"{pins} is damaged: not a list of signers with their public keys") from None


def _pins(environment: Environment) -> Location:
    return Location.of(environment.reviewers.with_name("ledger-signers.json"))
