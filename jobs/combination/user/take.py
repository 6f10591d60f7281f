"""`take`: a user takes an exported round into its published zone: one Delta table, a period for each round."""

from __future__ import annotations

import json

import pyarrow as pa

from jobs.combination.engines import engine_of, failed
from jobs.combination.packages import Package
from jobs.combination.step import Call, Step
from jobs.combination.user.released import PutRows, Received, put_period, taken_already
from jobs.errors import Waiting
from jobs.incidents.halted import require_going
from jobs.job import Outcome
from jobs.locks import exclusive
from jobs.names import folder_name
from jobs.parquet import NewFile
from jobs.publishing import output_lock
from transforms.pipeline.engine import PassFailed


def body(call: Call) -> Outcome:
    """Opens the newest package in tasks and commits each of its tables; the same package again changes nothing."""
    agency = call.combination.roles.combining_agency
    package = call.received("export", agency)
    if package is None:
        raise Waiting(f"round {call.round.name} waits for the export of {agency} (`export`)")
    lines, rows = [], 0
    for label in package.manifest.labels:
        one = _of(call, package, label)
        with exclusive(output_lock(call.environment, one.place), f"the output {one.place}"):
            require_going(call.environment, _output(call, label))
            already = taken_already(one)
            if not already:
                put_period(one, _files(call, package, one, label), str(package.content["run"]))
        rows += (count := _rows(package, label))
        lines.append(f"{one.place}: {count} rows of round {call.round.name}{' (taken already)' if already else ''}")
    revision = package.manifest.address.revision
    told = {"run": package.content["run"], "rows": rows, "tables": list(package.manifest.labels)}
    call.round.record("take", told, revision)
    return Outcome({"rows": rows, "revision": revision, "tables": told["tables"]}, text="\n".join(lines))


def _of(call: Call, package: Package, label: str) -> Received:
    table = package.content["tables"][label]
    return Received(
        place=call.environment.zone("published") / _output(call, label),
        schema=pa.schema([pa.field(one.name, one.type) for one in package.schema(label)]),
        period=None if call.combination.series is None else call.round.name,
        application=f"gamyeong:{call.combination.combination}/{call.round.name}/{call.me}",
        revision=package.manifest.address.revision,
        comments=table["comments"],
        description=table["description"],
    )


def _output(call: Call, label: str) -> str:
    """The table's place below the published zone."""
    return f"{folder_name(call.combination.combination)}/{folder_name(label)}"


def _rows(package: Package, label: str) -> int:
    return sum(file.rows for file in package.manifest.files if file.label == label)


def _files(call: Call, package: Package, one: Received, label: str) -> list[NewFile]:
    name = f"take {call.combination.combination} {call.round.name} {label}"
    engine = engine_of(call.environment, package.units(label), _rows(package, label), name, call.progress)
    try:
        found = [json.loads(blob) for blob in engine.each(PutRows(one), "take in")]
    except PassFailed as error:
        raise failed(error) from None
    return [NewFile(path, size, rows) for path, size, rows in sorted(found)]


STEP = Step(
    "take",
    "takes an exported round into the user's Delta table, as a period of it",
    "user",
    body,
    reads=("keys",),
    writes=("published", "evidence"),
)
