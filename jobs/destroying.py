"""Destruction of what lies at a place (파기), and the proof that it is gone.

A whole place: the table's log goes first, since nobody finds the rows without it, then every file. Some runs of a table
that others share: one commit takes their files out, then the files are overwritten and removed (VACUUM with no
retention) with all that no row of now lies in, and the log loses what it says of their cells. Stopped at any point, the
same call completes it. A link is removed, and never followed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError
from deltalake.transaction import CommitProperties, RemoveAction

from jobs.errors import Operational, Refused
from jobs.key_files import overwrite
from jobs.log_of_destroyed import redact
from jobs.manifest import THREADS, sha256_of
from jobs.release import hides_rows, open_table
from jobs.storage import Location
from jobs.stored_versions import remove_older
from jobs.whose_files import owners_of, require_told, rewritten_since, rows_of
from transforms.derivation import canonical_json

LOG = "_delta_log/"


@dataclass(frozen=True)
class DoomedFile:
    """A file that is to go: its path below the place, bytes, SHA-256."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Doomed:
    """What is to go at a place, measured while it is still there. `rows`: of the table's newest version."""

    place: str
    whole: bool
    files: tuple[DoomedFile, ...]
    rows: int

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, raw: dict[str, Any]) -> Doomed:
        """From JSON."""
        return cls(**{**raw, "files": tuple(DoomedFile(**one) for one in raw["files"])})


@dataclass(frozen=True)
class Proof:
    """That files are gone: how many, their bytes and rows, one SHA-256 over names and contents; no cell.

    `versions` of the table named them, and none of these can be read. `searched` files of other places were compared
    with them; `copies` are those with the same bytes, which only who put them there can judge; `left` must be empty.
    `stored_versions` is how many an S3 store kept of what was removed: they are gone, too. None: no S3 store.
    """

    place: str
    files: int
    bytes: int
    rows: int
    sha256: str
    versions: int
    searched: int
    copies: tuple[str, ...]
    stored_versions: int | None
    left: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def doomed(place: Location, runs: Collection[str] | None = None) -> Doomed:
    """What would go: all that lies at a place, or the files that hold rows of `runs` in a table there.

    Where the table holds nothing else, the whole place goes. Refused for a part of a table with reader features, where
    nothing tells whose rows a file holds, where a release had rows and has no file, and where files lie behind links.
    """
    tables = _tables(place)
    rows = [{**row, "path": below + unquote(row["path"])} for below, table in tables for row in rows_of(table)]
    _require_own(place, [row["path"] for row in rows])
    mine = rows
    if runs is not None and (table := open_table(place)) is not None:
        require_told(place, table, runs)
        owners = owners_of(place, table)
        mine = [row for row in rows if owners.get(row["path"]) in runs]
        if len(mine) < len(rows) and hides_rows(table.protocol()):
            raise Refused(f"{place} has reader features, so its files don't tell its rows; allowed: all of the table")
    whole = runs is None or len(mine) == len(rows)
    sizes = dict(_files(place))
    names = list(sizes) if whole else [row["path"] for row in mine]
    with ThreadPoolExecutor(THREADS) as pool:
        digests = list(pool.map(lambda name: _digest(place / name), names))
    found = tuple(DoomedFile(name, sizes[name], digest) for name, digest in zip(names, digests, strict=True))
    return Doomed(str(place), whole, found, sum(_count(place, row) for row in mine))


def _tables(place: Location) -> list[tuple[str, DeltaTable]]:
    """The table at a place, or those right below it, with the path to each."""
    below = sorted({name.split("/")[0] for name, _ in _files(place) if f"/{LOG}" in name})
    found = [("", open_table(place)), *((f"{name}/", open_table(place / name)) for name in below)]
    return [(name, table) for name, table in found if table is not None]


