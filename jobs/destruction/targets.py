"""What is to be destroyed: an output, one period of it, or one run; and what of it is published now."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.incidents.outputs import Output, find_output, vouched
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.release import Commit, commits, unentered
from jobs.runs import RunRecord, releases_of

GONE = "destroyed"


@dataclass(frozen=True)
class Target:
    """`period` and `run` are None for the whole output; `name` is for people."""

    output: Output
    period: str | None = None
    run: str | None = None

    @property
    def name(self) -> str:
        """The output with what is meant of it."""
        part = f", period {self.period}" if self.period else ""
        return f"{self.output.name}{part}{f', run {self.run}' if self.run else ''}"

    @property
    def key(self) -> dict[str, Any]:
        """What entries of the ledger name it by."""
        return {"output": self.output.name, "period": self.period, "run": self.run}


def find_target(environment: Environment, text: str, period: str | None, run: str | None) -> Target:
    """The target that the words mean. A run alone means that run, never all of its output. BadInput otherwise.

    Refused where the ledger or the evidence that tells of the output was altered.
    """
    entries = trusted_entries(environment, evidence_ledger(environment, write=False))
    output = vouched(environment, find_output(environment, text), entries)
    if re.fullmatch("[0-9a-f]{4,16}", text) and run is None and period is None:
        run = text
    if run is None:
        return Target(output, period)
    found = [name for name in output.runs if name.startswith(run)]
    if len(found) != 1:
        there = ", ".join(output.runs) or "none"
        raise BadInput(f"{run!r} begins the names of {len(found)} runs of {output.name}; allowed: one of {there}")
    if period is not None and output.runs[found[0]].period != period:
        raise BadInput(f"run {found[0]} is not of period {period}; allowed: --period or --run alone")
    return Target(output, period, found[0])


def published_runs(environment: Environment, target: Target) -> dict[str, RunRecord]:
    """The runs whose rows are published now and are meant; by the release manifest, so none that was replaced."""
    return {
        run: record
        for run, record in standing_runs(environment, target.output).items()
        if target.run in (None, run) and target.period in (None, record.period)
    }


def standing_runs(environment: Environment, output: Output) -> dict[str, RunRecord]:
    """All runs of an output whose rows are published now: by the release manifest, and by the table's log those whose
    publish was killed before it wrote there."""
    told = {one["run"] for one in releases_of(output.manifest(environment)).values()}
    if output.runs.keys() - told:
        newest: dict[tuple[str, str | None], Commit] = {}
        for one in commits(output.place(environment)):
            newest.setdefault((one.table, one.period), one)
        known = evidence_ledger(environment, write=False).entries()
        told |= {one.run for one in unentered(newest.values(), known)}
    return {run: record for run, record in output.runs.items() if run in told}
