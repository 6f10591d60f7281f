"""Attempts that die (tasks, Python workers, the driver with its JVM): nothing half is accepted, the rows are the same.

The faults are in failing.py, which runs the `gamyeong` command in a process of its own: only a session with
`local[N,4]` tries a failed task again, and a killed driver must not be the tests' own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from ruamel.yaml import YAML

from jobs.ledger import evidence_ledger
from jobs.pseudonymization import Done
from jobs.runs import RunFolder
from jobs.tables import exists

pytestmark = [pytest.mark.spark, pytest.mark.slow]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLUMNS = """\
sample: {fraction: 0.5}
columns:
  id: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
  paid: {kind: attribute, apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 100, direction: half-up}}]}
"""
PERSONS = 4000
FILES = 2


@dataclass
class Trial:
    """One run's source and plan, the rows that it must give, and the command with a fault in it."""

    bench: Any
    done: Done
    expected: list[dict[str, Any]]

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.bench.environment, self.done.run)

    def forget(self) -> None:
        """As if the run had never been started; but its secret stays, and with it the rows that it gives."""
        self.folder.staging.delete()
        self.folder.additional.delete()
        shutil.rmtree(self.bench.environment.zone("evidence").local)
        self.bench.environment.reviewers.with_name("ledger-heads.json").unlink()  # it remembers the ledger

    def start(
        self, fault: str, master: str = "local[2,4]", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`gamyeong pseudonymize` with the fault, in a process group of its own."""
        file = self.bench.environment.file
        yaml = YAML()
        raw = yaml.load(file)
        raw["spark"] |= {
            "spark.master": master,
            "spark.driver.memory": "1g",
            "spark.speculation": "true",
            "spark.executorEnv.PYTHONPATH": f"{ROOT}:{HERE}",
            "spark.executorEnv.FAILING_GROUP": str(self.bench.folder / "group"),
        }
        if master.startswith("local-cluster"):  # executors of their own: as on any cluster
            raw["spark"] |= {
                "spark.authenticate": "true",
                "spark.authenticate.secret": "of this test",
                "spark.network.crypto.enabled": "true",
            }
        yaml.dump(raw, self.bench.folder / "failing.yaml")
        ours = {"PYTHONPATH": f"{ROOT}:{HERE}", "FAILING_GROUP": str(self.bench.folder / "group")}
        return subprocess.run(
            [sys.executable, HERE / "failing.py", fault, "pseudonymize", self.bench.folder / "plan.yaml", "--json",
             "--partitions", str(FILES), "--environment", self.bench.folder / "failing.yaml"],
            capture_output=True, text=True, timeout=300, start_new_session=True,
            env={**os.environ, **ours, **variables},
        )  # fmt: skip

    def again(self) -> list[dict[str, Any]]:
        """The rows of the next start, without a fault."""
        done = self.bench.run(COLUMNS)
        assert done.run == self.done.run
        return self.bench.rows(done)

    def files(self) -> set[str]:
        """Every Parquet file in the staging zone, whoever left it there."""
        zone = self.bench.environment.zone("staging").local
        return {str(path) for path in zone.rglob("*.parquet")}

    def committed(self) -> set[str]:
        """The files that the staged table's log names."""
        return set(DeltaTable(str(self.folder.staged("people"))).file_uris())


@pytest.fixture
def trial(bench: Any) -> Trial:
    """A source of several files, and the rows of an undisturbed run, which is then forgotten."""
    for part in range(FILES):
        ids = range(part, PERSONS, FILES)
        rows = {"id": [f"P-{n}" for n in ids], "age": [n * 7 % 100 for n in ids], "paid": [n * 37 % 9973 for n in ids]}
        bench.write(pa.table(rows), mode="append")
    done = bench.run(COLUMNS)
    found = Trial(bench, done, bench.rows(done))
    assert len(found.expected) == PERSONS // 2
    found.forget()
    return found


def test_tasks_that_fail_twice_are_tried_again(trial: Trial) -> None:
    """Every task of every pass fails twice, those that write only after their file was whole on disk."""
    ended = trial.start("tasks")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1])["rows"] == len(trial.expected)
    assert len(trial.committed()) == FILES
    assert trial.files() == trial.committed(), "the files of the failed attempts are swept"
    assert trial.bench.rows(trial.done) == trial.expected


