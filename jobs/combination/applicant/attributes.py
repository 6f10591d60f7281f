"""`attributes`: this party's pseudonymized data (결합대상정보), checked, then sealed for the combining agency."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.combination import entries
from jobs.combination.applicant.extracted import require_k
from jobs.combination.applicant.party_plan import party_plan, plan_argument
from jobs.combination.applicant.receipts import receipt_of
from jobs.combination.checked import checked_run
from jobs.combination.engines import engine_of
from jobs.combination.sealing import SealRows, sealed, units_of
from jobs.combination.step import Call, Step
from jobs.errors import Waiting
from jobs.job import Outcome
from jobs.manifest import load as load_manifest
from jobs.manifest import sha256_of
from jobs.publishing import GOOD, end_additional
from jobs.run_plan import load_compiled
from jobs.runs import RUN_SENT, SENT, RunFolder, StagedTable
from jobs.session import spark_session
from jobs.staging import staged_snapshot
from transforms.combination.contribution import SERIAL
from transforms.combination.contribution import STEP as SERIAL_STEP
from transforms.combination.extraction import REFUSED
from transforms.pipeline_model import TablePipeline
from transforms.plan import Contribution

ROWS = "rows"


def body(call: Call) -> Outcome:
    """Pseudonymizes, verifies and reviews; seals only what is equal and fit; then staging and run secret go."""
    loaded, contribution = party_plan(call)
    before = call.round.done("attributes", call.revision)
    if before is not None:
        _end(RunFolder(call.environment, before["run"]))
        return _told(call, before, "sent already")
    chosen, extraction = _extraction(call)
    folder = checked_run(call, loaded.file, round_=call.round.name)
    told = _sent(call, folder, contribution, chosen, extraction)
    call.round.record("attributes", told, call.revision)
    _end(folder)
    return _told(call, told, "sent")


def _extraction(call: Call) -> tuple[pa.Array | None, str | None]:
    """The serials that may be sent (None: all), and the digest of the package that says so."""
    if call.combination.options.extraction is None:
        return None, None
    agency = call.combination.roles.key_agency
    found = call.received("extraction", agency)
    if found is None:
        raise Waiting(f"round {call.round.name} waits for the extraction list of {agency} (`extract`)")
    if found.content.get("verdict") == REFUSED:  # more than half of the subjects are joined: all attributes are sent
        return None, found.manifest.substance
    listed = found.table()
    return listed.column(SERIAL).combine_chunks(), found.manifest.substance


def _sent(
    call: Call, folder: RunFolder, contribution: Contribution, chosen: pa.Array | None, extraction: str | None
) -> dict[str, Any]:
    """Seals the table with attributes and sends it; the body of this step's record."""
    table, staged = _with_attributes(folder)
    manifest = load_manifest(folder).digest
    snapshot = staged_snapshot(folder, staged)
    serial, label = _serial(table), f"attributes {call.combination.combination} {call.round.name}"
    if chosen is not None:
        require_k(spark_session(call.environment, label), folder, staged, table, serial, chosen)
    engine = engine_of(call.environment, units_of(snapshot.files, snapshot.schema), staged.rows, label, call.progress)
    names = {SERIAL if name == serial else name: name for name in table.schema.names}
    package = call.draft(
        "attributes",
        call.combination.roles.combining_agency,
        receipt=receipt_of(call),
        inputs={"run": folder.run, "manifest": manifest, "extraction": extraction},
    )
    files = sealed(engine, SealRows(package.sealer, ROWS, names, serial, chosen), table.schema)
    content = _content(folder, table, contribution, manifest)
    sent = package.finish(files, content)
    return {"run": folder.run, "rows": sent.rows, "manifest": manifest, "extraction": extraction}


def _content(folder: RunFolder, table: TablePipeline, contribution: Contribution, manifest: str) -> dict[str, Any]:
    """The reports of risk and adequacy (L1553-1557), and what the combined table is described by: counts, no cells."""
    record = folder.load_record()
    return {
        "plan": record.plan,
        "fingerprint": record.fingerprint,
        "run": record.run,
        "manifest": manifest,
        "digests": {name: sha256_of(folder.evidence / name) for name in GOOD},
        "verify": {"verdict": folder.read("verify.json")["verdict"]},
        "review": folder.read("result.json"),
        "counts": record.counts["tables"][table.name]["rows"],
        "cleared": dict(contribution.cleared),
        "columns": [
            {"name": one.name, "kind": one.rule.kind, "label": one.rule.label, "unit": one.rule.unit}
            for one in table.columns
        ],
    }


def _with_attributes(folder: RunFolder) -> tuple[TablePipeline, StagedTable]:
    """The one table that has more than serials."""
    pipeline = load_compiled(folder)
    (table,) = [one for one in pipeline.tables.values() if len(one.columns) > 1] or list(pipeline.tables.values())
    (staged,) = [one for one in folder.load_record().tables if one.name == table.name]
    return table, staged


def _serial(table: TablePipeline) -> str:
    (found,) = [c.name for c in table.chains if c.steps and c.steps[-1].technique.name == SERIAL_STEP]
    return found


def _end(folder: RunFolder) -> None:
    """What has been sent needs staging and the run's secret no more; the round's secret stays for withdrawals."""
    if not folder.release.exists():
        folder.release.write_json({"state": SENT, "run": folder.run})
    ledger = entries.ledger(folder.environment)
    ledger.append(RUN_SENT, {"run": folder.run}, once=("run",))
    end_additional(folder, folder.load_record(), folder.load_plan(), ledger, "sent to the combining agency")
    folder.staging.delete()


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    rows = int(told["rows"])
    text = f"round {call.round.name}, {call.me}: {rows} rows {state} (run {told['run']}); staging is removed"
    return Outcome({"run": told["run"], "rows": rows, "state": state, "revision": call.revision}, text=text)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    plan_argument(parser)


STEP = Step(
    "attributes",
    "pseudonymizes, verifies and reviews this party's data, and sends it to the combining agency",
    "applicant",
    body,
    reads=("source",),
    writes=("keys", "staging", "additional-information", "evidence"),
    arguments=arguments,
)
