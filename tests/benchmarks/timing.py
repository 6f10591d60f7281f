"""Timing a piece of work after the machine has come to rest, and noting when it says something."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from jobs.progress import Progress

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TypeVar("T")


def settle(spark: SparkSession) -> None:
    """Nobody pays for another's garbage or unwritten pages: both are cleared before a measurement."""
    gc.collect()
    spark.sparkContext._jvm.java.lang.System.gc()  # type: ignore[union-attr]
    os.sync()


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that the work took, and what it gave."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


@dataclass(frozen=True)
class Mark:
    """What was begun, and when (seconds since the epoch)."""

    text: str
    at: float


@dataclass
class Marks(Progress):
    """A job's progress that prints nothing and keeps each line with its time."""

    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(quiet=True)

    def say(self, text: str) -> None:
        self.marks.append(Mark(text, time.time()))


def stretches(begin: float, marks: list[Mark], end: float, before: str) -> list[tuple[str, float]]:
    """Seconds from each mark to the next; what lies before the first one is named `before`."""
    points = [Mark(before, begin), *marks, Mark("", end)]
    return [(one.text, after.at - one.at) for one, after in pairwise(points)]
