"""`gamyeong run PLAN`: the steps of one plan in order, each only where its result is not there yet."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.decisions import load_all
from jobs.job import Context, Outcome, Waiting, run_job
from jobs.leaving import leave
from jobs.publishing import GOOD
from jobs.runs import RunFolder
from jobs.steps import Step, take

RESULTS = {"verify": "verify.json", "review": "result.json"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("plan", metavar="PLAN", help="plan file")
    parser.add_argument("--period", metavar="P", help="2026-10 or 2026-10-31, for a plan with periods")
    parser.add_argument("--limit", metavar="N", help="a trial on N subjects, which can never be published")


def body(context: Context) -> Outcome:
    """Goes as far as the plan's state allows; a step that fails ends it with that step's exit code."""
    given = context.arguments
    options = [
        *(["--period", given.period] if given.period else []),
        *(["--limit", given.limit] if given.limit else []),
    ]

    def step(job: str, *argv: str) -> Step:
        return take(job, argv, environment=given.environment, quiet=given.quiet)

    made = step("check", given.plan)
    for job in ("assess", "pseudonymize"):
        if made.code == 0:
            made = step(job, given.plan, *options)
    if made.code:
        return _ended(made, {})
    folder = RunFolder(context.environment, made.summary["run"])
    if not folder.release.exists():
        for job, file in RESULTS.items():
            if not _is_good(folder, file):
                checked = step(job, folder.run)
                if checked.code:
                    return _ended(checked, {"run": folder.run})
        if given.limit:
            text = f"run {folder.run}: a trial on {given.limit} subjects, checked; it can never be published"
            return Outcome({"run": folder.run, "verdict": "trial"}, text=text)
        if not load_all(folder):
            text = (
                f"run {folder.run} waits for the reviewers' decisions; `gamyeong decide {folder.run} --show` "
                f"tells what is signed, {folder.report / 'index.html'} is the report"
            )
            return Outcome({"run": folder.run, "verdict": "waiting"}, text=text, exit_code=Waiting.exit_code)
    return _ended(step("publish", folder.run), {"run": folder.run})


def _is_good(folder: RunFolder, file: str) -> bool:
    """True if this check was made and passed; a failed one is made again, so that it says what is wrong."""
    return (folder.evidence / file).exists() and folder.read(file).get("verdict") == GOOD[file]


def _ended(last: Step, known: dict[str, str]) -> Outcome:
    own = ("job", "exit", "seconds")
    summary = {name: value for name, value in last.summary.items() if name not in own}
    return Outcome({"step": last.job, **known, **summary}, exit_code=last.code)


def main(argv: Sequence[str]) -> int:
    """Check to publish. Exit 5 while decisions are missing, else as the last step that was taken."""
    return run_job(
        argv,
        name="run",
        about="All steps of one plan, in order; started again, it goes on where it stands.",
        body=body,
        arguments=arguments,
        reads=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
