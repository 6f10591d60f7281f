"""Verify step by step: the run's claims from its evidence, the same source version, every cell once more."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from jobs.adequacy import planned, run_facts
from jobs.aggregate_tables import staged_rows
from jobs.attempts import attempted
from jobs.clock import Clock, utc_now
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational, Refused
from jobs.incidents.halted import require_run_going
from jobs.keys import KeyGone, passing_secret
from jobs.ledger import evidence_ledger
from jobs.locks import exclusive
from jobs.noising import stored_numbers
from jobs.progress import Progress
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder, RunRecord, SourceVersion
from jobs.session import require_encryption, spark_session, watched
from jobs.sources import engine_for, requested, scopes, table_window
from jobs.staging import filled, staged_snapshot
from jobs.storage import write_atomically
from jobs.tables import Snapshot, pinned
from jobs.vouched import hashes
from transforms.aggregates import Aggregate
from transforms.draws import Draws
from transforms.pipeline.aggregate import exact
from transforms.pipeline.aggregate_verdict import judge_aggregate
from transforms.pipeline.engine import PassFailed, SparkEngine
from transforms.pipeline.feed import Damaged, pack_units
from transforms.pipeline.members import Members
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.sampling import register_draws
from transforms.pipeline.verdict import Claim, TableVerdict, Ways, verify_table
from transforms.pipeline_model import Pipeline, TablePipeline
from transforms.plan import Plan, StopRequests
from transforms.predicate import Predicate
from transforms.run_facts import RunFacts, TableFacts
from transforms.run_keys import RunKeys


@dataclass(frozen=True)
class Verified:
    """The verdict on a run, `tables` by name."""

    run: str
    tables: Mapping[str, TableVerdict]
    seconds: float

    @property
    def verdict(self) -> str:
        return "equal" if all(one.equal for one in self.tables.values()) else "different"

    @property
    def problems(self) -> list[str]:
        """One line for each thing that is not as the plan says."""
        return [f"{name}, {one}" for name, table in self.tables.items() for one in table.differences]


def verify(folder: RunFolder, progress: Progress, clock: Clock = utc_now) -> Verified:
    """Recomputes every record of a run from its source and secret, writes verify.json and the ledger.

    Refused once the run's secret is destroyed, Operational where the source's version is gone, DataFailed
    where the source can't be recomputed at all.
    """
    begun = time.monotonic()
    with exclusive(folder.lock, f"run {folder.run}"), attempted(folder, "verify", clock):
        record = folder.load_record()
        require_run_going(folder.environment, record)
        pipeline = planned(folder, record)
        keys = _keys(folder, record, pipeline.plan)
        facts = run_facts(folder)
        spark = spark_session(folder.environment, f"verify {record.plan}")
        require_encryption(spark)
        job = _Job(folder, record, pipeline, keys, facts, spark, progress)
        try:
            tables = job.run()
        except PassFailed as failed:
            raise (Operational if failed.damaged else DataFailed)(str(failed)) from None
        except Damaged as damaged:
            raise _gone(damaged) from None
        done = Verified(record.run, tables, round(time.monotonic() - begun, 3))
        _write(folder, record, pipeline, done)
        evidence_ledger(folder.environment, clock).append(
            "verify",
            {"run": record.run, "verdict": done.verdict, "files": hashes(folder, "verify")},
            once=("run", "verdict", "files"),
        )
    return done


def _keys(folder: RunFolder, record: RunRecord, plan: Plan) -> RunKeys:
    try:
        return run_keys(folder.environment, plan, folder.run, record.round, create=False)
    except KeyGone:
        raise Refused(
            f"run {folder.run} can't be verified any more: its secret was destroyed, so that nobody can "
            "recompute the pseudonyms; allowed: verify before the release is published or rejected"
        ) from None


def _gone(damaged: Damaged) -> Operational:
    return Operational(
        f"{damaged}: a version that the run read or wrote is no longer whole (vacuumed, or files were lost); "
        "restore it, or run the plan anew on the newest version"
    )


@dataclass(frozen=True)
class _Job:
    folder: RunFolder
    record: RunRecord
    pipeline: Pipeline
    keys: RunKeys
    facts: RunFacts
    spark: Any
    progress: Progress

    def run(self) -> dict[str, TableVerdict]:
        """Table by table, registers first: others follow their samples."""
        found: dict[str, TableVerdict] = {}
        registers: dict[str, tuple[TableFacts, Members]] = {}
        followed = {table.register for table in self.pipeline.tables.values()}
        for table in sorted(self.pipeline.tables.values(), key=lambda one: one.register is not None):
            if table.name not in self.facts.tables:
                raise Refused(f"{self.folder.facts} has no facts of table {table.name}: it was altered")
            known = registers[table.register] if table.register is not None else None
            own = replace(table, whole=None)
            facts = self.facts.tables[table.name]
            ways = self._ways(table)
            claim = Claim.of(own, self.keys, facts, self._stopped(table), known).ready(ways.source)
            found[table.name] = verify_table(claim, ways, self._k())
            if table.of is None and table.register is None and table.subject_domain in followed:
                registers[table.subject_domain or ""] = (facts, register_draws(claim.work, ways.source))
        for name, aggregate in self.pipeline.aggregates.items():
            found[name] = self._aggregate(aggregate)
        return {name: found[name] for name in (*self.pipeline.tables, *self.pipeline.aggregates)}

    def _aggregate(self, aggregate: Aggregate) -> TableVerdict:
        (staged,) = [one for one in self.record.tables if one.name == aggregate.name]
        numbers = exact(aggregate, self.keys, self._source(aggregate.table)[0], self._stopped(aggregate.table))
        noised = stored_numbers(self.folder, self.pipeline.aggregates)[aggregate.name]
        return judge_aggregate(aggregate, numbers, noised, staged_rows(self.folder, staged))

    def _watched(self, text: str) -> AbstractContextManager[None]:
        return watched(self.spark, self.progress, text)

    def _k(self) -> int | None:
        asked = self.pipeline.plan.adequacy.k_anonymity
        return asked.k if asked is not None else None

    def _source(self, table: TablePipeline) -> tuple[SparkEngine, Predicate | None]:
        plan = self.pipeline.plan
        snapshot = read_version(self.folder.environment, self.record.sources[table.home])
        window = table_window(plan, table.home, self.record.period, table.source_schema)
        label = f"verify {plan.plan}" + (f" {table.name}" if len(self.pipeline.tables) > 1 else "")
        return engine_for(self.spark, snapshot, table, label, window, self._watched)[0], window

    def _ways(self, table: TablePipeline) -> Ways:
        source, window = self._source(table)
        (staged,) = [one for one in self.record.tables if one.name == table.name]
        staging = staged_snapshot(self.folder, staged)
        schema = pa.schema([pa.field(field.name, field.type) for field in staging.schema])
        files = [file.source for file in staging.files]
        units = pack_units(files, schema, self.spark.sparkContext.defaultParallelism)
        # Units of the source take longest: they start first, so that no task of theirs is the last one.
        both = replace(source, units=[*source.units, *map(StagedUnit, units)], window=None)
        return Ways(source, both, Draws(passing_secret()), schema, window)

    def _stopped(self, table: TablePipeline) -> pa.Array | None:
        plan = self.pipeline.plan
        name = "" if plan.source is not None else table.subject_domain or ""
        requests = _stop_requests(plan, name)
        if requests is None:
            return None
        snapshot = read_version(self.folder.environment, self.record.stops[name])
        concerned = scopes(plan.plan, plan.purpose, plan.application)
        return requested(self.spark, snapshot, requests, concerned, "stop_requests").ids


def _stop_requests(plan: Plan, name: str) -> StopRequests | None:
    if plan.source is not None:
        return plan.source.stop_requests
    return plan.subjects[name].stop_requests if name in plan.subjects else None


def read_version(environment: Environment, version: SourceVersion) -> Snapshot:
    """The version of a source table that a run read; Operational where it is gone or another table lies there."""
    place = environment.zone("source") / version.table
    again = "the run can't be recomputed; restore the version, or run the plan anew"
    try:
        snapshot = pinned(place, version.version)
    except BadInput as missing:
        raise Operational(f"{missing}; {again}") from None
    if snapshot.table_id != version.id:
        raise Operational(f"another table lies at {place} than the run read; {again}")
    return snapshot


def verify_body(record: RunRecord, pipeline: Pipeline, done: Verified) -> dict[str, Any]:
    """verify.json: counts, names, coarse distributions and rounded figures of many; no cell value, no fact."""
    return {
        "format": 1,
        "run": done.run,
        "verdict": done.verdict,
        "tables": {
            staged.name: {"id": staged.id, "version": staged.version, **_table_body(done.tables[staged.name])}
            for staged in record.tables
        },
        "distributions": {
            name: _distributions(table, done.tables[name])
            for name, table in pipeline.tables.items()
            if name in done.tables
        },
        "utility": {
            name: done.tables[name].utility.to_json() for name in pipeline.tables if name in done.tables
        },
        "seconds": done.seconds,
    }


def _table_body(table: TableVerdict) -> dict[str, Any]:
    located = table.located
    return {
        "verdict": "equal" if table.equal else "different",
        "rows": table.rows.get("staged", 0),
        "columns": table.columns,
        "facts": table.facts,
        "counts": dict(table.rows),
        "differences": [{"what": one.what, "place": one.place, "rows": one.rows} for one in table.differences],
        "rows_different": located.rows + located.missing + located.extra,
        "columns_different": {
            one.place: one.rows if one.rows is not None else max(located.missing, located.extra)
            for one in table.differences
            if one.what == "cells"
        },
        "every_difference_counted": located.whole,
    }


def _distributions(pipeline: TablePipeline, table: TableVerdict) -> list[dict[str, Any]]:
    chains = {chain.name: chain for chain in pipeline.chains}
    return [
        {
            "column": name,
            "label": filled(chains[name].rule.label, chains[name].captures),
            "least": table.least,
            **shown.plain(),
        }
        for name, shown in table.distributions.items()
    ]


def _write(folder: RunFolder, record: RunRecord, pipeline: Pipeline, done: Verified) -> None:
    """Writes verify.json. A verdict that decisions may bind already stays if it is the same."""
    if folder.verify.exists() and folder.decisions.exists():
        before = folder.verify.local.read_bytes()
        if _verdict_of(before) == done.verdict:
            return
    content = json.dumps(verify_body(record, pipeline, done), ensure_ascii=False, indent=1).encode()
    write_atomically(folder.verify.local, content)


def _verdict_of(content: bytes) -> Any:
    try:
        body = json.loads(content)
    except ValueError:
        return None
    return body.get("verdict") if isinstance(body, dict) else None
