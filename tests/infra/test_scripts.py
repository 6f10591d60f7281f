"""infra/run, infra/test and .ci/run: what they call, and that a failure of any part is theirs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("ruff", "mypy", "lint-imports", "python", "gamyeong")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The scripts, with a bootstrap that does nothing and tools that write down how they were called."""
    for name in ("infra/run", "infra/test", ".ci/run"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "infra" / "bootstrap").write_text(
        f'bootstrap() {{ :; }}\nresolve_jars() {{ sleep 0.2; echo "jars" >>"{tmp_path}/calls"; }}\n'
        f'find_python() {{ echo "{tmp_path}/.venv/bin/python"; }}\nneed_venv_module() {{ :; }}\n'
    )
    (tmp_path / "infra" / "airflow").write_text(f'#!/bin/bash\necho "airflow $*" >>"{tmp_path}/calls"\n')
    (tmp_path / "infra" / "airflow").chmod(0o755)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in TOOLS:
        tool(tmp_path, name, "exit 0")
    return tmp_path


def tool(repository: Path, name: str, body: str) -> None:
    path = repository / ".venv" / "bin" / name
    path.unlink(missing_ok=True)
    path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{repository}/calls"\n{body}\n')
    path.chmod(0o755)


def run(repository: Path, script: str, *arguments: str) -> tuple[int, list[str]]:
    done = subprocess.run([repository / script, *arguments], cwd="/", capture_output=True, timeout=60)
    calls = repository / "calls"
    return done.returncode, calls.read_text().splitlines() if calls.exists() else []


def test_run_hands_its_options_to_the_demonstration(repository: Path) -> None:
    assert run(repository, "infra/run", "--customers", "9000", "--fresh") == (
        0,
        ["gamyeong demo --customers 9000 --fresh"],
    )


def test_run_passes_the_exit_code_on(repository: Path) -> None:
    tool(repository, "gamyeong", "exit 3")
    assert run(repository, "infra/run")[0] == 3


def test_test_runs_every_check_and_hands_its_options_to_pytest(repository: Path) -> None:
    code, calls = run(repository, "infra/test", "-k", "golden")
    assert (code, calls[-1]) == (0, "python -m pytest -n 2 --dist loadfile -k golden")
    before = ["airflow --make", "jars", "lint-imports ", "mypy ", "python -m tests.go_modules", "ruff check ."]
    assert sorted(calls[:-1]) == before, "all before the first test"


def test_test_ends_where_airflow_can_not_be_had(repository: Path) -> None:
    (repository / "infra" / "airflow").write_text("#!/bin/bash\nexit 4\n")
    code, calls = run(repository, "infra/test")
    assert (code, "ruff check ." in calls) == (4, False)


@pytest.mark.parametrize("failing", ["ruff", "mypy", "lint-imports", "python"])
def test_test_fails_with_any_of_its_checks_and_still_runs_the_others(repository: Path, failing: str) -> None:
    tool(repository, failing, "exit 1")
    code, calls = run(repository, "infra/test")
    assert (code, len(calls)) == (1, 7)


@pytest.mark.parametrize(
    ("tests", "skipped", "suite", "code"),
    [(3, 1, 0, 0), (0, 0, 0, 1), (2, 2, 0, 1), (3, 0, 1, 1)],
    ids=["one ran", "there was none", "all were skipped", "one failed"],
)
def test_ci_fails_when_no_test_ran(
    repository: Path, tests: int, skipped: int, suite: int, code: int
) -> None:
    report = f'<testsuites><testsuite tests="{tests}" skipped="{skipped}"/></testsuites>'
    script = f"""#!/bin/bash
    for word in "$@"; do case $word in --junit-xml=*) echo '{report}' >"${{word#*=}}" ;; esac; done
    exit {suite}"""
    (repository / "infra" / "test").write_text(script)
    (repository / ".venv" / "bin" / "python").unlink()
    (repository / ".venv" / "bin" / "python").symlink_to(sys.executable)
    done = subprocess.run([repository / ".ci" / "run"], capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
