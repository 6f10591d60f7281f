"""`void`: subjects who withdrew after `keys` (처리정지 요구): their serials go to both agencies, who leave them out.

The plan's table of stop requests is the one list: who stands there is left out of all later rounds by `keys` and
`attributes` too. Serials go out sealed; no id is an argument, and the ledger counts them only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.combination.applicant.party_plan import plan_argument
from jobs.combination.applicant.register import open_register
from jobs.combination.packages import draft
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import BadInput
from jobs.job import Outcome
from transforms.combination.contribution import SERIAL
from transforms.combination.serials import serial_draws, serials
from transforms.identifiers import in_domain


def body(call: Call) -> Outcome:
    """Sends the serials of all who asked to stop since `keys`, as a new revision where there are more than before."""
    register = open_register(call, "void")
    if register.stops is None:
        raise BadInput(f"{call.arguments.plan}: no `stop_requests`; allowed: there, the table of those who withdrew")
    version = [register.stops.version.id, register.stops.version.version]
    revision = call.round.revision("void")
    before = call.round.done("void", revision) if revision else None
    if before is not None and before["stops"] == version:
        return _told(call, before, revision, "sent already")
    type_ = register.snapshot.schema.field(register.subject).type
    ids = in_domain(register.stops.ids, type_).drop_null()
    secret = round_secret(call.environment, call.combination, call.round.name)
    found = serials(ids, serial_draws(secret, call.environment.organisation, register.plan))
    table = pa.table({SERIAL: found.take(pc.sort_indices(found))})
    told = {"stops": version, "subjects": table.num_rows}
    for agency in (call.combination.roles.key_agency, call.combination.roles.combining_agency):
        package = draft(
            call.environment,
            call.combination,
            round=call.round.name,
            kind="void",
            receiver=agency,
            revision=revision + 1,
            inputs=told,
        )
        package.finish([package.sealer.write(table)], {"subjects": table.num_rows})
    call.round.record("void", told, revision + 1)
    return _told(call, told, revision + 1, "sent")


def _told(call: Call, told: Mapping[str, Any], revision: int, state: str) -> Outcome:
    count = int(told["subjects"])
    text = f"round {call.round.name}, {call.me}: {count} withdrawn subjects {state} (revision {revision})"
    return Outcome({"subjects": count, "revision": revision, "state": state}, text=text)


STEP = Step(
    "void",
    "tells both agencies the serials of subjects who withdrew after `keys`",
    "applicant",
    body,
    reads=("source",),
    writes=("keys", "evidence"),
    arguments=plan_argument,
)
