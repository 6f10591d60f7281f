"""The one place that reads and writes Delta tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable, Field, Schema
from deltalake.exceptions import DeltaError, TableNotFoundError
from deltalake.transaction import AddAction, CommitProperties, Transaction, create_table_with_add_actions

from jobs.columns import type_problems
from jobs.errors import BadInput, Operational
from jobs.parquet import NewFile, write_batches
from jobs.storage import Location, StorageOptions, private_folder, unique_name
from transforms.pipeline.feed import SourceFile

# Only these may be read file by file; with any other, files alone don't tell what the table holds.
FILE_FEATURES = frozenset({"timestampNtz"})
# Delta's log keeps minima and maxima of the first columns unless told from the table's creation
NO_STATISTICS = {"delta.dataSkippingNumIndexedCols": "0", "delta.enableDeletionVectors": "false"}


@dataclass(frozen=True)
class FileEntry:
    """A file of a snapshot: absolute `uri`, path in the log (decoded), bytes, rows (None: not recorded).

    `partition` holds the typed partition values by column; `deletion_vector`: some of its rows are deleted.
    """

    uri: str
    path: str
    size: int
    rows: int | None
    partition: Mapping[str, Any] = field(default_factory=dict)
    deletion_vector: bool = False
    options: StorageOptions = field(default=StorageOptions(), compare=False, repr=False)

    @property
    def source(self) -> SourceFile:
        """The file as tasks read it."""
        return source_file(Location(self.uri, self.options), self.partition)


@dataclass(frozen=True)
class Snapshot:
    """One version of a Delta table, pinned. `schema` is Arrow's, logical names, no metadata.

    `features` are the reader features (`deletionVectors`, `columnMapping`, `typeWidening`, `timestampNtz` …);
    reader version 2 without a list means columnMapping. `column_ids` and `physical_names` are there where
    the table maps columns; `files` are read by their own footers only where the features allow it.
    """

    location: Location
    version: int
    table_id: str
    schema: pa.Schema
    files: tuple[FileEntry, ...]
    features: frozenset[str]
    partition_columns: tuple[str, ...]
    configuration: Mapping[str, str]
    column_ids: Mapping[str, int]
    physical_names: Mapping[str, str]
    comments: Mapping[str, str]
    description: str | None
    name: str | None

    @property
    def uri(self) -> str:
        return self.location.uri

    @cached_property
    def rows(self) -> int | None:
        """Rows of the version by its log; None where a file doesn't say, or some of its rows are deleted."""
        counts = [None if file.deletion_vector else file.rows for file in self.files]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def by_file(self) -> bool:
        """Do its files, each read by its own footer, hold what the table holds?"""
        return self.features <= FILE_FEATURES and not any(file.deletion_vector for file in self.files)


def source_file(place: Location, partition: Mapping[str, Any] | None = None) -> SourceFile:
    """A Parquet file as tasks read it, of this machine or of a store."""
    if place.is_local:
        return SourceFile(place.uri, partition or {})
    store, path = place.filesystem()
    return SourceFile(path, partition or {}, store)


def exists(location: Location) -> bool:
    """True if a Delta table lies here."""
    return DeltaTable.is_deltatable(str(location), _options(location))


def pinned(location: Location | str, version: int | None = None) -> Snapshot:
    """The snapshot of `version` (None: the newest), read from the log without Spark.

    BadInput where there is no table or no such version; Operational for a log that can't be read.
    """
    place = location if isinstance(location, Location) else Location.of(location)
    table = _opened(place, version)
    fields = table.schema().fields
    actions = pa.table(table.get_add_actions(flatten=False)).to_pylist()
    with_vector = _with_vector(table)
    return Snapshot(
        location=place,
        version=table.version(),
        table_id=str(table.metadata().id),
        schema=pa.schema(
            [pa.field(f.name, f.type, f.nullable) for f in pa.schema(table.schema().to_arrow())]
        ),
        files=tuple(sorted((_entry(place, one, with_vector) for one in actions), key=lambda f: f.path)),
        features=_features(table),
        partition_columns=tuple(table.metadata().partition_columns),
        configuration={k: str(v) for k, v in table.metadata().configuration.items()},
        column_ids={f.name: int(f.metadata[_ID]) for f in fields if _ID in f.metadata},
        physical_names={f.name: str(f.metadata[_PHYSICAL]) for f in fields if _PHYSICAL in f.metadata},
        comments={f.name: str(f.metadata["comment"]) for f in fields if "comment" in f.metadata},
        description=table.metadata().description,
        name=table.metadata().name,
    )


def last_commit(location: Location) -> dict[str, Any]:
    """What the newest commit says of itself: operation, timestamp, and the metadata that its writer gave."""
    return _opened(location, None).history(1)[0]


