"""A table out of reach in one step, and back.

On one file system a folder is renamed: whoever opens the table's path before finds all of it, after it nothing. To
another file system the folder is first renamed to a closed one (0700) in its own zone, then copied. An object store
knows no rename: objects are copied and removed one by one, the table's log first, since nobody finds the rows without.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow.fs as pafs

from jobs.errors import Operational
from jobs.manifest import THREADS, sha256_of
from jobs.storage import Location, private_folder, sync_folder
from jobs.stored_versions import remove_older
from transforms.derivation import canonical_json

LOG = "_delta_log/"


@dataclass(frozen=True)
class Contents:
    """What lies at a place: number of files, bytes, and one SHA-256 over all names and contents."""

    files: int
    bytes: int
    sha256: str

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def contents(*places: Location) -> Contents:
    """Reads all files at a place (also a single one), or of what lies at several, half-way between them.

    Nothing there is no file; a file that lies at two places is that of the first.
    """
    found = {name: (place, size) for place in reversed(places) for name, size in _files(place)}
    names = sorted(found)
    with ThreadPoolExecutor(THREADS) as pool:
        digests = list(pool.map(lambda name: sha256_of(found[name][0] / name if name else found[name][0]), names))
    listed = [[name, found[name][1], digest] for name, digest in zip(names, digests, strict=True)]
    size = sum(size for _, size in found.values())
    return Contents(len(names), size, hashlib.sha256(canonical_json(listed)).hexdigest())


def move(source: Location, target: Location, closed: Location) -> bool:
    """Moves a file or folder; False where nothing was left to move.

    `closed` is a place in the source's own zone, for the step between, where the target is on another file system.
    Stopped at any point, it goes on when called again. Operational where something else lies at the target.
    """
    if not (source.is_local and target.is_local):
        return _carried(source, target)
    if closed.exists():
        return _carried_from(closed, target)
    if not source.exists():
        return False
    if target.exists():
        raise Operational(f"{target} is there already; move it away by hand, then start again")
    private_folder(target.local.parent)
    try:
        _renamed(source.local, target.local)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        private_folder(closed.local.parent)
        _renamed(source.local, closed.local)
        return _carried_from(closed, target)
    return True


def _carried_from(closed: Location, target: Location) -> bool:
    moved = _carried(closed, target)
    closed.local.parent.rmdir()
    return moved


def move_back(source: Location, target: Location, closed: Location) -> bool:
    """Moves what was taken away to where it was; the same rules, and again it appears as a whole or not at all.

    `closed` is a place in the target's zone; of objects the log comes last.
    """
    if not (source.is_local and target.is_local):
        return _carried(source, target, log_first=False)
    if not (source.exists() or closed.exists()):
        return False
    if target.exists():
        raise Operational(f"{target} is there already; move it away by hand, then start again")
    # as publish makes the recipient's folder: the zone's own rights decide who enters
    target.local.parent.mkdir(parents=True, exist_ok=True)
    if not closed.exists():
        try:
            _renamed(source.local, target.local)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return True
    private_folder(closed.local.parent)
    _carried(source, closed)
    _renamed(closed.local, target.local)
    closed.local.parent.rmdir()
    return True


def _renamed(source: Path, target: Path) -> None:
    os.rename(source, target)
    for folder in {source.parent, target.parent}:
        sync_folder(folder)


def _like(source: Path, target: Path) -> None:
    """Who could enter the folders there, and read what is in them, can here: once it is whole."""
    for folder in (source, *(one for one in source.rglob("*") if one.is_dir())):
        if (made := target / folder.relative_to(source)).is_dir():
            shutil.copymode(folder, made)


def _carried(source: Location, target: Location, *, log_first: bool = True) -> bool:
    """Copies file by file, the log first or last; each is removed where it was when its copy is whole."""
    found = sorted(_files(source), key=lambda one: ((LOG in one[0]) != log_first, one[0]))
    for name, size in found:
        old, new = (source / name, target / name) if name else (source, target)
        if new.is_local:
            private_folder(new.local.parent)
        (reads, old_path), (writes, new_path) = old.filesystem(), new.filesystem()
        with reads.open_input_stream(old_path) as incoming, writes.open_output_stream(new_path) as outgoing:
            digest = hashlib.sha256()
            while chunk := incoming.read(1 << 20):
                digest.update(chunk)
                outgoing.write(chunk)
        if new.is_local:
            if old.is_local:
                shutil.copymode(old.local, new.local)
            sync_folder(new.local)
        if writes.get_file_info(new_path).size != size or sha256_of(new) != digest.hexdigest():
            raise Operational(f"{new} is not what {old} was; look at the disk, then start again")
        old.delete()
    if source.is_local and target.is_local and source.local.is_dir():
        _like(source.local, target.local)
    source.delete()
    remove_older(source, lambda _: True)  # else who may read older versions of objects still reads the table
    return bool(found)


def _files(place: Location) -> list[tuple[str, int]]:
    """Files at a place by their name below it, with bytes; a file's own name below itself is empty."""
    filesystem, root = place.filesystem()
    if filesystem.get_file_info(root).type == pafs.FileType.File:
        return [("", filesystem.get_file_info(root).size)]
    below = filesystem.get_file_info(pafs.FileSelector(root, recursive=True, allow_not_found=True))
    return [(one.path[len(root) + 1 :], one.size) for one in below if one.type == pafs.FileType.File]
