"""The built wheel in an empty folder: job files, configuration and templates come with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
DELTA = "io.delta:delta-spark_4.2_2.13:4.4.0"
NOT_PYTHON = {".html", ".j2", ".css", ".yaml", ".csv", ".json", ".svg"}


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command without this test run's Python path and without an environment file."""
    unset = ("PYTHONPATH", "GAMYEONG_ENVIRONMENT")
    variables = {name: value for name, value in os.environ.items() if name not in unset}
    # As in an activated environment: spark-submit asks the first python3 on the path where pyspark lies.
    variables["PATH"] = os.pathsep.join([str(Path(words[0]).parent), variables.get("PATH", "")])
    return subprocess.run(words, cwd=cwd, env=variables, capture_output=True, text=True, timeout=300)


@dataclass(frozen=True)
class Installed:
    """The wheel, the folder `bin` of an environment that has it, and an empty folder to work in."""

    wheel: Path
    bin: Path
    empty: Path

    def gamyeong(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(self.bin / "gamyeong", *words, cwd=self.empty)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Built without network by the locked build backend; other packages are borrowed from this test run."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "-o", folder, ROOT, cwd=folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    target = folder / "venv" / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    python = folder / "venv" / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps")
    done = run(*pip, wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    # A path file within a path file is not followed, so the checkout's own installation stays out.
    (target / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    empty = folder / "empty"
    empty.mkdir()
    return Installed(wheel, folder / "venv" / "bin", empty)


def test_the_wheel_is_what_is_imported(installed: Installed) -> None:
    code = "import jobs, transforms; print(jobs.__file__)"
    where = run(installed.bin / "python", "-c", code, cwd=installed.empty)
    assert where.stdout.startswith(str(installed.bin.parent)), where.stderr


def test_where_names_a_job_file_inside_the_installation(installed: Installed) -> None:
    done = installed.gamyeong("where", "pseudonymize")
    path = Path(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert path.name == "pseudonymize.py"
    assert path.is_file()
    assert path.is_relative_to(installed.bin.parent)


def test_a_job_file_runs_by_its_path_as_spark_submit_runs_it(installed: Installed) -> None:
    path = installed.gamyeong("where", "check").stdout.strip()
    done = run(installed.bin / "python", path, "--help", cwd=installed.empty)
    assert done.returncode == 0, done.stderr
    assert "usage: gamyeong check" in done.stdout


def test_the_packaged_plan_environment_and_hierarchies_are_found(installed: Installed) -> None:
    code = "from jobs.storage import conf_path; print(conf_path('plans/retail-third-party.yaml'))"
    plan = run(installed.bin / "python", "-c", code, cwd=installed.empty).stdout.strip()
    assert Path(plan).is_relative_to(installed.bin.parent)
    done = installed.gamyeong("check", plan)
    assert done.returncode == 0, done.stdout + done.stderr
    status = installed.gamyeong("status")
    assert status.returncode == 0, status.stderr


def test_everything_that_the_code_reads_is_in_the_wheel(installed: Installed) -> None:
    inside = set(ZipFile(installed.wheel).namelist())
    conf = {f"jobs/_conf/{path.relative_to(ROOT / 'conf').as_posix()}" for path in files_of("conf")}
    code = {path.relative_to(ROOT).as_posix() for top in ("jobs", "transforms") for path in files_of(top)}
    assert conf
    assert (conf | code) - inside == set()
    assert not [name for name in inside if name.startswith(("tests/", "infra/"))]


def files_of(top: str) -> list[Path]:
    """Files of the checkout that are not Python, by extension."""
    return [path for path in (ROOT / top).rglob("*") if path.suffix in NOT_PYTHON]


PLAN = """\
format: 1
plan: visits
application: {number: 2026-001}
purpose: {kind: statistics, statement: 지역별 연령대별 방문 횟수 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: statistics, place: closed, from: 2026-01-01, until: 2030-12-31}
source: {table: visits, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: {rounding: {unit: 20, direction: down}}}
  visits: {kind: attribute, apply: keep}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: visits}
"""


@pytest.mark.spark
@pytest.mark.slow
def test_the_jobs_run_by_spark_submit_from_the_wheel(installed: Installed, tmp_path: Path) -> None:
    """`spark-submit $(gamyeong where JOB) …` in a folder that holds nothing but a plan and a CSV file."""
    (tmp_path / "plan.yaml").write_text(PLAN, "utf-8")
    lines = [f"P-{number},{number % 80},{number % 7}" for number in range(300)]
    (tmp_path / "visits.csv").write_text("\n".join(["id,age,visits", *lines]), "utf-8")

    def submit(job: str, *words: str) -> dict[str, Any]:
        file = run(installed.bin / "gamyeong", "where", job, cwd=tmp_path).stdout.strip()
        spark_submit = Path(sys.executable).parent / "spark-submit"
        python = installed.bin / "python"
        confs = [f"spark.pyspark.python={python}", f"spark.pyspark.driver.python={python}"]
        options = ["--packages", DELTA, *(word for conf in confs for word in ("--conf", conf))]
        done = run(spark_submit, *options, file, *words, "--json", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return found

    assert run(installed.bin / "gamyeong", "keys", "init", cwd=tmp_path).returncode == 0
    submit("ingest", "visits.csv", "--table", "visits")
    made = submit("pseudonymize", "plan.yaml")
    assert made["rows"] == 300
    assert submit("verify", made["run"])["verdict"] == "equal"
    assert submit("review", made["run"])["verdict"] == "fit"
