"""The cluster of infra/spark, for a chain whose executor is killed."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from jobs.environment import load_environment
from jobs.session import jars_to_fetch

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Cluster:
    """A master and two workers below `home`; one application at a time takes all of their cores."""

    home: Path
    alone: threading.Lock = field(default_factory=threading.Lock)

    def prefix(self) -> tuple[str, ...]:
        """What stands before a Python program that is to run there."""
        settings = ("--properties-file", str(self.home / "application.conf"))
        jars = ",".join(jars_to_fetch(load_environment().jars))
        return (str(ROOT / ".venv" / "bin" / "spark-submit"), *settings, *(("--packages", jars) if jars else ()))

    def variables(self) -> dict[str, str]:
        """Surroundings of such a program."""
        python = str(ROOT / ".venv" / "bin" / "python")
        return {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_CONF_DIR": str(self.home / "conf"), "PYSPARK_PYTHON": python}

    def executors(self) -> list[int]:
        """The executors' JVMs: each stands in a folder of its own below a worker's."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if (entry / "cwd").readlink().is_relative_to(self.home) and b"ExecutorBackend" in _words(entry):
                    found.append(int(entry.name))
        return found


def _words(entry: Path) -> bytes:
    return (entry / "cmdline").read_bytes()


@contextmanager
def running_cluster(home: Path) -> Iterator[Cluster]:
    """Starts it, and ends it."""
    surroundings = {**os.environ, "GAMYEONG_SPARK": str(home)}

    def script(word: str) -> subprocess.CompletedProcess[str]:
        words = [str(ROOT / "infra" / "spark"), word]
        return subprocess.run(words, env=surroundings, capture_output=True, text=True, timeout=300)

    started = script("start")
    assert started.returncode == 0, started.stderr
    try:
        yield Cluster(home)
    finally:
        script("stop")
