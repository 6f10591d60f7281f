"""infra/spark: the plan `first` on a cluster of its own processes, with source, staging and published in an S3 store.

The executors know nothing but what came with the job: our code by --py-files, the store's credentials from their
surroundings. They stand in other folders, and their Python has gamyeong's packages, but not gamyeong. Spark has no
connector for the store: every table there is read file by file, also for `assess` and `review`.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sysconfig
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs import cli
from jobs.environment import Environment, load_environment
from jobs.retail import Retail, districts
from jobs.runs import find_run
from jobs.tables import write_source
from tests.conftest import write_environment
from tests.object_store import Store

ROOT = Path(__file__).resolve().parents[2]
CUSTOMERS = 4000
pytestmark = [pytest.mark.spark, pytest.mark.slow, pytest.mark.timeout(900)]
# Five JVMs that live for a minute: compiled lightly they need three quarters of the processor time.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@dataclass(frozen=True)
class Cluster:
    """A running cluster, its folder, and the folder that jobs are submitted from."""

    home: Path
    work: Path
    python: Path
    environment_file: Path

    @property
    def environment(self) -> Environment:
        return load_environment(self.environment_file)

    def script(self, *words: str) -> subprocess.CompletedProcess[str]:
        surroundings = {**os.environ, "GAMYEONG_SPARK": str(self.home), "PYSPARK_PYTHON": str(self.python)}
        surroundings["JDK_JAVA_OPTIONS"] = SHORT_LIVED
        surroundings.pop("PYTHONPATH", None)
        return subprocess.run(
            [ROOT / "infra" / "spark", *words],
            cwd=self.work,
            env=surroundings,
            capture_output=True,
            text=True,
            timeout=800,
        )

    def submit(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit code and last line of a job on the cluster."""
        done = self.script("submit", *words, "--environment", str(self.environment_file), "--json", "--quiet")
        assert done.stdout.strip(), done.stderr
        return done.returncode, json.loads(done.stdout.strip().splitlines()[-1])

    def job(self, *words: str) -> int:
        """A job that needs no Spark, in this process."""
        return cli.main([*words, "--environment", str(self.environment_file), "--quiet"])

    def setting(self, name: str) -> str:
        lines = (self.home / "application.conf").read_text().splitlines()
        return next(line.split(" ", 1)[1] for line in lines if line.startswith(f"{name} "))

    def pids(self) -> list[int]:
        return [int((self.home / f"{name}.pid").read_text()) for name in ("master", "worker-1", "worker-2")]


def at_work(pid: int) -> bool:
    """A process that has ended, and whose parent has not asked yet, has no words any more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def bare_python(folder: Path) -> Path:
    """A Python with this test run's packages, without gamyeong: a path file in a path file is not followed."""
    venv.create(folder, with_pip=False)
    packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = folder / "bin" / "python"
    assert subprocess.run([python, "-c", "import jobs.session"], cwd="/", capture_output=True).returncode != 0
    return python


