"""Measures cryptographic techniques: `python tests/benchmarks/crypto.py --rows 1000000 --rounds 3`.

Values a second and core, and a table of 50 columns, twenty of them encrypted, against Spark's plain copy of it.
Nothing is asserted about time.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from benchmarks import crypto_values, machine, report, spark_copy
from benchmarks.arguments import command
from benchmarks.chain import QUIET
from benchmarks.places import Place
from benchmarks.timing import settle, timed
from jobs.leaving import leave
from jobs.pseudonymization import pseudonymize
from jobs.storage import Location, private_folder, unique_name
from jobs.tables import NO_STATISTICS, exists

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TABLE = "mixed/people"
ASKED = 0.5
# Rows made at a time.
PART = 250_000
ENCRYPTED: tuple[Any, ...] = (
    *[{"format-preserving-encryption": {}}] * 5,
    *["keyed-token"] * 6,
    *["two-way-encryption"] * 3,
    *[{"two-way-encryption": {"output": "binary"}}] * 3,
    {"two-way-encryption": {"algorithm": "aes-gcm", "output": "binary"}},
    {"format-preserving-encryption": {"keep_first": 3}},
    "one-way-hash",
)
AMOUNTS: tuple[Any, ...] = (
    [{"top-coding": {"quantile": 0.999}}, {"rounding": {"unit": 10_000, "direction": "half-down"}}],
    {"rounding": {"unit": 1_000, "direction": "up"}},
    {"data-range": {"width": 100_000}},
    "keep",
)
TEXTS: tuple[Any, ...] = ({"partial-suppression": {"words": 2}}, {"masking": {"first": 1}}, "keep")
OTHERS = 30


ARMS = ("pseudonymize", "kept", "copy")


def plan(*, kept: bool = False) -> dict[str, Any]:
    """50 delivered columns: twenty encrypted ones (phones of 11 digits), twenty amounts, ten addresses; or all kept."""
    columns: dict[str, Any] = {
        f"phone_{number}": {"kind": "identifier", "apply": step} for number, step in enumerate(ENCRYPTED)
    }
    for number in range(OTHERS):
        steps = AMOUNTS if number % 3 else TEXTS
        name = f"amount_{number}" if number % 3 else f"address_{number}"
        columns[name] = {"kind": "attribute", "apply": steps[number // 3 % len(steps)]}
    if kept:
        columns = {name: {"kind": "attribute", "apply": "keep"} for name in columns}
    return {
        "format": 1,
        "plan": "mixed",
        "application": {"number": "1"},
        "purpose": {"kind": "statistics", "statement": "시군구별 연령대별 소비액 통계작성", "legal_basis": "제28조의2"},
        "use": {
            "form": "internal-other-department", "recipient": "r", "place": "closed",
            "from": "2026-01-01", "until": "2098-12-31",
        },
        "source": {"table": TABLE, "row_key": ["id"]},
        "excluded": ["id"],
        "columns": columns,
        "additional_information": {"destroy": "approved"},
        "output": {"table": "people"},
    }  # fmt: skip


def make(place: Path, rows: int) -> None:
    """The source, once: distinct phones, skewed amounts, addresses of 200 districts."""
    if exists(Location.of(place)):
        return
    for first in range(0, rows, PART):
        count = min(PART, rows - first)
        draw = np.random.Generator(np.random.PCG64([7, first]))
        columns: dict[str, Any] = {"id": pa.array(np.arange(first, first + count))}
        for name in plan()["columns"]:
            if name.startswith("phone"):
                columns[name] = crypto_values.phones(count, first + 31 * int(name[6:]))
            elif name.startswith("amount"):
                columns[name] = pa.array((draw.lognormal(11, 1.2, count) // 10 * 10).astype(np.int64))
            else:
                towns = pa.array([f"서울시 {town}구 길 {town * 7}" for town in range(200)])
                columns[name] = towns.take(pa.array(draw.integers(0, 200, count)))
        write_deltalake(str(place), pa.table(columns), mode="append", configuration=dict(NO_STATISTICS))


def compare(spark: SparkSession, place: Place, rounds: int) -> dict[str, Any]:
    """Seconds of the whole job, of the same with all columns kept, and of Spark's copy, in turn, after a first round.

    The techniques' cost is what the job takes longer than with all columns kept.
    """
    source = place.source_zone / TABLE
    seconds: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for number in range(rounds + 1):
        for arm in ARMS[number % 3 :] + ARMS[: number % 3]:
            settle(spark)
            taken = _copy(spark, place, source) if arm == "copy" else _job(place, kept=arm == "kept")
            seconds[arm].append(round(taken, 3))
            print(f"{'first' if number == 0 else f'round {number}'}: {arm} {taken:.2f} s", file=sys.stderr, flush=True)
    medians = {arm: statistics.median(taken[1:]) for arm, taken in seconds.items()}
    cost = (medians["pseudonymize"] - medians["kept"]) / medians["copy"]
    whole = medians["pseudonymize"] / medians["copy"]
    return {
        "seconds": seconds,
        "techniques": {"ratio": round(cost, 4), "reached": cost <= ASKED},
        "whole job": {"ratio": round(whole, 4), "reached": whole <= ASKED},
        "asked": ASKED,
    }


def _job(place: Place, *, kept: bool) -> float:
    with place.round() as at:
        file = at.folder / "plan.yaml"
        file.write_text(json.dumps(plan(kept=kept), ensure_ascii=False), encoding="utf-8")
        taken, done = timed(lambda: pseudonymize(at.environment, file, QUIET))
        assert done.state == "staged", done.state
    return taken


def _copy(spark: SparkSession, place: Place, source: Path) -> float:
    target = private_folder(place.folder / "rounds") / unique_name()
    try:
        return timed(lambda: spark_copy.copy(spark, source, target))[0]
    finally:
        shutil.rmtree(target, ignore_errors=True)


def text_of(body: dict[str, Any]) -> str:
    """Tables of the result."""
    values = body["values"]
    head_of_values = ["million values a second and core", "alone", "in Spark's tasks", "… with reading"]
    head_of_values += ["library, in a UDF", "… with reading", "times", "asked"]
    rows = []
    for name in crypto_values.STEPS:
        ours, library = values["in_tasks"][name], values["library"][name]
        figures = [values["alone"][name], ours["technique"], ours["task"]]
        line = [f"{one:.1f}" for one in figures] + [f"{library[one]:.2f}" for one in ("technique", "task")]
        rows.append([name, *line, f"{ours['technique'] / library['technique']:.0f}", "≥ 8, ≥ 20 times"])
    mixed = body["mixed"]
    times = [
        [arm, " ".join(f"{one:.2f}" for one in taken[1:]), f"{taken[0]:.2f}"] for arm, taken in mixed["seconds"].items()
    ]
    ratios = f"(pseudonymize - kept) / copy {mixed['techniques']['ratio']:.3f}"
    ratios += f", pseudonymize / copy {mixed['whole job']['ratio']:.3f}; asked: ≤ {ASKED}"
    head = [f"{body['rows']:,} rows × 50 columns, 20 of them encrypted", "rounds, s", "first, s"]
    return "\n\n".join([report.table(head_of_values, rows), report.table(head, times), ratios])


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("crypto.py", "Measures encryption.")
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N", help="of the table (default: 1000000)")
    return parser


def main(argv: Sequence[str]) -> int:
    """Makes the table, measures, prints and saves."""
    given = arguments().parse_args(list(argv))
    if given.rows < 1000 or given.rounds < 1:
        arguments().error("allowed: --rows 1000 or more, --rounds 1 or more")
    load = os.getloadavg()[0]
    # Workers must find our task, which lies beside this file.
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])
    place = Place(given.folder.absolute() / "mixed", given.rows)
    make(place.source_zone / TABLE, given.rows)
    pa.set_cpu_count(1)
    alone = crypto_values.alone(crypto_values.phones(min(given.rows, crypto_values.LOCAL_ROWS)))
    from jobs.session import spark_session

    with place.round() as at:
        spark = spark_session(at.environment, "benchmark")
    source = place.source_zone / TABLE
    body = {
        "what": "crypto",
        "rows": given.rows,
        "machine": machine.facts(spark, load),
        "mixed": compare(spark, place, given.rounds),
        "values": {
            "alone": alone,
            "in_tasks": {name: asdict(one) for name, one in crypto_values.in_tasks(spark, source).items()},
            "library": {name: asdict(one) for name, one in crypto_values.by_library(spark, source).items()},
        },
    }
    report.save(given.results, "crypto", body)
    print(text_of(body), flush=True)
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
