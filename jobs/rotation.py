"""A new root key in place of the old one (루트키 교체): every stored secret is wrapped anew, none changes.

The environment names the new root key in `keys` and the old one in `retiring_keys`. Meanwhile jobs go on: new secrets
are wrapped by the new root key, old ones open by either. Killed at any moment, it is run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from jobs.clock import Clock, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput, JobError, Operational
from jobs.key_providers import provider_of
from jobs.keys import STORES, KeyCard, KeyGone, StoredSecrets
from jobs.ledger import evidence_ledger


@dataclass(frozen=True)
class Rotated:
    """How many secrets were wrapped anew under `key_id`, and how many were so already."""

    key_id: str
    rewrapped: int
    already: int


def stores(environment: Environment) -> Iterator[StoredSecrets]:
    """All stores of secrets in the keys zone."""
    provider = provider_of(environment)
    return (store(environment.zone("keys"), provider) for store in STORES)


def wrapped_by(environment: Environment) -> dict[str, int]:
    """How many secrets each root key wraps, by its id; none is opened. Operational for a damaged one."""
    found: Counter[str] = Counter()
    for store in stores(environment):
        for name in store.names():
            try:
                found[store.card(name).key_id] += 1
            except KeyGone:  # destroyed meanwhile
                continue
    return dict(sorted(found.items()))


def rotate(environment: Environment, clock: Clock = utc_now) -> Rotated:
    """Wraps all secrets under the current root key and enters it; the retiring one is then not needed.

    One that can't be wrapped anew keeps no other back; all are told: BadInput for secrets of a third root key,
    Operational for damaged ones, and where some job, started with the old environment, made new secrets under the old
    root key meanwhile.
    """
    key_id = provider_of(environment).check()
    already = sum(card.key_id == key_id for card in _cards(environment))
    rewrapped, problems = 0, list[JobError]()
    for store in stores(environment):
        store.sweep()
        for name in store.names():
            try:
                rewrapped += store.rewrap(name)
            except JobError as error:
                problems.append(type(error)(f"{store.noun} {name}: {error}"))
    _enter(environment, key_id, rewrapped, clock)
    if problems:
        kind = BadInput if all(isinstance(one, BadInput) for one in problems) else Operational
        raise kind("\n".join([f"{rewrapped} secrets wrapped anew, {len(problems)} not:", *map(str, problems)]))
    left = {other: count for other, count in wrapped_by(environment).items() if other != key_id}
    if left:
        raise Operational(
            f"{sum(left.values())} secrets were made under another root key ({', '.join(left)}) meanwhile; let the "
            "jobs with the old environment end, and try again"
        )
    return Rotated(key_id, rewrapped, already)


def _cards(environment: Environment) -> Iterator[KeyCard]:
    """What is known of all secrets that are whole."""
    for store in stores(environment):
        for name in store.names():
            with suppress(JobError):
                yield store.card(name)


def _enter(environment: Environment, key_id: str, rewrapped: int, clock: Clock) -> None:
    """The ledger's entry; that of an attempt that was killed before it, too."""
    ledger = evidence_ledger(environment, clock)
    moved = [card.roots[-2] for card in _cards(environment) if card.key_id == key_id and len(card.roots) > 1]
    if ledger.find("keys-rotate", key_id=key_id) is None:
        rewrapped = len(moved)
    if rewrapped:
        body = {"key_id": key_id, "from": sorted(set(moved)), "rewrapped": rewrapped}
        ledger.append("keys-rotate", body)
