"""`keys`: this party's join keys and serials (결합키, 일련번호), sealed for the key agency; then the salt is erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.combination.applicant.key_making import sealed_keys
from jobs.combination.applicant.party_plan import plan_argument
from jobs.combination.applicant.receipts import receipt_of
from jobs.combination.applicant.register import Register, open_register
from jobs.combination.salts import erase_salt, handed_salt
from jobs.combination.sealed_files import PackedFile, Sealer
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import DataFailed
from jobs.job import Outcome
from transforms.combination.key_tasks import KeyCounts
from transforms.combination.serials import serial_draws
from transforms.derivation import Secret


def body(call: Call) -> Outcome:
    """Makes and sends the keys once; the salt is erased from the inbox in any case."""
    before = call.round.done("keys", call.revision)
    if before is None:
        before = _sent(call)
        state = "sent"
    else:
        state = "sent already"
    erase_salt(call.round)
    return _told(call, before, state)


def _sent(call: Call) -> Mapping[str, Any]:
    salt = handed_salt(call.round)
    register = open_register(call, "keys")
    package = call.draft("keys", call.combination.roles.key_agency, receipt=receipt_of(call), inputs=register.versions)
    try:
        files, counts = _made(call, register, salt, package.sealer)
        _check(call, counts)
        package.finish(files, {"subjects": counts.subjects})
    finally:
        package.discard()
    told = {**register.versions, **counted(counts)}
    call.round.record("keys", told, call.revision)
    return told


def _made(call: Call, register: Register, salt: Secret, sealer: Sealer) -> tuple[list[PackedFile], KeyCounts]:
    secret = round_secret(call.environment, call.combination, call.round.name, make=True)
    serials = serial_draws(secret, call.environment.organisation, register.plan)
    return sealed_keys(register, call.combination.key, salt, serials, sealer)


def _check(call: Call, counts: KeyCounts) -> None:
    """DataFailed with all that must be put right before anything is sent."""
    problems = counts.problems()
    if not problems and counts.subjects == 0:
        problems.append(f"no subject has a key: {counts.rows} rows were read, {_left_out(counts)}")
    limit = call.combination.key.duplicates.limit
    if not problems and counts.sharing > limit * counts.subjects:
        problems.append(
            f"{counts.sharing} of {counts.subjects} subjects have the join key of another subject; allowed by the "
            f"combination file: {limit:.4%} (key.duplicates.limit); one person under several ids, or key columns "
            "that hold a default for many?"
        )
    if problems:
        raise DataFailed("\n".join([f"no keys are sent for round {call.round.name}:", *problems]))


def counted(counts: KeyCounts) -> dict[str, Any]:
    """The counts as evidence keeps them."""
    return {
        "rows": counts.rows,
        "stopped": counts.stopped,
        "ruled_out": counts.ruled_out,
        "without_key": counts.without_key,
        "missing": dict(counts.missing),
        "repeated": counts.repeated,
        "several": counts.several,
        "subjects": counts.subjects,
        "sharing": counts.sharing,
    }


def _left_out(counts: KeyCounts) -> str:
    missing = ", ".join(f"{name} {count}" for name, count in counts.missing.items() if count)
    return (
        f"{counts.stopped} rows of withdrawn subjects, {counts.ruled_out} by the plan's row rules, "
        f"{counts.without_key} with a missing part{f' ({missing})' if missing else ''}, {counts.several} subjects "
        "with different keys"
    )


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    counts = KeyCounts(**{name: value for name, value in told.items() if name in KeyCounts.__dataclass_fields__})
    text = (
        f"round {call.round.name}, {call.me}: keys of {counts.subjects} subjects {state}; left out: "
        f"{_left_out(counts)}\n"
        f"{counts.sharing} subjects have the join key of another one and will be left out; the salt is erased here"
    )
    summary = {name: told[name] for name in counted(counts)}
    return Outcome({**summary, "state": state, "revision": call.revision}, text=text)


STEP = Step(
    "keys",
    "makes join keys and serials of this party's subjects, and sends them to the key agency",
    "applicant",
    body,
    reads=("source",),
    writes=("keys", "evidence"),
    arguments=plan_argument,
)
