"""A job that calls another: its words come through at once, its `--json` line becomes the step's summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.steps import take


def test_words_pass_and_the_json_line_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    step = take("where", ["publish"], environment=None, quiet=False)
    assert (step.job, step.code, Path(step.summary["path"]).name) == ("where", 0, "publish.py")
    assert capsys.readouterr().out == f"{step.summary['path']}\n"


def test_quiet_and_environment_reach_the_job(
    environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    step = take("keys", ["init"], environment=str(environment_file), quiet=True)
    assert step.code == 0
    assert (environment_file.parent / "warehouse" / "keys" / "root.json").is_file()
    assert capsys.readouterr().out == ""


def test_the_exit_code_of_a_failing_job_is_the_step_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert take("where", ["nowhere"], environment=None, quiet=False).code == 2
    assert "nowhere" in capsys.readouterr().err
