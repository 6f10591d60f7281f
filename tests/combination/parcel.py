"""Packages of join keys from one role to the key agency, as tests send and take them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from jobs.combination import entries
from jobs.combination.packages import Package, draft, received
from jobs.combination.parcels import Manifest
from jobs.environment import Environment
from transforms.combination.model import Combination

ROUND = "2024-07"
KEYS = pa.table(
    {
        "join_key": pa.array([bytes([n]) * 32 for n in range(5)], pa.binary(32)),
        "serial": [f"serial-{n}" for n in range(5)],
    }
)


def send(sender: Environment, combination: Combination, table: pa.Table = KEYS, **options: object) -> Manifest:
    """A package of keys to KMA, in two files."""
    given = {"round": ROUND, "kind": "keys", "receiver": "KMA", **options}
    made = draft(sender, combination, **given)  # type: ignore[arg-type]
    half = table.num_rows // 2
    files = [made.sealer.write(table.slice(0, half), random=True), made.sealer.write(table.slice(half), random=True)]
    return made.finish(files, {"subjects": table.num_rows})


def take(receiver: Environment, combination: Combination, sender: str = "A", **options: object) -> Package | None:
    entries.forget()  # as each step does
    given = {"round": ROUND, "kind": "keys", **options}
    return received(receiver, combination, sender=sender, **given)  # type: ignore[arg-type]


def place(everyone: dict[str, Environment], revision: int = 1) -> Path:
    inbox = everyone["KMA"].exchange.inbox.local
    return inbox / "mobility-housing-health" / ROUND / "keys" / "A" / f"r{revision}"