def commit_files(
    location: Location,
    schema: pa.Schema,
    files: Sequence[NewFile],
    *,
    mode: Literal["create", "append", "replace"] = "create",
    properties: Mapping[str, str] | None = None,
    comments: Mapping[str, str] | None = None,
    description: str | None = None,
    commit: Mapping[str, str] | None = None,
    transactions: Mapping[str, int] | None = None,
) -> int:
    """Commits Parquet files that already lie below the table, all or none; gives the table's version.

    `create` fails (BadInput) where a table lies, `replace` puts a new table (with a new id) over the old
    one. Statistics and deletion vectors are off from creation; no file at all still commits the table.
    `properties` and column `comments` go to a created table (properties that aren't Delta's cost a commit
    before: a killed run leaves an empty table, which the next one takes over), `commit` to the commit's
    own metadata, `transactions` are Delta's application transactions (name: version). Types off the
    closed list are BadInput.
    """
    if problems := type_problems(schema, str(location)):
        raise BadInput("\n".join(problems))
    actions = [AddAction(file.path, file.size, dict(file.partition), 0, True, file.stats) for file in files]
    commit_properties = CommitProperties(
        custom_metadata=dict(commit or {}),
        app_transactions=[Transaction(app, version) for app, version in (transactions or {}).items()],
    )
    if location.is_local:
        private_folder(location.local)
    bare = delta_schema(schema, comments or {})
    configuration = {**NO_STATISTICS, **(properties or {})}
    try:
        if mode != "append" and all(name.startswith("delta.") for name in configuration):
            create_table_with_add_actions(
                str(location),
                bare,
                actions,
                mode="error" if mode == "create" else "overwrite",
                description=description,
                configuration=configuration,
                storage_options=_options(location),
                commit_properties=commit_properties,
            )
        else:
            if mode != "append":
                _create_empty(location, bare, mode, description, configuration)
            table = _opened(location, None)
            table.create_write_transaction(
                list(actions), "append", table.schema(), commit_properties=commit_properties
            )
    except DeltaError as error:
        if "already exists" in str(error):
            raise BadInput(f"a table lies at {location} already; allowed: an empty place") from None
        raise Operational(f"the commit to {location} failed ({type(error).__name__})") from None
    return _opened(location, None).version()


def _create_empty(
    location: Location, schema: Schema, mode: str, description: str | None, configuration: dict[str, str]
) -> None:
    """A table without files: deltalake takes properties that aren't Delta's only so, in a commit apart.

    An empty table that a killed run left is taken over.
    """
    if mode == "create" and exists(location):
        left = _opened(location, None)
        if left.version() == 0 and left.schema() == schema and left.metadata().configuration == configuration:
            return
    DeltaTable.create(
        str(location),
        schema,
        mode="error" if mode == "create" else "overwrite",
        description=description,
        configuration=configuration,
        storage_options=_options(location),
        raise_if_key_not_exists=False,
    )


def delta_schema(schema: pa.Schema, comments: Mapping[str, str]) -> Schema:
    """Delta's schema of an Arrow schema, with comments on its columns; other metadata is left out."""
    bare = Schema.from_arrow(schema.remove_metadata())
    return Schema(
        [
            Field(
                f.name,
                f.type,
                nullable=f.nullable,
                metadata={"comment": comments[f.name]} if f.name in comments else None,
            )
            for f in bare.fields
        ]
    )


def write_source(
    data: pa.Table | pa.RecordBatchReader,
    location: Location,
    *,
    mode: Literal["create", "append", "replace"] = "create",
    properties: Mapping[str, str] | None = None,
) -> int:
    """Arrow data as a table in the source zone, by this process alone (small tables); gives the version."""
    if problems := type_problems(data.schema, str(location)):
        raise BadInput("\n".join(problems))
    batches = data.to_batches() if isinstance(data, pa.Table) else data
    folder = unique_name()
    files = write_batches(location, folder, data.schema, batches)
    try:
        return commit_files(location, data.schema, files, mode=mode, properties=properties)
    except BaseException:
        (location / folder).delete()
        raise


_ID = "delta.columnMapping.id"
_PHYSICAL = "delta.columnMapping.physicalName"


def _options(location: Location) -> dict[str, str] | None:
    return dict(location.options.deltalake) or None


def _opened(location: Location, version: int | None) -> DeltaTable:
    if not exists(location):
        raise BadInput(f"no Delta table at {location}")
    try:
        return DeltaTable(str(location), version=version, storage_options=_options(location))
    except TableNotFoundError:
        raise BadInput(f"no Delta table at {location}") from None
    except DeltaError as error:
        if version is not None and "version" in str(error).lower():
            raise BadInput(f"the table at {location} has no version {version}") from None
        raise Operational(f"the Delta log at {location} can't be read ({type(error).__name__})") from None


def _features(table: DeltaTable) -> frozenset[str]:
    protocol = table.protocol()
    listed = frozenset(protocol.reader_features or ())
    return listed | ({"columnMapping"} if protocol.min_reader_version == 2 else frozenset())


def _with_vector(table: DeltaTable) -> set[str] | None:
    """URIs of the files with deleted rows; None where they can't be told apart (so all may have some)."""
    if "deletionVectors" not in _features(table):
        return set()
    try:
        return {str(path) for path in pa.table(table.deletion_vectors()).column("filepath").to_pylist()}
    except DeltaError:  # beside features that deltalake doesn't read
        return None


def _entry(location: Location, action: Mapping[str, Any], with_vector: set[str] | None) -> FileEntry:
    # the log holds paths URL-encoded; a clone's are absolute URIs
    path = unquote(action["path"])
    uri = Location.of(path).uri if "://" in path else f"{location.uri}/{path}"
    ends = {
        uri,
        f"file://{uri}",
        f"{location.uri}/{action['path']}",
        f"file://{location.uri}/{action['path']}",
    }
    return FileEntry(
        uri=uri,
        path=path,
        size=int(action["size_bytes"]),
        rows=action.get("num_records"),
        partition=action.get("partition") or {},
        deletion_vector=with_vector is None or not ends.isdisjoint(with_vector),
        options=location.options,
    )
