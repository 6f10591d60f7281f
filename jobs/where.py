"""`gamyeong where JOB`: the path of a job file, for `spark-submit $(gamyeong where pseudonymize) …`."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.cli import JOBS
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("job", choices=sorted(JOBS), metavar="JOB", help=", ".join(sorted(JOBS)))


def body(context: Context) -> Outcome:
    """Finds the file without importing it."""
    path = Path(__file__).resolve().with_name(f"{JOBS[context.arguments.job][0]}.py")
    return Outcome({"path": str(path)}, text=str(path))


def main(argv: Sequence[str]) -> int:
    """Prints the absolute path of the job file."""
    return run_job(argv, name="where", about="Prints the path of a job file.", body=body, arguments=arguments)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
