"""`gamyeong verify [RUN]`: the processor's own proof that every cell in staging is what the plan says."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.runs import find_run
from jobs.verification import verify

SHOWN = 20


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")


def body(context: Context) -> Outcome:
    """Recomputes and compares; different is exit 1."""
    folder = find_run(context.environment, context.arguments.run)
    done = verify(folder, context.progress)
    problems = done.problems
    more = [f"… and {len(problems) - SHOWN} more in {folder.verify}"] if len(problems) > SHOWN else []
    rows = sum(table.rows.get("staged", 0) for table in done.tables.values())
    return Outcome(
        {"run": done.run, "verdict": done.verdict, "rows": rows, "differences": len(problems)},
        text="\n".join([f"run {done.run}: {done.verdict} ({rows:,} rows)", *problems[:SHOWN], *more]),
        exit_code=0 if done.verdict == "equal" else 1,
    )


def main(argv: Sequence[str]) -> int:
    """Exit 0 equal, 1 different, 2 no such run, 3 its secret is destroyed, 4 the source's version is gone."""
    return run_job(
        argv,
        name="verify",
        about="Recomputes every record of a run from the source and compares it with staging.",
        body=body,
        arguments=arguments,
        reads=("source", "keys", "staging", "additional-information"),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
