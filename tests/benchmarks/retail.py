"""Measures the retail case: `python tests/benchmarks/retail.py --customers 2000000 --rounds 3`.

Nothing is asserted about time. What it measures, and how, stands in the README beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

from benchmarks import growth, machine, memory, report, same_work
from benchmarks.arguments import command
from benchmarks.compare import ARMS, compare
from benchmarks.places import Place
from benchmarks.timing import timed
from jobs.leaving import leave

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PARTS = ("same-work", *ARMS, "growth", "memory")
GROWTH_SIZES = (100_000, 400_000, 1_600_000)
MEMORY_SIZES = (400_000, 1_600_000)
MEMORY_ASKED = 1.3
# in a smaller table too many classes are rare: the plan's outlier limits refuse it
LEAST_CUSTOMERS = 50_000
COLUMNS = 222


def arguments() -> argparse.ArgumentParser:
    """The command's arguments."""
    parser = command("retail.py", "Measures the retail case.")
    parser.add_argument("--customers", type=int, default=2_000_000, metavar="N", help="rows (default: 2000000)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--profile", action="store_true", help="show where our jobs' time goes in the last round")
    parser.add_argument("--growth-sizes", type=int, nargs="+", default=list(GROWTH_SIZES), metavar="N")
    parser.add_argument("--memory-sizes", type=int, nargs=2, default=list(MEMORY_SIZES), metavar="N")
    return parser


def main(argv: Sequence[str]) -> int:
    """Measures the parts one after another; each is shown and saved as soon as it is done."""
    given = arguments().parse_args(list(argv))
    if given.rounds < 1:
        arguments().error("--rounds: allowed: 1 or more")
    if min(given.customers, *given.growth_sizes, *given.memory_sizes) < LEAST_CUSTOMERS:
        arguments().error(f"sizes: allowed: {LEAST_CUSTOMERS} or more; the plan refuses smaller tables")
    if len(set(given.growth_sizes)) < 2:
        arguments().error("--growth-sizes: allowed: two different sizes or more")
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    load = os.getloadavg()[0]
    given.folder = given.folder.absolute()
    for place in _places(given):
        place.generate()
    if "memory" in given.only:  # before this process has a session of its own
        peaks = {str(size): memory.in_own_process(given.folder, size) for size in given.memory_sizes}
    seconds, spark = timed(lambda: _session(given))
    facts = machine.facts(spark, load)
    parts: list[dict[str, Any]] = []
    if arms := [one for one in ARMS if one in given.only]:
        parts.append(_done(given, _comparison(spark, given, arms, facts, seconds)))
    if "growth" in given.only:
        jobs = growth.measure(spark, given.folder, given.growth_sizes, given.rounds, _say)
        parts.append(_done(given, {"what": "growth", "machine": facts, "jobs": jobs}))
    if "memory" in given.only:
        parts.append(_done(given, {"what": "memory", "machine": facts, "asked": MEMORY_ASKED, "peaks": peaks}))
    if "same-work" in given.only:
        found = same_work.same_work(spark, Place(given.folder, same_work.CUSTOMERS))
        parts.append(_done(given, {"what": "same-work", "machine": facts, **found}))
    print("\n\n".join(report.text_of(one) for one in parts), flush=True)
    if given.results.resolve() == report.RESULTS:
        report.write_readme()
    return 0


def _places(given: argparse.Namespace) -> list[Place]:
    sizes: set[int] = set()
    if any(one in ARMS for one in given.only):
        sizes.add(given.customers)
    if "growth" in given.only:
        sizes |= set(given.growth_sizes)
    if "memory" in given.only:
        sizes |= set(given.memory_sizes)
    if "same-work" in given.only:
        sizes.add(same_work.CUSTOMERS)
    return [Place(given.folder, size) for size in sorted(sizes)]


def _session(given: argparse.Namespace) -> SparkSession:
    """The one session of the measurement: it has done nothing yet."""
    from jobs.session import spark_session

    with Place(given.folder, given.customers).round() as at:
        return spark_session(at.environment, "benchmark")


def _comparison(
    spark: SparkSession, given: argparse.Namespace, arms: list[str], facts: dict[str, Any], start: float
) -> dict[str, Any]:
    found = compare(spark, Place(given.folder, given.customers), given.rounds, arms, _say, given.profile)
    body = {
        "what": "comparison",
        "customers": given.customers,
        "columns": COLUMNS,
        "machine": facts,
        "seconds": {
            "session_start": round(start, 3),
            "first": {arm: round(taken, 3) for arm, taken in found.first.items()},
            "rounds": {arm: [round(one[arm], 3) for one in found.rounds] for arm in found.first},
            "median": {arm: round(found.median(arm) or 0.0, 3) for arm in found.first},
        },
        "ratios": found.ratios(),
    }
    return body | found.details


def _done(given: argparse.Namespace, body: dict[str, Any]) -> dict[str, Any]:
    name = f"retail-{body['customers']}" if body["what"] == "comparison" else body["what"]
    report.save(given.results, name, body)
    return body


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
