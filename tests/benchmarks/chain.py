"""One whole run in a place of its own, each job timed: pseudonymize, verify, review, publish."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.places import PLAN, REVIEWERS, Place, Round
from benchmarks.stages import Watch, covered
from benchmarks.timing import Mark, Marks, settle, stretches, timed
from jobs.adequacy import review
from jobs.decide import Vote, decide
from jobs.progress import Progress
from jobs.pseudonymization import pseudonymize
from jobs.publishing import publish
from jobs.runs import RunFolder
from jobs.verification import verify

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JOBS = ("pseudonymize", "verify", "review", "publish")
QUIET = Progress(quiet=True)


@dataclass
class Chained:
    """Seconds by job; rows drawn and delivered; `profile` by job where it was asked for."""

    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)


def run_chain(spark: SparkSession, place: Place, jobs: tuple[str, ...] = JOBS, *, profile: bool = False) -> Chained:
    """A fresh run as far as `jobs` ask; a job that finds the result wrong ends the benchmark."""
    found = Chained()
    last = max(JOBS.index(job) for job in jobs)
    with place.round() as at:
        for job in JOBS[: last + 1]:
            if job == "publish":
                _decide(at)
            settle(spark)
            _timed_job(spark, at, job, found, profile)
    return found


def folder_of(at: Round, run: str) -> RunFolder:
    """Where the run of a round lies."""
    return RunFolder(at.environment, run)


def _timed_job(spark: SparkSession, at: Round, job: str, found: Chained, profile: bool) -> None:
    marks = Marks()
    watch = Watch(spark) if profile else None
    begun = time.time()
    found.seconds[job], _ = timed(lambda: _WORK[job](at, marks, found))
    if watch is not None:
        passes = stretches(begun, marks.marks, begun + found.seconds[job])
        stages = watch.finished(begun)
        found.profile[job] = {
            "seconds": round(found.seconds[job], 3),
            "no_stage_seconds": round(found.seconds[job] - covered(stages), 3),
            "passes": [[text, round(taken, 3)] for text, taken in passes],
            "stages": stages,
        }


def _pseudonymize(at: Round, marks: Marks, found: Chained) -> None:
    done = pseudonymize(at.environment, PLAN, marks)
    assert done.state == "staged", done.state
    (counts,) = done.counts["tables"].values()
    found.counts = {"run": done.run, "drawn": counts["drawn"], **counts["rows"]}


def _verify(at: Round, marks: Marks, found: Chained) -> None:
    done = verify(folder_of(at, found.counts["run"]), marks)
    assert done.verdict == "equal", done.problems


def _review(at: Round, marks: Marks, found: Chained) -> None:
    done = review(folder_of(at, found.counts["run"]), marks)
    assert done.verdict == "fit", done.problems


def _publish(at: Round, marks: Marks, found: Chained) -> None:
    def step(text: str) -> None:
        marks.marks.append(Mark(text, time.time()))

    done = publish(folder_of(at, found.counts["run"]), hook=step)
    assert not done.already
    assert sum(table.rows for table in done.tables) == found.counts["delivered"]


def _decide(at: Round) -> None:
    (run,) = (one.name for one in (at.environment.zone("evidence") / "runs").local.iterdir())
    for name in REVIEWERS:
        decide(folder_of(at, run), name, at.keys[name], Vote(outcome="approved"))


_WORK: dict[str, Callable[[Round, Marks, Chained], None]] = {
    "pseudonymize": _pseudonymize,
    "verify": _verify,
    "review": _review,
    "publish": _publish,
}
