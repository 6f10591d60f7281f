"""What has come for a round at the key agency: join keys with serials of all parties, withdrawn serials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.combination.combining_agency.supplies import without
from jobs.combination.packages import Package, sent
from jobs.combination.parcels import Address, Kind
from jobs.combination.step import Call
from jobs.errors import DataFailed, Refused
from transforms.combination.combining import SERIAL
from transforms.combination.matching import KEYS_SCHEMA, KeyUnit, key_units

# Steps that match keys, the last first.
STEPS = ("link", "extract", "rate")


@dataclass(frozen=True)
class Inputs:
    """All packages of a round, checked. `keys` by party in the file's order; `left_out`: why others are not there."""

    keys: Mapping[str, Package]
    voids: Mapping[str, Package] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def parties(self) -> tuple[str, ...]:
        """Those that take part."""
        return tuple(self.keys)

    @property
    def rows(self) -> int:
        """Keys of all parties."""
        return sum(one.manifest.rows for one in self.keys.values())

    @property
    def of_keys(self) -> dict[str, Any]:
        """Revision and digest of each party's keys."""
        return {party: _digest(package) for party, package in self.keys.items()}

    @property
    def digest(self) -> dict[str, Any]:
        """What a linking table is made from: revision and digest of each package."""
        return {"keys": self.of_keys, "voids": {party: _digest(package) for party, package in self.voids.items()}}

    @property
    def receipt(self) -> str | None:
        """The receipt number that all keys were sent under; None where they name several, or none."""
        named = {one.manifest.receipt for one in self.keys.values()}
        return named.pop() if len(named) == 1 else None

    def units(self) -> list[KeyUnit]:
        """The keys, to be opened in tasks."""
        return key_units([one.units() if one.manifest.rows else [] for one in self.keys.values()])

    def voided(self) -> dict[str, pa.Array]:
        """Serials of subjects who asked to be left out since the keys were sent, by party."""
        return {party: one.table().column(SERIAL).combine_chunks() for party, one in self.voids.items()}


def _digest(package: Package) -> list[Any]:
    return [package.manifest.address.revision, package.manifest.substance]


def gather(call: Call) -> Inputs:
    """The newest keys and withdrawals of all parties but those that were late for an earlier step of the round.

    Waiting for keys that have not come; with `--late` the file's rule; Refused where something else than keys was
    sent, or fewer than two parties are left.
    """
    out = _out_already(call)
    wanted = [party for party in call.combination.suppliers if party not in out]
    found = {party: call.received("keys", party) for party in wanted}
    missing = [party for party, package in found.items() if package is None]
    if missing:
        out |= without(call, missing, "keys")
    keys = {party: package for party, package in found.items() if package is not None}
    if len(keys) < 2:
        raise Refused(f"round {call.round.name}: keys of {len(keys)} party; allowed: two or more")
    for one in keys.values():
        _require_keys_alone(one)
    voids = {party: package for party in keys if (package := call.received("void", party)) is not None}
    return Inputs(keys, voids, out)


def _out_already(call: Call) -> dict[str, str]:
    """Who was late stays out of the round, also when its keys have come meanwhile."""
    for step in STEPS:
        before = call.round.done(step)
        if before is not None:
            return dict(before["left_out"])
    return {}


def _require_keys_alone(package: Package) -> None:
    """The key agency takes in no attribute, not even unread."""
    name, allowed = package.manifest.address.name, ", ".join(f"{one.name} ({one.type})" for one in KEYS_SCHEMA)
    if len(package.manifest.labels) != 1:
        raise DataFailed(f"{name}: {len(package.manifest.labels)} tables; allowed: one, of {allowed}")
    columns = package.schema()
    if {one.name: one.type for one in columns} != {one.name: one.type for one in KEYS_SCHEMA}:
        found = ", ".join(f"{one.name} ({one.type})" for one in columns)
        raise DataFailed(
            f"{name}: columns {found}; allowed: {allowed}: attributes go to the combining agency alone; "
            "ask the sender for a new revision of its keys"
        )


def next_revision(call: Call, kind: Kind, receiver: str, inputs_digest: str) -> int:
    """The revision under which a package made from these inputs goes out: the one it was sent as, or a new one."""
    revision = 1
    while True:
        address = Address(call.combination.combination, call.round.name, kind, call.me, receiver, revision)
        before = sent(call.environment, address)
        if before is None or before.inputs == inputs_digest:
            return revision
        revision += 1
