"""What can befall a run: each strike is done to the processes or the files of a running chain."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.faults.cluster import Cluster
from tests.faults.processes import end_all, processes
from tests.faults.world import World

Undo = Callable[[], None]


@dataclass(frozen=True)
class Struck:
    """The running chain: its session's leader, its world, the luck of this point, the cluster that it is on."""

    world: World
    leader: int
    luck: random.Random
    cluster: Cluster | None


def driver(struck: Struck) -> Undo | None:
    """SIGKILL to everything at once: the driver, its JVM, all workers."""
    end_all(struck.leader)
    return nothing


def jvm(struck: Struck) -> Undo | None:
    """SIGKILL to the JVM alone: the Python driver lives on and must say what happened."""

    def look() -> list[int]:
        return [pid for pid, words in processes(struck.leader).items() if words[0].endswith("java")]

    return _kill(struck, look)


def worker(struck: Struck) -> Undo | None:
    """SIGKILL to one Python worker, with the task that it is at."""

    def forked() -> list[int]:
        """Those whose parent is the daemon, which has the same words."""
        alike = {pid for pid, words in processes(struck.leader).items() if "pyspark.daemon" in words}
        return [pid for pid in _children(sorted(alike)) if pid in alike]

    return _kill(struck, forked)


def executor(struck: Struck) -> Undo | None:
    """SIGKILL to the JVM of one executor of the cluster: its tasks and the rows that it had shuffled are lost."""
    return _kill(struck, struck.cluster.executors) if struck.cluster else None


def _children(parents: list[int]) -> Iterator[int]:
    for parent in parents:
        with suppress(OSError):
            text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            yield from map(int, text.split())


def _kill(struck: Struck, look: Callable[[], list[int]]) -> Undo | None:
    """One of those that `look` finds, as soon as there is one; None where the chain ends before."""
    while not (found := look()):
        if struck.leader not in processes(struck.leader):
            return None
        time.sleep(0.02)
    try:
        os.kill(struck.luck.choice(sorted(found)), signal.SIGKILL)
    except ProcessLookupError:  # ended by itself just now
        return None
    return nothing


def missing(struck: Struck) -> Undo | None:
    """One file of the source can't be read any more; later it is back."""
    path = struck.luck.choice(struck.world.source_files)
    away = path.with_name(f"{path.name}.away")
    path.rename(away)

    def undo() -> None:
        away.rename(path)

    return undo


def truncated(struck: Struck) -> Undo | None:
    """One file of the source loses its end; later it is whole again."""
    path = struck.luck.choice(struck.world.source_files)
    whole = path.read_bytes()
    # Another file under the name: the template's, to which this one may be linked, stays whole.
    cut = path.with_name(f"{path.name}.cut")
    cut.write_bytes(whole[: struck.luck.randrange(len(whole))])
    cut.replace(path)

    def undo() -> None:
        path.write_bytes(whole)

    return undo


def nothing() -> None:
    """There is nothing to put right."""


STRIKES: dict[str, Callable[[Struck], Undo | None]] = {
    "driver": driver,
    "jvm": jvm,
    "worker": worker,
    "executor": executor,
    "missing": missing,
    "truncated": truncated,
}
# What is full from the start on, and not struck at a moment.
FULL_DISK = "full disk"
# On the cluster of infra/spark, and not in one process with its JVM.
ON_CLUSTER = frozenset({"executor"})
# Before which step they strike: the source is read by the first two, and not handed on by the others.
UNTIL = {"worker": "review", "executor": "review", "missing": "verify", "truncated": "verify"}
# A run that ends well all the same has not met them: it had read the file already, found room enough, was just over.
STOPPING = frozenset({"driver", "missing", "truncated", FULL_DISK})
