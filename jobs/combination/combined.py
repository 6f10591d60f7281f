"""Combined tables (결합정보) in the combining agency's space.

One for each user, and one more for each party with several rows of a subject. A series' table has a partition for each
round, which is replaced as a whole. They lie in the source zone: the further processing reads them as a plan's source.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, create_table_with_add_actions

from jobs.columns import type_problems
from jobs.environment import Environment
from jobs.errors import BadInput, Operational, Refused
from jobs.names import folder_name
from jobs.parquet import ROW_GROUP_BYTES, NewFile, write_batches
from jobs.storage import Location, private_folder, unique_name
from jobs.tables import NO_STATISTICS, delta_schema, exists, pinned
from transforms.combination.combining import ROUND
from transforms.combination.model import Combination

MOCK = "mock"
# A property of our own would cost a commit.
MARK = "mock combination (모의결합): for analysis here, never exported"
FOLDER = "combinations"


def table_name(combination: Combination, user: str, table: str = "", *, mock: bool = False) -> str:
    """A combined table's name within the source zone; `table` is the party of a table of its own."""
    name = f"{MOCK}-{user}" if mock else user
    return f"{FOLDER}/{folder_name(combination.combination)}/{name}" + (f"-{table}" if table else "")


def first_day(combination: Combination, round_: str) -> date | None:
    """What the column `round` says of a round; None without a series, whose tables have no such column."""
    period = combination.period(round_)
    return None if period is None else period.first


