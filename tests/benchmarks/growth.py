"""How time grows with rows: the slope of log(seconds) over log(rows), by least squares."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.chain import run_chain
from benchmarks.places import Place

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JOBS = ("pseudonymize", "verify", "review")
ASKED = 1.05


def exponent(seconds: Mapping[int, float]) -> float:
    """p in seconds ~ rows ** p; `seconds` by rows, two sizes or more."""
    rows = np.log(np.array(list(seconds), dtype=np.float64))
    slope, _ = np.polyfit(rows, np.log(np.array(list(seconds.values()))), 1)
    return float(slope)


def measure(
    spark: SparkSession, folder: Path, sizes: Sequence[int], rounds: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Medians by job and size, over rounds that go up and down the sizes in turn; one more warms the session."""
    taken: dict[str, dict[int, list[float]]] = {job: {size: [] for size in sizes} for job in JOBS}
    run_chain(spark, Place(folder, sizes[0]), JOBS)
    for number in range(rounds):
        for size in sizes if number % 2 == 0 else sizes[::-1]:
            seconds = run_chain(spark, Place(folder, size), JOBS).seconds
            say(f"{size:,} rows: " + ", ".join(f"{job} {one:.2f} s" for job, one in seconds.items()))
            for job in JOBS:
                taken[job][size].append(seconds[job])
    medians = {job: {size: statistics.median(all_) for size, all_ in by.items()} for job, by in taken.items()}
    return {
        job: {
            "seconds": {str(size): [round(one, 3) for one in all_] for size, all_ in taken[job].items()},
            "exponent": round(exponent(medians[job]), 3),
            "exponent_of_the_last_step": round(exponent(dict(list(medians[job].items())[-2:])), 3),
            "asked": ASKED,
        }
        for job in JOBS
    }
