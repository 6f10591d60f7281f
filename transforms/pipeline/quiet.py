"""Errors of tasks without their texts: those of foreign libraries quote cells, and Spark prints and logs them."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

ArrowTask = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


class TaskFailed(Exception):
    """A task's error: its type, where it was raised, and what the system said of a file."""


def told(error: BaseException) -> str:
    """`ArrowInvalid at ingest.py:120`; of a system error also what the system says (not the file's name)."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    said = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return f"{type(error).__name__}{said} at {Path(last.filename).name}:{last.lineno}"


def quietly(task: ArrowTask) -> ArrowTask:
    """The task with its unforeseen errors as TaskFailed; Spark tries it again all the same."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        try:
            yield from task(batches)
        except Exception as error:  # noqa: BLE001 - its text may quote a cell
            raise TaskFailed(told(error)) from None

    return run


def settle_worker() -> None:
    """Once in a Python worker: one thread (Spark counts cores by tasks), and what is imported by now is no garbage.

    PySpark's daemon collects garbage after every task; looking through all modules took as long as a small task.
    """
    if not gc.get_freeze_count():
        pa.set_cpu_count(1)
        gc.freeze()
