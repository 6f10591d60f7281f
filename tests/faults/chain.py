"""`python chain.py WORLD [--keep-secret FOLDER]`: the whole procedure in one process that faults are done to.

Prints a JSON line as each step begins: its name, and the processor seconds that the session has used by then.
Ends with the first exit code that is not 0.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":  # as jobs do: on a cluster the checkout comes before the archive for the executors
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import argparse
import json
import os
import shutil

from jobs.cli import main
from jobs.environment import load_environment
from jobs.errors import JobError, Operational
from jobs.leaving import leave
from jobs.session import spark_session
from tests.faults.processes import cpu_seconds
from tests.faults.world import REVIEWERS, World


def begins(step: str) -> None:
    """One line, at once: who watches acts on it."""
    line = {"step": step, "cpu": cpu_seconds(os.getsid(0))}
    os.write(1, json.dumps(line).encode() + b"\n")


def step(world: World, *words: str) -> int:
    """One `gamyeong` command."""
    begins(words[0])
    return main([*words, "--quiet", "--environment", str(world.file)])


def chain(world: World, keep_secret: Path | None) -> int:
    """pseudonymize, and unless the run is over: verify, review, three decisions; then publish."""
    code = step(world, "pseudonymize", str(world.plan))
    if keep_secret is not None:
        shutil.copytree(world.secrets, keep_secret)
    run = world.run
    if code or run is None:
        return code
    steps: list[tuple[str, ...]] = [("publish", run.run)]
    if not run.release.exists():
        vote = ("--conflicts", "none", "--outcome", "approved")
        votes = [("decide", run.run, "--reviewer", name, "--key", str(world.key(name)), *vote) for name in REVIEWERS]
        steps = [("verify", run.run), ("review", run.run), *votes, *steps]
    return next((failed for words in steps if (failed := step(world, *words))), 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("world", type=Path)
    parser.add_argument("--keep-secret", type=Path)
    given = parser.parse_args()
    try:
        spark_session(load_environment(given.world / "environment.yaml"), "faults")
    except (JobError, OSError):  # a job would say so, and end with this code
        leave(Operational.exit_code)
    begins("ready")
    ended = chain(World(given.world), given.keep_secret)
    begins("over")
    leave(ended)
