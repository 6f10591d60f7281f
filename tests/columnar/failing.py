"""`python failing.py FAULT gamyeong-arguments…`: the `gamyeong` command with one fault in it.

Run by test_retries.py in a process of its own. Its folder is on the workers' path, so that they can load
the task functions below. Faults of tasks happen on a task's first attempt or two.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import TaskContext

import jobs.parquet
from jobs import cli, pseudonymization
from jobs.ledger import Ledger
from jobs.staging import StagedSink
from transforms.pipeline.engine import SparkEngine


def attempt() -> int:
    context = TaskContext.get()
    assert context is not None
    return context.attemptNumber()


@dataclasses.dataclass(frozen=True)
class FailingMap:
    """Gives half of its work, then fails as if its machine were lost."""

    task: Callable[..., Iterable[Any]]

    def __call__(self, unit: Any) -> Iterator[Any]:
        for number, found in enumerate(self.task(unit)):
            if number and attempt() < 2:
                raise ConnectionError("lost in the middle of its work")
            yield found
        if attempt() < 2:
            raise ConnectionError("lost before its end")


@dataclasses.dataclass(frozen=True)
class FailingSink(StagedSink):
    """Writes the whole file, then fails before anybody hears of it (a speculative copy ends in the same way)."""

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]:
        answers = list(super().__call__(bucket, rows))
        if attempt() < 2:
            raise ConnectionError("lost with its file written")
        yield from answers


def kill_this_process(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclasses.dataclass(frozen=True)
class KilledSink(StagedSink):
    """The worker is killed with half a file on disk: rows, but no footer."""

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]:
        if attempt() == 0:
            jobs.parquet.ParquetSink._end_file = kill_this_process  # type: ignore[method-assign]
        yield from super().__call__(bucket, rows)


@dataclasses.dataclass(frozen=True)
class DriverKillingSink(StagedSink):
    """Kills the driver's whole process group, Spark's JVM with it, once a file is written."""

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]:
        answers = list(super().__call__(bucket, rows))
        os.killpg(int(Path(os.environ["FAILING_GROUP"]).read_text()), signal.SIGKILL)
        yield from answers


@dataclasses.dataclass(frozen=True)
class ExecutorKillingSink(StagedSink):
    """Kills the executor's JVM, once in the whole job, with half a file on disk; its shuffled rows go with it."""

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]:
        jobs.parquet.ParquetSink._end_file = self.killing(jobs.parquet.ParquetSink._end_file)  # type: ignore[method-assign]
        yield from super().__call__(bucket, rows)

    @staticmethod
    def killing(end_file: Callable[[Any], None]) -> Callable[[Any], None]:
        def end(sink: Any) -> None:
            try:
                os.close(os.open(os.environ["FAILING_GROUP"] + ".once", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return end_file(sink)
            daemon = Path(f"/proc/{os.getppid()}/stat").read_text()
            os.kill(int(daemon.rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
            return kill_this_process()

        return end


def kill_driver(*_: object, **__: object) -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def fail_maps() -> None:
    each, shuffle = SparkEngine.each, SparkEngine.shuffle
    SparkEngine.each = lambda self, task, *rest: each(self, FailingMap(task), *rest)  # type: ignore[method-assign]
    SparkEngine.shuffle = (  # type: ignore[method-assign]
        lambda self, map_, *rest, **more: shuffle(self, FailingMap(map_), *rest, **more)
    )


def sink(kind: type[StagedSink]) -> Callable[[], None]:
    return lambda: setattr(pseudonymization, "StagedSink", kind)


def kill_before(owner: Any, name: str) -> Callable[[], None]:
    return lambda: setattr(owner, name, kill_driver)


def fail_all_tasks() -> None:
    fail_maps()
    sink(FailingSink)()


FAULTS: dict[str, Callable[[], None]] = {
    "tasks": fail_all_tasks,
    "worker": sink(KilledSink),
    "executor": sink(ExecutorKillingSink),
    "measured": kill_before(pseudonymization, "finish"),
    "file-written": sink(DriverKillingSink),
    "all-files-written": kill_before(pseudonymization, "commit_staged"),
    "committed": kill_before(pseudonymization, "save_plan"),
    "recorded": kill_before(Ledger, "append"),
}

if __name__ == "__main__":
    if "FAILING_GROUP" in os.environ:
        Path(os.environ["FAILING_GROUP"]).write_text(str(os.getpgrp()))
    # Pickled as members of this module's importable name, not of __main__.
    import failing

    failing.FAULTS[sys.argv[1]]()
    sys.argv = ["gamyeong", *sys.argv[2:]]
    cli.entry()
