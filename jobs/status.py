"""`gamyeong status [RUN]`: the runs, what each waits for, and what to do next."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from jobs.attempts import Unfinished, unfinished
from jobs.clock import Clock, utc_now
from jobs.incidents.halted import halts, output_name
from jobs.job import Context, JobError, Outcome, Waiting, run_job
from jobs.judging import eligible, judge, required
from jobs.leaving import leave
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.publishing import GOOD, reads_combined
from jobs.reviewers import load_reviewers
from jobs.runs import RunFolder, RunRecord, find_run, list_runs

HALTED = "under quarantine"


@dataclass(frozen=True)
class State:
    """One run: its state in a word, what it waits for or why it is refused, and the next command."""

    run: str
    state: str
    plan: str
    output: str
    period: str | None
    rows: int
    waits_for: str
    next: str


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="one run; without it, all")


def body(context: Context) -> Outcome:
    """Reads evidence alone."""
    given, environment = context.arguments, context.environment
    tried = [one for one in unfinished(environment) if one.run.startswith(given.run or "")]
    alone = given.run and tried and not [name for name in list_runs(environment) if name.startswith(given.run)]
    one = [find_run(environment, given.run)] if given.run and not alone else []
    folders = one or [RunFolder(environment, name) for name in ([] if alone else list_runs(environment))]
    states = [state_of(folder) for folder in folders]
    told = [*map(_told, states), *map(_tried, tried)]
    text = "\n\n".join(told) or "no run yet; next: gamyeong pseudonymize PLAN"
    return Outcome({"runs": [asdict(one) for one in states], "attempts": [asdict(one) for one in tried]}, text=text)


def state_of(folder: RunFolder, clock: Clock = utc_now) -> State:
    """What became of a run so far.

    Damaged, under quarantine, trial, published, rejected, unfit, refused, waiting, ready.
    """
    try:
        record = folder.load_record()
        state, waits, next_ = _state(folder, record, clock)
    except JobError as error:
        return State(folder.run, "damaged", "", "", None, 0, error.message, "restore the evidence folder")
    rows = sum(one.rows for one in record.tables)
    return State(folder.run, state, record.plan, record.output, record.period, rows, waits, next_)


def _state(folder: RunFolder, record: RunRecord, clock: Clock) -> tuple[str, str, str]:
    plan, run, output = folder.load_plan(), folder.run, output_name(record)
    if output in halts(folder.environment):
        return HALTED, "what the reviewers decide about the incident", f"gamyeong quarantine {output} --show"
    if folder.release.exists():
        state = folder.read("release.json")["state"]
        ended = _ended(folder) or state == "rejected"
        waits = "" if ended else "its additional information to be destroyed or encrypted"
        return state, waits, "" if ended else f"gamyeong publish {run}"
    if record.limit is not None:
        return "trial", f"nothing: a trial with {record.limit} subjects is never published", ""
    for job, names in (("verify", ("verify.json",)), ("review", ("suite.json", "result.json"))):
        if not all((folder.evidence / name).exists() for name in names):
            return "waiting", job, f"gamyeong {job} {run}"
    if any(folder.read(name).get("verdict") != good for name, good in GOOD.items()):
        return "unfit", "a plan whose result passes its checks", "change the plan, gamyeong pseudonymize PLAN"
    if clock().date() > date.fromisoformat(plan["use"]["until"]):
        return "refused", f"nothing: its use ended on {plan['use']['until']}", ""
    if plan.get("combination"):
        next_ = f"gamyeong combination attributes FILE --round {record.round} --plan PLAN"
        return "checked", "being sent to the combining agency", next_
    missing = required(folder.environment, plan) - len(eligible(load_reviewers(folder.environment), plan))
    if missing > 0:
        waits = f"{missing} more reviewers who may decide about this plan"
        return "waiting", waits, "gamyeong reviewer new NAME --key FILE"
    try:
        entries = trusted_entries(folder.environment, evidence_ledger(folder.environment, write=False))
        judged = judge(folder, record, plan, entries, clock())
    except Waiting as error:
        return "waiting", error.message, f"gamyeong review {run}"
    except JobError as error:
        return "refused", error.message, ""
    if judged.rejected_by:
        return "rejected", "the removal of its staging", f"gamyeong publish {run}"
    if judged.waiting:
        return "waiting", "; ".join(judged.waiting), f"gamyeong decide {run} --show"
    if reads_combined(record):
        return "ready", "the votes of the export committee", "gamyeong combination vote FILE --round R --show"
    return "ready", "nothing", f"gamyeong publish {run}"


def _ended(folder: RunFolder) -> bool:
    ledger = evidence_ledger(folder.environment, write=False)
    return any(ledger.find(kind, run=folder.run) for kind in ("destroy", "keep"))


def _told(one: State) -> str:
    if one.state == "damaged":
        return f"run {one.run}: damaged\n  {one.waits_for}"
    period = f", period {one.period}" if one.period else ""
    lines = [f"run {one.run}: {one.state} (plan {one.plan}, output {one.output}{period}, {one.rows} rows)"]
    lines += [f"  waits for: {one.waits_for}"] if one.waits_for else []
    lines += [f"  next: {one.next}"] if one.next else []
    return "\n".join(lines)


def _tried(one: Unfinished) -> str:
    attempt, asked = one.attempt, one.attempt.asked
    period = f", period {asked.period}" if asked.period else ""
    plan = f" (plan {asked.plan}{period})" if asked.plan else ""
    ended = f" at {attempt.ended} with exit {attempt.exit}" if attempt.ended else ""
    line = f"attempt at run {one.run}{plan}: {attempt.job} began at {attempt.started}, {one.state}{ended}"
    return f"{line}\n  next: {one.next}" if one.next else line


def main(argv: Sequence[str]) -> int:
    """Exit 0, or 2 for an unknown run."""
    return run_job(
        argv,
        name="status",
        about="Lists runs, what they wait for, and what to do next.",
        body=body,
        arguments=arguments,
        reads=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
