"""`gamyeong status` tells of attempts that failed or were killed: which, when, how they ended, what to do next."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jobs.attempts import FILE, Asked, attempted, unfinished
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational, Refused, Waiting
from jobs.runs import RunFolder, RunRecord
from jobs.status import main
from transforms.errors import CellsRefused

ROOT = Path(main.__code__.co_filename).parents[1]
RUN, LATER = "0123456789abcdef", "fedcba9876543210"
ASKED = Asked("retail", "plans/retail.yaml", "2026-10")
Status = Callable[..., dict[str, Any]]


def at(hour: int) -> Callable[[], datetime]:
    return lambda: datetime(2026, 11, 2, hour, tzinfo=UTC)


@pytest.fixture
def folder(environment: Environment) -> RunFolder:
    return RunFolder(environment, RUN)


@pytest.fixture
def status(environment_file: Path, capsys: pytest.CaptureFixture[str]) -> Status:
    """What the job says: its JSON, with its text under `text`."""

    def ask(*words: str) -> dict[str, Any]:
        assert main([*words, "--environment", str(environment_file), "--json"]) == 0
        *text, last = capsys.readouterr().out.splitlines()
        return {**json.loads(last), "text": "\n".join(text)}

    return ask


def fail(folder: RunFolder, error: BaseException, job: str = "pseudonymize", asked: Asked | None = ASKED) -> None:
    with pytest.raises(type(error)), attempted(folder, job, at(9), asked):
        raise error


AGAIN = "gamyeong pseudonymize plans/retail.yaml --period 2026-10"


@pytest.mark.parametrize(
    ("error", "code", "step"),
    [
        (DataFailed("column phone"), 1, f"change the plan or the data, as its message says, then {AGAIN}"),
        (CellsRefused("digits", 3), 1, f"change the plan or the data, as its message says, then {AGAIN}"),
        (BadInput("no such column"), 2, f"correct what its message named, then {AGAIN}"),
        (Refused("stale"), 3, f"a person must look: its message says which rule; then {AGAIN}"),
        (Operational("a lost executor"), 4, AGAIN),
        (OSError(errno.ENOSPC, "full"), 4, AGAIN),
        (KeyboardInterrupt(), 4, AGAIN),
    ],
)
def test_a_failed_attempt_is_told(
    folder: RunFolder, status: Status, error: BaseException, code: int, step: str
) -> None:
    fail(folder, error)
    found = status()
    nine = "2026-11-02T09:00:00.000000Z"
    began = f"attempt at run {RUN} (plan retail, period 2026-10): pseudonymize began at {nine}"
    assert found["text"].splitlines() == [f"{began}, failed at {nine} with exit {code}", f"  next: {step}"]
    (one,) = found["attempts"]
    assert (found["runs"], one["run"], one["state"], one["attempt"]["exit"]) == ([], RUN, "failed", code)
    assert status(RUN[:4])["attempts"] == [one]


def test_what_an_error_says_is_not_kept(folder: RunFolder) -> None:
    """Its own words hold no value; others' may."""
    fail(folder, ValueError("Kim Jiwoo, 010-1234-5678"))
    assert "Kim" not in (folder.evidence / FILE).local.read_text("utf-8")


WORK = """
import os
import signal
import sys
from jobs.attempts import Asked, attempted
from jobs.environment import load_environment
from jobs.locks import exclusive
from jobs.runs import RunFolder
folder = RunFolder(load_environment(sys.argv[1]), sys.argv[2])
with exclusive(folder.lock, "run"), attempted(folder, "pseudonymize", asked=Asked("retail", "plans/retail.yaml")):
    print("begun", flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_that_was_killed_and_one_that_is_at_work_are_told_apart(environment_file: Path, status: Status) -> None:
    words = [sys.executable, "-c", WORK, str(environment_file), RUN]
    job = subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None
    assert job.stdout.readline() == "begun\n"
    found = status()["attempts"]
    assert [(one["state"], one["next"]) for one in found] == [("at work", "")]
    job.communicate("")
    found = status()["attempts"]
    assert [(one["state"], one["next"]) for one in found] == [
        ("stopped in the middle", "gamyeong pseudonymize plans/retail.yaml")
    ]


def test_an_attempt_that_came_to_its_end_leaves_nothing(folder: RunFolder, environment: Environment) -> None:
    fail(folder, Operational("full"))
    with attempted(folder, "pseudonymize", at(10), ASKED):
        assert [one.attempt.started[:13] for one in unfinished(environment)] == ["2026-11-02T10"]
    assert unfinished(environment) == []
    fail(folder, Waiting("two more decisions"), "publish")
    assert unfinished(environment) == [], "to wait is no failure"


def made(folder: RunFolder, hour: int, period: str = "2026-10") -> None:
    """A run with a record."""
    moment = f"2026-11-02T{hour:02}:00:00.000000Z"
    folder.save_record(
        RunRecord(folder.run, "retail", "f" * 64, "1", "ours", "1", "them", "retail", moment, moment, {}, (),
                  period=period)
    )  # fmt: skip


def test_what_was_made_since_from_a_newer_source_replaces_it(folder: RunFolder, environment: Environment) -> None:
    """A newer version of the source is another run, so the one that failed is never made."""
    fail(folder, Operational("full"))
    newer = RunFolder(environment, LATER)
    made(newer, 10, period="2026-09")
    assert [one.run for one in unfinished(environment)] == [RUN], "of another month"
    made(newer, 8)
    assert [one.run for one in unfinished(environment)] == [RUN], "made before"
    made(newer, 10)
    assert unfinished(environment) == []


def test_a_failed_check_stands_beside_its_run_until_that_has_ended(folder: RunFolder, status: Status) -> None:
    made(folder, 8)
    folder.save_plan("", {"use": {"until": "2099-12-31"}})
    fail(folder, Operational("a lost executor"), "verify", None)
    found = status(RUN)
    assert [one["state"] for one in found["runs"]] == ["waiting"]
    assert found["attempts"][0]["next"] == f"gamyeong verify {RUN}"
    folder.release.write_json({"state": "rejected"})
    assert status(RUN)["attempts"] == []


def test_a_damaged_file_is_told(folder: RunFolder, status: Status) -> None:
    (folder.evidence / FILE).write_json({"job": 1})
    (one,) = status()["attempts"]
    assert one["state"] == "damaged"
    assert str(folder.evidence / FILE) in one["next"]
