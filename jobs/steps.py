"""One job calling another in the same process, so that all of them share one Spark session."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from jobs.cli import JOBS
from jobs.showing import show


@dataclass(frozen=True)
class Step:
    """How a called job ended: its exit code, and the object of its `--json` line ({} where it gave none)."""

    job: str
    code: int
    summary: Mapping[str, Any]


class _Relay(io.TextIOBase):
    """Passes a job's lines on as they come, and keeps its `--json` line."""

    def __init__(self, onward: TextIO) -> None:
        self._onward, self._begun = onward, ""
        self.summary: Mapping[str, Any] = {}

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            if line.startswith('{"job": '):
                self.summary = json.loads(line)
            else:
                show(line, self._onward)
        return len(text)


def take(job: str, argv: Sequence[str], *, environment: str | None, quiet: bool) -> Step:
    """Runs `gamyeong JOB …` here. Its words for people are passed on; its errors it has told itself."""
    words = [*argv, "--json"]
    words += ["--environment", environment] if environment else []
    words += ["--quiet"] if quiet else []
    relay = _Relay(sys.stdout)
    with contextlib.redirect_stdout(relay):
        code: int = importlib.import_module(f"jobs.{JOBS[job][0]}").main(words)
    return Step(job, code, relay.summary)
