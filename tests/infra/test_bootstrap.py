"""infra/bootstrap on machines of every kind, each a folder of small fake commands that is all of PATH."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[2] / "infra" / "bootstrap"
ORDINARY = ("awk", "basename", "bash", "cat", "dirname", "grep", "mkdir", "rm", "sed", "sleep", "tail")


@dataclass
class Machine:
    """A folder with a repository, a JVM folder, and a PATH of its own."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("bin", "jvm", "repository/infra"):
            (self.folder / name).mkdir(parents=True)
        for name in ORDINARY:
            (self.folder / "bin" / name).symlink_to(shutil.which(name) or name)
        self.command("id", "echo 1000")

    @property
    def repository(self) -> Path:
        return self.folder / "repository"

    @property
    def log(self) -> list[str]:
        """What the fake commands wrote down of their calls."""
        path = self.folder / "log"
        return path.read_text().splitlines() if path.exists() else []

    def command(self, name: str, body: str) -> Path:
        """Puts a command on PATH (or, with a path, elsewhere on the machine)."""
        path = self.folder / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/bash\nlog={self.folder}/log\n{body}\n")
        path.chmod(0o755)
        return path

    def java(self, path: str, version: str, modules: str = "java.base jdk.incubator.vector") -> None:
        """A Java that answers the two questions that are put to it; its home is the folder above bin/."""
        home = (self.folder / "bin" / path).parent.parent
        self.command(
            path,
            f"""case $1 in
            --list-modules) printf '%s@{version}\\n' {modules} ;;
            *) printf '    java.home = {home}\\n    java.specification.version = {version}\\n' >&2 ;;
            esac""",
        )

    def debian(self, packages: Sequence[str], install: str) -> None:
        """apt with these packages; `install` is what installing one does."""
        self.command("apt-cache", f"printf '%s\\n' {' '.join(packages)}")
        self.command("apt-get", f'echo "apt-get $*" >>"$log"\ncase $1 in install) {install} ;; esac')

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Runs shell code after sourcing bootstrap."""
        return subprocess.run(
            [self.folder / "bin" / "bash", "-c", f'set -u; root=$PWD; . "{BOOTSTRAP}"; {script}'],
            cwd=self.repository,
            env={"PATH": str(self.folder / "bin"), "GAMYEONG_JVM_FOLDER": str(self.folder / "jvm")}
            | self.variables,
            capture_output=True,
            text=True,
            timeout=120,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Neither Python, Java, apt nor the right to install anything."""
    return Machine(tmp_path)


JAVA = 'ensure_java && echo "$JAVA_HOME"'


def test_the_java_on_the_path_is_used_and_its_home_exported(machine: Machine) -> None:
    machine.java("../usr/bin/java", "17")
    (machine.folder / "bin" / "java").symlink_to(machine.folder / "usr" / "bin" / "java")
    result = machine.run(JAVA)
    assert (result.returncode, Path(result.stdout.strip()).resolve()) == (0, machine.folder / "usr")


def test_java_home_goes_before_the_path(machine: Machine) -> None:
    machine.java("../usr/bin/java", "17")
    machine.java("../opt/jdk/bin/java", "25")
    (machine.folder / "bin" / "java").symlink_to(machine.folder / "usr" / "bin" / "java")
    machine.variables["JAVA_HOME"] = str(machine.folder / "opt" / "jdk")
    assert Path(machine.run(JAVA).stdout.strip()).resolve() == machine.folder / "opt" / "jdk"


def test_an_old_java_gives_way_to_a_newer_one_that_is_not_on_the_path(machine: Machine) -> None:
    machine.java("java", "1.8")
    machine.java("../jvm/java-21/bin/java", "21")
    assert Path(machine.run(JAVA).stdout.strip()).resolve() == machine.folder / "jvm" / "java-21"


@pytest.mark.parametrize(
    ("version", "modules", "words"),
    [
        ("1.8", "java.base jdk.incubator.vector", "(Java 8)"),
        ("11", "java.base jdk.incubator.vector", "(Java 11)"),
        ("17", "java.base", "(Java 17 without the module jdk.incubator.vector)"),
    ],
)
def test_an_unusable_java_is_told_with_what_to_do(
    machine: Machine, version: str, modules: str, words: str
) -> None:
    machine.java("java", version, modules)
    result = machine.run(JAVA)
    assert result.returncode == 2
    assert words in result.stderr
    assert "no Java ≥ 17" in result.stderr
    assert "apt-get install openjdk-17-jre-headless" in result.stderr
    assert "JAVA_HOME" in result.stderr


