"""The role's own ledger, as the steps of a combination use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.environment import Environment
from jobs.ledger import Entry, Ledger, evidence_ledger, trusted_entries

# Entries never change once they are written, so a step reads each file of the ledger once.
_open: dict[str, Ledger] = {}
_trusted: dict[str, list[Entry]] = {}


def forget() -> None:
    """What was read of ledgers is read anew: at the beginning of each step."""
    _open.clear()
    _trusted.clear()


def ledger(environment: Environment) -> Ledger:
    """The evidence ledger; to be appended to where the step may write that zone."""
    place = str(environment.zone("evidence"))
    if place not in _open:
        _open[place] = evidence_ledger(environment, write="evidence" in environment.writes)
    return _open[place]


def append(environment: Environment, kind: str, body: Mapping[str, Any], *, once: tuple[str, ...] = ()) -> Entry:
    """Enters what was done."""
    return ledger(environment).append(kind, body, once=once)


def entered(environment: Environment, type_: str | None, /, **fields: Any) -> list[Entry]:
    """All entries of this type (any, for None) whose body has these fields, in order.

    Refused where the ledger is damaged.
    """
    place = str(environment.zone("evidence"))
    _trusted[place] = trusted_entries(environment, ledger(environment), _trusted.get(place, ()))
    return [
        entry
        for entry in _trusted[place]
        if type_ in (None, entry.type) and all(entry.content().get(name) == value for name, value in fields.items())
    ]
