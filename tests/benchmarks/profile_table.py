"""Measures `gamyeong profile` of the 222 columns beside Spark's scan of them and one aggregate over them, in turn.

.venv/bin/python tests/benchmarks/profile_table.py --customers 2000000
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

from benchmarks import machine, report
from benchmarks.arguments import command
from benchmarks.places import Place
from benchmarks.timing import settle, timed
from jobs.frames import read
from jobs.leaving import leave
from jobs.profiling import measured
from jobs.progress import Progress
from jobs.pseudonymization import bare
from jobs.tables import pinned
from transforms.profiling.proposal import proposal

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from jobs.environment import Environment

ASKED = 1.5
Arm = Callable[["SparkSession", "Environment", str], None]


def profile(spark: SparkSession, environment: Environment, place: str) -> None:
    """The job's own pass and proposal."""
    snapshot = pinned(place)
    facts, rows = measured(environment, snapshot, bare(snapshot.schema), "benchmark", Progress(quiet=True))
    if rows != snapshot.rows or len(proposal(facts).columns) != len(snapshot.schema):
        raise SystemExit("not all rows and columns were looked at")


def scan(spark: SparkSession, environment: Environment, place: str) -> None:
    """Spark reads every column and drops the rows."""
    read(spark, place).write.format("noop").mode("overwrite").save()


def aggregate(spark: SparkSession, environment: Environment, place: str) -> None:
    """One aggregate: of every column, the cells that are not null and how many different ones there are, about."""
    from pyspark.sql import functions

    frame = read(spark, place)
    counts = [functions.count(f"`{name}`") for name in frame.columns]
    distinct = [functions.approx_count_distinct(f"`{name}`") for name in frame.columns]
    frame.agg(*counts, *distinct).toArrow()


def smallest(spark: SparkSession, environment: Environment, place: str) -> None:
    """A cheaper aggregate, told beside it: of every column, the cells that are not null, and the largest one."""
    from pyspark.sql import functions

    frame = read(spark, place)
    named = [f"`{name}`" for name in frame.columns]
    frame.agg(*map(functions.count, named), *map(functions.max, named)).toArrow()


ARMS: dict[str, Arm] = {
    "profile": profile,
    "scan": scan,
    "count, distinct values": aggregate,
    "count, largest": smallest,
}


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("profile_table.py", "Measures the profile of a wide table.")
    parser.add_argument("--customers", type=int, default=2_000_000, metavar="N", help="rows (default: 2000000)")
    return parser


def main(argv: Sequence[str]) -> int:
    """Makes the table, measures in turn, prints and saves."""
    given = arguments().parse_args(list(argv))
    if given.customers < 100 or given.rounds < 1:
        arguments().error("allowed: --customers 100 or more, --rounds 1 or more")
    load = os.getloadavg()[0]
    place = Place(given.folder.absolute(), given.customers)
    if not place.source.exists():
        place.generate()
    from jobs.session import spark_session

    taken: dict[str, list[float]] = {name: [] for name in ARMS}
    with place.round() as at:
        spark = spark_session(at.environment, "benchmark")
        for number in range(given.rounds + 1):
            for name in list(ARMS) if number % 2 == 0 else list(ARMS)[::-1]:
                settle(spark)
                seconds, _ = timed(lambda run=ARMS[name]: run(spark, at.environment, str(place.source)))  # type: ignore[misc]
                taken[name].append(round(seconds, 3))
    ours, scanned, counted, cheap = (statistics.median(one[1:]) for one in taken.values())
    body = {
        "what": "profile",
        "rows": given.customers,
        "columns": 222,
        "machine": machine.facts(spark, load),
        "seconds": taken,
        "ratio": round(ours / (scanned + counted), 3),
        "ratio_cheap": round(ours / (scanned + cheap), 3),
        "asked": ASKED,
    }
    report.save(given.results, "profile", body)
    lines = [[name, " ".join(f"{one:.2f}" for one in all_[1:]), f"{all_[0]:.2f}"] for name, all_ in taken.items()]
    print(report.table([f"{given.customers:,} rows, 222 columns", "rounds, s", "first, s"], lines))
    print(f"ratio {body['ratio']} (with the cheaper aggregate {body['ratio_cheap']}); asked: ≤ {ASKED}", flush=True)
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