@dataclass(frozen=True)
class CombinedFiles:
    """Sink of tasks: writes a bucket's rows of one table as Parquet, under a name that no other attempt has.

    Columns of the schema that the rows lack (of a party that stayed out) are null.
    """

    places: Mapping[str, Location]
    schemas: Mapping[str, pa.Schema]
    folder: str

    def __call__(self, bucket: int, table: str, rows: pa.Table) -> Iterator[bytes]:
        rows = _filled(rows, self.schemas[table])
        size = max(1, ROW_GROUP_BYTES * rows.num_rows // max(1, rows.nbytes))
        folder = f"{self.folder}bucket-{bucket:05d}-{unique_name()}"
        batches = rows.to_batches(max_chunksize=size)
        for file in write_batches(self.places[table], folder, self.schemas[table], batches):
            yield json.dumps([table, bucket, file.path, file.size, file.rows]).encode()


def _filled(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    there = set(rows.schema.names)
    columns = [rows.column(one.name) if one.name in there else pa.nulls(len(rows), one.type) for one in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def files_of(outputs: Sequence[bytes]) -> dict[str, list[NewFile]]:
    """What the sink wrote, by table, in the order of the buckets."""
    found: dict[str, list[NewFile]] = {}
    for table, _, path, size, rows in sorted(json.loads(one) for one in outputs):
        found.setdefault(table, []).append(NewFile(path, size, rows))
    return found


def folder_of(day: date | None) -> str:
    """The folder of a round's files below its table."""
    return "" if day is None else f"{ROUND}={day.isoformat()}/"


def put_round(
    place: Location,
    schema: pa.Schema,
    files: Sequence[NewFile],
    day: date | None,
    told: Mapping[str, str],
    comments: Mapping[str, str] | None = None,
    description: str | None = None,
) -> int:
    """One commit: the round's files are these now, whatever they were; what they were is gone from the disk.

    Other rounds stay. Gives the table's version. Refused where another round stands there with other columns.
    """
    if problems := type_problems(schema, str(place)):
        raise BadInput("\n".join(problems))
    private_folder(place.local)
    values: dict[str, str | None] = {} if day is None else {ROUND: day.isoformat()}
    now = int(datetime.now(UTC).timestamp() * 1000)
    adds = [AddAction(file.path, file.size, values, now, True, file.stats) for file in files]
    whole = delta_schema(full_schema(schema, day), comments or {})
    properties = CommitProperties(custom_metadata=dict(told), max_commit_retries=0)
    there = opened(place)
    others = [] if there is None else [one for one in rounds_of(there) if one != values.get(ROUND)]
    try:
        if there is not None and others:
            _require_same(place, there, whole, others)
            removes = _removes(there, day, now)
            there.create_write_transaction(
                [*removes, *adds], "append", whole, partition_by=[ROUND], commit_properties=properties
            )
        else:
            create_table_with_add_actions(
                str(place),
                whole,
                adds,
                mode="error" if there is None else "overwrite",
                partition_by=list(values),
                description=description,
                configuration=NO_STATISTICS,
                commit_properties=properties,
            )
    except CommitFailedError:
        raise Operational(f"{place} was written by somebody else meanwhile; combine again") from None
    sweep(place)
    return DeltaTable(str(place)).version()


def drop_round(place: Location, day: date | None) -> int:
    """Destroys a round's rows (all, without a series): one commit, files and log entries gone; rows that were there.

    A table without any round left is removed whole.
    """
    there = opened(place)
    if there is None:
        place.delete()  # files of a killed attempt
        return 0
    mine = [one for one in _actions(there) if day is None or _of(one, day)]
    if len(mine) == len(_actions(there)):
        place.delete()
    else:
        now = int(datetime.now(UTC).timestamp() * 1000)
        schema = there.schema()
        there.create_write_transaction(
            list(_removes(there, day, now)), "append", schema, partition_by=[ROUND],
            commit_properties=CommitProperties(custom_metadata={"gamyeong.destroyed": str(day)}),
        )  # fmt: skip
        sweep(place)
    return sum(int(one["num_records"] or 0) for one in mine)


def table_names(combination: Combination, *, mock: bool = False) -> dict[str, str]:
    """Where all combined tables lie within the source zone, by name (`A`, `A-C`)."""
    names = [
        (one.user, party)
        for one in combination.outputs
        for party in ("", *(name for name in combination.suppliers if combination.parties[name].rows == "many"))
    ]
    return {f"{u}-{p}" if p else u: table_name(combination, u, p, mock=mock) for u, p in names}


def tables_of(environment: Environment, combination: Combination, *, mock: bool = False) -> dict[str, Location]:
    """All combined tables that lie in this agency's source zone, by name (`A`, `A-C`)."""
    zone = environment.zone("source")
    found = {name: zone / table for name, table in table_names(combination, mock=mock).items()}
    return {name: place for name, place in found.items() if place.exists()}


def destroy_combined(environment: Environment, combination: Combination, round_: str) -> dict[str, int]:
    """Destroys a round's combined tables; rows that were there, by table."""
    day = first_day(combination, round_)
    return {name: drop_round(place, day) for name, place in tables_of(environment, combination).items()}


def is_mock(place: Location) -> bool:
    """True for a table of a mock combination (모의결합)."""
    there = opened(place)
    return there is not None and there.metadata().description == MARK


def refuse_mock(place: Location) -> None:
    """Refused for a table of a mock combination: nothing of it leaves the agency (guideline L1442)."""
    if is_mock(place):
        raise Refused(
            f"{place} is of a mock combination, which nobody may export (guideline L1442); allowed: a round's"
        )


def opened(place: Location) -> DeltaTable | None:
    """The table at its newest version; None where there is none."""
    return DeltaTable(str(place)) if exists(place) else None


def full_schema(schema: pa.Schema, day: date | None) -> pa.Schema:
    """A table's columns as they are read: a series' with its round."""
    return schema if day is None else schema.append(pa.field(ROUND, pa.date32(), nullable=True))


def rounds_of(table: DeltaTable) -> list[str | None]:
    """The rounds (first days) that have rows in a table; None stands for a table without a series."""
    return sorted({_day(one) for one in _actions(table)}, key=str)


def sweep(place: Location) -> None:
    """Removes files of replaced rounds and of killed attempts. By hand: Delta's vacuum would add two commits."""
    filesystem, root = place.filesystem()
    held = {f"{root}/{file.path}" for file in pinned(place).files}
    below = filesystem.get_file_info(pafs.FileSelector(root, recursive=True))
    ours = [one for one in below if not one.path.startswith(f"{root}/_delta_log")]
    for one in ours:
        if one.type == pafs.FileType.File and one.path not in held:
            filesystem.delete_file(one.path)
    for one in ours:
        if one.type == pafs.FileType.Directory and not any(path.startswith(f"{one.path}/") for path in held):
            shutil.rmtree(one.path, ignore_errors=True)


def _actions(table: DeltaTable) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return rows


def _day(action: Mapping[str, Any]) -> str | None:
    value = action.get(f"partition.{ROUND}")
    return None if value is None else str(value)


def _of(action: Mapping[str, Any], day: date) -> bool:
    return _day(action) == day.isoformat()


def _removes(table: DeltaTable, day: date | None, now: int) -> Iterator[RemoveAction]:
    for one in _actions(table):
        if day is None or _of(one, day):
            values: dict[str, str | None] = {} if day is None else {ROUND: day.isoformat()}
            yield RemoveAction(one["path"], True, now, one["size_bytes"], values)


def _require_same(place: Location, there: DeltaTable, wanted: Schema, others: Sequence[str | None]) -> None:
    def shape(schema: Schema) -> list[tuple[str, str]]:
        return [(field.name, field.type.to_json()) for field in schema.fields]

    if shape(there.schema()) != shape(wanted):
        raise Refused(
            f"{place} holds the round(s) of {', '.join(map(str, others))} with other columns than this one has; "
            "allowed: `gamyeong combination close` of those rounds first, which destroys them here"
        )
