"""Released data and additional information share no place once the work is done (분리 보관, L696, L5069)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from jobs.environment import Environment, Zone
from jobs.errors import Refused
from jobs.runs import RunFolder, RunRecord
from jobs.storage import Location

# What leads back from pseudonyms to people.
LEADS_BACK: tuple[Zone, ...] = ("additional-information", "keys")
ALLOWED = "allowed: places apart, each with its own access (guideline L696; both in one only while processing, L5069)"
Identity = tuple[int, int]


def require_apart(folder: RunFolder, record: RunRecord) -> None:
    """Refused, with every reason, where a run's output and what leads back from it share a place.

    Looked at as the disk has it, so that links and mounts are seen through: one folder within the other; a file of
    the run's additional information or of the keys that stands in the output, too; a zone that everybody may enter.
    While data are processed both may be on one machine for a time (L5069), so this is asked of outputs alone. What
    lies in object stores has its place by its URI, which the environment compares.
    """
    environment, output = folder.environment, folder.output(record)
    problems = [problem for zone in LEADS_BACK for problem in _zone_problems(environment, zone, output)]
    if output.is_local:
        known = dict(_files(environment.zone("keys").local)) | dict(_files(folder.additional.local))
        problems += [
            f"{path} is a file of {known[one]} under another name"
            for one, path in _files(output.local)
            if one in known
        ]
    if problems:
        raise Refused(
            "\n".join([f"run {folder.run}: output and additional information share a place:", *problems, ALLOWED])
        )


def _zone_problems(environment: Environment, zone: Zone, output: Location) -> Iterator[str]:
    place = environment.zone(zone)
    if not place.is_local:
        return
    if place.local.is_dir() and stat.S_IMODE(place.local.stat().st_mode) & stat.S_IRWXO:
        yield f"everybody on this machine may enter the zone {zone} ({place}): `chmod o-rwx` it"
    if output.is_local:
        if _above(output.local) & _folders(place.local):
            yield f"{output} lies in the zone {zone} ({place}), by a link or mount"
        elif _above(place.local) & _folders(output.local):
            yield f"the zone {zone} ({place}) lies in {output}, by a link or mount"


def _identity(path: Path) -> Identity | None:
    """What the disk knows a place by; None where there is nothing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _above(path: Path) -> set[Identity]:
    """The folders that a place really lies in, and itself."""
    real = path.resolve()
    return {one for one in map(_identity, [real, *real.parents]) if one is not None}


def _folders(path: Path) -> set[Identity]:
    """A place itself, and all folders in it: one of them may be mounted elsewhere, too."""
    found = (_identity(Path(top)) for top, _, _ in os.walk(path))
    return {one for one in found if one is not None}


def _files(folder: Path) -> Iterator[tuple[Identity, str]]:
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top) / name
            found = _identity(path)
            if found is not None:
                yield found, str(path)
