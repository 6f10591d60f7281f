"""Measures k, l and t: `python tests/benchmarks/disclosure.py --rows 10000000 --oracle-rows 20000 --rounds 3`.

A table of 6 quasi-identifiers of 5 values each and a sensitive column of 10 (15,625 classes), in Delta. Ours are k, l
and t of all rows in one pass, in a warm session; the yardstick is pyCANON's k, l and t of the first rows, as many as it
can hold, read before the clock starts. Both are told per row, in turn. Nothing is asserted about time; figures that are
not pyCANON's on its rows end it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

import numpy as np
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from benchmarks import machine, report
from benchmarks.arguments import command
from benchmarks.places import Place
from benchmarks.timing import settle, timed
from jobs.frames import read
from jobs.leaving import leave
from jobs.storage import Location
from jobs.tables import NO_STATISTICS, exists
from transforms.measures import class_table_of, disclosure, disclosure_of, k_anonymity, l_diversity, t_closeness

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

TABLE = "measures/classes"
KEYS = [f"q{number}" for number in range(6)]
SENSITIVE = "s"
VALUES, DISEASES = 5, 10
PART = 1_000_000
ASKED = 50
Figures = tuple[int, int, float]


def make(place: Path, rows: int) -> None:
    """The table, once: half of the quasi-identifiers texts, half numbers."""
    if exists(Location(str(place))):
        return
    draw = np.random.default_rng(7)
    names = np.array([f"value {number}" for number in range(VALUES)])
    for first in range(0, rows, PART):
        count = min(PART, rows - first)
        cells = {name: draw.integers(0, VALUES, count) for name in KEYS}
        columns = {name: names[codes] if number % 2 else codes for number, (name, codes) in enumerate(cells.items())}
        diseases = np.array([f"disease {number}" for number in range(DISEASES)])[draw.integers(0, DISEASES, count)]
        write_deltalake(
            str(place), pa.table({**columns, SENSITIVE: diseases}), mode="append", configuration=NO_STATISTICS
        )


def ours(spark: SparkSession, place: Path) -> Figures:
    """k, l and t of the whole table in one pass."""
    found = disclosure(read(spark, str(place)), KEYS, [SENSITIVE])
    one = found.columns[SENSITIVE]
    return found.k, one.l, one.t


def pycanon(frame: pd.DataFrame) -> dict[str, float]:
    """Seconds of pyCANON's k, l and t, one after another; ends where they are not ours."""
    from pycanon import anonymity

    calls: dict[str, Callable[[], Any]] = {
        "k": lambda: anonymity.k_anonymity(frame, KEYS),
        "l": lambda: anonymity.l_diversity(frame, KEYS, [SENSITIVE]),
        "t": lambda: anonymity.t_closeness(frame, KEYS, [SENSITIVE]),
    }
    taken = {name: timed(call) for name, call in calls.items()}
    table = pa.Table.from_pandas(frame, preserve_index=False)
    found = disclosure_of(class_table_of(table, KEYS, [SENSITIVE]))
    one = found.columns[SENSITIVE]
    if (found.k, one.l) != (taken["k"][1], taken["l"][1]) or abs(one.t - taken["t"][1]) > 1e-9:
        raise SystemExit("other figures than pyCANON's")
    return {name: seconds for name, (seconds, _) in taken.items()}


def alone(spark: SparkSession, place: Path) -> dict[str, float]:
    """Seconds of each of our public measures by itself."""
    frame = read(spark, str(place))
    calls: dict[str, Callable[[], Any]] = {
        "k": lambda: k_anonymity(frame, KEYS),
        "l": lambda: l_diversity(frame, KEYS, SENSITIVE),
        "t": lambda: t_closeness(frame, KEYS, SENSITIVE),
    }
    return {name: round(timed(call)[0], 3) for name, call in calls.items()}


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("disclosure.py", "Measures k, l and t.")
    parser.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="of the table (default: 10000000)")
    parser.add_argument("--oracle-rows", type=int, default=20_000, metavar="N", help="for pyCANON (default: 20000)")
    return parser


def main(argv: Sequence[str]) -> int:
    """Makes the table, measures in turn, prints and saves."""
    given = arguments().parse_args(list(argv))
    if not 0 < given.oracle_rows <= given.rows or given.rounds < 1:
        arguments().error("allowed: --oracle-rows from 1 to --rows, --rounds 1 or more")
    load = os.getloadavg()[0]
    place = Place(given.folder.absolute() / "disclosure", given.rows)
    source = place.source_zone / TABLE
    make(source, given.rows)
    few = DeltaTable(str(source)).to_pyarrow_dataset().head(given.oracle_rows).to_pandas()
    from jobs.session import spark_session

    with place.round() as at:
        spark = spark_session(at.environment, "benchmark")
    mine: list[float] = []
    theirs: list[dict[str, float]] = []
    figures: set[Figures] = set()
    for number in range(given.rounds + 1):
        for turn in (0, 1) if number % 2 == 0 else (1, 0):
            settle(spark)
            if turn:
                theirs.append(pycanon(few))
            else:
                seconds, found = timed(lambda: ours(spark, source))
                mine.append(seconds)
                figures.add(found)
    if len(figures) != 1:
        raise SystemExit("other figures in another round")
    per_row = statistics.median(mine[1:]) / given.rows
    oracle = statistics.median(sum(one.values()) for one in theirs[1:]) / given.oracle_rows
    body = {
        "what": "disclosure",
        "rows": given.rows,
        "oracle_rows": given.oracle_rows,
        "figures": dict(zip(("k", "l", "t"), next(iter(figures)), strict=True)),
        "machine": machine.facts(spark, load),
        "seconds": {"ours": [round(one, 3) for one in mine], "alone": alone(spark, source)},
        "oracle_seconds": [{name: round(one, 3) for name, one in round_.items()} for round_ in theirs],
        "ratio": round(oracle / per_row, 1),
        "asked": ASKED,
    }
    report.save(given.results, "disclosure", body)
    lines = [
        [f"ours, k, l and t in one pass, {given.rows:,} rows", " ".join(f"{one:.2f}" for one in mine[1:]),
         f"{per_row * 1e6:.3f}"],
        [f"pyCANON, k, l and t, {given.oracle_rows:,} rows", " ".join(f"{sum(one.values()):.2f}" for one in theirs[1:]),
         f"{oracle * 1e6:.3f}"],
    ]  # fmt: skip
    print(report.table(["", "rounds, s", "µs a row"], lines))
    print(
        f"per row {body['ratio']} times as fast; asked: ≥ {ASKED}. Ours one by one, s: {body['seconds']['alone']}",
        flush=True,
    )
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
