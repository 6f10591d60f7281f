"""One job calling another in the same process, so that all of them share one Spark session."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.cli import JOBS


@dataclass(frozen=True)
class Step:
    """How a called job ended: its exit code, and the object of its `--json` line ({} where it gave none)."""

    job: str
    code: int
    summary: Mapping[str, Any]


def take(job: str, argv: Sequence[str], *, environment: str | None, quiet: bool) -> Step:
    """Runs `gamyeong JOB …` here. Its words for people are passed on; its errors it has told itself."""
    words = [*argv, "--json"]
    words += ["--environment", environment] if environment else []
    words += ["--quiet"] if quiet else []
    caught = io.StringIO()
    with contextlib.redirect_stdout(caught):
        code: int = importlib.import_module(f"jobs.{JOBS[job][0]}").main(words)
    *text, last = caught.getvalue().splitlines() or [""]
    try:
        summary = json.loads(last)
    except ValueError:
        text, summary = [*text, last], {}
    if any(text):
        print("\n".join(text), flush=True)
    return Step(job, code, summary)
