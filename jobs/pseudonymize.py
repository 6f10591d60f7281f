"""`gamyeong pseudonymize PLAN`: source → staging, as the plan says, in one pass over the cells."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.earlier_rounds import earlier_rounds
from jobs.earlier_rounds import lines as told
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.ledger import evidence_ledger, trusted_entries
from jobs.plan_arguments import run_arguments
from jobs.pseudonymization import pseudonymize
from jobs.runs import RunFolder


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    run_arguments(parser)
    parser.add_argument(
        "--limit", type=int, metavar="N", help="a trial on N subjects, which can never be published"
    )
    parser.add_argument(
        "--partitions", type=int, metavar="P", help="files of the result (default: by size); never changes its rows"
    )


def body(context: Context) -> Outcome:
    """Runs the plan, or says that its run stands in staging or is published already."""
    asked = context.arguments
    done = pseudonymize(
        context.environment,
        Path(asked.plan),
        context.progress,
        period=asked.period,
        round_=asked.round,
        limit=asked.limit,
        partitions=asked.partitions,
    )
    lines = [f"{one.name}: {one.rows} rows" for one in done.tables]
    lines += [
        f"{name}: {counts['requests']} requests to stop, {counts['rows']['stopped']} rows left out for them"
        f"{_elsewhere(counts['requests_of_other_scopes'])}"
        for name, counts in done.counts.get("tables", {}).items()
        if "requests" in counts
    ]
    rows_in = {name: counts["rows"]["seen"] for name, counts in done.counts.get("tables", {}).items()}
    return Outcome(
        {
            "run": done.run,
            "state": done.state,
            "rows_in": sum(rows_in.values()),
            "rows": sum(one.rows for one in done.tables),
            "tables": [{"table": one.name, "version": one.version, "rows": one.rows} for one in done.tables],
        },
        text="\n".join([f"run {done.run}: {done.state}", *lines, *_earlier(context, done.run)]),
    )


def _elsewhere(count: int) -> str:
    return f"; {count} requests name another scope: is each spelled as a plan, purpose or application?" if count else ""


def _earlier(context: Context, run: str) -> list[str]:
    """Why reviewers rejected earlier runs of the same application: what this plan has to answer."""
    folder = RunFolder(context.environment, run)
    entries = trusted_entries(context.environment, evidence_ledger(context.environment, write=False))
    return told(earlier_rounds(folder, folder.load_record(), entries))


def main(argv: Sequence[str]) -> int:
    """Exit 0 staged (or there already), 1 the data does not allow it, 2 bad plan, 3 refused, 4 operational."""
    return run_job(
        argv,
        name="pseudonymize",
        about="Applies a plan to its source tables; the result waits in staging for review.",
        body=body,
        arguments=arguments,
        reads=("source",),
        writes=("keys", "staging", "additional-information", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
