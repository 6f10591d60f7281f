"""Timing a piece of work after the machine has come to rest, and noting when it says something."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from jobs.progress import Progress, Stage

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

T = TypeVar("T")
LEAST_GAP = 0.001


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
    """What was begun, and when (seconds since the epoch); `until` where its end was told too."""

    text: str
    at: float
    until: float | None = None


@dataclass
class Marks(Progress):
    """A job's progress that prints nothing and keeps each line and each stage with its time."""

    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(quiet=True)

    def say(self, text: str) -> None:
        self.marks.append(Mark(text, time.time()))

    @contextmanager
    def stage(self, text: str, total: int | None = None) -> Iterator[Stage]:
        begun = time.time()
        with super().stage(text, total) as stage:
            yield stage
        self.marks.append(Mark(text, begun, time.time()))


def stretches(begin: float, marks: list[Mark], end: float) -> list[tuple[str, float]]:
    """Seconds of each mark: to its end, else to the next one; what no mark covers is named by what it precedes."""
    found: list[tuple[str, float]] = []
    told = begin
    for place, one in enumerate(marks):
        if one.at - told > LEAST_GAP:
            found.append((f"(before {one.text})", one.at - told))
        following = marks[place + 1].at if place + 1 < len(marks) else end
        told = one.until if one.until is not None else following
        found.append((one.text, told - one.at))
    if end - told > LEAST_GAP:
        found.append(("(to the end)", end - told))
    return found
