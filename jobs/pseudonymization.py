"""The main job step by step: pin, compile, measure, transform, commit, record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from jobs import additional, manifest, source_values, vault
from jobs.additional_destruction import destroy_of_failed
from jobs.aggregate_tables import make_aggregates
from jobs.attempts import Asked, attempted
from jobs.budget import Charge, affordable
from jobs.clock import Clock, stamp, utc_now
from jobs.code_version import code_version
from jobs.compromise import compromised_runs
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational, Refused
from jobs.incidents.clearing import clear_destroyed
from jobs.incidents.halted import place_of, require_going
from jobs.key_providers import provider_of
from jobs.ledger import evidence_ledger
from jobs.leftovers import sweep_attempts, sweep_dead_runs
from jobs.legal_gate import refuse_unmarked
from jobs.locks import exclusive
from jobs.plans import open_plan
from jobs.progress import Progress
from jobs.run_plan import save_plan
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder, RunRecord, StagedTable, run_name
from jobs.session import require_encryption, settled, spark_session, watched
from jobs.sources import Stops, all_stops, engine_for, pinned_sources, round_period, source_version, table_window
from jobs.staging import StagedFiles, StagedSink, commit_staged
from jobs.tables import Snapshot
from jobs.vouched import hashes
from transforms.aggregates import Aggregate
from transforms.compiler import compile_plan
from transforms.errors import DataRefused
from transforms.leftovers import Marker
from transforms.pipeline.aggregate import exact
from transforms.pipeline.engine import PassFailed, SparkEngine
from transforms.pipeline.feed import Damaged
from transforms.pipeline.marks import Marked, Marking
from transforms.pipeline.parts import prepare_part
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.sampling import register_draws
from transforms.pipeline_model import Pipeline, TablePipeline
from transforms.plan import Plan
from transforms.plan_loader import Loaded
from transforms.plan_outliers import OutlierLimits
from transforms.plan_sample import SimpleSample
from transforms.predicate import Predicate
from transforms.run_facts import RunFacts, TableFacts
from transforms.run_keys import RunKeys

STAGED_ALREADY = "staged already"
# Seconds for tasks that were told to stop; Spark kills their Python workers after about four.
PATIENCE = 20.0


@dataclass(frozen=True)
class Done:
    """What stands now. `state`: "staged", or what an earlier run had reached already."""

    run: str
    state: str
    tables: tuple[StagedTable, ...] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)


def pseudonymize(
    environment: Environment,
    plan_file: Path,
    progress: Progress,
    *,
    period: str | None = None,
    round_: str | None = None,
    limit: int | None = None,
    partitions: int | None = None,
    clock: Clock = utc_now,
) -> Done:
    """Runs a plan into staging. The same plan, source version, stop requests, period and round give the same run.

    Nothing is written to staging unless everything succeeds: facts first, then the tables, run.json and the
    ledger. Errors: PlanError (2 or 3), BadInput (2), Refused (3), DataFailed (1), Operational (4).
    """
    started = stamp(clock())
    loaded = open_plan(plan_file, environment)
    plan = loaded.plan
    for word, number in (("--limit", limit), ("--partitions", partitions)):
        if number is not None and number < 1:
            raise BadInput(f"{word} {number}; allowed: 1 or more")
    period = round_period(plan, period, round_)
    if clock().date() > plan.use.until:
        raise Refused(f"use.until: the use ended on {plan.use.until}; allowed: a plan with a later `until`")
    snapshots = pinned_sources(plan, environment)
    schemas = {name: bare(snapshot.schema) for name, snapshot in snapshots.items()}
    pipeline = compile_plan(plan, schemas.get("", schemas), loaded.hierarchies, loaded.lines)
    if limit is not None:
        pipeline = trial(pipeline, limit)
    output = place_of(plan.application.number, plan.use.recipient, plan.output.table)
    require_going(environment, output, pipeline.fingerprint)
    windows = period_windows(pipeline, period)
    provider_of(environment).check()
    sweep_dead_runs(environment)
    clear_destroyed(environment, clock)
    spark = spark_session(environment, f"pseudonymize {plan.plan}")
    require_encryption(spark)
    stops = all_stops(spark, plan, environment, clock)
    sources = {name or plan.output.table: source_version(s.location.uri, s) for name, s in snapshots.items()}
    named = {name: replace(one, table=source_name(plan, name)) for name, one in sources.items()}
    lost = compromised_runs(evidence_ledger(environment, clock, write=False))
    run = run_name(pipeline.fingerprint, named, {n: s.version for n, s in stops.items()}, period, limit, round_, lost)
    folder = RunFolder(environment, run)
    given = Asked(plan.plan, str(plan_file), period, limit, round_)
    with exclusive(folder.lock, f"run {run}"), attempted(folder, "pseudonymize", clock, given):
        earlier = reached(folder)
        if earlier is not None:
            # A crash may have come between run.json and its entry.
            ledger = evidence_ledger(environment, clock)
            record = folder.load_record()
            ledger.append("pseudonymize", ledger_body(folder, record), once=("run",))
            if earlier.state == STAGED_ALREADY:
                sweep_attempts(folder, record)
            return earlier
        refuse_unmarked(spark, loaded, pipeline, snapshots, windows, progress)
        charges = affordable(environment, run, pipeline.aggregates, named)
        asked = _Asked(partitions, windows, limit, round_)
        with _nothing_left_behind(folder, spark, plan.application.number, clock):
            job = _Job(environment, loaded, pipeline, snapshots, stops, folder, spark, progress, asked)
            made = job.run(charges, clock)
            save_plan(folder, loaded, {t.name: t.source_schema for t in pipeline.wholes.values()})
            manifest.write(folder, manifest.build(folder, made.tables, made.digests))
            record = RunRecord(
                run=run,
                plan=plan.plan,
                fingerprint=pipeline.fingerprint,
                code_version=code_version(),
                organisation=environment.organisation,
                application=plan.application.number,
                recipient=plan.use.recipient,
                output=plan.output.table,
                started=started,
                finished=stamp(clock()),
                sources=named,
                tables=made.tables,
                stops={name: one.version for name, one in stops.items()},
                period=period,
                limit=limit,
                round=round_,
                counts={"tables": made.counts, "aggregates": made.aggregates},
            )
            folder.save_record(record)
        evidence_ledger(environment, clock).append("pseudonymize", ledger_body(folder, record), once=("run", "files"))
        settled(spark, PATIENCE)
        sweep_attempts(folder, record)
    return Done(run, "staged", made.tables, record.counts)


@contextmanager
def _nothing_left_behind(folder: RunFolder, spark: Any, application: str, clock: Clock) -> Iterator[None]:
    """Begins with an empty place; whatever goes wrong, nothing of the tables and facts stays in it."""
    _sweep(folder)
    try:
        yield
    except (PassFailed, DataRefused, Damaged) as error:
        operational = isinstance(error, Damaged) or (isinstance(error, PassFailed) and error.damaged)
        settled(spark, PATIENCE)
        _sweep(folder)
        ledger = evidence_ledger(folder.environment, clock)
        ledger.append("pseudonymize-failed", {"run": folder.run, "operational": operational})
        if not operational:  # it can only fail again
            destroy_of_failed(folder, ledger, application)
        raise (Operational if operational else DataFailed)(str(error)) from None
    except BaseException:
        settled(spark, PATIENCE)
        _sweep(folder)
        raise


def _sweep(folder: RunFolder) -> None:
    for place in (folder.staging, folder.facts, source_values.place(folder), folder.additional / vault.FOLDER):
        place.delete()


def ledger_body(folder: RunFolder, record: RunRecord) -> dict[str, Any]:
    """What the ledger keeps of a run: names, versions and rows; hashes of its plan, record and manifest.

    A small organisation's reason for not keeping users and handlers apart stands there, too (guideline L1647).
    """
    small = (folder.load_plan().get("people") or {}).get("small_organisation")
    return {
        **({"small_organisation": small} if small else {}),
        "run": record.run,
        "plan": record.plan,
        "fingerprint": record.fingerprint,
        "code": record.code_version,
        "period": record.period,
        "limit": record.limit,
        "round": record.round,
        "sources": {name: [one.table, one.id, one.version] for name, one in record.sources.items()},
        "tables": {one.name: [one.id, one.version, one.rows] for one in record.tables},
        "secret": additional.card(folder),
        "files": hashes(folder, "pseudonymize"),
    }


def reached(folder: RunFolder) -> Done | None:
    """What an earlier run of this name has reached; None if it left nothing whole."""
    if not folder.record.exists():
        return None
    record = folder.load_record()
    if folder.release.exists():
        return Done(folder.run, "published or rejected already", record.tables, record.counts)
    if all(folder.staged(table.name).exists() for table in record.tables):
        return Done(folder.run, STAGED_ALREADY, record.tables, record.counts)
    return None


def bare(schema: pa.Schema) -> pa.Schema:
    """Names and types alone."""
    return pa.schema([pa.field(one.name, one.type) for one in schema])


def source_name(plan: Plan, name: str) -> str:
    """The source table's name in the plan; `name` is the table's name in the run."""
    return plan.source.table if plan.source is not None else plan.tables[name].source


def period_windows(pipeline: Pipeline, period: str | None) -> dict[str, Predicate | None]:
    """The condition on each table's rows; BadInput for a period that the plan or its column doesn't allow."""
    plan = pipeline.plan
    if period is not None and not plan.periods():
        raise BadInput("--period: the plan has no `source.period`, nor a table its `period`; allowed: no --period")
    return {name: table_window(plan, name, period, table.source_schema) for name, table in pipeline.wholes.items()}


def trial(pipeline: Pipeline, limit: int) -> Pipeline:
    """The same pipeline on `limit` subjects, without aggregates: a trial spends no privacy budget."""
    if not pipeline.tables:
        raise Refused("--limit: the plan delivers no records, and a trial spends no privacy budget; run it without")
    sample = SimpleSample(n=limit)
    tables = {
        name: replace(table, sample=sample, whole=replace(table.whole, sample=sample) if table.whole else None)
        for name, table in pipeline.tables.items()
    }
    return replace(pipeline, tables=tables, aggregates={})


@dataclass(frozen=True)
class _Asked:
    """What the command line asked for."""

    partitions: int | None
    windows: Mapping[str, Predicate | None]
    limit: int | None
    round: str | None


@dataclass(frozen=True)
class _Made:
    tables: tuple[StagedTable, ...]
    digests: Mapping[str, str]
    counts: Mapping[str, Any]
    aggregates: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    environment: Environment
    loaded: Loaded
    pipeline: Pipeline
    snapshots: Mapping[str, Snapshot]
    stops: Mapping[str, Stops]
    folder: RunFolder
    spark: Any
    progress: Progress
    asked: _Asked

    def run(self, charges: tuple[Charge, ...], clock: Clock) -> _Made:
        """Measure all tables, write the facts, then transform and commit table by table; aggregates come last."""
        keys = run_keys(self.environment, self.pipeline.plan, self.folder.run, self.asked.round)
        prepared: dict[str, tuple[Prepared, SparkEngine, Options]] = {}
        registers: dict[str, tuple[Prepared, SparkEngine]] = {}
        for main in sorted(self._mains(), key=lambda one: one.register is not None):
            table = main.whole or main
            engine, options = self._feed(table)
            stopped = self._stopped(table)
            if table.register is None:
                found = prepare(table, keys, engine, options, stopped)
                if table.subject_domain is not None:
                    registers[table.subject_domain] = (found, engine)
            else:
                known, feed = registers[table.register]
                draws = register_draws(known.work, feed)
                found = prepare(table, keys, engine, options, stopped, known.work.threshold, draws)
            for part in self.pipeline.tables.values():
                if part.home == table.name:
                    own = prepare_part(found, part, keys, engine, options) if part.whole is not None else found
                    prepared[part.name] = (own, engine, options)
        facts = RunFacts({name: one.facts for name, (one, _, _) in prepared.items()})
        self.folder.facts.write_json(facts.to_json())
        entries = {name: vault.write(self.folder, one, feed, keys) for name, (one, feed, _) in prepared.items()}
        vault.write_index(self.folder, keys, entries)
        made = self._transform(prepared, source_values.marker(keys, (one for one, _, _ in prepared.values())))
        return self._aggregated(made, keys, charges, clock) if charges else made

    def _aggregated(self, made: _Made, keys: RunKeys, charges: tuple[Charge, ...], clock: Clock) -> _Made:
        def numbers(one: Aggregate) -> dict[str, list[int]]:
            return exact(one, keys, self._feed(one.table)[0], self._stopped(one.table))

        tables, told = make_aggregates(self.folder, self.pipeline, charges, numbers, clock)
        return replace(made, tables=(*made.tables, *tables), aggregates=told)

    def _transform(self, prepared: Mapping[str, tuple[Prepared, SparkEngine, Options]], marker: Marker) -> _Made:
        tables: list[StagedTable] = []
        digests: dict[str, str] = {}
        counts: dict[str, Any] = {}
        marked: dict[str, Marked] = {}
        for name in self.pipeline.tables:
            found, engine, options = prepared[name]
            table = found.work.table
            place = self.folder.staged(name)
            finished = finish(found, engine, StagedSink(place, table.schema), options, Marking.of(table, marker))
            marked[name] = finished.marked
            staged = StagedFiles.of(finished.outputs)
            if staged.rows != found.rows:
                raise Operational(
                    f"table {name}: {staged.rows} rows were written where {found.rows} were counted; "
                    "the source changed meanwhile, or a task was lost: start it again"
                )
            tables.append(
                commit_staged(place, table, self.pipeline.plan, self.pipeline.fingerprint, self.folder.run, staged)
            )
            digests |= staged.digests
            counts[name] = table_counts(found, found.facts, finished.tally, self._stops(table))
        source_values.write(self.folder, marker, marked)
        return _Made(tuple(tables), digests, counts)

    def _mains(self) -> list[TablePipeline]:
        return [table for table in self.pipeline.tables.values() if table.of is None]

    def _watched(self, text: str) -> AbstractContextManager[None]:
        return watched(self.spark, self.progress, text)

    def _feed(self, table: TablePipeline) -> tuple[SparkEngine, Options]:
        plan = self.pipeline.plan
        snapshot = self.snapshots["" if plan.source is not None else table.name]
        label = f"pseudonymize {plan.plan}" + (f" {table.name}" if len(self.pipeline.tables) > 1 else "")
        engine, rows = engine_for(self.spark, snapshot, table, label, self.asked.windows[table.name], self._watched)
        cores = self.spark.sparkContext.defaultParallelism
        # A trial on a few subjects has rare classes everywhere; it is never published.
        limits = plan.outlier_limits if self.asked.limit is None else OutlierLimits(cells=1, rows=1, recheck="report")
        options = Options(cores, self.asked.partitions, rows, limits)
        return engine, options

    def _stops(self, table: TablePipeline) -> Stops | None:
        subject = "" if self.pipeline.plan.source is not None else table.subject_domain
        return self.stops.get(subject or "")

    def _stopped(self, table: TablePipeline) -> pa.Array | None:
        stops = self._stops(table)
        return stops.ids if stops is not None else None


def table_counts(prepared: Prepared, facts: TableFacts, tally: Any, stops: Stops | None) -> dict[str, Any]:
    """What reviewers may see: numbers of rows, subjects and cells, and of requests to stop."""
    return {
        **({} if stops is None else {"requests": len(stops.ids), "requests_of_other_scopes": stops.elsewhere}),
        "subjects": prepared.subjects,
        "drawn": prepared.drawn,
        "sample": prepared.sample.counts() if prepared.sample is not None else None,
        "rows": {
            "seen": facts.seen,
            "stopped": facts.stopped_rows,
            "sampled": facts.sampled_rows,
            "delivered": facts.delivered,
        },
        "cells": {
            chain.name: [list(tally.get((chain.name, number), (0, 0, 0))) for number in range(len(chain.steps))]
            for chain in prepared.work.table.chains
        },
        "outliers": list(prepared.outliers),
        "passes": list(prepared.passes),
    }
