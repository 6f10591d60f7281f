"""`gamyeong run`: which steps it takes from where a plan stands, and how it ends. The steps are stand-ins."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from jobs import run as job
from jobs.environment import Environment
from jobs.runs import RunFolder
from jobs.steps import Step

RUN = "0123456789abcdef"


class Steps:
    """Stands in for the jobs: writes down what was called, leaves behind what the real job leaves."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.taken: list[str] = []
        self.codes: dict[str, int] = {}
        self.words: dict[str, tuple[str, ...]] = {}

    def __call__(self, name: str, argv: Sequence[str], *, environment: str | None, quiet: bool) -> Step:
        assert environment is not None
        self.taken.append(name)
        self.words[name] = tuple(argv)
        code = self.codes.get(name, 0)
        results = {"verify": ("verify.json", "equal"), "review": ("result.json", "fit")}
        if name in results and code == 0:
            file, verdict = results[name]
            (self.folder.evidence / file).write_json({"verdict": verdict})
        return Step(name, code, {"run": RUN, "verdict": name, "job": name, "exit": code, "seconds": 1})


@pytest.fixture
def folder(environment: Environment) -> RunFolder:
    return RunFolder(environment, RUN)


@pytest.fixture
def steps(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Steps:
    stand_ins = Steps(folder)
    monkeypatch.setattr(job, "take", stand_ins)
    return stand_ins


def decide(folder: RunFolder) -> None:
    (folder.decisions / "one.json").write_json({"statement": {"reviewer": "A"}, "signature": "00"})


def start(environment_file: Path, *options: str) -> int:
    return job.main(["plan.yaml", "--environment", str(environment_file), *options])


def test_without_decisions_it_waits(
    steps: Steps, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(environment_file, "--json") == 5
    assert steps.taken == ["check", "assess", "pseudonymize", "verify", "review"]
    out = capsys.readouterr().out.splitlines()
    assert f"gamyeong decide {RUN} --show" in out[0]
    assert json.loads(out[-1]) | {"seconds": 0} == {
        "job": "run", "exit": 5, "run": RUN, "verdict": "waiting", "seconds": 0
    }  # fmt: skip


def test_with_decisions_it_publishes_and_checks_nothing_twice(
    steps: Steps, folder: RunFolder, environment_file: Path
) -> None:
    start(environment_file)
    decide(folder)
    steps.taken.clear()
    assert start(environment_file) == 0
    assert steps.taken == ["check", "assess", "pseudonymize", "publish"]
    assert steps.words["publish"] == (RUN,)


def test_a_released_run_is_only_completed(steps: Steps, folder: RunFolder, environment_file: Path) -> None:
    folder.release.write_json({"state": "published"})
    assert start(environment_file) == 0
    assert steps.taken == ["check", "assess", "pseudonymize", "publish"]


def test_a_failed_check_is_made_again(steps: Steps, folder: RunFolder, environment_file: Path) -> None:
    (folder.evidence / "verify.json").write_json({"verdict": "different"})
    start(environment_file)
    assert "verify" in steps.taken


@pytest.mark.parametrize(
    ("failing", "code"),
    [("check", 2), ("assess", 1), ("pseudonymize", 4), ("verify", 1), ("review", 1), ("publish", 3)],
)
def test_the_first_failure_ends_it_with_its_exit_code(
    steps: Steps, folder: RunFolder, environment_file: Path, failing: str, code: int
) -> None:
    decide(folder)
    steps.codes[failing] = code
    assert start(environment_file) == code
    assert steps.taken[-1] == failing


def test_a_trial_ends_before_decisions(
    steps: Steps, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(environment_file, "--limit", "500") == 0
    assert steps.taken == ["check", "assess", "pseudonymize", "verify", "review"]
    assert steps.words["pseudonymize"] == ("plan.yaml", "--limit", "500")
    assert "never be published" in capsys.readouterr().out


def test_a_period_reaches_what_reads_the_source(steps: Steps, environment_file: Path) -> None:
    start(environment_file, "--period", "2026-10")
    assert steps.words["assess"] == ("plan.yaml", "--period", "2026-10")
    assert steps.words["pseudonymize"] == ("plan.yaml", "--period", "2026-10")
    assert steps.words["check"] == ("plan.yaml",)
