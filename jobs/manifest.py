"""The manifest: what exactly stands in staging, file by file, so that reviewers' signatures can bind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from jobs.errors import BadInput, Operational, Refused
from jobs.runs import RunFolder, StagedTable
from jobs.storage import Location
from transforms.derivation import canonical_json

CHUNK = 256 << 10  # stays in the processor's cache between reading, hashing and writing
THREADS = 4


@dataclass(frozen=True)
class ManifestFile:
    """One data file of a staged table: its path in the table, bytes, rows, SHA-256 in hex."""

    path: str
    size: int
    rows: int
    sha256: str


@dataclass(frozen=True)
class TableManifest:
    """One staged table at one version; `schema` is Delta's JSON (names, types, comments), in column order."""

    name: str
    id: str
    version: int
    schema: Any
    properties: Mapping[str, str]
    files: tuple[ManifestFile, ...]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)

    def plain(self) -> dict[str, Any]:
        """As JSON content."""
        return asdict(self)


@dataclass(frozen=True)
class Manifest:
    """All tables of one release, in the plan's order."""

    tables: tuple[TableManifest, ...]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the canonical JSON of all tables: files and schemas."""
        return hashlib.sha256(canonical_json([table.plain() for table in self.tables])).hexdigest()

    def plain(self) -> dict[str, Any]:
        """As the content of manifest.json."""
        return {"format": 1, "sha256": self.digest, "tables": [table.plain() for table in self.tables]}


def build(
    folder: RunFolder, tables: Iterable[StagedTable], digests: Mapping[str, str] | None = None
) -> Manifest:
    """The manifest of staged tables. `digests` are SHA-256 by file path where the writer measured them.

    Operational if a table or file can't be read.
    """
    return Manifest(tuple(_table(folder.staged(one.name), one, digests or {}) for one in tables))


def write(folder: RunFolder, manifest: Manifest) -> None:
    """Writes manifest.json."""
    folder.manifest.write_json(manifest.plain())


def load(folder: RunFolder) -> Manifest:
    """Reads manifest.json; BadInput if it is missing or damaged, Refused if it belies its own digest."""
    raw = folder.read("manifest.json")
    try:
        tables = tuple(
            TableManifest(**{**one, "files": tuple(ManifestFile(**file) for file in one["files"])})
            for one in raw["tables"]
        )
        claimed = raw["sha256"]
    except (KeyError, TypeError):
        raise BadInput(f"{folder.manifest} is damaged: not the fields of a manifest") from None
    manifest = Manifest(tables)
    if manifest.digest != claimed:
        raise Refused(f"{folder.manifest} was altered: its content does not have the digest that it names")
    return manifest


def staged_log(place: Location, version: int) -> tuple[DeltaTable, dict[str, dict[str, Any]]]:
    """A staged table at a version, and its log's files by path; Operational if it isn't there."""
    try:
        table = DeltaTable(
            str(place), version=version, storage_options=dict(place.options.deltalake) or None
        )
    except (DeltaError, OSError):
        raise Operational(f"the staged table {place}, version {version}, can't be read") from None
    rows = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return table, {row["path"]: row for row in rows}


def carried(table: DeltaTable) -> dict[str, str]:
    """The properties of a staged table that its published table carries too."""
    configuration = table.metadata().configuration
    return {name: value for name, value in sorted(configuration.items()) if name.startswith("gamyeong.")}


def sha256_of(place: Location) -> str:
    """SHA-256 of a file, in hex."""
    filesystem, path = place.filesystem()
    digest = hashlib.sha256()
    with filesystem.open_input_stream(path) as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _table(place: Location, staged: StagedTable, digests: Mapping[str, str]) -> TableManifest:
    table, files = staged_log(place, staged.version)

    def measured(path: str) -> ManifestFile:
        row = files[path]
        digest = digests.get(path) or sha256_of(place / path)
        return ManifestFile(path, row["size_bytes"], row["num_records"], digest)

    with ThreadPoolExecutor(THREADS) as pool:
        found = tuple(pool.map(measured, sorted(files)))
    return TableManifest(
        name=staged.name,
        id=str(table.metadata().id),
        version=staged.version,
        schema=json.loads(table.schema().to_json()),
        properties=carried(table),
        files=found,
    )
