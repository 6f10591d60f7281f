"""The adequacy review (적정성 검토) of a run: suites from the plan, run on what stands in staging."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobs import source_values
from jobs.attempts import attempted
from jobs.clock import Clock, utc_now
from jobs.documents import write_documents
from jobs.errors import BadInput, Operational, Refused
from jobs.frames import read
from jobs.incidents.halted import require_run_going
from jobs.ledger import evidence_ledger
from jobs.locks import exclusive
from jobs.measured import utilities
from jobs.progress import Progress
from jobs.review_result import Verdict, failures, result_body, verdict_of, warnings
from jobs.run_plan import load_compiled
from jobs.runs import RunFolder, RunRecord, StagedTable
from jobs.staging import staged_snapshot
from jobs.storage import Location, write_atomically
from jobs.vouched import hashes
from transforms.measure_checks import quasi_identifiers
from transforms.run_facts import RunFacts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from transforms.aggregates import Aggregate
    from transforms.expectations.handed import Handed
    from transforms.expectations.validation import Judged
    from transforms.pipeline_model import Pipeline


@dataclass(frozen=True)
class Reviewed:
    """A review's outcome: `found` are the results by table, `problems` one line for each that failed.

    `warnings` are lines about what holds, and should be looked at.
    """

    run: str
    verdict: Verdict
    found: Mapping[str, Sequence[Judged]]

    @property
    def problems(self) -> list[str]:
        return failures(self.found)

    @property
    def warnings(self) -> list[str]:
        return warnings(self.found)


def review(folder: RunFolder, progress: Progress, clock: Clock = utc_now) -> Reviewed:
    """Runs the suite, writes suite.json, result.json and the documents, enters the verdict in the ledger.

    Works without the source and keys zones. BadInput where the run or its facts are missing, Refused where
    plan or staged table are not those of run.json, Operational for what can't be read.
    """
    _settings()
    from transforms.expectations.measured import asked_measures
    from transforms.expectations.suite import make_suite, suite_json
    from transforms.expectations.utility import needs_figures
    from transforms.expectations.validation import ReviewFailed, run_suite

    with exclusive(folder.lock, f"run {folder.run}"), attempted(folder, "review", clock):
        record = folder.load_record()
        require_run_going(folder.environment, record)
        pipeline = planned(folder, record)
        facts = run_facts(folder)
        k = pipeline.plan.adequacy.k_anonymity
        known = utilities(folder, record) if needs_figures(pipeline.plan.adequacy) else {}
        suites: dict[str, Any] = {}
        found: dict[str, list[Judged]] = {}
        asked: dict[str, tuple[int, list[str]]] = {}
        measures: dict[str, list[dict[str, Any]]] = {}
        for staged in record.tables:
            progress.say(f"review {staged.name}")
            if staged.name in pipeline.aggregates:
                aggregate = pipeline.aggregates[staged.name]
                suite, found[staged.name] = reviewed_aggregate(folder, staged, aggregate, pipeline.fingerprint)
                suites[staged.name] = suite_json(suite)
                continue
            frame, handed = staged_table(folder, staged, pipeline, facts)
            handed = replace(handed, utility=known.get(staged.name))
            suite = make_suite(handed.table, k, pipeline.fingerprint, pipeline.plan.adequacy)
            try:
                found[staged.name] = run_suite(suite, frame, handed)
            except ReviewFailed as failed:
                raise _explained(failed) from None
            suites[staged.name] = suite_json(suite)
            if k is not None and (columns := quasi_identifiers(handed.table, k)):
                asked[staged.name] = (k.k, columns)
            measures[staged.name] = asked_measures(suite)
        body = result_body(record, asked, found, measures)
        _write(folder.suite, suites_body(suites))
        _write(folder.result, body)
        verified = folder.read("verify.json") if folder.verify.exists() else None
        write_documents(folder, pipeline, record, verified, body)
        verdict = verdict_of(found)
        evidence_ledger(folder.environment, clock).append(
            "review",
            {"run": record.run, "verdict": verdict, "files": hashes(folder, "review")},
            once=("run", "verdict", "files"),
        )
    return Reviewed(record.run, verdict, found)


def reviewed_aggregate(
    folder: RunFolder, staged: StagedTable, aggregate: Aggregate, fingerprint: str
) -> tuple[Any, list[Judged]]:
    """The suite of an aggregate table and its results. Operational where it can't be run."""
    from jobs.aggregate_tables import review_aggregate
    from transforms.expectations.validation import ReviewFailed

    try:
        return review_aggregate(folder, staged, aggregate, fingerprint)
    except ReviewFailed as failed:
        raise _explained(failed) from None


def planned(folder: RunFolder, record: RunRecord) -> Pipeline:
    """The run's pipeline; a trial run's with its own sample."""
    from jobs.pseudonymization import trial

    pipeline = load_compiled(folder)
    return trial(pipeline, record.limit) if record.limit is not None else pipeline


def run_facts(folder: RunFolder) -> RunFacts:
    """What the run measured; BadInput once it is destroyed, Refused where it is no facts file."""
    try:
        return RunFacts.from_json(folder.facts.read_json())
    except FileNotFoundError:
        raise BadInput(
            f"no facts of run {folder.run} at {folder.facts}: it was published or rejected already; "
            "allowed: a run that stands in staging"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{folder.facts} is damaged; allowed: as pseudonymize wrote it") from None


def staged_table(
    folder: RunFolder, staged: StagedTable, pipeline: Pipeline, facts: RunFacts
) -> tuple[DataFrame, Handed]:
    """A staged version as a DataFrame, and what its suite is handed. Works in an engineer's notebook too.

    Refused where another table lies there, or one with features that ours never have.
    """
    from jobs.session import require_encryption, spark_session
    from transforms.expectations.handed import Handed

    snapshot = staged_snapshot(folder, staged)
    spark = spark_session(folder.environment, f"review {staged.name}")
    require_encryption(spark)
    handed = Handed(
        pipeline.table(staged.name),
        facts.tables[staged.name],
        tuple(file.source for file in snapshot.files),
        pipeline.fingerprint,
        f"{staged.id}/{staged.version}",
        source_values.load(folder, pipeline.tables.values()),
    )
    return read(spark, snapshot.location, snapshot.version), handed


def suites_body(suites: Mapping[str, Any]) -> Any:
    """suite.json: Great Expectations' own form; where a release has several tables, one such suite for each."""
    return next(iter(suites.values())) if len(suites) == 1 else {"tables": suites}


def _settings() -> None:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read when great_expectations is imported


def _write(place: Location, body: Any) -> None:
    write_atomically(place.local, json.dumps(body, ensure_ascii=False, indent=1).encode())


def _explained(failed: Exception) -> Operational:
    from transforms.pipeline.engine import PassFailed
    from transforms.pipeline.feed import Damaged

    errors = getattr(failed, "errors", [])
    known = [str(error) for error in errors if isinstance(error, (PassFailed, Damaged))]
    others = sorted({type(error).__name__ for error in errors if not isinstance(error, (PassFailed, Damaged))})
    return Operational(f"the review stopped: {'; '.join([*dict.fromkeys(known), *others]) or type(failed).__name__}")


__all__ = ["Reviewed", "planned", "review", "run_facts", "staged_table", "suites_body"]