def _require_own(place: Location, paths: Sequence[str]) -> None:
    """Refused where a table lies elsewhere, by a link or by what its log names: that may be somebody else's."""
    links = {name for name, _ in _files(place) if _is_link(place / name)}
    elsewhere = any(path.startswith("/") or "://" in path or ".." in path.split("/") for path in paths)
    if elsewhere or _is_link(place) or any(links & {path, *_above(path)} for path in paths):
        raise Refused(f"{place}: its table has files elsewhere or behind a link; allowed: files in the folder itself")


def _above(path: str) -> list[str]:
    """The folders above a path, the lowest first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


def _count(place: Location, row: dict[str, Any]) -> int:
    """A file's rows by the log, or by the file itself; a table that lost it counts none."""
    if row["num_records"] is not None:
        return int(row["num_records"])
    filesystem, path = (place / row["path"]).filesystem()
    with suppress(FileNotFoundError), filesystem.open_input_file(path) as file:
        return int(pq.ParquetFile(file).metadata.num_rows)
    return 0


def _is_link(file: Location) -> bool:
    return file.is_local and file.local.is_symlink()


def _digest(file: Location) -> str:
    return hashlib.sha256(os.fsencode(os.readlink(file))).hexdigest() if _is_link(file) else sha256_of(file)


def destroy_place(place: Location, what: Doomed, search: Sequence[Location] = ()) -> Proof:
    """Destroys what `doomed` told of this place, and proves it; may be repeated until it ends.

    Every file of the places `search` is compared with what is gone. Operational where the table was written meanwhile
    or a file can't be removed. What lies on a disk's old blocks, in snapshots or backups is beyond a program's sight.
    """
    if _is_link(place):
        raise Refused(f"{place} is a link now; allowed: the folder itself")
    versions = _whole(place, what) if what.whole else _part(place, what)
    there = dict(_files(place))
    left = tuple(there) if what.whole else tuple(one.path for one in what.files if one.path in there)
    if left:
        raise Operational(f"{len(left)} files are left at {place}; look at their rights, then start again")
    standing = _standing(place)
    stored = remove_older(place, lambda name: what.whole or name not in standing)
    searched, copies = _copies(what, search, {f"{place}/{name}" for name in standing})
    listed = [[one.path, one.size, one.sha256] for one in what.files]
    return Proof(
        place=str(place),
        files=len(what.files),
        bytes=sum(one.size for one in what.files),
        rows=what.rows,
        sha256=hashlib.sha256(canonical_json(listed)).hexdigest(),
        versions=versions,
        searched=searched,
        copies=tuple(copies),
        stored_versions=stored,
        left=left,
    )


def _whole(place: Location, what: Doomed) -> int:
    """Removes all files, the log's first; the number of versions that its log named.

    Operational where data lie there that were not measured: a later release must not go in place of an earlier one.
    """
    known = {one.path for one in what.files}
    if any(LOG not in name and name not in known for name, _ in _files(place)):
        raise Operational(f"files were written to {place} meanwhile, and stay; allowed: a rejection and a new request")
    _remove(place, [name for name, _ in sorted(_files(place), key=lambda one: (LOG not in one[0], one[0]))])
    place.delete()
    if open_table(place) is not None:
        raise Operational(f"the table {place} opens still; start again")
    commits = {one.path for one in what.files if LOG in one.path and one.path.endswith(".json")}
    return len(commits)


def _part(place: Location, what: Doomed) -> int:
    """Takes the files out of the table, removes them and what the log says of them; versions that named them."""
    gone = {one.path for one in what.files}
    table = _table(place)
    rows = rows_of(table)
    _require_own(place, [unquote(row["path"]) for row in rows])
    if rewritten_since(place, table, gone):
        raise Operational(f"{place}: another tool wrote files anew meanwhile; allowed: a rejection and a new request")
    _commit(table, place, [row for row in rows if unquote(row["path"]) in gone])
    standing = _standing(place)
    _remove(place, [name for name, _ in _files(place) if name not in standing and not name.startswith(LOG)])
    _table(place).vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    _drop_empty(place, gone)
    redact(place, standing)
    return sum(1 for _ in _named(place, gone))


