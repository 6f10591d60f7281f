"""Peak memory of one pseudonymize in a process of its own: driver (JVM and Python) and Python workers.

`python tests/benchmarks/memory.py FOLDER CUSTOMERS` prints it as JSON. Read from /proc, so only on Linux.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

EVERY = 0.05
PROC = Path("/proc")


@dataclass
class Peaks:
    """Bytes. Of single processes the kernel's own high-water mark; of all workers the largest sum seen at one time.

    A worker shares pages with the one it was forked from: the sum counts each shared page once (PSS).
    """

    driver_jvm: int = 0
    driver_python: int = 0
    largest_worker: int = 0
    workers_together: int = 0
    workers: int = 0
    heap_in_use: int = 0
    _seen: set[int] = field(default_factory=set, repr=False)

    def plain(self) -> dict[str, int]:
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}


def high_water(process: int | str) -> int:
    """The largest resident set that a process ever had, in bytes; 0 once it is gone."""
    return _kilobytes(PROC / str(process) / "status", "VmHWM:") * 1024


def _kilobytes(file: Path, name: str) -> int:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), 0)


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                # the name, in brackets, may hold anything; the parent is the second word after it
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            found.setdefault(parent, []).append(int(folder.name))
    return found


def _name(process: int) -> str:
    try:
        return (PROC / str(process) / "comm").read_text().strip()
    except OSError:
        return ""


def look(driver: int, peaks: Peaks) -> None:
    """One look at the driver and at all that it started: Java below it, and Python below that."""
    children = _children()
    peaks.driver_python = max(peaks.driver_python, high_water(driver))
    machines = [one for one in _below(driver, children) if _name(one) == "java"]
    together = 0
    for machine in machines:
        peaks.driver_jvm = max(peaks.driver_jvm, high_water(machine))
        for worker in _below(machine, children):
            peaks.largest_worker = max(peaks.largest_worker, high_water(worker))
            together += _kilobytes(PROC / str(worker) / "smaps_rollup", "Pss:") * 1024
            peaks._seen.add(worker)
    peaks.workers_together = max(peaks.workers_together, together)
    peaks.workers = len(peaks._seen)


def _below(process: int, children: dict[int, list[int]]) -> Iterator[int]:
    for child in children.get(process, []):
        yield child
        yield from _below(child, children)


@contextmanager
def watched(driver: int) -> Iterator[Peaks]:
    """Looks again and again until the work inside is over."""
    peaks, over = Peaks(), threading.Event()

    def watch() -> None:
        while not over.wait(EVERY):
            look(driver, peaks)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peaks
    finally:
        look(driver, peaks)
        over.set()
        watcher.join()


def in_own_process(folder: Path, customers: int) -> dict[str, int]:
    """The peaks of a pseudonymize in a new process, with a session of its own."""
    command = [sys.executable, __file__, str(folder), str(customers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(folder: Path, customers: int) -> None:
    """Measures one run; the table must be there."""
    import os

    from benchmarks.places import PLAN, Place
    from jobs.progress import Progress
    from jobs.pseudonymization import pseudonymize
    from jobs.session import spark_session

    with Place(folder, customers).round() as place, watched(os.getpid()) as peaks:
        pseudonymize(place.environment, PLAN, Progress(quiet=True))
        spark = spark_session(place.environment, "benchmark: memory")
        peaks.heap_in_use = _heap_after_collection(spark)
    print(json.dumps(peaks.plain()))


def _heap_after_collection(spark: object) -> int:
    """Bytes of the JVM's heap still in use after a full collection: what it holds, not what it has not swept yet."""
    virtual = spark.sparkContext._jvm  # type: ignore[attr-defined]
    virtual.java.lang.System.gc()
    runtime = virtual.java.lang.Runtime.getRuntime()
    return int(runtime.totalMemory() - runtime.freeMemory())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
    from jobs.leaving import leave

    leave(0)
