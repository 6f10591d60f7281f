"""`gamyeong reveal [RUN]`: the authorised person turns encrypted values, or tokens of a vault, back."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.revealing import Asked, reveal
from jobs.runs import find_run


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="name of the run, or the beginning of it")
    parser.add_argument("--column", required=True, metavar="NAME", help="the released column")
    parser.add_argument("--table", metavar="NAME", help="its table, where the run has several")
    parser.add_argument("--values", type=Path, metavar="FILE", help="these values, one a line (else all released ones)")
    parser.add_argument("--person", required=True, metavar="NAME", help="who asks: a person of the plan who handles it")
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; goes into the ledger")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE", help="a new CSV file, for its owner alone")
    parser.add_argument("--private-key", type=Path, metavar="FILE", help="the recipient's key, for rsa-oaep (PEM)")


def body(context: Context) -> Outcome:
    """Reveals, and tells how much; never what."""
    given = context.arguments
    folder = find_run(context.environment, given.run)
    asked = Asked(given.column, given.person, given.reason, given.to, given.table, given.values, given.private_key)
    done = reveal(folder, asked)
    lines = [f"run {done.run}: {done.values} values of {done.table}.{done.column} written to {given.to}"]
    if done.unknown:
        lines.append(f"{done.unknown} of them are not in the vault")
    if done.behind:
        lines.append(f"as they were behind {', '.join(done.behind)}, from which there is no way back")
    return Outcome({"run": done.run, "values": done.values, "unknown": done.unknown}, text="\n".join(lines))


def main(argv: Sequence[str]) -> int:
    """Exit 0 written, 1 values that are none of the column's, 2 no such column, 3 refused or destroyed."""
    return run_job(
        argv,
        name="reveal",
        about="Turns encrypted values or vaulted tokens of a run back, for the authorised person, into one file.",
        body=body,
        arguments=arguments,
        reads=("published", "keys", "additional-information"),
        writes=("evidence",),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
