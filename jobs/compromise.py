"""A key that others may have (키 유출): what it touches, new secrets in its place, and what must be released anew.

Nothing is lost at once: a run's secret stays until `additional-information destroy`. But the run counts as
compromised: the next `gamyeong pseudonymize` of its plan makes another run, with a secret of its own, for the same
source version, and its release takes the old one's place. A series' secret is replaced now; its runs are compromised,
too. Identities and combinations have partners, so people must act; they are listed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from jobs.clock import Clock, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput, JobError, Refused
from jobs.key_providers import provider_of
from jobs.keys import KeyCard, RunSecrets, SeriesSecrets, StoredSecrets
from jobs.ledger import Ledger, evidence_ledger
from jobs.rotation import stores
from jobs.runs import RunFolder, list_runs
from jobs.series import series_in

ENTRY = "key-compromised"
TODO = {
    "identity": "make a new identity; partners pin it after comparing its fingerprint by another way",
    "combination": "end the series with the partners, and begin another",
}


@dataclass(frozen=True)
class Touched:
    """A secret that others may have, and what to do.

    `there`: False where it was destroyed before, so that only who copied its wrapped form earlier has it.
    `output`: APPLICATION/RECIPIENT/TABLE of a run; `state` of its release.
    """

    kind: str
    name: str
    there: bool
    check: str | None
    output: str | None = None
    state: str | None = None
    todo: str = ""

    def plain(self) -> dict[str, Any]:
        """As JSON content."""
        return asdict(self)


def compromised(
    environment: Environment, *, root: str | None, run: str | None, series: str | None, person: str, reason: str,
    clock: Clock = utc_now,
) -> list[Touched]:
    """Enters each secret that is touched, makes new ones for series, and tells what must be released anew.

    Exactly one of `root` (a root key's id), `run`, `series`. Refused while the environment still wraps by that root
    key. May be repeated: what was entered for the same reason is not entered again.
    """  # fmt: skip
    if root is not None and provider_of(environment).check() == root:
        raise Refused(
            f"root key {root} is the one in use: new secrets would be wrapped by it; allowed: first a new root key "
            "(`keys`, with this one as `retiring_keys`) and `gamyeong keys rotate`"
        )
    ledger = evidence_ledger(environment, clock)
    found = list(_touched(environment, ledger, root, run, series))
    if not found:
        raise BadInput("no such key; allowed: what `gamyeong keys check` and `additional-information list` tell")
    for one in found:
        body = {"kind": one.kind, "name": one.name, "check": one.check, "root": root, "person": person,
                "reason": reason}  # fmt: skip
        ledger.append(ENTRY, body, once=("kind", "name", "check", "reason"))
        if one.kind == SeriesSecrets.noun:
            _renewed(environment, one)
    return found


def compromised_runs(ledger: Ledger) -> frozenset[str]:
    """The runs whose secret others may have."""
    bodies = (entry.content() for entry in ledger.entries() if entry.type == ENTRY)
    return frozenset(body["name"] for body in bodies if body["kind"] == RunSecrets.noun)


def _touched(
    environment: Environment, ledger: Ledger, root: str | None, run: str | None, series: str | None
) -> Iterator[Touched]:
    cards = {(store.noun, name): _card(store, name) for store in stores(environment) for name in store.names()}
    first = _first_roots(ledger)
    asked = {(RunSecrets.noun, run), (SeriesSecrets.noun, series)}
    names = {one for one, card in cards.items() if one in asked or (root is not None and card and root in card.roots)}
    # Killed before the new one was made, it goes on.
    entered = {(one.content()["kind"], one.content()["name"]) for one in ledger.entries() if one.type == ENTRY}
    names |= entered & {(SeriesSecrets.noun, series or "")}
    # Destroyed by now, but who copied their wrapped form before may open it.
    names |= {(RunSecrets.noun, one) for one, id_ in first.items() if one == run or id_ == root}
    lost = {name for kind, name in names if kind == SeriesSecrets.noun}
    users = (one for one in list_runs(environment) if lost & set(series_in(RunFolder(environment, one).load_plan())))
    names |= {(RunSecrets.noun, one) for one in users}
    for kind, name in sorted(names):
        card = cards.get((kind, name))
        yield _told(environment, kind, name, (kind, name) in cards, card.check if card else None)


def _card(store: StoredSecrets, name: str) -> KeyCard | None:
    try:
        return store.card(name)
    except JobError:  # damaged, or destroyed meanwhile
        return None


def _first_roots(ledger: Ledger) -> dict[str, str]:
    """The root key that wrapped each run's secret when it was made."""
    bodies = (entry.content() for entry in ledger.entries() if entry.type == "pseudonymize")
    return {body["run"]: body["secret"]["key_id"] for body in bodies if body.get("secret")}


def _told(environment: Environment, kind: str, name: str, there: bool, check: str | None) -> Touched:
    folder = RunFolder(environment, name)
    if kind != RunSecrets.noun or not folder.record.exists():
        todo = "a new secret was made: its runs are listed" if kind == SeriesSecrets.noun else TODO.get(kind, "")
        return Touched(kind, name, there, check, todo=todo)
    record = folder.load_record()
    state = folder.read("release.json")["state"] if folder.release.exists() else "under way"
    todo = {
        "published": "recall it (`gamyeong quarantine`), and pseudonymize, review and publish again",
        "under way": "pseudonymize again: it is not published",
        "destroyed": "it was published, and is destroyed here: whoever received it must give it back",
    }.get(state, "nothing: it was not released")
    output = f"{record.application}/{record.recipient}/{record.output}"
    return Touched(kind, name, there, check, output, state, todo)


def _renewed(environment: Environment, one: Touched) -> None:
    store = SeriesSecrets(environment.zone("keys"), provider_of(environment))
    if store.exists(one.name) and store.card(one.name).check == one.check:
        store.destroy(one.name)
    if not store.exists(one.name):
        store.create(one.name)
