"""infra/bundle: what stands in the archive, that a changed one is not installed, and that no network is needed.

The fast tests bundle a tiny repository (one package, one jar). The marked one bundles this repository and runs it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Keep

ROOT = Path(__file__).resolve().parents[2]
# A build backend of its own, so that the tiny project installs itself without packages.
BACKEND = '''
import zipfile

answer = 42

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "project-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("project-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n")
        wheel.writestr("project-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("project-1.dist-info/RECORD", "")
    return name
'''
# Stands for pyspark: its spark-submit resolves three jars, of one of which its own folder has another version.
SUBMIT = """#!/bin/bash
for word in "$@"; do case $word in spark.jars.ivy=*) ivy=${word#*=} ;; esac; done
mkdir -p "$ivy/jars"
echo delta >"$ivy/jars/io.delta_delta-spark_4.2_2.13-4.4.0.jar"
echo jts >"$ivy/jars/org.locationtech.jts_jts-core-1.20.0.jar"
echo other >"$ivy/jars/org.slf4j_slf4j-api-2.0.13.jar"
"""
# A new network has its loopback down, and Spark talks to itself there (SIOCSIFFLAGS, IFF_UP).
LOOPBACK = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_:
    fcntl.ioctl(any_, 0x8914, struct.pack("16sh", b"lo", 1))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def tiny_wheel(folder: Path) -> Path:
    path = folder / "pyspark-1-py3-none-any.whl"
    about = {"METADATA": "Metadata-Version: 2.1\nName: pyspark\nVersion: 1\n", "RECORD": ""}
    about["WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("pyspark/__init__.py", "")
        wheel.writestr("pyspark/jars/slf4j-api-2.0.17.jar", "own")
        wheel.writestr("backend.py", BACKEND)
        for name, text in about.items():
            wheel.writestr(f"pyspark-1.dist-info/{name}", text)
    return path


def script(folder: Path, *words: str | Path, cut_off: bool = False) -> subprocess.CompletedProcess[str]:
    """A command with nothing of this test run's settings; `cut_off`: in a network with nobody but itself."""
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "JAVA_HOME") if name in os.environ}
    command = list(map(str, words))
    if cut_off:  # an empty home, so that no cache of an earlier download helps
        variables["HOME"] = str(folder)
        command = ["unshare", "-rn", sys.executable, "-c", LOOPBACK, *command]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=1800)


