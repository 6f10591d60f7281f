"""The role's own ledger, as the steps of a combination use it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.environment import Environment
from jobs.ledger import Entry, Ledger, evidence_ledger, trusted_entries

# Entries never change once they are written, so a step reads each file of the ledger once.
_open: dict[str, Ledger] = {}


def forget() -> None:
    """What was read of ledgers is read anew: at the beginning of each step."""
    _open.clear()


def ledger(environment: Environment) -> Ledger:
    """The evidence ledger, to be read and appended to."""
    return _open.setdefault(str(environment.zone("evidence")), evidence_ledger(environment))


def append(environment: Environment, kind: str, body: Mapping[str, Any], *, once: tuple[str, ...] = ()) -> Entry:
    """Enters what was done."""
    return ledger(environment).append(kind, body, once=once)


def entered(environment: Environment, type_: str | None, /, **fields: Any) -> list[Entry]:
    """All entries of this type (any, for None) whose body has these fields, in order.

    Refused where the ledger is damaged.
    """
    return [
        entry
        for entry in trusted_entries(environment, ledger(environment))
        if type_ in (None, entry.type) and all(entry.content().get(name) == value for name, value in fields.items())
    ]
