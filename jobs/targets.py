"""Tables that jobs put into the source zone: names, what lies there already, the ledger's entry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.ledger import source_ledger
from jobs.locks import exclusive
from jobs.storage import Location, unique_name
from jobs.tables import exists, pinned

Mode = Literal["create", "append", "replace"]
_NAME = re.compile(r"[^\W_][\w.-]*(/[^\W_][\w.-]*)*")


@dataclass(frozen=True)
class Target:
    """A table in the source zone that this job alone writes, and the folder below it for its new files."""

    location: Location
    folder: str


@contextmanager
def source_table(environment: Environment, name: str) -> Iterator[Target]:
    """The place of `name` in the source zone, while no other job writes that table.

    Files of an attempt that failed or was killed are removed: at once, or when the next one starts. A
    name is made of folders and a table (`retail/customers`), each beginning with a letter or a digit;
    another is BadInput.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(f"table {name!r}; allowed: a name such as retail/customers, without .. or a leading _")
    zone = environment.zone("source")
    plain = name.replace("/", "--")
    with exclusive(zone / "_locks" / f"{plain}.lock", f"table {name}") if zone.is_local else nullcontext():
        marker = zone / "_attempts" / f"{plain}.json"
        target = Target(zone / name, unique_name())
        if zone.is_local and marker.exists():
            _swept(target.location, marker.read_json()["folder"])
        if zone.is_local:
            marker.write_json({"folder": target.folder})
        try:
            yield target
        except BaseException:
            _swept(target.location, target.folder)
            raise
        marker.delete()


def _swept(table: Location, folder: str) -> None:
    """Removes an attempt's files unless its commit stands."""
    committed = exists(table) and any(file.path.startswith(f"{folder}/") for file in pinned(table).files)
    if not committed:
        (table / folder).delete()


def recorded(
    environment: Environment, kind: str, name: str, location: Location, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Enters what a job wrote in the source zone's ledger, once per version; what `--json` tells of it."""
    snapshot = pinned(location)
    entry = {"table": name, "table_id": snapshot.table_id, "version": snapshot.version, **body}
    source_ledger(environment).append(kind, entry, once=("table_id", "version"))
    return {**entry, "columns": len(snapshot.schema), "rows": snapshot.rows, "place": str(location)}
