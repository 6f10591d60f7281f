"""Secrets of a combination: those of the series (salts) and of a round (serials), wrapped in the role's keys zone.

Destroying one removes its wrapped form (crypto-shredding) and is entered in the ledger; it is never made again.
"""

from __future__ import annotations

from jobs.combination import entries
from jobs.environment import Environment
from jobs.key_providers import provider_of
from jobs.keys import CombinationSecrets
from jobs.names import folder_name
from transforms.combination.model import Combination
from transforms.derivation import Secret

SERIAL = "serial"
ENDED, DESTROYED = "combination-series-ended", "combination-secret-destroyed"


def series_secret(environment: Environment, combination: Combination, purpose: str, *, make: bool = False) -> Secret:
    """The series' secret for a purpose ("join-salt", "link-salt" …): 32 random bytes, the same in all rounds.

    KeyGone (exit 3) if it was destroyed, or never made and not to be made now.
    """
    return _secret(environment, combination.combination, None, purpose, make)


def round_secret(
    environment: Environment, combination: Combination, round: str, purpose: str = SERIAL, *, make: bool = False
) -> Secret:
    """A round's own secret for a purpose; as `series_secret`."""
    return _secret(environment, combination.combination, round, purpose, make)


def serial_secret(environment: Environment, combination: str, round: str, *, make: bool = False) -> Secret:
    """What a round's serials come from, by the combination's name: for runs, which know the party's plan alone."""
    return _secret(environment, combination, round, SERIAL, make)


def destroy_series_secrets(environment: Environment, combination: Combination) -> list[str]:
    """Destroys all secrets of the series, and of its rounds; their names."""
    return _destroy(environment, combination, None)


def destroy_round_secrets(
    environment: Environment, combination: Combination, round: str, purpose: str | None = None
) -> list[str]:
    """Destroys the secrets of a round, or the one for a purpose; their names."""
    return _destroy(environment, combination, round, purpose)


def end_series(environment: Environment, combination: Combination, because: str) -> list[str]:
    """Destroys the series' secrets and enters its end: no step of another round is allowed from now on."""
    gone = destroy_series_secrets(environment, combination)
    enter_end(environment, combination, because)
    return gone


def enter_end(environment: Environment, combination: Combination, because: str) -> None:
    """Enters the end of a series; what this role holds of it goes by its own steps."""
    body = {"combination": combination.combination, "because": because}
    entries.append(environment, ENDED, body, once=("combination",))


def series_end(environment: Environment, combination: Combination) -> str | None:
    """Why the series has ended, as far as this role knows; None while it goes on."""
    found = entries.entered(environment, ENDED, combination=combination.combination)
    return str(found[0].content()["because"]) if found else None


def _secret(environment: Environment, combination: str, round: str | None, purpose: str, make: bool) -> Secret:
    store, name = _store(environment), _name(combination, round, purpose)
    # One that was destroyed must not come back as another: keys and links would silently differ.
    if not make or _destroyed(environment, combination, round, purpose):
        return store.load(name)
    return store.obtain(name)


def _destroyed(environment: Environment, combination: str, round: str | None, purpose: str) -> bool:
    entered = (entry.content() for entry in entries.entered(environment, DESTROYED, combination=combination))
    return any(body["round"] in (None, round) and body["purpose"] in (None, purpose) for body in entered)


def _destroy(
    environment: Environment, combination: Combination, round: str | None, purpose: str | None = None
) -> list[str]:
    store = _store(environment)
    whole = f"{folder_name(combination.combination)}__"
    scope = whole if round is None else _name(combination.combination, round, purpose or "")
    gone = [name for name in store.names() if name == scope or (purpose is None and name.startswith(scope))]
    # First what is entered, then what is done: a start that is killed between is completed by the next.
    body = {"combination": combination.combination, "round": round, "purpose": purpose, "secrets": gone}
    entries.append(environment, DESTROYED, body, once=() if gone else ("combination", "round", "purpose"))
    for name in gone:
        store.destroy(name)
    return gone


def _store(environment: Environment) -> CombinationSecrets:
    return CombinationSecrets(environment.zone("keys"), provider_of(environment))


def _name(combination: str, round: str | None, purpose: str) -> str:
    # No folder's name holds two underscores: one combination's secrets never begin as another's do.
    return f"{folder_name(combination)}__{'series' if round is None else round}__{purpose}"
