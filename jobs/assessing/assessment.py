"""The identification-risk review (식별 위험성 검토) of a plan's source, step by step, into the run's evidence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jobs.assessing.held import held_snapshots
from jobs.assessing.measuring import Look, table_risk
from jobs.assessing.releases import Release, earlier_releases
from jobs.assessing.report import report_files
from jobs.assessing.rows import Rows
from jobs.clock import Clock, utc_now
from jobs.code_version import code_version
from jobs.compromise import compromised_runs
from jobs.decisions import load_all
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.keys import passing_secret
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.legal_gate import find_unmarked, legal_problems
from jobs.locks import exclusive
from jobs.plans import open_plan
from jobs.progress import Progress
from jobs.pseudonymization import bare, period_windows, source_name
from jobs.runs import RunFolder, run_name
from jobs.session import require_encryption, spark_session
from jobs.sources import all_stops, pinned_sources, round_period, source_version
from jobs.storage import write_atomically
from jobs.tables import Snapshot
from jobs.vouched import RISK_REPORT, hashes
from transforms.assess.found import Assessment
from transforms.assess.judging import judged
from transforms.compiler import compile_plan
from transforms.errors import Problem
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.plan_loader import Loaded
from transforms.plan_risk import Risk
from transforms.run_keys import RunKeys, series_names

ENTERED = "assess"
LEAST = 3
"""Classes below it are at risk where the plan asks for no k."""


@dataclass(frozen=True)
class Assessed:
    """An assessment and where it stands. `before`: it stood there; None where the run was decided without one.

    `refused`: why `pseudonymize` will refuse the plan for these data (§24, §24-2), with the plan's lines.
    """

    folder: RunFolder
    found: Assessment | None
    before: bool
    refused: tuple[Problem, ...] = ()


def assess(
    environment: Environment,
    plan_file: Path,
    progress: Progress,
    *,
    period: str | None = None,
    round_: str | None = None,
    limit: int | None = None,
    again: bool = False,
    clock: Clock = utc_now,
) -> Assessed:
    """Measures the plan's source tables as they are, and writes risk.json and the report into the run's evidence.

    It bears the name of the run that `pseudonymize` with the same period, round and limit would make now (a trial's
    review looks at the whole source all the same). Works without keys, staging and additional information. What
    stands there already, of the same versions of all tables, is read instead (not with `again`); once a decision is
    signed, nothing is written any more, for decisions bind the report. Errors: PlanError (2 or 3), BadInput (2),
    Refused (3), Operational (4).
    """
    loaded = open_plan(plan_file, environment)
    plan = loaded.plan
    risk = plan.risk or Risk()
    period = round_period(plan, period, round_)
    snapshots = pinned_sources(plan, environment)
    schemas = {name: bare(snapshot.schema) for name, snapshot in snapshots.items()}
    pipeline = compile_plan(plan, schemas.get("", schemas), loaded.hierarchies, loaded.lines)
    windows = period_windows(pipeline, period)
    held = held_snapshots(environment, risk)
    spark = spark_session(environment, f"assess {plan.plan}")
    require_encryption(spark)
    stops = all_stops(spark, plan, environment, clock)
    run = _run(environment, plan, pipeline, snapshots, stops, period, limit, round_)
    folder = RunFolder(environment, run)
    tables = dict(pipeline.wholes)
    releases = {
        name: earlier_releases(environment, one.source, plan.use.recipient, run) for name, one in tables.items()
    }
    inputs = _inputs(held, releases)
    with exclusive(folder.lock, f"run {run}"):
        decided = folder.release.exists() or bool(load_all(folder))
        if decided and again:
            raise Refused(f"run {run} has signed decisions, which bind its risk report; allowed: a new run")
        stands = None if again else _standing(folder, None if decided else inputs)
        if decided or stands is not None:
            return Assessed(folder, stands, True, _refused(loaded, stands))
        keys = _passing_keys(environment, plan)
        threshold = risk.threshold or (plan.adequacy.k_anonymity.k if plan.adequacy.k_anonymity else LEAST)
        numbers = find_unmarked(spark, plan, pipeline, snapshots, windows, progress)
        found = []
        for name, table in tables.items():
            snapshot = snapshots["" if plan.source is not None else name]
            stop = stops.get("" if plan.source is not None else table.subject_domain or "")
            rows = Rows(spark, snapshot, table, windows[name], stop)
            chosen = [(one, place) for one, place in zip(risk.held, held, strict=True) if one.of in (None, name)]
            look = Look(rows, risk, threshold, plan, keys, chosen, releases[name], numbers[name], progress)
            found.append(table_risk(look))
        assessment = judged(plan, tables, found, run, pipeline.fingerprint, period, threshold)
        _write(folder, assessment, report_files(plan, tables, assessment))
        body = {"run": run, "fingerprint": pipeline.fingerprint, "code": code_version(), "inputs": inputs}
        ledger = evidence_ledger(environment, clock)
        ledger.append(ENTERED, body | {"files": hashes(folder, ENTERED)}, once=("run", "code", "inputs", "files"))
    return Assessed(folder, assessment, False, _refused(loaded, assessment))


def _refused(loaded: Loaded, found: Assessment | None) -> tuple[Problem, ...]:
    """As `pseudonymize` will say it."""
    return legal_problems(loaded, {one.table: one.unmarked for one in found.tables}) if found is not None else ()


def _passing_keys(environment: Environment, plan: Plan) -> RunKeys:
    """Keys for steps that draw: nothing of what they give is kept."""
    series = {name: passing_secret() for name in series_names(plan)}
    return RunKeys(passing_secret(), environment.organisation, "assess", "nobody", series)


def load(folder: RunFolder) -> Assessment:
    """The assessment that stands in a run's evidence; BadInput where there is none, or it is damaged."""
    raw = folder.read("risk.json")
    try:
        return Assessment.from_json(raw)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise BadInput(f"{folder.evidence / 'risk.json'} is damaged; run `gamyeong assess PLAN --again`") from None


