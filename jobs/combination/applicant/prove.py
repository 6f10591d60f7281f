"""`prove`: this party's key making on public vectors (결합키 생성 협의), before real data is touched.

The keys go to the key agency, which hands the salt over only where they are right. `--table` proves the way of the
data too: the public vectors, written by `--write`, taken through the party's own system and ingested from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv

from jobs.combination.step import Call, Step
from jobs.errors import BadInput, DataFailed
from jobs.job import Outcome
from jobs.storage import write_atomically
from jobs.tables import Snapshot, pinned
from transforms.combination.canonical import EXPLAINED, check_type
from transforms.combination.key_vectors import NUMBER, difference, fingerprint, made_keys, numbers, vector_table
from transforms.errors import TechniqueError
from transforms.pipeline.feed import pack_units

MOST_ROWS = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--write", type=Path, metavar="FILE", help="writes the public vectors as CSV, and nothing else")
    one.add_argument("--table", metavar="NAME", help="a table of the source zone with these vectors, for the whole way")


def body(call: Call) -> Outcome:
    """Sends the keys of the public vectors, where they are right."""
    spec = call.combination.key
    if call.arguments.write is not None:
        return _written(call)
    table = vector_table(spec) if call.arguments.table is None else _held(call)
    keys, inputs = made_keys(spec, [table.column(column.name).combine_chunks() for column in spec.columns])
    wrong = difference(spec, keys)
    if wrong is not None:
        faults = [
            f"key column {name}: {count} cells {EXPLAINED[fault]}" for (name, fault), count in inputs.faults.items()
        ]
        raise DataFailed("\n".join([f"{call.me} does not make the combination's keys: {wrong}", *faults]))
    package = call.draft("proof", call.combination.roles.key_agency)
    proof = fingerprint(spec)
    package.finish(content={"vectors": proof, "keys": keys})
    call.round.record("prove", {"vectors": proof}, call.revision)
    text = f"round {call.round.name}, {call.me}: keys of {len(keys)} public vectors are right, and sent"
    return Outcome({"vectors": len(keys), "state": "proved"}, text=text)


def _written(call: Call) -> Outcome:
    path, spec = call.arguments.write, call.combination.key
    sink = pa.BufferOutputStream()
    csv.write_csv(vector_table(spec), sink)
    content = sink.getvalue().to_pybytes().decode("utf-8").encode(spec.encoding)
    write_atomically(path, content)
    text = f"{path}: {len(numbers(spec))} public vectors in {spec.encoding}; take them through your own system, then"
    return Outcome({"file": str(path)}, text=f"{text} `gamyeong ingest` them and `prove --table NAME`")


def _held(call: Call) -> pa.Table:
    """The vectors as they lie in the source zone, in their order; BadInput where the table is another."""
    spec, name = call.combination.key, call.arguments.table
    snapshot = pinned(call.environment.zone("source") / name)
    needed = [NUMBER, *(column.name for column in spec.columns)]
    problems = [f"no column {one!r}" for one in needed if one not in snapshot.schema.names]
    for column in spec.columns:
        if column.name in snapshot.schema.names:
            try:
                check_type(column, snapshot.schema.field(column.name).type)
            except TechniqueError as error:
                problems.append(str(error))
    if not problems and (snapshot.rows or 0) > MOST_ROWS:
        problems.append(f"{snapshot.rows} rows")
    if not problems:
        table = _read(snapshot, needed).sort_by(NUMBER)
        if table.column(NUMBER).cast(pa.string()).to_pylist() == [str(number) for number in numbers(spec)]:
            return table
        problems.append("other vectors than `prove --write` writes")
    raise BadInput(
        f"{name}: {'; '.join(problems)}; allowed: the table of the public vectors, ingested from what `prove --write` "
        "wrote"
    )


def _read(snapshot: Snapshot, names: list[str]) -> pa.Table:
    schema = pa.schema([snapshot.schema.field(name) for name in names]).remove_metadata()
    files = [file.source for file in snapshot.files]
    batches = [batch for unit in pack_units(files, schema, 1) for batch in unit.batches(names)] if files else []
    return pa.Table.from_batches(batches, schema)


STEP = Step(
    "prove",
    "proves this party's key making on public vectors to the key agency",
    "applicant",
    body,
    reads=("source",),
    writes=("keys", "evidence"),
    arguments=arguments,
)
