"""`gamyeong review [RUN]`: step 4, checks every record that stands in staging against the plan."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.adequacy import review
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.runs import find_run

SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")


def body(context: Context) -> Outcome:
    """Runs the suite; unfit is exit 1."""
    folder = find_run(context.environment, context.arguments.run)
    done = review(folder, context.progress)
    checks = sum(len(one) for one in done.found.values())
    problems = done.problems
    more = [f"… and {len(problems) - SHOWN} more in {folder.result}"] if len(problems) > SHOWN else []
    head = f"run {done.run}: {done.verdict} ({checks} expectations)"
    counts = {"expectations": checks, "failed": len(problems), "warnings": len(done.warnings)}
    return Outcome(
        {"run": done.run, "verdict": done.verdict, **counts},
        text="\n".join([head, *problems[:SHOWN], *more, *done.warnings[:SHOWN]]),
        exit_code=0 if done.verdict == "fit" else 1,
    )


def main(argv: Sequence[str]) -> int:
    """Exit 0 fit, 1 unfit, 2 no such run, 3 plan or staged table are not the run's, 4 operational."""
    return run_job(
        argv,
        name="review",
        about="Runs the plan's Great Expectations suite on every record in staging.",
        body=body,
        arguments=arguments,
        reads=("staging", "additional-information"),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
