"""Staging to published: files are copied and hashed, then one Delta commit per table shows them all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import (
    AddAction,
    CommitProperties,
    RemoveAction,
    Transaction,
    create_table_with_add_actions,
)

from jobs.clock import stamp
from jobs.destruction import DESTROYED
from jobs.errors import Operational, Refused
from jobs.ledger import Entry
from jobs.manifest import CHUNK, THREADS, ManifestFile, TableManifest, carried, staged_log
from jobs.names import folder_name
from jobs.runs import PERIOD_COLUMN, RunRecord
from jobs.storage import Location
from jobs.tables import FILE_FEATURES

# Features that hide no row; the second comes with the first where delta-rs makes a table.
HARMLESS = FILE_FEATURES | {"variantType"}
PERIOD_COMMENT = "기간 (period of the release)"
# the log outlives what it names, so a release can always be found again by its run
CONFIGURATION = {
    "delta.dataSkippingNumIndexedCols": "0",
    "delta.enableDeletionVectors": "false",
    "delta.logRetentionDuration": "interval 36500 days",
}


@dataclass(frozen=True)
class Published:
    """One table's commit of a run: where, which version, when (ISO 8601, UTC), and how many rows."""

    name: str
    place: str
    version: int
    at: str
    rows: int


def open_table(place: Location) -> DeltaTable | None:
    """The published table, or None where nothing is published yet."""
    try:
        return DeltaTable(str(place), storage_options=_options(place))
    except TableNotFoundError:
        return None
    except (DeltaError, OSError):
        raise Operational(f"the published table {place} can't be read") from None


def commit_of(place: Location, name: str, run: str) -> Published | None:
    """The commit by which a run published its table here, or None; found in the table's own log."""
    table = open_table(place)
    if table is None or table.transaction_version(_application(run)) is None:
        return None
    for commit in table.history():
        if commit.get("gamyeong.run") == run:
            return Published(name, str(place), commit["version"], _at(commit), int(commit["gamyeong.rows"]))
    raise Operational(f"{place} knows run {run}, but its log does not hold the commit any more")


@dataclass(frozen=True)
class Commit:
    """What a table's own log tells of one release: the table's id, run, period, rows, when."""

    table: str
    run: str
    period: str | None
    rows: int
    at: str


def commits(output: Location) -> list[Commit]:
    """The releases that the log of an output's table (or of each, right below it) tells of, the newest first."""
    return [
        Commit(
            str(table.metadata().id),
            one["gamyeong.run"],
            one.get("gamyeong.period") or None,
            int(one["gamyeong.rows"]),
            _at(one),
        )
        for table in open_tables(output)
        for one in table.history()
        if "gamyeong.run" in one and "gamyeong.rows" in one  # what a user took or a round wrote is no release of ours
    ]


def unentered(found: Iterable[Commit], entries: Iterable[Entry]) -> list[Commit]:
    """Those that the ledger knows nothing of: their publish was killed after its commit."""
    known = {entry.content()["run"] for entry in entries if entry.type in ("publish", DESTROYED)}
    return [one for one in found if one.run not in known]


def open_tables(output: Location) -> list[DeltaTable]:
    """The table at an output's place, or those right below it."""
    filesystem, root = output.filesystem()
    below = filesystem.get_file_info(pafs.FileSelector(root, allow_not_found=True))
    names = sorted(one.base_name for one in below if one.type == pafs.FileType.Directory)
    found = [open_table(output), *(open_table(output / name) for name in names)]
    return [table for table in found if table is not None]


def _at(commit: Mapping[str, Any]) -> str:
    return stamp(datetime.fromtimestamp(commit["timestamp"] / 1000, UTC))


def data_folder(period: str | None) -> str:
    """Where a release's files lie in its table: `period=2026-10/`, as Polars finds a period by the path alone."""
    return f"{PERIOD_COLUMN}={folder_name(period)}/" if period else ""


