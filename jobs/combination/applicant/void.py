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
from jobs.combination.applicant.register import Register, open_register
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import BadInput
from jobs.job import Outcome
from jobs.sources import requested, scopes
from jobs.tables import pinned
from transforms.combination.contribution import SERIAL
from transforms.combination.serials import serial_draws, serials


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
    since = register.stops.ids.filter(pc.invert(pc.is_in(register.stops.ids, value_set=_before(call, register))))
    secret = round_secret(call.environment, call.combination, call.round.name)
    found = serials(register.stopped(since), serial_draws(secret, call.environment.organisation, register.plan))
    table = pa.table({SERIAL: found.take(pc.sort_indices(found))})
    told = {"stops": version, "subjects": table.num_rows}
    for agency in (call.combination.roles.key_agency, call.combination.roles.combining_agency):
        package = call.draft("void", agency, revision=revision + 1, inputs=told)
        package.finish([package.sealer.write(table)], {"subjects": table.num_rows})
    call.round.record("void", told, revision + 1)
    return _told(call, told, revision + 1, "sent")


def _before(call: Call, register: Register) -> pa.Array:
    """Who had asked already when `keys` was made, and so has no serial with the agencies."""
    assert register.stops is not None
    none = register.stops.ids.slice(0, 0)
    keys = call.round.done("keys")
    plan = register.plan
    if plan.source is not None:
        requests = plan.source.stop_requests
    else:
        assert plan.combination is not None
        requests = plan.subjects[plan.combination.subject].stop_requests
    if keys is None or keys["stops"] is None or requests is None:
        return none
    table_id, version = keys["stops"]
    snapshot = pinned(call.environment.zone("source") / requests.table, version)
    if snapshot.table_id != table_id or not snapshot.by_file:
        return none
    concerned = scopes(plan.plan, plan.purpose, plan.application)
    return requested(None, snapshot, requests, concerned, "stop_requests").ids


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