@pytest.fixture(scope="module")
def cluster(real_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    file = write_environment(folder)
    bucket = real_store.bucket("zones")
    real_store.environment(file, {name: bucket / name for name in ("source", "staging", "published")})
    shutil.copy(ROOT / "conf" / "plans" / "first.yaml", folder)
    made = Cluster(folder / "spark", folder, bare_python(folder / "bare"), file)
    started = made.script("start")
    assert started.returncode == 0, started.stderr
    try:
        yield made
    finally:
        made.script("stop")


@pytest.fixture(scope="module")
def staged(cluster: Cluster) -> str:
    """The run, taken through assess, pseudonymize, verify and review on the cluster by one `gamyeong run`."""
    people = pa.Table.from_batches([Retail(CUSTOMERS, 1, districts()).chunk(0)])
    write_source(people, cluster.environment.zone("source") / "retail/customers")
    assert cluster.job("keys", "init") == 0
    for name in ("Kim", "Lee", "Park"):
        assert cluster.job("reviewer", "new", name, "--key", str(cluster.work / f"{name}.pem")) == 0
    code, told = cluster.submit("run", "first.yaml")
    assert code == 5, told  # it waits for the reviewers
    return str(told["run"])


def test_the_first_plan_goes_from_source_to_published(cluster: Cluster, staged: str, real_store: Store) -> None:
    folder = find_run(cluster.environment, staged)
    assert folder.read("verify.json")["verdict"] == "equal"
    assert folder.read("risk.json")["run"] == staged
    assert folder.read("result.json")["verdict"] == "fit"
    for name in ("Kim", "Lee", "Park"):
        key = str(cluster.work / f"{name}.pem")
        words = ("--reviewer", name, "--key", key, "--conflicts", "none", "--outcome", "approved")
        assert cluster.job("decide", staged, *words) == 0
    assert cluster.job("publish", staged) == 0
    record = folder.load_record()
    place = folder.published(record, "first")
    assert place.uri.startswith(f"{cluster.environment.zone('published').uri}/")
    found = DeltaTable(str(place), storage_options=dict(real_store.options.deltalake)).to_pyarrow_table()
    assert found.num_rows == record.tables[0].rows > CUSTOMERS // 3
    assert sorted(found["customer_id"].to_pylist()) == list(range(1, found.num_rows + 1))
    assert set(found["age"].to_pylist()) == {20, 30, 40, 50, 60}
    assert real_store.objects(cluster.environment.zone("staging")) == []


def test_both_workers_executors_took_part_from_folders_of_their_own(cluster: Cluster, staged: str) -> None:
    for worker in ("worker-1", "worker-2"):
        (log,) = (cluster.home / worker / "work").glob("app-*/*/stderr")
        assert (log.parent / "gamyeong.zip").is_file()
        assert cluster.home / worker in log.parents


def test_the_secret_stands_in_no_argument_list_and_in_private_files(cluster: Cluster) -> None:
    secret = cluster.setting("spark.authenticate.secret")
    assert len(secret) >= 64
    for pid in cluster.pids():
        assert secret.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert secret.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    holders = [file for file in cluster.home.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
    assert sorted(file.name for file in holders) == ["application.conf", "daemon.conf"]
    assert {file.stat().st_mode & 0o777 for file in holders} == {0o600}


def test_a_stranger_is_cut_off_before_a_word_is_read(cluster: Cluster) -> None:
    """A well-formed request of Spark's transport without the handshake: the master ends the connection."""
    host, port = cluster.setting("spark.master").removeprefix("spark://").split(":")
    body = b"not a handshake"
    request = b"\x03" + (7).to_bytes(8, "big") + len(body).to_bytes(4, "big") + body
    with socket.create_connection((host, int(port)), timeout=30) as stranger:
        stranger.sendall((len(request) + 8).to_bytes(8, "big") + request)
        answer = b""
        while chunk := stranger.recv(65536):  # ends when the master closes; a timeout fails the test
            answer += chunk
    assert answer[8:9] in (b"", b"\x05")  # nothing, or "request failed"; b"\x04" would be an answer


def test_the_web_pages_show_nothing_without_a_signature(cluster: Cluster) -> None:
    log = (cluster.home / "master.log").read_text()
    port = log.split("Successfully started service 'MasterUI' on port ")[1].split(".")[0]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30)
    assert refused.value.code == 403


def test_after_the_stop_neither_processes_nor_secrets_are_left(cluster: Cluster) -> None:
    secret, pids = cluster.setting("spark.authenticate.secret"), cluster.pids()
    assert cluster.script("status").returncode == 0
    assert all(map(at_work, pids))
    assert cluster.script("stop").returncode == 0
    assert cluster.script("status").returncode == 1
    assert not [pid for pid in pids if at_work(pid)]
    assert not [file for file in cluster.home.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
    assert cluster.script("submit", "run", "first.yaml").returncode == 2
