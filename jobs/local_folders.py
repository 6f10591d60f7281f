"""Spark's folders on the local disk: each process has one of its own; those of dead processes are swept.

What lies in them is encrypted, with a key that died with its process; but a killed job's would lie there
for ever, and fill the disk.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from pathlib import Path

from jobs.locks import is_held
from jobs.storage import private_folder, unique_name

_LOCK = ".lock"
# Open as long as the process lives: its end, however it comes, frees the lock.
_held: list[int] = []


def own_folder(place: Path) -> Path:
    """A new folder (0700) below `place`, for this process, at whose end it goes; sweeps what killed ones left."""
    private_folder(place)
    sweep(place)
    while True:
        name = unique_name()
        lock = place / f"{name}{_LOCK}"
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if lock.exists():
            _held.append(descriptor)
            folder = private_folder(place / name)
            atexit.register(_remove, folder, lock)
            return folder
        os.close(descriptor)  # swept between its making and its locking


def sweep(place: Path) -> list[str]:
    """Removes the folders below `place` that no living process holds; gives their names."""
    swept = []
    for folder in sorted(one for one in place.iterdir() if one.is_dir()):
        lock = place / f"{folder.name}{_LOCK}"
        if is_held(lock):
            continue
        _remove(folder, lock)
        swept.append(folder.name)
    for lock in place.glob(f"*{_LOCK}"):  # of a process that ended before it had its folder
        if not (place / lock.name.removesuffix(_LOCK)).exists() and not is_held(lock):
            lock.unlink(missing_ok=True)
    return swept


def _remove(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.unlink(missing_ok=True)
