"""Measures the risk figures: `python tests/benchmarks/risk.py --rows 10000000 --rounds 1`.

10,000,000 made persons with eight quasi-identifiers (2 to 1,500 values each, most combinations unique): classes, all
92 subsets up to three columns, and SUDA2 with DIS, as `gamyeong assess` has them. Beside it Spark's
`groupBy(three columns).count()` for three of the 56 largest subsets, in the same warm session; what all 92 would take
is told from it. Both must find the same numbers of classes and of unique records, or the run ends. Peaks of memory are
of our part. Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from benchmarks import machine, report
from benchmarks.arguments import command
from benchmarks.memory import Peaks, watched
from benchmarks.places import Place
from benchmarks.timing import settle, timed
from jobs.frames import read
from jobs.leaving import leave
from jobs.storage import Location
from jobs.tables import NO_STATISTICS, exists
from transforms.measures import risk
from transforms.risk.figures import RiskFigures

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "risk/persons"
PART = 1_000_000
THRESHOLD = 3
SIZE = 3
VALUES = {"sex": 2, "school": 8, "month": 12, "car": 30, "age": 90, "district": 250, "day": 365, "job": 1_500}
SUBSETS = (("age", "district", "job"), ("sex", "age", "district"), ("month", "car", "day"))


def make(place: Path, rows: int) -> None:
    """The table, once: skewed values, as jobs and districts are; texts, numbers and some nulls."""
    if exists(Location(str(place))):
        return
    draw = np.random.default_rng(11)
    for first in range(0, rows, PART):
        count = min(PART, rows - first)
        columns: dict[str, pa.Array] = {}
        for name, size in VALUES.items():
            cells = (size * draw.random(count) ** 1.5).astype(np.int64)
            text = name in ("district", "job", "school")
            words = pa.array([f"{name}-{number:04d}" for number in range(size)] if text else range(size))
            columns[name] = words.take(pa.array(cells, mask=draw.random(count) < 0.001))
        write_deltalake(str(place), pa.table(columns), mode="append", configuration=NO_STATISTICS)


def ours(spark: SparkSession, place: Path) -> RiskFigures:
    """All figures; a tenth of the population is sampled."""
    frame = read(spark, str(place))
    return risk(frame, list(VALUES), threshold=THRESHOLD, population=frame.count() * 10, subset_size=SIZE)


def yardstick(spark: SparkSession, place: Path) -> dict[tuple[str, ...], tuple[int, int]]:
    """Spark's classes and unique records of some subsets."""
    from pyspark.sql import functions

    frame = read(spark, str(place))
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for columns in SUBSETS:
        sizes = frame.groupBy(*columns).count()
        row = sizes.agg(functions.count("*"), functions.count_if(sizes["count"] == 1)).first()
        assert row is not None
        found[columns] = (int(row[0]), int(row[1]))
    return found


def differing(figures: RiskFigures, counted: dict[tuple[str, ...], tuple[int, int]]) -> list[str]:
    """Subsets of which both don't say the same."""
    mine = {frozenset(one.columns): (one.classes, one.unique) for one in figures.subsets}
    return [", ".join(columns) for columns, numbers in counted.items() if mine[frozenset(columns)] != numbers]


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("risk.py", "Measures the risk figures.", rounds=1)
    parser.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="of the table (default: 10000000)")
    return parser


def main(argv: Sequence[str]) -> int:
    """Makes the table, measures in turn, prints and saves."""
    given = arguments().parse_args(list(argv))
    if given.rows < 1 or given.rounds < 1:
        arguments().error("allowed: --rows 1 or more, --rounds 1 or more")
    load = os.getloadavg()[0]
    place = Place(given.folder.absolute() / "risk", given.rows)
    source = place.source_zone / TABLE
    make(source, given.rows)
    from jobs.session import spark_session

    with place.round() as at:
        spark = spark_session(at.environment, "benchmark")
    figures: RiskFigures | None = None
    peaks = Peaks()
    taken: dict[str, list[float]] = {"ours": [], "spark": []}
    for number in range(given.rounds + 1):
        for name in ("ours", "spark") if number % 2 == 0 else ("spark", "ours"):
            settle(spark)
            if name == "ours":
                with watched(os.getpid()) as peaks:
                    seconds, figures = timed(lambda: ours(spark, source))
            else:
                seconds, counted = timed(lambda: yardstick(spark, source))
            taken[name].append(round(seconds, 3))
    assert figures is not None
    if wrong := differing(figures, counted):
        raise SystemExit(f"not what Spark counts: {'; '.join(wrong)}")
    body = told(given.rows, figures, taken, peaks, machine.facts(spark, load))
    report.save(given.results, f"risk-{given.rows}", body)
    print(shown(body), flush=True)
    return 0


def told(
    rows: int, figures: RiskFigures, taken: dict[str, list[float]], peaks: Peaks, facts: dict[str, Any]
) -> dict[str, Any]:
    """The result as it is saved. What Spark would need is its time a subset, times the subsets."""
    special = figures.special_uniques
    assert special is not None
    mine, theirs = (statistics.median(taken[name][1:]) for name in ("ours", "spark"))
    return {
        "what": "risk",
        "rows": rows,
        "columns": len(VALUES),
        "size": SIZE,
        "classes": figures.classes.classes,
        "subsets": len(figures.subsets),
        "minimal_uniques": list(special.found),
        "machine": facts,
        "seconds": taken,
        "spark_all_subsets": round(theirs / len(SUBSETS) * len(figures.subsets), 1),
        "ratio": round(theirs / len(SUBSETS) * len(figures.subsets) / mine, 1),
        "memory": peaks.plain(),
    }


def shown(body: dict[str, Any]) -> str:
    """The figures as text."""
    names = {"ours": "ours: classes, subsets, SUDA2", "spark": f"groupBy, {len(SUBSETS)} of {body['subsets']} subsets"}
    lines = [[names[arm], *(f"{one:.1f}" for one in taken)] for arm, taken in body["seconds"].items()]
    rounds = [f"round {number}, s" if number else "first, s" for number in range(len(body["seconds"]["ours"]))]
    head = f"{body['rows']:,} rows × {body['columns']}, {body['classes']:,} classes"
    peaks = ", ".join(f"{report.MEMORY[name]} {size / 2**20:,.0f} MB" for name, size in body["memory"].items()
                      if name in report.MEMORY)  # fmt: skip
    return (
        f"{report.table([head, *rounds], lines)}\n"
        f"minimal sample uniques of 1, 2, 3 columns: {body['minimal_uniques']}; {body['ratio']} × as fast as Spark's "
        f"groupBy for all subsets ({body['spark_all_subsets']} s)\npeaks: {peaks}"
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
