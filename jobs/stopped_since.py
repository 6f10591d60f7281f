"""Who asked to stop (처리정지 요구, §37) since a run left out those who had asked before: looked at on publishing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.clock import Clock
from jobs.environment import Environment
from jobs.errors import BadInput, Operational, Refused
from jobs.runs import RunFolder, RunRecord, SourceVersion
from jobs.session import spark_session
from jobs.sources import requested, require_fresh, scopes
from jobs.tables import Snapshot, pinned
from transforms.pipeline.feed import Damaged
from transforms.plan import Application, Purpose, StopRequests


def require_nobody_stopped(folder: RunFolder, record: RunRecord, plan: Mapping[str, Any], clock: Clock) -> None:
    """Refused where people asked to stop since the run was made, or where nobody brought their list up to date.

    Their number is told, never an id. Whether they are among the run's people is not looked at: that would take the
    source. A list whose earlier version is gone can't tell who is new: Refused, too.
    """
    concerned = scopes(
        plan["plan"], Purpose.model_validate(plan["purpose"]), Application.model_validate(plan["application"])
    )
    found = []
    for path, requests, before in _lists(record, plan):
        place = folder.environment.zone("source") / requests.table
        now = pinned(place)
        require_fresh(now, requests, path, clock)
        if (now.table_id, now.version) == (before.id, before.version):
            continue
        asked = _ids(folder.environment, now, requests, concerned, path)
        try:
            left_out = _ids(folder.environment, _earlier(now, before), requests, concerned, path)
        except (BadInput, Operational, Damaged, FileNotFoundError):
            raise Refused(
                f"{path}: version {before.version} of {before.table}, by which run {folder.run} left people out, can't "
                "be read any more, so nobody knows who asked since; allowed: `gamyeong run` of its plan anew"
            ) from None
        new = len(asked) - int(pc.sum(pc.is_in(asked, value_set=left_out)).as_py() or 0)
        if new:
            found.append(f"{new} in {requests.table}")
    if found:
        raise Refused(
            f"people asked to stop (§37) since run {folder.run} left out who had asked before: {', '.join(found)}; "
            "nothing is published; allowed: `gamyeong run` of its plan, which makes another run without them, to be "
            "reviewed anew"
        )


def _lists(record: RunRecord, plan: Mapping[str, Any]) -> Iterator[tuple[str, StopRequests, SourceVersion]]:
    """The plan's stop requests, with the version that the run read (by subject, as in its record)."""
    for name, before in record.stops.items():
        path, home = (f"subjects.{name}", plan["subjects"][name]) if name else ("source", plan["source"])
        yield f"{path}.stop_requests", StopRequests.model_validate(home["stop_requests"]), before


def _earlier(now: Snapshot, before: SourceVersion) -> Snapshot:
    """The list as the run read it; BadInput where it can be read no more."""
    if now.table_id != before.id:
        raise BadInput(f"{before.table} is another table than it was")
    return pinned(now.location, before.version)


def _ids(
    environment: Environment, snapshot: Snapshot, requests: StopRequests, concerned: tuple[str, ...], path: str
) -> pa.Array:
    spark = None if snapshot.by_file else spark_session(environment, "publish")
    return requested(spark, snapshot, requests, concerned, path).ids
