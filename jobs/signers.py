"""Who signs the ledger: one key per place of work, pinned beside the list of reviewers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from jobs.clock import stamp, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput, Operational, Refused
from jobs.locks import exclusive
from jobs.signing import SigningKey, key_id, load_key, new_key
from jobs.storage import Location

LOST = "restore ledger-signers.json from its backup: without it nobody can tell whose the entries are"


class Signer(Protocol):
    """Signs entries; a service (KMS) may stand behind it."""

    @property
    def key_id(self) -> str: ...

    def sign(self, message: bytes) -> str: ...


@dataclass(frozen=True)
class Pin:
    """A public key (hex) whose entries count.

    `ended` are the heads (`SEQ:HASH`) of the ledgers when the key was ended: of a chain that holds one of them, its
    entries count up to there; of any other, none. None: the key is in use, or was lost and never ended.
    """

    public: str
    since: str
    ended: tuple[str, ...] | None = None

    def plain(self) -> dict[str, Any]:
        """As ledger-signers.json holds it."""
        ended = {} if self.ended is None else {"ended": list(self.ended)}
        return {"public": self.public, "since": self.since, **ended}


def ledger_signer(environment: Environment) -> SigningKey:
    """The key of this place of work, made and pinned at first use.

    It lies beside the reviewers' list, not in the keys zone: reviewers sign entries too and never see
    that zone.
    """
    path = _key_file(environment)
    with _changing(environment):
        key = load_key(path) if path.exists() else new_key(path)
        pins = pinned_signers(environment)
        if key.key_id not in pins:
            _pin(environment, [*pins.values(), Pin(key.public, stamp(utc_now()))])
    return key


@contextmanager
def may_sign(environment: Environment, signer: Signer, signed: Iterable[str]) -> Iterator[None]:
    """Held while an entry is appended to a ledger whose entries the keys `signed` made: no key changes meanwhile.

    Operational where the signer's key was changed since the job began; Refused where entries are there and none is by
    a key that is pinned here: one more by ours would be a stranger's to the place of work that the ledger belongs to.
    """
    with exclusive(_lock(environment), "the ledger's key", wait=True, shared=True):
        pins = pinned_signers(environment)
        pin = pins.get(signer.key_id)
        if pin is None or pin.ended is not None:
            raise Operational(f"the ledger's key {signer.key_id} was changed; start it again, for the new one")
        there = set(signed)
        if there and not there & pins.keys():
            found = ", ".join(sorted(there))
            where = f"{_pins(environment)} does not hold"
            raise Refused(f"the ledger's entries are signed by {found}, which {where}; {LOST}")
        yield


@contextmanager
def changed_key(environment: Environment) -> Iterator[tuple[SigningKey, list[str]]]:
    """Makes a new key for this place of work; gives it and the ids of those before, which the body must end.

    Nobody signs meanwhile, so the heads that the body reads are the last that the old keys made. Killed in between,
    it may be called again: a key whose change was not finished is ended like the others.
    """
    path = _key_file(environment)
    with _changing(environment):
        pins = pinned_signers(environment)
        draft = path.with_name(f".new-{path.name}")
        draft.unlink(missing_ok=True)
        key = new_key(draft)
        _pin(environment, [*pins.values(), Pin(key.public, stamp(utc_now()))])  # before it can sign
        draft.replace(path)
        yield key, [name for name, pin in pins.items() if pin.ended is None]


def end(environment: Environment, keys: Iterable[str], heads: Iterable[str]) -> None:
    """Entries by these keys count no more but up to these heads. Only in the body of `changed_key`."""
    ended, at = set(keys), tuple(heads)
    pins = pinned_signers(environment)
    _pin(environment, [Pin(pin.public, pin.since, at) if name in ended else pin for name, pin in pins.items()])


def pinned_signers(environment: Environment) -> dict[str, Pin]:
    """By key id all whose entries count; empty where nobody has signed yet."""
    pins = _pins(environment)
    if not pins.exists():
        return {}
    try:
        return {key_id(one["public"]): _read(one) for one in pins.read_json()["signers"]}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"{pins} is damaged: not a list of signers with their public keys") from None


def _read(one: Mapping[str, Any]) -> Pin:
    ended = one.get("ended")
    return Pin(one["public"], one["since"], None if ended is None else tuple(map(str, ended)))


def _pin(environment: Environment, pins: Iterable[Pin]) -> None:
    _pins(environment).write_json({"signers": [pin.plain() for pin in pins]})


def _changing(environment: Environment) -> AbstractContextManager[None]:
    return exclusive(_lock(environment), "the ledger's key", wait=True)


def _lock(environment: Environment) -> Location:
    return Location.of(environment.reviewers.with_name(".ledger-key.lock"))


def _key_file(environment: Environment) -> Path:
    return environment.reviewers.with_name("ledger-key.pem")


def _pins(environment: Environment) -> Location:
    return Location.of(environment.reviewers.with_name("ledger-signers.json"))
