"""`gamyeong generate retail`: the guideline's retail customers into the source zone."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
from collections.abc import Sequence
from typing import Any

from jobs import retail
from jobs.errors import BadInput
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.parquet import NewFile, ParquetSink
from jobs.session import spark_session
from jobs.tables import commit_files, exists, last_commit
from jobs.targets import Mode, Target, recorded, source_table
from jobs.units import Unit, over_units

MARK = "gamyeong.generated"
ROW_GROUP_BYTES = 100 * 2**20
CHUNKS_IN_FILE = 24


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("kind", choices=["retail"], help="what to make")
    parser.add_argument("--customers", type=int, default=82_000, metavar="N", help="rows (default: 82000)")
    parser.add_argument("--table", default="retail/customers", help="name in the source zone")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other customers (default: 1)")
    parser.add_argument("--replace", action="store_true", help="put it in place of a table that lies there")


def body(context: Context) -> Outcome:
    """Makes the table, or finds it made already by the same arguments."""
    asked = context.arguments
    if asked.customers < retail.PLANTED:
        raise BadInput(f"--customers {asked.customers}; allowed: {retail.PLANTED} or more")
    if asked.seed < 0:
        raise BadInput(f"--seed {asked.seed}; allowed: 0 or more")
    mark = {"kind": "retail", "customers": asked.customers, "seed": asked.seed}
    with source_table(context.environment, asked.table) as target:
        location = target.location
        there = exists(location)
        made = there and last_commit(location).get(MARK) == json.dumps(mark)
        if there and not made and not asked.replace:
            raise BadInput(
                f"another table lies at {location}; allowed: another --table, or --replace to put this one"
                " in its place"
            )
        if not made:
            _make(context, target, mark)
        summary = recorded(context.environment, "generate", asked.table, location, mark)
    text = f"{asked.table}: {summary['rows']:,} rows, {summary['columns']} columns"
    return Outcome({**summary, "made": not made}, text=text if not made else f"{text}; was made already")


def _make(context: Context, target: Target, mark: dict[str, Any]) -> None:
    regions = retail.districts()
    chunks = retail.Retail(mark["customers"], mark["seed"], regions).chunks
    per_file = max(1, min(CHUNKS_IN_FILE, -(-chunks // 4)))
    location, folder = target.location, target.folder
    units = [{"first": first, "last": min(first + per_file, chunks)} for first in range(0, chunks, per_file)]
    customers, seed = mark["customers"], mark["seed"]

    def task(unit: Unit) -> Unit:
        table = retail.Retail(customers, seed, regions)
        with ParquetSink(location, folder, retail.schema(), row_group_bytes=ROW_GROUP_BYTES) as sink:
            for number in range(unit["first"], unit["last"]):
                sink.write(table.chunk(number))
            return {"files": [[file.path, file.size, file.rows] for file in sink.close()]}

    spark = spark_session(context.environment, f"generate retail {customers}")
    done = over_units(spark, context.progress, f"generate retail: {customers:,} customers", units, task)
    files = [NewFile(*file) for result in done for file in result["files"]]
    mode: Mode = "replace" if exists(location) else "create"
    commit_files(location, retail.schema(), files, mode=mode, commit={MARK: json.dumps(mark)})


def main(argv: Sequence[str]) -> int:
    """Writes the table; the same arguments again change nothing. Exit 2 where another table lies there."""
    return run_job(
        argv,
        name="generate",
        about="Makes the guideline's retail case (appendix 2): customers x 222 columns, in the source zone.",
        body=body,
        arguments=arguments,
        writes=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
