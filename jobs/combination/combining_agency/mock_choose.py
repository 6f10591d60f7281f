"""`mock-choose`: which subjects' attributes the parties are asked for (모의결합 대상 선정)."""

from __future__ import annotations

from typing import Any

from jobs.combination.combining_agency.supplies import digest_of
from jobs.combination.mock import CHOICE, Sample, chosen, require_mock, sample, those_there, without_argument
from jobs.combination.packages import Package
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import DataFailed
from jobs.job import Outcome


def body(call: Call) -> Outcome:
    """Looks at a keyed sample of all keys, chooses among the joined ones, adds cover; the share joined is told."""
    mock = require_mock(call)
    sampled, packages = mock_sample(call)
    asked = chosen(sampled, call.combination, mock.subjects)
    if not any(table.num_rows for table in asked.values()):
        raise DataFailed(
            f"round {call.round.name}: nobody of the sampled keys is known to two parties; nothing to choose. Usual "
            "causes: another normal form, encoding or column order on one side (`prove` finds it)"
        )
    inputs = {party: [one.manifest.address.revision, digest_of(one)] for party, one in packages.items()}
    for party, table in asked.items():
        package = call.draft("mock-chosen", party, inputs=inputs)
        package.finish([package.sealer.write(table, random=True)], {"subjects": table.num_rows})
    told: dict[str, Any] = {
        "inputs": inputs,
        "keys": dict(sampled.rows),
        "sampled": {party: table.num_rows for party, table in sampled.keys.items()},
        "chosen": {party: table.num_rows for party, table in asked.items()},
    }
    call.round.record("mock-choose", told, call.revision)
    lines = [
        f"{party}: {told['chosen'][party]} of {told['keys'][party]} subjects are asked for ({told['sampled'][party]} "
        "looked at)"
        for party in asked
    ]
    return Outcome(told, text="\n".join(lines))


def mock_sample(call: Call) -> tuple[Sample, dict[str, Package]]:
    """The same sample of the parties' mock keys each time; Waiting where some have not come."""
    mock = require_mock(call)
    packages = those_there(call, "mock-keys", "mock keys", call.combination.suppliers)
    secret = round_secret(call.environment, call.combination, call.round.name, CHOICE, make=True)
    return sample(packages, secret, mock.subjects), packages


STEP = Step(
    "mock-choose",
    "chooses some subjects for a mock combination, and asks the parties for them",
    "combining agency",
    body,
    writes=("keys", "evidence"),
    arguments=without_argument,
)
