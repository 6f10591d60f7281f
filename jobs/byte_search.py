"""A search of all files of a folder for bytes that must be nowhere."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jobs.environment import Environment, Zone


@dataclass
class Searched:
    """What was looked at, and which files hold the bytes (paths within the folder).

    `unread` could not be opened, `passed_over` were not to be looked at.
    """

    files: int = 0
    bytes: int = 0
    unread: int = 0
    passed_over: int = 0
    found: list[str] = field(default_factory=list)


Wanted = Callable[[Path, os.stat_result], bool]


def every_file(_path: Path, _stat: os.stat_result) -> bool:
    """All are looked at."""
    return True


def search(folder: Path, needles: Sequence[bytes], wanted: Wanted = every_file) -> Searched:
    """Looks for the bytes, as they stand, in every file below a folder that is `wanted`.

    A file behind a link is read; folders behind one, and those that can't be listed, count as `unread`. Compressed
    content is not unpacked.
    """
    result = Searched()

    def closed(_error: OSError) -> None:
        result.unread += 1

    for top, folders, names in os.walk(folder, onerror=closed):
        result.unread += sum((Path(top) / name).is_symlink() for name in folders)
        for name in sorted(names):
            path = Path(top) / name
            if not path.is_file():
                continue
            try:
                if not wanted(path, path.stat()):
                    result.passed_over += 1
                    continue
                held, size = _holds(path, needles)
            except FileNotFoundError:  # removed meanwhile
                continue
            except OSError:
                result.unread += 1
                continue
            result.files += 1
            result.bytes += size
            if held:
                result.found.append(path.relative_to(folder).as_posix())
    return result


def _holds(path: Path, needles: Sequence[bytes]) -> tuple[bool, int]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if not size:
            return False, 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(needle) >= 0 for needle in needles), size


def search_zones(
    environment: Environment, zones: Iterable[Zone], needles: Sequence[bytes], wanted: Wanted = every_file
) -> tuple[dict[str, Searched], dict[str, str]]:
    """`search` in each zone; and why some were not searched."""
    done: dict[str, Searched] = {}
    left: dict[str, str] = {}
    for zone in zones:
        place = environment.zone(zone)
        if not place.is_local:
            left[zone] = "in an object store"
        elif not place.local.is_dir():
            left[zone] = "not there"
        elif not os.access(place.local, os.R_OK | os.X_OK):
            left[zone] = "not readable here"
        else:
            done[zone] = search(place.local, needles, wanted)
    return done, left