def test_a_worker_killed_while_it_writes(trial: Trial) -> None:
    """SIGKILL with half a file on disk: Spark starts another worker and the task again."""
    ended = trial.start("worker")
    assert ended.returncode == 0, ended.stderr
    assert trial.files() == trial.committed()
    assert trial.bench.rows(trial.done) == trial.expected


def test_without_a_second_try_the_job_ends_operational(trial: Trial) -> None:
    """`local[2]` tries once: exit 4, not a file stays, and the text names no cause that could hold a value."""
    ended = trial.start("worker", master="local[2]")
    assert ended.returncode == 4, ended.stderr
    assert "trying again may help" in ended.stderr
    assert "Traceback" not in ended.stderr
    nothing_accepted(trial)
    assert trial.files() == set()
    assert trial.again() == trial.expected


def test_an_executor_killed_while_it_writes(trial: Trial) -> None:
    """On a cluster of two executors, one dies with half a file, and takes the rows that it had shuffled with it."""
    import pyspark

    home = trial.bench.folder / "spark-home"  # where such a cluster's workers write
    home.mkdir()
    for entry in Path(pyspark.__file__).parent.iterdir():
        (home / entry.name).symlink_to(entry)
    ended = trial.start("executor", master="local-cluster[2,1,1024]", SPARK_HOME=str(home))
    assert ended.returncode == 0, ended.stderr
    assert (trial.bench.folder / "group.once").exists(), "the executor was killed"
    assert trial.files() == trial.committed()
    assert trial.bench.rows(trial.done) == trial.expected


def nothing_accepted(trial: Trial) -> None:
    """No record of the run, no entry of it, nothing published: no later job takes what may lie in staging."""
    assert not trial.folder.record.exists()
    assert not trial.folder.facts.exists()
    assert not any(trial.bench.environment.zone("published").local.rglob("*"))


# At each moment: is the table in staging committed, is the run recorded?
MOMENTS = {
    "measured": (False, False),
    "file-written": (False, False),
    "all-files-written": (False, False),
    "committed": (True, False),
    "recorded": (True, True),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_driver_killed(trial: Trial, moment: str) -> None:
    """SIGKILL of the whole process group, which nothing can catch; the next start goes on as if nothing had been."""
    committed, recorded = MOMENTS[moment]
    ended = trial.start(moment)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert trial.folder.facts.exists(), "the moment lies behind the measuring passes"
    assert (moment in ("file-written", "all-files-written")) == bool(trial.files() and not committed)
    assert exists(trial.folder.staged("people")) == committed
    assert trial.folder.record.exists() == recorded
    assert not any(trial.bench.environment.zone("published").local.rglob("*"))
    assert runs_entered(trial) == []
    assert trial.again() == trial.expected
    assert trial.files() == trial.committed(), "what the killed run left is swept"
    assert runs_entered(trial) == [trial.done.run]


def runs_entered(trial: Trial) -> list[str]:
    entries = evidence_ledger(trial.bench.environment).entries()
    return [one.content()["run"] for one in entries if one.type == "pseudonymize"]


def test_a_killed_run_that_is_never_started_again_is_swept_by_another_one(trial: Trial) -> None:
    """The source has a newer version meanwhile: the next run has another name and would never meet the leftovers."""
    ended = trial.start("file-written")
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert trial.files()
    trial.bench.write(pa.table({"id": ["P-new"], "age": [1], "paid": [1]}), mode="append")
    done = trial.bench.run(COLUMNS)
    assert done.run != trial.done.run
    assert not trial.folder.staging.exists()
    assert not trial.folder.additional.exists()
    place = RunFolder(trial.bench.environment, done.run).staged("people")
    assert trial.files() == set(DeltaTable(str(place)).file_uris())


def test_the_leftovers_of_a_run_that_somebody_works_on_stay(trial: Trial) -> None:
    """The lock of a living process is respected; a dead one's is free by itself."""
    from jobs.leftovers import sweep_dead_runs
    from jobs.locks import exclusive

    place = trial.folder.staged("people") / "bucket-00000-x" / "half.parquet"
    place.local.parent.mkdir(parents=True)
    place.local.write_bytes(b"PAR1")
    with exclusive(trial.folder.lock, "the run"):
        assert sweep_dead_runs(trial.bench.environment) == []
        assert place.exists()
    assert sweep_dead_runs(trial.bench.environment) == [trial.done.run]
    assert not trial.folder.staging.exists()
