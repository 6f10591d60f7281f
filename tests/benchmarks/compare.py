"""Spark's copy, our jobs and DuckDB on one table: rounds in one warm session, in another order each time."""

from __future__ import annotations

import math
import shutil
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import duckdb_work, spark_copy
from benchmarks.chain import JOBS, run_chain
from benchmarks.machine import memory_bytes
from benchmarks.places import Place
from benchmarks.timing import settle, timed
from jobs.storage import private_folder, unique_name
from jobs.tables import pinned

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FRACTION = 0.5
THREADS = 2
# DuckDB may take most of the memory, but the idle Spark session beside it needs its own.
DUCKDB_MEMORY_SHARE = 0.6
# Two exact halves hold the young in unlike numbers: further apart than this many standard deviations is no chance.
LARGEST_DEVIATION = 6
RATIOS = {
    "pseudonymize / copy": ("pseudonymize", "copy", 0.22),
    "pseudonymize / DuckDB": ("pseudonymize", "duckdb", 0.8),
    "pseudonymize / DuckDB, rows kept": ("pseudonymize", "duckdb-kept", 0.8),
    "verify / pseudonymize": ("verify", "pseudonymize", 1.0),
    "review / pseudonymize": ("review", "pseudonymize", 0.35),
    "publish / pseudonymize": ("publish", "pseudonymize", 0.02),
}
DUCKDB = {"duckdb": False, "duckdb-kept": True}
ARMS = ("copy", *JOBS, *DUCKDB)


class Unlike(Exception):
    """The two sides did not do the same work."""


@dataclass
class Compared:
    """Seconds by arm: of the first time in the fresh session, and of the measured rounds."""

    first: dict[str, float] = field(default_factory=dict)
    rounds: list[dict[str, float]] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    def median(self, arm: str) -> float | None:
        found = [one[arm] for one in self.rounds if arm in one]
        return statistics.median(found) if found else None

    def ratios(self) -> dict[str, dict[str, float | bool]]:
        """The quotient of the medians, the least and the largest quotient of one round, and what is asked."""
        found: dict[str, dict[str, float | bool]] = {}
        for name, (over, under, asked) in RATIOS.items():
            top, bottom = self.median(over), self.median(under)
            if top is None or bottom is None:
                continue
            each = [one[over] / one[under] for one in self.rounds]
            value = top / bottom
            found[name] = {
                "value": round(value, 4),
                "least": round(min(each), 4),
                "most": round(max(each), 4),
                "asked": asked,
                "reached": value <= asked,
            }
        return found


def compare(
    spark: SparkSession, place: Place, rounds: int, arms: Sequence[str], say: Callable[[str], None], profile: bool
) -> Compared:
    """One round that warms the session, in which ours come first, then `rounds` measured ones."""
    found = Compared()
    jobs = tuple(job for job in JOBS if job in arms)
    works: dict[str, Callable[[bool], dict[str, float]]] = {}
    if jobs:
        works["ours"] = lambda profiled: _ours(spark, place, jobs, found, profiled)
    if "copy" in arms:
        works["copy"] = lambda _: {"copy": _copy(spark, place, found)}
    for name in (one for one in DUCKDB if one in arms):
        works[name] = lambda _, name=name: {name: _duckdb(spark, place, found, name)}  # type: ignore[misc]
    names = list(works)
    for number in range(rounds + 1):
        turned = (number - 1) % len(names) if number else 0
        seconds: dict[str, float] = {}
        for name in names[turned:] + names[:turned]:
            seconds |= works[name](profile and number == rounds)
            settle(spark)
        kind = "first" if number == 0 else f"round {number}"
        say(f"{kind}: " + ", ".join(f"{arm} {taken:.2f} s" for arm, taken in seconds.items()))
        if number:
            found.rounds.append(seconds)
        else:
            found.first = seconds
    _same_rows(found)
    return found


def _ours(
    spark: SparkSession, place: Place, jobs: tuple[str, ...], found: Compared, profile: bool
) -> dict[str, float]:
    done = run_chain(spark, place, jobs, profile=profile)
    found.details["ours"] = {name: value for name, value in done.counts.items() if name != "run"}
    if profile:
        found.details["profile"] = done.profile
    return done.seconds


def _copy(spark: SparkSession, place: Place, found: Compared) -> float:
    target = private_folder(place.folder / "rounds") / unique_name()
    settle(spark)
    try:
        seconds, _ = timed(lambda: spark_copy.copy(spark, place.source, target))
        files = list(target.rglob("*.parquet"))
        found.details["copy"] = {
            "files": len(files),
            "bytes": sum(file.stat().st_size for file in files),
            **spark_copy.written_as(files[0]),
        }
    finally:
        shutil.rmtree(target, ignore_errors=True)
    return seconds


def _duckdb(spark: SparkSession, place: Place, found: Compared, name: str) -> float:
    home = private_folder(place.folder / "rounds" / unique_name())
    settle(spark)
    try:
        done = duckdb_work.in_own_process(task(place.source, home, FRACTION, kept=DUCKDB[name]))
        done["written_as"] = spark_copy.written_as(home / "result.parquet")
        found.details[name] = done
    finally:
        shutil.rmtree(home)
    return float(done["seconds"])


def task(source: Path, home: Path, fraction: float, *, kept: bool) -> duckdb_work.Task:
    """The work for DuckDB: two threads, spilled pages encrypted as Spark's are."""
    settings: duckdb_work.Settings = {
        "threads": THREADS,
        "memory_limit": f"{memory_bytes() * DUCKDB_MEMORY_SHARE / 2**20:.0f}MiB",
        "temp_directory": str(home / "spill"),
        "temp_file_encryption": True,
    }
    files = [file.uri for file in pinned(str(source)).files]
    return duckdb_work.Task(files, str(home / "result.parquet"), fraction, unique_name(), settings, kept)


def _same_rows(found: Compared) -> None:
    """Both drew the exact half; what is left of two halves may differ only as chance lets it."""
    for name in DUCKDB:
        if "ours" in found.details and name in found.details:
            _same_half(found.details["ours"], found.details[name])


def _same_half(ours: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    if ours["drawn"] != other["sampled"]:
        raise Unlike(f"ours drew {ours['drawn']} customers, DuckDB {other['sampled']}")
    total, drawn = other["customers"], ours["drawn"]
    share = ours["delivered"] / drawn
    deviation = math.sqrt(2 * drawn * share * (1 - share) * (1 - drawn / total))
    if abs(ours["delivered"] - other["rows"]) > LARGEST_DEVIATION * deviation:
        raise Unlike(f"ours delivered {ours['delivered']} rows, DuckDB {other['rows']}")
