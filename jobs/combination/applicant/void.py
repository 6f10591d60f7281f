"""`void`: subjects who withdrew after `keys` (처리정지 요구): their serials go to both agencies, who leave them out.

The plan's table of stop requests is the one list: who stands there is left out of all later rounds by `keys` and
`attributes` too. Serials go out sealed; no id is an argument, and the ledger counts them only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.clock import utc_now
from jobs.combination.applicant.party_plan import party_plan, plan_argument
from jobs.combination.packages import draft
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import BadInput
from jobs.job import Outcome
from jobs.pseudonymization import all_stops
from jobs.session import spark_session
from jobs.tables import pinned
from transforms.combination.contribution import SERIAL
from transforms.combination.serials import serial_draws, serials
from transforms.identifiers import in_domain
from transforms.plan import Contribution, Plan


def body(call: Call) -> Outcome:
    """Sends the serials of all who asked to stop, as a new revision where there are more than before."""
    loaded, contribution = party_plan(call)
    spark = spark_session(call.environment, f"void {call.combination.combination} {call.round.name}")
    subject = contribution.subject if loaded.plan.subjects else ""
    stops = all_stops(spark, loaded.plan, call.environment, utc_now).get(subject)
    if stops is None:
        raise BadInput(f"{loaded.file}: no `stop_requests`; allowed: the table of those who withdrew, named there")
    ids = in_domain(stops.ids, _type(call, loaded.plan, contribution)).drop_null()
    version = {"table": stops.version.id, "version": stops.version.version}
    revision = call.round.revision("void")
    before = call.round.done("void", revision) if revision else None
    if before is not None and before["stops"] == version:
        return _told(call, before, revision, "sent already")
    secret = round_secret(call.environment, call.combination, call.round.name)
    found = serials(ids, serial_draws(secret, call.environment.organisation, loaded.plan))
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


def _type(call: Call, plan: Plan, contribution: Contribution) -> pa.DataType:
    """The type of the register's ids, of which serials are made."""
    if plan.source is not None:
        table, key = plan.source.table, contribution.subject
    else:
        subject = plan.subjects[contribution.subject]
        table, key = subject.register_, subject.key
    return pinned(call.environment.zone("source") / table).schema.field(key).type


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
