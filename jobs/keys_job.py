"""`gamyeong keys init|check`: the root key that wraps the secrets of runs."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Sequence

from jobs.job import Context, Outcome, run_job
from jobs.keys import FileProvider
from jobs.leaving import leave
from jobs.ledger import evidence_ledger


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("action", choices=("init", "check"))


def body(context: Context) -> Outcome:
    """Makes the root key that the environment names, or reads it once."""
    path = context.environment.keys.path
    if context.arguments.action == "check":
        key_id = FileProvider(path).check()
        return Outcome({"key_id": key_id}, text=f"root key {key_id} at {path} can be used")
    key_id = FileProvider.init(path).check()
    evidence_ledger(context.environment).append("keys-init", {"key_id": key_id})
    text = f"root key {key_id} made at {path}; keep a copy in a safe: without it no run secret can be read"
    return Outcome({"key_id": key_id}, text=text)


def main(argv: Sequence[str]) -> int:
    """Exit 0, 2 where the root key can't be used, 4 where there is one already."""
    return run_job(
        argv,
        name="keys",
        about="Makes or checks the root key.",
        body=body,
        arguments=arguments,
        writes=("keys", "evidence"),
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
