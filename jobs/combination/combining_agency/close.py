"""`close` at the combining agency: linking table, attributes, combined and exported tables of the round are destroyed.

After an export, after a rejection, and where the round ends without a result (`--cancel`). The others are told, so that
the key agency and the parties destroy theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from jobs import additional
from jobs.additional_destruction import Hands, destroy_entered
from jobs.combination import entries
from jobs.combination.combined import destroy_combined, table_names
from jobs.combination.exports import handed_over
from jobs.combination.notices import notify
from jobs.combination.packages import destroy_packages
from jobs.combination.parcels import Kind
from jobs.combination.secret_store import destroy_round_secrets
from jobs.combination.step import Call
from jobs.destroying import Doomed, destroy_place, doomed
from jobs.errors import BadInput, Refused
from jobs.job import Outcome
from jobs.leftovers import sweep_dead_runs
from jobs.publishing import segments
from jobs.release import open_table
from jobs.runs import CANCELLED, PERIOD_COLUMN, RUN_CANCELLED, RunFolder, RunRecord, list_runs, release_manifest
from jobs.whose_files import owners_of

CLOSED = "closed"
# Applications stay: they are evidence, and hold none of the data.
KINDS: tuple[Kind, ...] = ("linking", "attributes", "void", "proof", "mock-keys", "mock-attributes")


def close_round(call: Call) -> Outcome:
    """Destroys, records, tells; again, it destroys what came since, and tells whoever was not told."""
    before = call.round.done("close")
    if before is None:
        before = {"outcome": _outcome(call), **_destroyed(call)}
        call.round.record("close", before)
    else:  # a party that didn't know yet that the round is over may have sent more since
        destroy_packages(call.environment, call.combination, round=call.round.name, kinds=KINDS)
    agency, parties = call.combination.roles.key_agency, call.combination.parties
    for receiver in dict.fromkeys((agency, *parties)):
        notify(call.round, receiver, {"about": CLOSED, "outcome": before["outcome"]})
    rows = sum(before["combined"].values())
    text = (
        f"round {call.round.name}, {call.me}: closed ({before['outcome']}); {len(before['packages'])} packages and "
        f"{rows} combined rows are destroyed; {agency} and the parties are told"
    )
    return Outcome({"round": call.round.name, "outcome": before["outcome"], "rows": rows}, text=text)


def _outcome(call: Call) -> str:
    if call.arguments.cancel is not None:
        if not call.arguments.cancel.strip():
            raise BadInput("--cancel without a reason; allowed: why the round ends without a result")
        if call.round.done("export") is not None:
            raise Refused(f"--cancel: round {call.round.name} was exported; allowed: `close` alone")
        if users := handed_over(call.round):
            told = f"--cancel: round {call.round.name} went out to {', '.join(users)}"
            raise Refused(f"{told}; allowed: `export` again, then `close` alone")
        call.round.cancel(call.arguments.cancel)
    if call.round.done("export") is not None:
        return "exported"
    if call.round.done("reject", call.round.revision("combine")) is not None:
        return "rejected"
    if call.round.cancelled is not None:
        return "cancelled"
    raise Refused(
        f"round {call.round.name} is neither exported nor rejected; allowed: `export` first, or --cancel REASON for a "
        "round that ends without a result"
    )


def _destroyed(call: Call) -> dict[str, Any]:
    """What there was; a start that was killed in between is completed by the next."""
    sweep_dead_runs(call.environment)
    for folder in runs_of(call):
        end_run(folder, "the round is closed")
    packages = destroy_packages(call.environment, call.combination, round=call.round.name, kinds=KINDS)
    combined = destroy_combined(call.environment, call.combination, call.round.name)
    secrets = destroy_round_secrets(call.environment, call.combination, call.round.name)
    told = {"packages": packages, "combined": combined, "secrets": secrets}
    body = {"combination": call.combination.combination, "round": call.round.name, "what": "the round's data", **told}
    entries.append(call.environment, "combination-round-destroyed", body)
    return told


def runs_of(call: Call) -> Iterator[RunFolder]:
    """All runs over the round's combined tables: by plans that were changed since, too, and by starts of `process` that
    were killed or failed before it recorded them."""
    tables = set(table_names(call.combination).values())
    period = None if call.combination.series is None else call.round.name
    for name in list_runs(call.environment):
        folder = RunFolder(call.environment, name)
        record = folder.load_record()
        if record.period == period and any("/".join(segments(one.table)) in tables for one in record.sources.values()):
            yield folder


def _destroy_published(folder: RunFolder, record: RunRecord, name: str) -> None:
    """All of a release, overwritten; of a series the period's rows, whichever run they came by.

    Measured before the first file goes, so that a start after a kill knows what there was.
    """
    place, known = folder.published(record, name), folder.evidence / "destroyed" / f"{name}.json"
    if not place.exists():
        return
    if not known.exists():
        table = open_table(place)
        rows = [] if table is None else pa.table(table.get_add_actions(flatten=True)).to_pylist()
        mine = [row for row in rows if record.period in (None, row.get(f"partition.{PERIOD_COLUMN}"))]
        if rows and not mine:
            return
        owners = owners_of(place, table) if rows and table is not None else {}
        runs = {owners[unquote(row["path"])] or "" for row in mine}
        known.write_json(doomed(place, runs if rows else None).plain())
    destroy_place(place, Doomed.of(known.read_json()))
    known.delete()  # the place may hold another run's release the next time


def end_run(folder: RunFolder, because: str) -> None:
    """Nothing of a run stays: neither what waits in staging nor what was published here to be handed on."""
    record = folder.load_record()
    for table in record.tables:
        _destroy_published(folder, record, table.name)
    manifest = release_manifest(folder.environment, record)
    if manifest.exists():
        there = manifest.read_json()
        there["releases"].pop(record.period or "", None)
        manifest.write_json(there)
    if not folder.release.exists():
        folder.release.write_json({"state": CANCELLED, "run": folder.run})
    if folder.read("release.json")["state"] == CANCELLED:
        entries.append(folder.environment, RUN_CANCELLED, {"run": folder.run, "reason": because}, once=("run",))
    folder.staging.delete()
    if additional.anything_left(folder):
        hands = Hands(None, record.organisation)
        destroy_entered(folder, entries.ledger(folder.environment), record.application, because, hands)