def _named(place: Location, gone: Collection[str]) -> Iterator[int]:
    """The versions that named the files; Operational if one of these can be read still."""
    there = dict(_files(place))
    for version in range(_table(place).version() + 1):
        try:
            old = DeltaTable(str(place), version=version, storage_options=_options(place))
            paths = {unquote(row["path"]) for row in pa.table(old.get_add_actions(flatten=True)).to_pylist()}
        except DeltaError:  # its log is gone
            continue
        if named := paths & set(gone):
            if named & there.keys():
                raise Operational(f"version {version} of {place} can be read still; start again")
            yield version


def _commit(table: DeltaTable, place: Location, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    now = int(datetime.now(UTC).timestamp() * 1000)
    columns = table.metadata().partition_columns
    removes = [
        RemoveAction(
            row["path"], True, now, row["size_bytes"], {name: row[f"partition.{name}"] for name in columns}
        )
        for row in rows
    ]
    properties = CommitProperties(custom_metadata={"gamyeong.destroyed": str(len(rows))}, max_commit_retries=0)
    try:
        table.create_write_transaction(
            [*removes], "append", table.schema(), partition_by=columns, commit_properties=properties
        )
    except CommitFailedError:
        raise Operational(f"{place} was written by somebody else meanwhile; start again") from None


def _remove(place: Location, names: Sequence[str]) -> None:
    for name in names:
        file = place / name
        if _is_link(file):
            file.local.unlink()
            continue
        if file.is_local:
            overwrite(file.local)
        file.delete()


def _drop_empty(place: Location, gone: Collection[str]) -> None:
    """Removes the folders that held the files, where nothing else is in them."""
    filesystem, root = place.filesystem()
    for folder in sorted({above for path in gone for above in _above(path)}, key=len, reverse=True):
        below = pafs.FileSelector(f"{root}/{folder}", allow_not_found=True)
        if not filesystem.get_file_info(below):
            with suppress(FileNotFoundError):
                filesystem.delete_dir(f"{root}/{folder}")


def _standing(place: Location) -> set[str]:
    """What the table there holds now: rows of other runs, though they may be the same as some that are gone."""
    table = open_table(place)
    return set() if table is None else {unquote(row["path"]) for row in rows_of(table)}


def _copies(what: Doomed, search: Sequence[Location], standing: Collection[str]) -> tuple[int, list[str]]:
    """How many files were compared, and which have the bytes of one that is gone; of the log's no rows tell."""
    lost = {(one.size, one.sha256) for one in what.files if LOG not in one.path and one.size}
    sizes = {size for size, _ in lost}
    searched, found = 0, []
    for folder in search:
        for name, size in _files(folder):
            searched += 1
            try:
                same = size in sizes and (size, _digest(folder / name)) in lost
                if same and f"{folder}/{name}" not in standing:
                    found.append(f"{folder}/{name}")
            except FileNotFoundError:  # removed meanwhile
                continue
    return searched, found


def _files(place: Location) -> list[tuple[str, int]]:
    """Paths below a place and their bytes. A link to a file or folder is one file: its bytes are what it leads to."""
    if place.is_local:
        found = []
        for folder, folders, files in os.walk(place.local):
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for path in (os.path.join(folder, name) for name in (*files, *links)):
                with suppress(FileNotFoundError):  # removed meanwhile
                    found.append((os.path.relpath(path, place.local), os.lstat(path).st_size))
        return sorted(found)
    filesystem, root = place.filesystem()
    below = filesystem.get_file_info(pafs.FileSelector(root, recursive=True, allow_not_found=True))
    return sorted((one.path[len(root) + 1 :], one.size) for one in below if one.type == pafs.FileType.File)


def _table(place: Location) -> DeltaTable:
    table = open_table(place)
    if table is None:
        raise Operational(f"the table {place} is there no more; look at what removed it")
    return table


def _options(place: Location) -> dict[str, str] | None:
    return dict(place.options.deltalake) or None
