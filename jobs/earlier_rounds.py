"""Earlier rounds of a review: runs of the same application that reviewers rejected (부적정, 반려), and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.decisions import Decision, load_all
from jobs.errors import JobError
from jobs.ledger import Entry
from jobs.runs import RunFolder, RunRecord, list_runs
from jobs.sub_results import INSUFFICIENT


@dataclass(frozen=True)
class Rejection:
    """One reviewer's signed rejection: when, by whom, for what reason, and what was insufficient."""

    at: str
    reviewer: str
    reason: str
    insufficient: tuple[str, ...]


@dataclass(frozen=True)
class EarlierRound:
    """A rejected run and those who rejected it."""

    run: str
    rejections: tuple[Rejection, ...]


def earlier_rounds(folder: RunFolder, record: RunRecord, entries: Sequence[Entry]) -> list[EarlierRound]:
    """The rejected runs of the same application, recipient, output and period, the first one first.

    Decisions count as far as the ledger holds them (`entries`); a run whose evidence is damaged is left out.
    """
    entered = {entry.content().get("sha256") for entry in entries if entry.type == "decision"}
    found = []
    for name in list_runs(folder.environment):
        other = RunFolder(folder.environment, name)
        if name == folder.run or not other.release.exists():
            continue
        try:
            if _matter(other.load_record()) != _matter(record) or other.read("release.json")["state"] != "rejected":
                continue
            decisions = [one for one in load_all(other) if one.sha256 in entered]
        except JobError:
            continue
        rejected = [_rejection(one) for one in decisions if one.field("outcome") == "rejected"]
        found.append(EarlierRound(name, tuple(rejected)))
    return sorted(found, key=lambda one: min((said.at for said in one.rejections), default=""))


def lines(rounds: Sequence[EarlierRound]) -> list[str]:
    """One line for each rejection, for people."""
    return [
        f"round {number}: run {one.run} was rejected by {said.reviewer} on {said.at[:10]}: {said.reason}"
        + (f" (insufficient: {', '.join(said.insufficient)})" if said.insufficient else "")
        for number, one in enumerate(rounds, 1)
        for said in one.rejections
    ]


def _matter(record: RunRecord) -> tuple[str | None, ...]:
    return record.application, record.recipient, record.output, record.period


def _rejection(one: Decision) -> Rejection:
    graded = one.statement.get("sub_results")
    names = sorted(name for name, said in graded.items() if said == INSUFFICIENT) if isinstance(graded, dict) else []
    return Rejection(one.field("at"), one.field("reviewer"), one.field("reason"), tuple(names))