def copy_files(
    source: Location, target: Location, table: TableManifest, record: RunRecord
) -> dict[str, str]:
    """Copies a staged table's files and gives back their new names by their old ones.

    Each is hashed on the way: Refused if one differs from the manifest, or the staged log does. Names
    depend on run and manifest alone: a second attempt replaces the first, and `sweep` knows them.
    """
    _check_log(source, table)
    below = data_folder(record.period)
    filesystem, folder = (target / below if below else target).filesystem()
    filesystem.create_dir(folder, recursive=True)
    names = {
        file.path: f"{below}part-{place:05d}-{record.run}.parquet" for place, file in enumerate(table.files)
    }

    def copied(file: ManifestFile) -> str | None:
        return None if _copy(source / file.path, target / names[file.path]) == file.sha256 else file.path

    with ThreadPoolExecutor(THREADS) as pool:
        altered = [path for path in pool.map(copied, table.files) if path]
    if altered:
        raise Refused(f"staged table {table.name}: altered after the review: {', '.join(altered)}")
    return names


def sweep(target: Location, zone: Location, record: RunRecord) -> None:
    """Removes the copies of a run that has not committed here, and the folders that hold nothing else."""
    below = data_folder(record.period)
    filesystem, folder = (target / below if below else target).filesystem()
    for file in filesystem.get_file_info(pafs.FileSelector(folder, allow_not_found=True)):
        if file.base_name.startswith("part-") and file.base_name.endswith(f"-{record.run}.parquet"):
            filesystem.delete_file(file.path)
    _, end = zone.filesystem()
    while len(folder) > len(end) and not filesystem.get_file_info(
        pafs.FileSelector(folder, allow_not_found=True)
    ):
        if filesystem.get_file_info(folder).type == pafs.FileType.Directory:
            filesystem.delete_dir(folder)
        folder = folder.rpartition("/")[0]


def commit(
    source: Location,
    target: Location,
    record: RunRecord,
    table: TableManifest,
    names: Mapping[str, str],
    metadata: Mapping[str, str],
) -> None:
    """Shows the copied files in one Delta commit.

    A run with a period replaces that period's files alone, a run without one all that was there.
    Refused if the table there has other columns or another way of periods; nothing is written then.
    """
    staged, _ = staged_log(source, table.version)
    schema, partition = _schema(staged, record), [PERIOD_COLUMN] if record.period else []
    values: dict[str, str | None] = {PERIOD_COLUMN: record.period} if record.period else {}
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    adds = [
        AddAction(names[f.path], f.size, values, milliseconds, True, json.dumps({"numRecords": f.rows}))
        for f in table.files
    ]
    properties = CommitProperties(
        custom_metadata={**metadata, "gamyeong.run": record.run, "gamyeong.rows": str(table.rows)},
        app_transactions=[Transaction(_application(record.run), 1, milliseconds)],
        max_commit_retries=0,
    )
    there = open_table(target)
    try:
        if there is not None and record.period:
            removes = of_period(there, record.period, milliseconds)
            there.create_write_transaction(
                [*removes, *adds], "append", schema, partition_by=partition, commit_properties=properties
            )
        else:
            create_table_with_add_actions(
                str(target),
                schema,
                adds,
                mode="error" if there is None else "overwrite",
                partition_by=partition,
                description=staged.metadata().description,
                configuration=CONFIGURATION,
                storage_options=_options(target),
                commit_properties=properties,
            )
    except CommitFailedError:
        raise Operational(f"{target} was written by somebody else meanwhile; publish again") from None


def check_fits(source: Location, target: Location, record: RunRecord, table: TableManifest) -> None:
    """Refused if a run with a period can't join the table that is published there, or the other way round."""
    staged, _ = staged_log(source, table.version)
    if record.period and PERIOD_COLUMN in [field.name for field in staged.schema().fields]:
        raise Refused(
            f"staged table {table.name} has a column {PERIOD_COLUMN}, which the published table of a plan "
            "with periods gets by itself; allowed: another name for that column"
        )
    there = open_table(target)
    if there is None:
        return
    if bool(there.metadata().partition_columns) != bool(record.period):
        held = "periods" if there.metadata().partition_columns else "one whole release"
        raise Refused(
            f"{target} holds {held}, and this run has {'a' if record.period else 'no'} period; allowed: "
            "another output name"
        )
    if record.period and _shape(_schema(staged, record)) != _shape(there.schema()):
        raise Refused(
            f"{target}: its earlier periods have other columns than this run; allowed: the same columns and "
            "types in the same order, or another output name"
        )


