"""A run of the output's plan without Spark: what pseudonymize, verify and review leave where they find nothing wrong.

The rows are really the plan's (`Pipeline.apply_table`); `test_several_tables.py` has the jobs themselves make them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from jobs import manifest
from jobs.clock import stamp, utc_now
from jobs.environment import Environment
from jobs.ledger import evidence_ledger
from jobs.plans import open_plan
from jobs.pseudonymization import bare
from jobs.run_plan import save_plan
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder, RunRecord, run_name
from jobs.sources import pinned_sources, source_version, table_window
from jobs.staging import StagedFiles, StagedSink, commit_staged
from jobs.vouched import MADE_BY, hashes
from transforms.compiler import compile_plan


def run_by_hand(environment: Environment, plan_file: Path, period: str | None) -> dict[str, Any]:
    """The run's entry in the record of `process`."""
    loaded = open_plan(plan_file, environment)
    plan = loaded.plan
    snapshot = pinned_sources(plan, environment)[""]
    pipeline = compile_plan(plan, bare(snapshot.schema), loaded.hierarchies)
    table = pipeline.table()
    sources = {table.name: source_version(plan.source.table, snapshot)}  # type: ignore[union-attr]
    folder = RunFolder(environment, run_name(pipeline.fingerprint, sources, period=period))
    window = table_window(plan, table.name, period, table.source_schema)
    rows = DeltaTable(str(snapshot.location)).to_pyarrow_table()
    if window is not None:
        inside = window.evaluate({name: rows.column(name).combine_chunks() for name in window.columns()})
        rows = rows.filter(inside)
    made = pipeline.apply_table(rows.cast(table.source_schema), run_keys(environment, plan, folder.run))
    place = folder.staged(table.name)
    staged = StagedFiles.of(tuple(StagedSink(place, table.schema)(0, made)))
    tables = (commit_staged(place, table, plan, pipeline.fingerprint, folder.run, staged),)
    folder.evidence.local.mkdir(parents=True)
    now = stamp(utc_now())
    folder.save_record(
        RunRecord(
            run=folder.run, plan=plan.plan, fingerprint=pipeline.fingerprint, code_version="test",
            organisation=environment.organisation, application=plan.application.number, recipient=plan.use.recipient,
            output=plan.output.table, started=now, finished=now, sources=sources, tables=tables, period=period,
        )
    )  # fmt: skip
    save_plan(folder, loaded, {table.name: table.source_schema})
    manifest.write(folder, manifest.build(folder, tables, staged.digests))
    folder.verify.write_json({"verdict": "equal"})
    folder.suite.write_json({"expectations": []})
    folder.result.write_json({"verdict": "fit"})
    folder.report.local.mkdir()
    (folder.report / "index.html").local.write_text("<p>적정성 검토</p>", "utf-8")
    ledger = evidence_ledger(environment)
    for job in MADE_BY:
        ledger.append(job, {"run": folder.run, "files": hashes(folder, job)})
    return {"run": folder.run, "plan": pipeline.fingerprint, "rows": {one.name: one.rows for one in tables}}
