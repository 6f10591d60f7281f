"""infra/airflow: makes Airflow's environment once, from the hash-locked list alone, and anew when the list changes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The script with small lists, and a core environment whose python writes down what it was asked for."""
    (tmp_path / "infra").mkdir()
    shutil.copy(ROOT / "infra" / "airflow", tmp_path / "infra" / "airflow")
    bootstrap = (ROOT / "infra" / "bootstrap").read_text()
    (tmp_path / "infra" / "bootstrap").write_text(f"{bootstrap}\nbootstrap() {{ :; }}\n")
    for name in ("airflow", "build"):
        (tmp_path / "infra" / f"{name}.lock").write_text("one==1\n")
    python(tmp_path, tmp_path / ".venv" / "bin" / "python", "")
    return tmp_path


def python(repository: Path, place: Path, pip: str) -> None:
    """A python that runs programs, makes environments of its own kind, and for pip does what it is told."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(
        f"""#!/bin/bash
case "$1 $2" in
"-m venv") mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
"-m pip") echo "$*" >>"{repository}/calls"; {pip or ":"} ;;
*) exec "{sys.executable}" "$@" ;;
esac
"""
    )
    place.chmod(0o755)


def make(repository: Path) -> tuple[int, str, list[str]]:
    """Exit code, what was told, pip's calls."""
    chosen = {**os.environ, "GAMYEONG_PYTHON": str(repository / ".venv" / "bin" / "python")}
    command = [repository / "infra" / "airflow", "--make"]
    done = subprocess.run(command, env=chosen, capture_output=True, text=True, timeout=60)
    calls = repository / "calls"
    return done.returncode, done.stderr, calls.read_text().splitlines() if calls.exists() else []


def test_it_is_made_from_the_locked_lists_with_hashes(repository: Path) -> None:
    code, told, calls = make(repository)
    assert code == 0
    assert "making Airflow's environment" in told
    lists = [Path(call.split()[-1]).name for call in calls]
    assert lists == ["build.lock", "airflow.lock"]
    assert all("--require-hashes" in call and "--no-deps" in call for call in calls)


def test_it_is_made_once_and_anew_when_a_list_changes(repository: Path) -> None:
    make(repository)
    assert len(make(repository)[2]) == 2
    (repository / "infra" / "airflow.lock").write_text("one==2\n")
    assert len(make(repository)[2]) == 4


def test_a_half_made_environment_is_made_anew(repository: Path) -> None:
    python(repository, repository / ".venv" / "bin" / "python", "echo no network >&2; exit 1")
    code, told, _ = make(repository)
    assert code == 4
    assert "no network" in told
    assert "start again" in told
    python(repository, repository / ".venv" / "bin" / "python", "")
    assert make(repository)[0] == 0