def may_cut_off() -> bool:
    return shutil.which("unshare") is not None and subprocess.run(["unshare", "-rn", "true"]).returncode == 0


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a tiny repository, made by the script itself."""
    folder = tmp_path_factory.mktemp("bundle")
    wheel = tiny_wheel(folder)
    repository = folder / "repository-of-the-maker"
    (repository / "infra").mkdir(parents=True)
    for name in ("bundle", "bootstrap"):
        shutil.copy(ROOT / "infra" / name, repository / "infra" / name)
    locked = f"pyspark @ {wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    (repository / "infra" / "requirements.lock").write_text(locked)
    (repository / "infra" / "build.lock").write_text("")
    (repository / "jobs").mkdir()
    module = "class E:\n    jars = ('io.delta:delta:1',)\ndef load_environment():\n    return E\n"
    (repository / "jobs" / "environment.py").write_text(module)
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
    (repository / "pyproject.toml").write_text(backend + '[project]\nname = "project"\nversion = "1"\n')
    (repository / ".gitignore").write_text(".venv\n.cache\n")
    (repository / "uncommitted.txt").write_text("not to be handed on")
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    for words in (["init", "-q"], ["add", "infra", "jobs", "pyproject.toml", ".gitignore"], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], check=True)
    submit = repository / ".venv" / "bin" / "spark-submit"
    made = script(folder, repository / "infra" / "bundle", "check")
    assert made.returncode == 2, made.stderr  # a repository is no bundle
    ready = f'root={repository}; . "$root/infra/bootstrap"; ensure_environment'
    done = script(folder, "bash", "-c", ready)
    assert done.returncode == 0, done.stderr
    submit.write_text(SUBMIT)
    submit.chmod(0o755)
    (repository / ".venv" / "lib").joinpath(f"python3.{sys.version_info.minor}/site-packages/here.pth").write_text(
        f"{repository}\n"
    )
    done = script(folder, repository / "infra" / "bundle", "make", folder / "bundle.tar")
    assert done.returncode == 0, done.stderr
    assert "1 packages, 2 jars" in done.stderr
    return folder / "bundle.tar"


@pytest.fixture
def unpacked(archive: Path, tmp_path: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="tar")
    return tmp_path / "gamyeong-bundle"


def test_it_holds_repository_packages_jars_and_a_hash_of_each_file(unpacked: Path) -> None:
    listed = dict(line.split("  ", 1)[::-1] for line in (unpacked / "SHA256SUMS").read_text().splitlines())
    files = {f"./{file.relative_to(unpacked)}": file for file in unpacked.rglob("*") if file.is_file()}
    assert listed == {
        name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items() if name != "./SHA256SUMS"
    }
    assert (unpacked / "repository/pyproject.toml").is_file()
    assert not (unpacked / "repository/uncommitted.txt").exists()
    assert [file.name for file in (unpacked / "wheels").iterdir()] == ["pyspark-1-py3-none-any.whl"]
    # Spark has a version of slf4j of its own; only what it lacks goes beside it.
    assert sorted(file.name for file in (unpacked / "jars").iterdir()) == [
        "delta-spark_4.2_2.13-4.4.0.jar", "jts-core-1.20.0.jar"
    ]  # fmt: skip


@pytest.mark.skipif(not may_cut_off(), reason="this machine lets nobody make a network of his own (unshare -rn)")
def test_it_is_installed_where_there_is_no_network(unpacked: Path, tmp_path: Path) -> None:
    # Its list names the maker's file; the machine it comes to has the bundle alone.
    lock = unpacked / "repository" / "infra" / "requirements.lock"
    digest = lock.read_text().rpartition("sha256:")[2].strip()
    lock.write_text(f"pyspark==1 --hash=sha256:{digest}\n")
    rehash(unpacked)
    done = script(tmp_path, unpacked / "install", tmp_path / "new", cut_off=True)
    assert done.returncode == 0, done.stderr
    python = tmp_path / "new" / ".venv" / "bin" / "python"
    found = script(tmp_path, python, "-c", "import backend; print(backend.answer)")
    assert found.stdout == "42\n"
    (jars,) = (tmp_path / "new" / ".venv" / "lib").glob("python3*/site-packages/pyspark/jars")
    names = ["delta-spark_4.2_2.13-4.4.0.jar", "jts-core-1.20.0.jar", "slf4j-api-2.0.17.jar"]
    assert sorted(os.listdir(jars)) == names


def rehash(bundle: Path) -> None:
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  ./{file.relative_to(bundle)}\n"
        for file in sorted(bundle.rglob("*"))
        if file.is_file() and file.name != "SHA256SUMS"
    ]
    (bundle / "SHA256SUMS").write_text("".join(lines))


def spoil_a_wheel(bundle: Path) -> str:
    (bundle / "wheels" / "pyspark-1-py3-none-any.whl").write_bytes(b"other")
    return "is not what was made"


def lose_a_jar(bundle: Path) -> str:
    (bundle / "jars" / "jts-core-1.20.0.jar").unlink()
    return "is not what was made"


def add_a_file(bundle: Path) -> str:
    (bundle / "jars" / "extra-1.jar").write_text("of somebody else")
    return "holds more than was made: ./jars/extra-1.jar"


@pytest.mark.parametrize("change", [spoil_a_wheel, lose_a_jar, add_a_file])
def test_a_changed_bundle_is_not_installed(unpacked: Path, tmp_path: Path, change: Callable[[Path], str]) -> None:
    told = change(unpacked)
    done = script(tmp_path, unpacked / "install", tmp_path / "new")
    assert (done.returncode, (tmp_path / "new").exists()) == (3, False), done.stderr
    assert told in done.stderr


def test_nothing_is_installed_over_something(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    done = script(tmp_path, unpacked / "install", tmp_path / "full")
    assert (done.returncode, sorted(os.listdir(tmp_path / "full"))) == (2, ["mine.txt"])


@pytest.mark.year
@pytest.mark.timeout(3600)
def test_the_whole_bundle_runs_without_a_network(tmp_path: Path, figures: Keep) -> None:
    """Some minutes and gigabytes; its figures go to infra/README.md by hand."""
    assert may_cut_off(), "unshare -rn is not permitted here: the network can't be cut off"
    times = [time.monotonic()]

    def step(*words: str | Path, cut_off: bool) -> str:
        done = script(tmp_path, *words, cut_off=cut_off)
        assert done.returncode == 0, done.stderr[-3000:]
        times.append(time.monotonic())
        return done.stdout

    step(ROOT / "infra" / "bundle", "make", tmp_path / "bundle.tar", cut_off=False)
    step("tar", "-xf", tmp_path / "bundle.tar", cut_off=True)
    step(tmp_path / "gamyeong-bundle" / "install", tmp_path / "new", cut_off=True)
    out = step(tmp_path / "new" / "infra" / "run", cut_off=True)
    assert "verify: equal, review: fit; published" in out
    names = ("make", "unpack", "install", "run")
    seconds = {name: round(end - begin) for name, begin, end in zip(names, times, times[1:], strict=False)}
    figures("bundle", {"mib": (tmp_path / "bundle.tar").stat().st_size >> 20, "seconds": seconds})
