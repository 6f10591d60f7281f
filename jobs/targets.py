"""Tables that jobs put into the source zone: names, what lies there already, the ledger's entry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.ledger import source_ledger
from jobs.locks import exclusive
from jobs.storage import Location
from jobs.tables import pinned

Mode = Literal["create", "append", "replace"]
_NAME = re.compile(r"[^\W_][\w.-]*(/[^\W_][\w.-]*)*")


@contextmanager
def source_table(environment: Environment, name: str) -> Iterator[Location]:
    """The place of `name` in the source zone, while no other job writes that table.

    A name is made of folders and a table (`retail/customers`), each beginning with a letter or a digit;
    another is BadInput.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(f"table {name!r}; allowed: a name such as retail/customers, without .. or a leading _")
    zone = environment.zone("source")
    if not zone.is_local:
        yield zone / name
        return
    with exclusive(zone / "_locks" / f"{name.replace('/', '--')}.lock", f"table {name}"):
        yield zone / name


def recorded(
    environment: Environment, kind: str, name: str, location: Location, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Enters what a job wrote in the source zone's ledger, once per version; what `--json` tells of it."""
    snapshot = pinned(location)
    entry = {"table": name, "table_id": snapshot.table_id, "version": snapshot.version, **body}
    source_ledger(environment).append(kind, entry, once=("table_id", "version"))
    return {**entry, "columns": len(snapshot.schema), "rows": snapshot.rows, "place": str(location)}
