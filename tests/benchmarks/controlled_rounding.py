"""Measures controlled rounding: `python tests/benchmarks/controlled_rounding.py --rows 10000000 --rounds 3`.

10,000,000 numbers in 1,000 groups go to multiples of 10 so that each group's sum stays: counts by group and residue,
the draws of equal residues at each group's cut, then every rounded cell (added up, not written). The yardstick is what
any way must do at least: Spark's `groupBy(group, x mod 10).count()` of the same table, in the same warm session.
Nothing is asserted about time; sums that do not stay end it.
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
from benchmarks.places import Place
from benchmarks.rounded_cells import RoundedTask
from benchmarks.timing import settle, timed
from jobs.frames import read
from jobs.leaving import leave
from jobs.sources import engine_for
from jobs.storage import Location
from jobs.tables import NO_STATISTICS, exists, pinned
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline.class_measure import measure_classes
from transforms.pipeline.states import unpack
from transforms.pipeline.work import make_work
from transforms.plan import Plan
from transforms.run_keys import RunKeys

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "rounding/amounts"
UNIT = 10
GROUPS = 1_000
ASKED = 1.5
PART = 1_000_000
PLAN: dict[str, Any] = {
    "format": 1,
    "plan": "amounts",
    "application": {"number": "2026-001"},
    "purpose": {"kind": "statistics", "statement": "집단별 금액 합계 통계작성", "legal_basis": "제28조의2"},
    "use": {
        "form": "internal-other-department",
        "recipient": "분석팀",
        "place": "closed",
        "from": "2026-01-01",
        "until": "2030-12-31",
    },
    "additional_information": {"destroy": "approved"},
    "output": {"table": "amounts"},
    "source": {"table": TABLE, "row_key": ["id"], "subject": "id"},
    "columns": {
        "id": {"kind": "identifier", "apply": "serial-number"},
        "area": {"kind": "quasi-identifier", "apply": "keep"},
        "amount": {"kind": "attribute", "apply": {"controlled-rounding": {"unit": UNIT, "by": ["area"]}}},
    },
}


def make(place: Path, rows: int) -> None:
    """The table, once: ids, 1,000 groups of about equal size, amounts of any last digit."""
    if exists(Location(str(place))):
        return
    draw = np.random.default_rng(7)
    for first in range(0, rows, PART):
        count = min(PART, rows - first)
        columns = {
            "id": np.arange(first, first + count),
            "area": draw.integers(0, GROUPS, count),
            "amount": draw.integers(0, 1_000_000, count),
        }
        write_deltalake(str(place), pa.table(columns), mode="append", configuration=NO_STATISTICS)


def ours(spark: SparkSession, place: Path) -> None:
    """Facts of the classes, and the cells made by them; ends where a group's sum moved by more than half a unit."""
    snapshot = pinned(Location(str(place)))
    table = compile_plan(Plan.model_validate(PLAN), pa.schema(snapshot.schema)).table()
    engine, _ = engine_for(spark, snapshot, table, "controlled rounding", None)
    work = make_work(table, RunKeys(Secret(b"b" * 32), "benchmark", "run", "recipient"))
    passes: list[str] = []
    work = measure_classes(work, engine, 1, passes, spark.sparkContext.defaultParallelism)
    before, after = sum(unpack(blob) for blob in engine.each(RoundedTask(work, GROUPS), "rounded cells"))
    if len(passes) != 2 or (2 * np.abs(after - before) > UNIT).any() or (after % UNIT).any():
        raise SystemExit("a group's sum was not kept")


def yardstick(spark: SparkSession, place: Path) -> None:
    """Spark's counts by group and residue."""
    from pyspark.sql import functions

    frame = read(spark, str(place))
    counted = frame.groupBy("area", functions.pmod(frame.amount, functions.lit(UNIT)).alias("residue")).count()
    counted.toArrow()


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("controlled_rounding.py", "Measures controlled rounding.")
    parser.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="of the table (default: 10000000)")
    return parser


def main(argv: Sequence[str]) -> int:
    """Makes the table, measures in turn, prints and saves."""
    given = arguments().parse_args(list(argv))
    if given.rows < GROUPS or given.rounds < 1:
        arguments().error(f"allowed: --rows {GROUPS} or more, --rounds 1 or more")
    load = os.getloadavg()[0]
    place = Place(given.folder.absolute() / "rounding", given.rows)
    source = place.source_zone / TABLE
    make(source, given.rows)
    from jobs.session import spark_session

    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])  # workers read the task's module
    with place.round() as at:
        spark = spark_session(at.environment, "benchmark")
    arms = {"controlled rounding": ours, "groupBy(group, x mod 10).count()": yardstick}
    taken: dict[str, list[float]] = {name: [] for name in arms}
    for number in range(given.rounds + 1):
        for name in list(arms) if number % 2 == 0 else list(arms)[::-1]:
            settle(spark)
            seconds, _ = timed(lambda run=arms[name]: run(spark, source))  # type: ignore[misc]
            taken[name].append(round(seconds, 3))
    first, second = (statistics.median(one[1:]) for one in taken.values())
    body = {
        "what": "controlled-rounding",
        "rows": given.rows,
        "groups": GROUPS,
        "machine": machine.facts(spark, load),
        "seconds": taken,
        "ratio": round(first / second, 3),
        "asked": ASKED,
    }
    report.save(given.results, "controlled-rounding", body)
    lines = [[name, " ".join(f"{one:.2f}" for one in all_[1:]), f"{all_[0]:.2f}"] for name, all_ in taken.items()]
    print(report.table([f"{given.rows:,} rows in {GROUPS:,} groups", "rounds, s", "first, s"], lines))
    print(f"ratio {body['ratio']}; asked: ≤ {ASKED}", flush=True)
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
