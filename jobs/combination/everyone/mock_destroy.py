"""`mock-destroy`: each role destroys what it holds of a mock combination: tables, packages, salt, secrets (L1443)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.combination.combined import drop_round, first_day, tables_of
from jobs.combination.mock import CHOICE, SALT_OF_MOCK, SERIAL_OF_MOCK, require_mock
from jobs.combination.packages import destroy_packages
from jobs.combination.parcels import Kind
from jobs.combination.secret_store import destroy_round_secrets
from jobs.combination.step import Call, Step
from jobs.job import Outcome

# What came from others for the mock; a role's inbox holds some of it.
KINDS: tuple[Kind, ...] = ("mock-salt", "mock-keys", "mock-chosen", "mock-attributes")
PURPOSES = (SALT_OF_MOCK, SERIAL_OF_MOCK, CHOICE)


def body(call: Call) -> Outcome:
    """Destroys and enters it; nothing is left to do the second time. The steps of the mock can't be repeated then."""
    require_mock(call)
    before = call.round.done("mock-destroy")
    state = "destroyed already" if before is not None else "destroyed"
    told = before if before is not None else _destroyed(call)
    text = (
        f"round {call.round.name}, {call.me}: of the mock combination {len(told['packages'])} package(s), "
        f"{len(told['secrets'])} secret(s), {sum(told['tables'].values())} combined row(s) are {state}"
    )
    summary = {"state": state, "packages": told["packages"], "secrets": told["secrets"], "tables": told["tables"]}
    return Outcome(summary, text=text)


def _destroyed(call: Call) -> Mapping[str, Any]:
    tables: dict[str, int] = {}
    if call.me == call.combination.roles.combining_agency:
        day = first_day(call.combination, call.round.name)
        there = tables_of(call.environment, call.combination, mock=True)
        tables = {name: drop_round(place, day) for name, place in there.items()}
    packages = destroy_packages(call.environment, call.combination, round=call.round.name, kinds=KINDS)
    secrets = [
        name
        for purpose in PURPOSES
        for name in destroy_round_secrets(call.environment, call.combination, call.round.name, purpose)
    ]
    told = {"tables": tables, "packages": packages, "secrets": secrets}
    call.round.record("mock-destroy", told)
    return told


STEP = Step(
    "mock-destroy",
    "destroys what this role holds of a mock combination",
    "all",
    body,
    writes=("source", "keys", "evidence"),
)
