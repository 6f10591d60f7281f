"""Stands in for spark-submit where a test is about scheduling: writes down each call, ends as it is told.

Below the folder GAMYEONG_STUB: `calls.jsonl` gets a line for each call; `codes/PLAN/JOB` holds the exit codes to use in
turn ("4 5 0"; after the last, 0); `state/PLAN` what `status` says (without it: ready). For combinations
PLAN is the file's name, JOB is ROLE.STEP, and `state/ROUND` says what was decided (waiting, rejected; else ready).
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(os.environ["GAMYEONG_STUB"])


def code_of(plan: str, job: str) -> int:
    """The next exit code that was put there."""
    file = HERE / "codes" / plan / job
    if not file.exists():
        return 0
    first, *rest = file.read_text().split() or ["0"]
    file.write_text(" ".join(rest))
    return int(first)


def state(name: str) -> str:
    """What was put there."""
    file = HERE / "state" / name
    return file.read_text() if file.exists() else "ready"


def decided(step: str, round_: str) -> dict[str, object]:
    """What the steps say that people's decisions are looked up with."""
    if step == "process":
        found = state(round_)
        return {"outputs": {"A": {"run": "r1", "state": "waiting" if found == "waiting" else "decided", "report": "r"}}}
    return {"run": "r1", "state": state(round_), "waits_for": "2 more"} if step == "vote" else {}


def main() -> int:
    """As a job: writes the call down, prints some foreign lines and the last line of `--json`."""
    at = next(i for i, word in enumerate(sys.argv) if word.endswith(".py") and i)
    job, words = Path(sys.argv[at]).stem, sys.argv[at + 1 :]
    subject, more = Path(words[0]).stem, dict[str, object]()
    if job == "combination_job":
        step, subject = words[0], Path(words[1]).stem
        job = f"{Path(words[words.index('--environment') + 1]).name.split('.')[0]}.{step}"
        more = decided(step, words[words.index("--round") + 1])
    period = words[words.index("--period") + 1] if "--period" in words else ""
    plan = subject.split("@")[0]
    with (HERE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code = code_of(plan, job)
        leaked = sorted(key for key in os.environ if key.startswith("AIRFLOW"))
        call = {"plan": plan, "job": job, "words": words, "time": time.time(), "airflow": leaked, "code": code}
        with (HERE / "calls.jsonl").open("a") as calls:
            calls.write(json.dumps(call) + "\n")
    if code == 137:
        os.kill(os.getpid(), 9)
    run = subject if "@" in subject else f"{plan}@{period}"
    print("26/11/22 ERROR Executor: Exception in task 0.0: value 홍길동 of column name")
    summary: dict[str, object] = {"job": job, "exit": code, "run": run, "rows": 42, "seconds": 0.1} | more
    if code:
        summary = {"job": job, "exit": code, "error": f"{job} says what is wrong", "seconds": 0.1}
    if job == "status":
        told = {"run": run, "state": state(plan), "plan": plan, "period": period, "rows": 42}
        summary = {"job": job, "exit": code, "runs": [told | {"waits_for": "2 more", "next": ""}], "seconds": 0.1}
    print(json.dumps(summary))
    return code


if __name__ == "__main__":
    sys.exit(main())
