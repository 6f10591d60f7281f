"""What a Delta log may still say of destroyed files: minima and maxima of their columns, predicates with their values.

Our own tables are made without statistics; a table that another tool wrote, or wrote to, may have them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

import pyarrow.fs as pafs
from deltalake import DeltaTable

from jobs.key_files import overwrite
from jobs.storage import Location, write_atomically

COMMIT = re.compile(r"\d{20}\.json")
CHECKPOINT = re.compile(r"(\d{20}\.checkpoint.*|_last_checkpoint)")
STATISTICS = ("stats", "stats_parsed", "tags")
# Of who wrote a commit, and what with, this stays; predicates and what a tool's user noted go.
INFO = {"timestamp", "operation", "operationParameters", "operationMetrics", "engineInfo", "clientVersion"}
INFO |= {"readVersion", "isolationLevel", "isBlindAppend", "txnId", "inCommitTimestamp", "version"}
PARAMETERS = {"mode", "partitionBy", "location", "metadata", "protocol", "isManaged", "description", "properties"}
# The number of rows tells of no cell, and `history` and readers of other files don't miss it.
KEPT = "numRecords"


def redact(place: Location, standing: Collection[str]) -> None:
    """Leaves in a table's log its commits without statistics of other files than `standing`, and a new checkpoint.

    `standing` are the newest version's paths below the place. All else in the log (checkpoints, checksums, compacted
    commits, sidecars, drafts) repeats commits, and goes, whatever its name. Each commit is replaced whole or not at
    all; nothing to take out leaves it as it is, to the byte.
    """
    filesystem, log = (place / "_delta_log").filesystem()
    found = filesystem.get_file_info(pafs.FileSelector(log))
    names = [one.base_name for one in found]
    for name in filter(COMMIT.fullmatch, names):
        with filesystem.open_input_stream(f"{log}/{name}") as stream:
            before = stream.read()
        after = b"".join(_line(line, standing) for line in before.splitlines(keepends=True))
        if after != before:
            _write(place / "_delta_log" / name, after)
    others = [one for one in found if not COMMIT.fullmatch(one.base_name)]
    table = DeltaTable(str(place), storage_options=dict(place.options.deltalake) or None)
    new: tuple[str, ...] = ()
    if any(map(CHECKPOINT.fullmatch, names)):
        if all(f"{version:020d}.json" in names for version in range(table.version() + 1)):
            for one in others:  # the commits alone tell all: a checkpoint made of an old one would repeat what it says
                _drop(place, one.base_name)
            table = DeltaTable(str(place), storage_options=dict(place.options.deltalake) or None)
        table.create_checkpoint()
        new = (f"{table.version():020d}.checkpoint.parquet", "_last_checkpoint")
    for one in others:
        if one.base_name not in new:
            _drop(place, one.base_name)


def _drop(place: Location, name: str) -> None:
    file = place / "_delta_log" / name
    if file.is_local and file.local.is_symlink():
        file.local.unlink()
        return
    if file.is_local:
        inside = file.local.rglob("*") if file.local.is_dir() else [file.local]
        for one in inside:
            if one.is_file() and not one.is_symlink():
                overwrite(one)
    file.delete()


def _line(line: bytes, standing: Collection[str]) -> bytes:
    if not line.strip():
        return line
    action: dict[str, Any] = json.loads(line)
    if isinstance(info := action.get("commitInfo"), dict):
        kept = {name: value for name, value in info.items() if name in INFO or name.startswith("gamyeong.")}
        if isinstance(told := kept.get("operationParameters"), dict):
            kept["operationParameters"] = {name: value for name, value in told.items() if name in PARAMETERS}
        return line if kept == info else json.dumps({"commitInfo": kept}, ensure_ascii=False).encode() + b"\n"
    for kind in ("add", "remove", "cdc"):
        body = action.get(kind)
        if not isinstance(body, dict) or unquote(body.get("path", "")) in standing:
            continue
        said = {name: body.pop(name) for name in STATISTICS if name in body}
        if not said:
            return line
        rows = _rows(said.get("stats"))
        if rows is not None:
            body["stats"] = json.dumps({KEPT: rows})
        if _same(said, body):
            return line
        return json.dumps(action, ensure_ascii=False).encode() + b"\n"
    return line


def _rows(stats: Any) -> int | None:
    try:
        found = json.loads(stats).get(KEPT)
    except (TypeError, ValueError, AttributeError):
        return None
    return found if isinstance(found, int) else None


def _same(said: dict[str, Any], body: dict[str, Any]) -> bool:
    """Nothing but the number of rows stood there."""
    try:
        return list(said) == ["stats"] and json.loads(said["stats"]) == json.loads(body.get("stats", "null"))
    except (TypeError, ValueError):
        return False


def _write(place: Location, content: bytes) -> None:
    if place.is_local:
        mode = place.local.stat().st_mode & 0o777  # who may read the table still may
        write_atomically(place.local, content)
        place.local.chmod(mode)
        return
    filesystem, path = place.filesystem()
    with filesystem.open_output_stream(path) as stream:
        stream.write(content)
