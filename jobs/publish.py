"""`gamyeong publish [RUN]`: staging to published, once the decisions are there."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.publishing import publish
from jobs.runs import find_run


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")


def body(context: Context) -> Outcome:
    """Publishes the run, or completes what a killed publish left."""
    folder = find_run(context.environment, context.arguments.run)
    release = publish(folder)
    lines = [f"{one.name}: {one.rows} rows at {one.place}, version {one.version}" for one in release.tables]
    head = "already published" if release.already else "published"
    tables = [{"table": one.place, "version": one.version, "rows": one.rows} for one in release.tables]
    return Outcome(
        {
            "run": folder.run,
            "verdict": head,
            "rows": sum(one.rows for one in release.tables),
            "tables": tables,
            "manifest": release.manifest,
        },
        text="\n".join([f"run {folder.run}: {head}", *lines, *release.completed]),
    )


def main(argv: Sequence[str]) -> int:
    """Exit 0 published (or already), 1 rejected or unfit, 3 refused, 5 waiting for decisions."""
    return run_job(
        argv,
        name="publish",
        about="Publishes a reviewed run in one commit, without rewriting it.",
        body=body,
        arguments=arguments,
        reads=("source", "staging", "evidence"),
        writes=("published", "evidence", "keys", "additional-information", "staging"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
