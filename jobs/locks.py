"""One job at a time: a lock that ends with its process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs.errors import Operational
from jobs.storage import Location, private_folder


@contextmanager
def exclusive(place: Location, what: str, *, wait: bool = False, shared: bool = False) -> Iterator[None]:
    """Holds the lock file at `place` (local); another holder is Operational, unless `wait`. `shared` ones don't
    keep each other out.

    The system frees an flock when its process ends, so a killed job leaves no lock behind; the file
    itself stays, for removing it would let two processes lock two files of one name.
    """
    path = place.local
    private_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Operational(f"another job is at work on {what}; try again when it has ended") from None
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Is a job at work under the lock file at `path`? Asked shared, and given back at once: it keeps nobody waiting."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