def test_without_java_and_without_rights_nothing_is_installed(machine: Machine) -> None:
    machine.debian(["openjdk-17-jre-headless"], "true")
    machine.command("sudo", 'echo "sudo: a password is required" >&2; exit 1')
    result = machine.run(JAVA)
    assert (result.returncode, machine.log) == (2, [])
    assert "a password" not in result.stderr


@pytest.mark.parametrize(
    ("packages", "chosen"),
    [
        (["openjdk-17-jre-headless", "openjdk-21-jre-headless"], "openjdk-17-jre-headless"),
        (["openjdk-21-jre-headless", "openjdk-25-jre-headless", "openjdk-25-jre"], "openjdk-25-jre-headless"),
    ],
)
@pytest.mark.parametrize("right", ["root", "sudo"])
def test_debian_installs_java_17_or_the_newest_later_one(
    machine: Machine, packages: list[str], chosen: str, right: str
) -> None:
    machine.java("../usr/lib/java", "17")
    machine.debian(packages, f"ln -s {machine.folder}/usr/lib/java {machine.folder}/bin/java")
    (machine.folder / "bin" / "ln").symlink_to(shutil.which("ln") or "")
    if right == "root":
        machine.command("id", "echo 0")
    else:
        machine.command("sudo", 'shift; echo "sudo $1" >>"$log"; "$@"')
    result = machine.run(JAVA)
    assert result.returncode == 0, result.stderr
    assert f"apt-get install -y -qq --no-install-recommends {chosen}" in machine.log
    assert ("sudo apt-get" in machine.log) == (right == "sudo")


def test_a_failed_installation_says_what_is_missing(machine: Machine) -> None:
    machine.command("id", "echo 0")
    machine.debian(["openjdk-11-jre-headless"], "exit 100")
    result = machine.run(JAVA)
    assert result.returncode == 2
    assert "no Java ≥ 17" in result.stderr
    assert not any(call.startswith("apt-get install") for call in machine.log)


def old_python(version: str) -> str:
    return f'case $1 in -V) echo "Python {version}" ;; *) exit 1 ;; esac'


def new_python(missing: str = "no such module") -> str:
    """The Python of this test run; one that can't import `missing`, as Debian's without python3-venv."""
    return f'case "$*" in *"import {missing}"*) exit 1 ;; esac\nexec {sys.executable} "$@"'


def test_an_old_python_is_told_with_what_to_do(machine: Machine) -> None:
    machine.command("python3", old_python("3.9.2"))
    result = machine.run("ensure_environment")
    assert result.returncode == 2
    assert "no Python ≥ 3.11 was found (but python3 (Python 3.9.2))" in result.stderr
    assert "GAMYEONG_PYTHON" in result.stderr


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.command("python3", old_python("3.9.2"))
    newer = machine.command("python3.12", new_python())
    assert machine.run("find_python").stdout.strip() == str(newer)


def test_gamyeong_python_chooses(machine: Machine) -> None:
    machine.command("python3", new_python())
    chosen = machine.command("../opt/python", new_python())
    machine.variables["GAMYEONG_PYTHON"] = str(chosen)
    assert machine.run("find_python").stdout.strip() == str(chosen)


def test_a_python_without_venv_is_told_with_the_package_it_needs(machine: Machine) -> None:
    machine.command("python3", new_python("ensurepip"))
    result = machine.run("need_venv_module python3")
    assert result.returncode == 2
    assert f"apt-get install python3.{sys.version_info.minor}-venv" in result.stderr


def test_debian_installs_the_venv_module(machine: Machine) -> None:
    machine.command("id", "echo 0")
    machine.command("python3", new_python("ensurepip"))
    complete = machine.command("../usr/complete-python", new_python())
    machine.debian([], f"cat {complete} >{machine.folder}/bin/python3")
    result = machine.run("need_venv_module python3")
    assert result.returncode == 0, result.stderr
    assert machine.log[-1].endswith(f"python3.{sys.version_info.minor}-venv")


