"""The order of a round's steps: in which state each may be taken, what it needs, and what state it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class State(IntEnum):
    """How far a round is, as far as a role knows."""

    OPEN = 0
    KEYS = 1
    LINKED = 2
    COMBINED = 3
    REVIEWED = 4
    EXPORTED = 5
    CLOSED = 6


# The state that a role's round is in once it has the record of this step.
STATE_AFTER: Mapping[str, State] = {
    "keys": State.KEYS,
    "link": State.LINKED,
    "combine": State.COMBINED,
    "process": State.REVIEWED,
    "export": State.EXPORTED,
    "take": State.EXPORTED,
    "close": State.CLOSED,
    "forget": State.CLOSED,
}


@dataclass(frozen=True)
class Needs:
    """The `records` of this role that must be there, and the last state in which the step may be taken.

    `ends`: it puts an end to something, and so may be taken in a cancelled round and an ended series too.
    """

    records: tuple[str, ...] = ()
    until: State = State.REVIEWED
    ends: bool = False


NEEDS: Mapping[str, Needs] = {
    # applicants
    "apply": Needs(),
    "prove": Needs(),
    "keys": Needs(("apply", "prove")),
    "attributes": Needs(("keys",)),
    "void": Needs(("keys",)),
    "forget": Needs(until=State.CLOSED, ends=True),
    "mock-keys": Needs(until=State.OPEN),
    "mock-attributes": Needs(("mock-keys",), until=State.OPEN),
    # key agency
    "salt": Needs(),
    "rate": Needs(("salt",), until=State.KEYS),
    "extract": Needs(("salt",), until=State.KEYS),
    "link": Needs(("salt",)),
    "mock-salt": Needs(until=State.OPEN),
    # combining agency
    "receive": Needs(),
    "combine": Needs(("receive",)),
    "process": Needs(("combine",)),
    "vote": Needs(("process",)),
    "export": Needs(("process",), until=State.EXPORTED),
    "mock-choose": Needs(until=State.OPEN),
    "mock-combine": Needs(("mock-choose",), until=State.OPEN),
    "mock-destroy": Needs(until=State.CLOSED, ends=True),
    # both agencies
    "close": Needs(until=State.CLOSED, ends=True),
    # user
    "apply-export": Needs(),
    # a user that supplies too may have forgotten its serials before
    "take": Needs(("apply-export",), until=State.CLOSED),
}
