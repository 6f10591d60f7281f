"""What dead attempts and dead runs leave behind, and how it is swept.

Nobody reads it (tables are read by their logs), but it lies on the disk, and holds pseudonymized rows.
"""

from __future__ import annotations

import re

import pyarrow.fs as pafs

from jobs.environment import Environment
from jobs.errors import Operational
from jobs.locks import exclusive
from jobs.runs import RUN_DIGITS, RunFolder, RunRecord
from jobs.storage import Location
from jobs.tables import pinned


def sweep_attempts(folder: RunFolder, record: RunRecord) -> int:
    """Removes the files of failed and duplicate attempts from a run's staged tables; gives their number.

    A speculative attempt that was told to stop may write on for some seconds: the next start of the run
    sweeps again, and publishing removes the whole folder.
    """
    return sum(_sweep_table(folder.staged(table.name), table.version) for table in record.tables)


def _sweep_table(place: Location, version: int) -> int:
    filesystem, root = place.filesystem()
    listed = {f"{root}/{file.path}" for file in pinned(place, version).files}
    below = filesystem.get_file_info(pafs.FileSelector(root, recursive=True))
    orphans = [
        one.path
        for one in below
        if one.type == pafs.FileType.File and one.path not in listed and not one.path.startswith(f"{root}/_delta_log/")
    ]
    for path in orphans:
        filesystem.delete_file(path)
    return len(orphans)


def sweep_dead_runs(environment: Environment) -> list[str]:
    """Removes staging and facts of runs that have no record and nobody at work on them; gives their names.

    A run that was killed and never started again, because its source has a newer version since, would
    otherwise leave both for ever. Its secret stays: should it be started again, its rows are the same.
    """
    swept = []
    for name in sorted(_runs_with_leftovers(environment)):
        folder = RunFolder(environment, name)
        try:
            with exclusive(folder.lock, f"run {name}"):
                if not folder.record.exists():
                    folder.staging.delete()
                    folder.additional.delete()
                    swept.append(name)
        except Operational:  # at work
            continue
    return swept


def _runs_with_leftovers(environment: Environment) -> set[str]:
    found = set()
    for zone in (environment.zone("staging"), environment.zone("additional-information")):
        filesystem, root = zone.filesystem()
        entries = filesystem.get_file_info(pafs.FileSelector(root, allow_not_found=True))
        found |= {one.base_name for one in entries if one.type == pafs.FileType.Directory}
    ours = {name for name in found if re.fullmatch(f"[0-9a-f]{{{RUN_DIGITS}}}", name)}
    return {name for name in ours if not RunFolder(environment, name).record.exists()}
