"""What a job's exit code and last line mean to Airflow: done, wait, try again, or stop with what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# What may go into Airflow's database: names and verdicts, no counts of people, no places, no words of errors.
KEPT = ("run", "state", "verdict", "step", "round", "revision")
What = Literal["done", "wait", "retry", "stop"]

FIXES: Mapping[int, str] = {
    1: "the data failed the checks, or a reviewer rejected: nothing was published. Read the report that is named,"
    " change the plan or the data, then start a new run",
    2: "plan, environment or schedule is wrong: nothing was written. Correct what is named, then clear this task",
    3: "refused by rule: a person must look. Do what is named, then clear this task; trying again changes nothing",
    4: "operational (disk, network, lost process, another job on the same run): it is tried again by itself. Where it"
    " keeps failing, read the log that is named",
    5: "it waits for others",
}
KILLED = "the job ended without its last line (killed, out of memory, or spark-submit can't start): it is tried again"


@dataclass(frozen=True)
class Ended:
    """How a job ended: its exit code and the object of its `--json` line ({} where there was none)."""

    code: int
    summary: Mapping[str, Any]

    @property
    def what(self) -> What:
        """What Airflow does about it."""
        if self.code == 0:
            return "done"
        if self.code == 5:
            return "wait"
        return "stop" if self.code in (1, 2, 3) else "retry"

    @property
    def kept(self) -> dict[str, str]:
        """What goes into XCom."""
        return {key: str(self.summary[key]) for key in KEPT if self.summary.get(key) is not None}

    @property
    def words(self) -> str:
        """The job's own words about an error; they never quote a cell, a key or a salt."""
        return str(self.summary.get("error") or "")

    @property
    def fix(self) -> str:
        """What the person does who sees this."""
        return FIXES.get(self.code, KILLED) if self.summary else KILLED

    def told(self, job: str) -> str:
        """All of it in one text."""
        texts = (f"gamyeong {job} ended with exit code {self.code}", self.words, f"what to do: {self.fix}")
        return "\n".join(text for text in texts if text)


def summary_of(line: str) -> dict[str, Any] | None:
    """The object of a job's `--json` line; None for any other line."""
    if not line.startswith('{"job": '):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
