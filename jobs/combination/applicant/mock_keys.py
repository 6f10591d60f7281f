"""`mock-keys`: join keys under the mock's salt, for the combining agency; then that salt is erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.combination.applicant.key_making import sealed_keys
from jobs.combination.applicant.keys import counted
from jobs.combination.applicant.party_plan import plan_argument
from jobs.combination.applicant.register import open_register
from jobs.combination.mock import SERIAL_OF_MOCK, require_mock
from jobs.combination.packages import destroy_packages
from jobs.combination.salts import SALT
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import DataFailed, Waiting
from jobs.job import Outcome
from transforms.combination.serials import serial_draws
from transforms.derivation import Secret


def body(call: Call) -> Outcome:
    """Makes and sends the keys once, each with a number of the mock's own, which no serial of the round ever is."""
    require_mock(call)
    before = call.round.done("mock-keys", call.revision)
    state = "sent already" if before is not None else "sent"
    if before is None:
        before = _sent(call)
    destroy_packages(call.environment, call.combination, round=call.round.name, kinds=["mock-salt"])
    text = f"round {call.round.name}, {call.me}: mock keys of {before['subjects']} subjects {state}; the salt is erased"
    return Outcome({"subjects": before["subjects"], "state": state}, text=text)


def _sent(call: Call) -> Mapping[str, Any]:
    register = open_register(call, "mock-keys")
    salt = _salt(call)
    secret = round_secret(call.environment, call.combination, call.round.name, SERIAL_OF_MOCK, make=True)
    package = call.draft("mock-keys", call.combination.roles.combining_agency, inputs=register.versions)
    try:
        numbers = serial_draws(secret, call.environment.organisation, register.plan)
        files, counts = sealed_keys(register, call.combination.key, salt, numbers, package.sealer)
        if problems := counts.problems():
            raise DataFailed("\n".join([f"no mock keys are sent for round {call.round.name}:", *problems]))
        package.finish(files, {"subjects": counts.subjects})
    finally:
        package.discard()
    told = {**register.versions, **counted(counts)}
    call.round.record("mock-keys", told, call.revision)
    return told


def _salt(call: Call) -> Secret:
    agency = call.combination.roles.key_agency
    found = call.received("mock-salt", agency)
    if found is None:
        raise Waiting(f"round {call.round.name} waits for the mock's salt of {agency} (`mock-salt`)")
    (value,) = found.table().column(SALT).to_pylist()
    return Secret(value)


STEP = Step(
    "mock-keys",
    "makes join keys under the mock's salt, and sends them to the combining agency",
    "applicant",
    body,
    reads=("source",),
    writes=("keys", "evidence"),
    arguments=plan_argument,
)
