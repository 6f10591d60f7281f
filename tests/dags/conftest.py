"""Airflow for tests: its own environment, programs in it, schedules and stand-in jobs in folders of the test's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSIDE = ROOT / ".venv-airflow" / "bin" / "python"
STUB = Path(__file__).with_name("stub_submit.py")
CONNECTION = json.dumps({"conn_type": "spark", "host": "local[*]", "extra": {"spark-binary": "spark3-submit"}})
ENVIRONMENT = """jars: ["some:jar:1"]
zones: {evidence: evidence}
spark: {spark.driver.memory: 1g, spark.secret: hush}
"""


@dataclass
class Workplace:
    """A folder with schedules, plans, stand-in jobs, and Airflow's home; nothing of it is another test's."""

    folder: Path

    def __post_init__(self) -> None:
        for name in ("schedules", "jobs", "bin", "stub/codes", "stub/state", "work", "home"):
            (self.folder / name).mkdir(parents=True)
        for job in ("check", "assess", "pseudonymize", "verify", "review", "publish", "status", "combination_job"):
            (self.folder / "jobs" / f"{job}.py").touch()
        (self.folder / "stub.yaml").write_text(ENVIRONMENT)
        # A name of its own, so that infra/airflow's PATH can't put the real one before it; real environments get that.
        wrapper = self.folder / "bin" / "spark3-submit"
        wrapper.write_text(
            f'#!/bin/bash\ncase "$*" in\n*stub.yaml*) exec "{sys.executable}" "{STUB}" "$@" ;;\n'
            f'*) exec spark-submit "$@" ;;\nesac\n'
        )
        wrapper.chmod(0o755)

    @property
    def variables(self) -> dict[str, str]:
        """What Airflow's processes get."""
        own = {
            "AIRFLOW_HOME": str(self.folder / "home"),
            "AIRFLOW_CONN_SPARK_DEFAULT": CONNECTION,
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "airflow_dags"),
            "GAMYEONG_SCHEDULES": str(self.folder / "schedules"),
            "GAMYEONG_JOBS": str(self.folder / "jobs"),
            "GAMYEONG_WORK": str(self.folder / "work"),
            "GAMYEONG_STUB": str(self.folder / "stub"),
            "GAMYEONG_ENVIRONMENT": str(self.folder / "stub.yaml"),
            "PATH": os.pathsep.join([str(self.folder / "bin"), str(ROOT / ".venv" / "bin"), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT / "airflow_dags"),
        }
        return os.environ | own

    def schedule(self, name: str, text: str = "", plan: str | None = None) -> Path:
        """Writes a schedule file for a plan of this name, with more lines."""
        (self.folder / f"{plan or name}.yaml").touch()
        file = self.folder / "schedules" / f"{name}.yaml"
        file.write_text(
            f"schedule: {name}\nplan: ../{plan or name}.yaml\nenvironment: ../stub.yaml\nowner: office\n"
            f"start: 2026-01-01\n{text}"
        )
        return file

    def codes(self, plan: str, job: str, codes: str) -> None:
        """The exit codes that a job of a plan ends with, one after the other."""
        folder = self.folder / "stub" / "codes" / plan
        folder.mkdir(exist_ok=True)
        (folder / job).write_text(codes)

    def state(self, plan: str, state: str) -> None:
        """What `status` says about the plan's runs."""
        (self.folder / "stub" / "state" / plan).write_text(state)

    def calls(self, plan: str | None = None, job: str | None = None) -> list[dict[str, Any]]:
        """The jobs that were submitted."""
        file = self.folder / "stub" / "calls.jsonl"
        found = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [one for one in found if plan in (None, one["plan"]) and job in (None, one["job"])]

    def inside(self, code: str, **variables: str) -> Any:
        """Runs code in Airflow's environment; the object that it prints last, as JSON."""
        done = subprocess.run(
            [INSIDE, "-c", code], env=self.variables | variables, capture_output=True, text=True, timeout=120, cwd="/"
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session", autouse=True)
def _airflow_is_there() -> None:
    if not INSIDE.exists():
        pytest.fail("Airflow's environment is not there; make it by: infra/airflow --make", pytrace=False)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """An empty workplace."""
    return Workplace(tmp_path / "place")


@pytest.fixture(scope="session")
def workplace_in() -> Callable[[Path], Workplace]:
    """Makes a workplace in a folder, for fixtures that many tests share."""
    return Workplace