def _run(
    environment: Environment,
    plan: Plan,
    pipeline: Pipeline,
    snapshots: Mapping[str, Snapshot],
    stops: Mapping[str, Any],
    period: str | None,
    limit: int | None,
    round_: str | None,
) -> str:
    sources = {name or plan.output.table: source_version(s.location.uri, s) for name, s in snapshots.items()}
    named = {name: replace(one, table=source_name(plan, name)) for name, one in sources.items()}
    versions = {n: s.version for n, s in stops.items()}
    lost = compromised_runs(evidence_ledger(environment, write=False))
    return run_name(pipeline.fingerprint, named, versions, period, limit, round_, lost)


def _inputs(held: list[Snapshot], releases: Mapping[str, list[Release]]) -> dict[str, Any]:
    """What an assessment depends on beside the run's own inputs."""
    return {
        "held": [[one.table_id, one.version] for one in held],
        "released": sorted({one.run for some in releases.values() for one in some}),
    }


def _standing(folder: RunFolder, inputs: Mapping[str, Any] | None) -> Assessment | None:
    """The assessment that the ledger vouches for, if it was made of these inputs (None: any) by this code."""
    if not (folder.evidence / "risk.json").exists():
        return None
    entries = trusted_entries(folder.environment, evidence_ledger(folder.environment, write=False))
    mine = [one.content() for one in entries if one.type == ENTERED and one.content().get("run") == folder.run]
    known: dict[str, Any] = {"files": hashes(folder, ENTERED)}
    if inputs is not None:
        known |= {"inputs": dict(inputs), "code": code_version()}
    if not mine or any(mine[-1].get(name) != value for name, value in known.items()):
        return None
    return load(folder)


def _write(folder: RunFolder, assessment: Assessment, report: Mapping[str, bytes]) -> None:
    content = json.dumps(assessment.to_json(), ensure_ascii=False, indent=1).encode()
    write_atomically((folder.evidence / "risk.json").local, content)
    place = folder.evidence / RISK_REPORT
    for name, one in report.items():
        write_atomically((place / name).local, one)
