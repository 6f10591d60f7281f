"""Folders that others write into: what is read there is a file, not a link, a pipe or a device, and lies there.

Whoever may put packages into an inbox could put a link in the way: to have another file of ours read, a zone of
ours emptied when packages are destroyed, or a job wait for ever.
"""

from __future__ import annotations

import os
import stat
from io import BufferedReader
from pathlib import Path

from jobs.errors import DataFailed

MOST_MANIFEST, MOST_SIGNATURE = 64 << 20, 4096
_ASK = "allowed: folders and files alone; remove it, and ask who could write here"


def below(base: Path, *names: str) -> Path:
    """`base` and down by these names (`a/b` too); DataFailed where a link stands on the way. `base` may be one."""
    place = base
    for name in (part for one in names for part in one.split("/")):
        place = place / name
        if place.is_symlink():
            raise DataFailed(f"{place} is a link; {_ASK}")
    return place


def opened(file: Path) -> BufferedReader:
    """A regular file, opened to be read; OSError for a link, a pipe, a device. It never waits."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "no regular file", str(file))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def content(file: Path, most: int) -> bytes:
    """The bytes of a regular file; OSError where it is none, or larger."""
    with opened(file) as source:
        found = source.read(most + 1)
    if len(found) > most:
        raise OSError(0, f"larger than {most >> 10} KiB", str(file))
    return found