def check_place(output: Location, record: RunRecord) -> None:
    """Refused if the output holds one table and the run several, or the other way round.

    The tables of a release stand in the output's folder: in or around a table that stands there itself, they would be
    taken for leftovers of it.
    """
    several = len(record.tables) > 1
    filesystem, path = output.filesystem()
    below = filesystem.get_file_info(pafs.FileSelector(path, allow_not_found=True))
    folders = [one.path for one in below if one.type == pafs.FileType.Directory]
    tables = [one for one in folders if filesystem.get_file_info(f"{one}/_delta_log").type == pafs.FileType.Directory]
    if open_table(output) is not None if several else bool(tables):
        held, wanted = ("one table", "several") if several else ("several tables", "one")
        raise Refused(f"{output} holds {held}, and this run publishes {wanted}; allowed: another output name")


def tidy(target: Location, table: TableManifest, run: str) -> None:
    """Brings a published table's properties up to date and removes what no current row lies in.

    So neither a replaced release nor the copies of a killed attempt stay behind. The properties are those
    of the run that committed last.
    """
    there = open_table(target)
    if there is None:
        return
    runs = (commit.get("gamyeong.run") for commit in there.history())
    if next(filter(None, runs), None) == run and carried(there) != dict(table.properties):
        there.alter.set_table_properties(dict(table.properties), raise_if_not_exists=False)
    if there.vacuum(0, dry_run=True, enforce_retention_duration=False, full=True):
        there.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)


def hides_rows(protocol: Any) -> bool:
    """Does a table's protocol let files hold other rows or columns than its log tells (deletion vectors, mapping)?

    Times without a zone are a feature, too.
    """
    features = protocol.reader_features or ()
    return protocol.min_reader_version > 1 and (not features or bool(set(features) - HARMLESS))


def _application(run: str) -> str:
    return f"gamyeong:{run}"


def _options(place: Location) -> dict[str, str] | None:
    return dict(place.options.deltalake) or None


def _check_log(source: Location, table: TableManifest) -> None:
    staged, files = staged_log(source, table.version)
    protocol, metadata = staged.protocol(), staged.metadata()
    found = {path: (row["size_bytes"], row["num_records"]) for path, row in files.items()}
    wrong = [
        text
        for text, bad in (
            ("another table id", str(metadata.id) != table.id),
            ("another schema", json.loads(staged.schema().to_json()) != table.schema),
            ("other properties", carried(staged) != dict(table.properties)),
            ("other files", found != {file.path: (file.size, file.rows) for file in table.files}),
            ("reader features", hides_rows(protocol)),
            ("partition columns", bool(metadata.partition_columns)),
        )
        if bad
    ]
    if wrong:
        raise Refused(f"staged table {table.name}: not what was reviewed: {', '.join(wrong)}")


def _copy(source: Location, target: Location) -> str:
    read_from, source_path = source.filesystem()
    write_to, target_path = target.filesystem()
    digest = hashlib.sha256()
    try:
        incoming = read_from.open_input_stream(source_path)
        with incoming, write_to.open_output_stream(target_path) as outgoing:
            while chunk := incoming.read(CHUNK):
                digest.update(chunk)
                outgoing.write(chunk)
    except FileNotFoundError:
        return "missing"
    return digest.hexdigest()


def _schema(staged: DeltaTable, record: RunRecord) -> Schema:
    schema = staged.schema()
    if not record.period:
        return schema
    text, comment = PrimitiveType("string"), {"comment": PERIOD_COMMENT}
    period = Field(PERIOD_COLUMN, text, nullable=True, metadata=comment)
    return Schema([*schema.fields, period])


def _shape(schema: Schema) -> list[tuple[str, str]]:
    return [(field.name, field.type.to_json()) for field in schema.fields]


def of_period(table: DeltaTable, period: str, milliseconds: int) -> list[RemoveAction]:
    """The actions that take a period's files out of a table."""
    rows = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return [
        RemoveAction(row["path"], True, milliseconds, row["size_bytes"], {PERIOD_COLUMN: period})
        for row in rows
        if row[f"partition.{PERIOD_COLUMN}"] == period
    ]