# The environment itself: the making is replaced by one that only writes down that it was done.
MAKING = """
make_environment() {
    echo made >>../log; mkdir -p "$root/.venv/bin"; sleep 0.5
    ln -sf "$(command -v python3)" "$root/.venv/bin/python"; echo "$2" >"$root/.venv/.gamyeong-environment"
}
install_project() { echo project >>../log; echo "$1" >"$root/.venv/.gamyeong-project"; }
"""


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """A machine with Python and a repository, whose environment was made by a first start."""
    machine.command("python3", new_python())
    (machine.folder / "bin" / "ln").symlink_to(shutil.which("ln") or "")
    for name in ("build.lock", "requirements.lock"):
        (machine.repository / "infra" / name).write_text("")
    (machine.repository / "pyproject.toml").write_text("")
    assert machine.run(f"{MAKING} ensure_environment").returncode == 0
    assert machine.log == ["made", "project"]
    return machine


def test_a_second_start_makes_nothing(ready: Machine) -> None:
    assert ready.run(f"{MAKING} ensure_environment").returncode == 0
    assert ready.log == ["made", "project"]


@pytest.mark.parametrize("lock", ["build.lock", "requirements.lock"])
def test_another_lock_file_makes_the_environment_anew(ready: Machine, lock: str) -> None:
    (ready.repository / "infra" / lock).write_text("other==1 --hash=sha256:00\n")
    ready.run(f"{MAKING} ensure_environment")
    assert ready.log.count("made") == 2


def test_a_half_made_environment_is_made_anew(ready: Machine) -> None:
    (ready.repository / ".venv" / ".gamyeong-environment").unlink()
    ready.run(f"{MAKING} ensure_environment")
    assert ready.log.count("made") == 2


def test_an_environment_whose_python_is_gone_is_made_anew(ready: Machine) -> None:
    (ready.repository / ".venv" / "bin" / "python").unlink()
    ready.run(f"{MAKING} ensure_environment")
    assert ready.log.count("made") == 2


def test_another_pyproject_installs_the_project_alone(ready: Machine) -> None:
    (ready.repository / "pyproject.toml").write_text("[tool.new]\n")
    ready.run(f"{MAKING} ensure_environment")
    assert ready.log == ["made", "project", "project"]


def test_starts_at_the_same_time_make_one_environment(ready: Machine) -> None:
    (ready.repository / "infra" / "requirements.lock").write_text("other==1 --hash=sha256:00\n")
    start = f"{MAKING} (ensure_environment) & (ensure_environment) & (ensure_environment) & wait"
    assert ready.run(start).returncode == 0
    assert ready.log.count("made") == 2


def wheel(folder: Path) -> Path:
    """A tiny wheel, so that pip installs from a file and needs no network."""
    path = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "answer = 42\n")
        archive.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        about = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("tiny-1.dist-info/WHEEL", about)
        archive.writestr("tiny-1.dist-info/RECORD", "")
    return path


@pytest.mark.parametrize(
    ("locked", "installs"), [("this file", True), ("another file", False), (None, False)]
)
def test_packages_come_in_only_with_their_locked_hash(
    machine: Machine, locked: str | None, installs: bool
) -> None:
    tiny = wheel(machine.folder)
    content = tiny.read_bytes() if locked == "this file" else b"other content"
    option = f" --hash=sha256:{hashlib.sha256(content).hexdigest()}" if locked else ""
    for name in ("build.lock", "requirements.lock"):
        (machine.repository / "infra" / name).write_text(f"tiny @ {tiny.as_uri()}{option}\n")
    venv = machine.repository / ".venv"
    venv.mkdir()
    (venv / "leftover").write_text("of a start that was killed")
    machine.variables["PIP_NO_INDEX"] = "1"
    result = machine.run(f'make_environment {sys.executable} "the stamp"')
    assert not (venv / "leftover").exists()
    assert result.returncode == (0 if installs else 4), result.stderr
    assert (venv / ".gamyeong-environment").exists() == installs
    installed = subprocess.run([venv / "bin" / "python", "-c", "import tiny"], capture_output=True)
    assert (installed.returncode == 0) == installs
    assert installs or "installing the build tools failed" in result.stderr
