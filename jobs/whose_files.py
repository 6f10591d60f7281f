"""Whose rows a published table's files hold; other tools rewrite files (OPTIMIZE, DELETE) and name no run in them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable

from jobs.errors import Refused
from jobs.runs import PERIOD_COLUMN
from jobs.storage import Location

NAMED = re.compile(r"(?:.*/)?part-\d+-([0-9a-f]{16})\.parquet")
ALLOWED = "allowed: destroy the whole output, or publish the period again, then destroy it"


def owners_of(place: Location, table: DeltaTable) -> dict[str, str | None]:
    """The run whose rows each file of a table's newest version holds, by the file's path below the place.

    By its name; else, where the table has periods, the run that published its period last; else by the commit that
    added it. None where none of these tells.
    """
    rows = rows_of(table)
    found = {unquote(row["path"]): _named(unquote(row["path"])) for row in rows}
    if None not in found.values():
        return found
    history = _releases(table)
    if PERIOD_COLUMN in table.metadata().partition_columns:
        of_period = {one.get("gamyeong.period"): one["gamyeong.run"] for one in reversed(history)}
        told = {unquote(row["path"]): of_period.get(row[f"partition.{PERIOD_COLUMN}"]) for row in rows}
    else:
        told = {path: one["gamyeong.run"] for one in history for path in _told(place, one["version"], "add")}
    return {path: run or told.get(path) for path, run in found.items()}


def require_told(place: Location, table: DeltaTable, runs: Collection[str]) -> None:
    """Refused where rows of these runs may be in files that nothing names them by, or in no file any more."""
    owners = owners_of(place, table).values()
    if unknown := sum(owner is None for owner in owners):
        raise Refused(f"{place}: another tool wrote {unknown} of its files, and nothing tells whose rows; {ALLOWED}")
    had = {one["gamyeong.run"] for one in _releases(table) if int(one.get("gamyeong.rows", 0))}
    if gone := sorted((had & set(runs)) - set(owners)):
        raise Refused(f"{place}: {', '.join(gone)} published rows, and no file holds any of them now; {ALLOWED}")


def rows_of(table: DeltaTable) -> list[dict[str, Any]]:
    """What the log says of each file of a table's newest version."""
    found: list[dict[str, Any]] = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return found


def _named(path: str) -> str | None:
    told = NAMED.fullmatch(path)
    return told[1] if told else None


def _releases(table: DeltaTable) -> list[dict[str, Any]]:
    return [one for one in table.history() if one.get("gamyeong.run")]  # the newest first


def rewritten_since(place: Location, table: DeltaTable, files: Collection[str]) -> bool:
    """Did another tool take files out of a table, and are files there that name no run? Rows may have moved there."""
    standing = {unquote(row["path"]) for row in rows_of(table)}
    if set(files) <= standing or all(map(_named, standing)):
        return False
    ours = [one["version"] for one in table.history() if one.get("gamyeong.destroyed")]
    return not set(files) <= standing.union(*(_told(place, version, "remove") for version in ours))


def _told(place: Location, version: int, action: str) -> list[str]:
    filesystem, path = (place / f"_delta_log/{version:020d}.json").filesystem()
    with filesystem.open_input_stream(path) as stream:
        actions = [json.loads(line) for line in stream.read().splitlines() if line.strip()]
    return [unquote(one[action]["path"]) for one in actions if action in one]
