"""What has come for a round at the combining agency: linking table, attributes of the parties, withdrawn serials."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.clock import utc_now
from jobs.combination.packages import Package, newest_in_inbox
from jobs.combination.parcels import Kind
from jobs.combination.step import Call
from jobs.errors import BadInput, DataFailed, Refused, Waiting
from transforms.column_types import is_allowed
from transforms.combination.combining import SERIAL

ROWS = "rows"
SERIAL_OF = "serial_"
_OF_PARTIES: tuple[Kind, ...] = ("attributes", "void")


@dataclass(frozen=True)
class Supplies:
    """All packages of a round, checked. `attributes` by party in the file's order; `left_out`: why others are not."""

    linking: Package
    attributes: Mapping[str, Package]
    voids: Mapping[str, Package] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """What the result is made from: revision and hash of each package's manifest."""
        named = {"linking": self.linking}
        named |= {f"attributes {party}": one for party, one in self.attributes.items()}
        named |= {f"void {party}": one for party, one in self.voids.items()}
        return {name: [one.manifest.address.revision, digest_of(one)] for name, one in named.items()}

    @property
    def rows(self) -> int:
        """Rows of all packages."""
        return self.linking.manifest.rows + sum(one.manifest.rows for one in self.attributes.values())

    def voided(self) -> dict[str, pa.Array]:
        """Serials of subjects who asked to be left out meanwhile, by party."""
        return {party: one.table().column(SERIAL).combine_chunks() for party, one in self.voids.items()}


def digest_of(package: Package) -> str:
    """SHA-256 (hex) of a package's manifest, which names the hash of each of its files."""
    return hashlib.sha256(package.manifest.encoded()).hexdigest()


def gather(call: Call) -> Supplies:
    """Everything that a combination needs; Waiting for what has not come, Refused where the round can't be saved.

    A party that is late goes by the file's rule (`late`) once it is called with `--late` after the due day.
    """
    agency = call.combination.roles.key_agency
    linking = call.received("linking", agency)
    if linking is None:
        raise Waiting(f"round {call.round.name} waits for the linking table of {agency} (`link`)")
    linked = linked_parties(linking)
    unknown = [party for party in linked if party not in call.combination.suppliers]
    if unknown:
        raise DataFailed(f"the linking table names {', '.join(unknown)}, which supply nothing to the combination")
    found = {party: call.received("attributes", party) for party in call.combination.suppliers if party in linked}
    left_out = {party: "no keys" for party in call.combination.suppliers if party not in linked}
    missing = [party for party, package in found.items() if package is None]
    if missing:
        left_out |= without(call, missing)
    attributes = {party: package for party, package in found.items() if package is not None}
    if len(attributes) < 2:
        raise Refused(f"round {call.round.name}: attributes of {len(attributes)} party; allowed: two or more")
    problems = [text for party, package in attributes.items() for text in _problems(call, party, package)]
    problems += _same_names(attributes)
    if problems:
        raise DataFailed("\n".join(["what the parties sent can't be combined:", *problems]))
    voids = {party: package for party in attributes if (package := call.received("void", party)) is not None}
    return Supplies(linking, attributes, voids, left_out)


def require_nothing_new(call: Call) -> None:
    """Refused where newer packages have come than the combined tables were made from: a withdrawal, or data again."""
    combined = call.round.done("combine") or {"inputs": {}, "parties": []}
    agency = call.combination.roles.key_agency
    sources: list[tuple[str, Kind, str]] = [("linking", "linking", agency)]
    sources += [(f"{kind} {party}", kind, party) for kind in _OF_PARTIES for party in combined["parties"]]
    new = []
    for name, kind, sender in sources:
        there = newest_in_inbox(call.environment, call.combination, call.round.name, kind, sender)
        if there > combined["inputs"].get(name, [0])[0]:
            new.append(f"{kind} of {sender}, revision {there}")
    if new:
        raise Refused(
            f"round {call.round.name}: since it was combined there came {', '.join(new)}; allowed: `combine` and "
            "`process` again, then decisions and votes about the new tables"
        )


def linked_parties(linking: Package) -> list[str]:
    """The parties whose serials a linking table holds."""
    names = linking.schema().names
    return [name.removeprefix(SERIAL_OF) for name in names if name.startswith(SERIAL_OF)]


def without(call: Call, missing: list[str], what: str = "attributes") -> dict[str, str]:
    """Goes on without late parties, or ends the round, by the file's rule; Waiting where that was not asked for."""
    due = call.combination.due(call.round.name)
    day = None if due is None else (due.attributes if what == "attributes" else due.keys)
    names = ", ".join(missing)
    if not call.arguments.late:
        said = (
            ""
            if day is None
            else f"; due {day}" + (" (over: `--late` goes by the file's `late`)" if _over(day) else "")
        )
        raise Waiting(f"round {call.round.name} waits for the {what} of {names}{said}")
    if day is not None and not _over(day):
        raise Refused(f"--late: {what} are due on {day}; allowed: from the day after")
    series = call.combination.series
    optional = all(call.combination.parties[party].optional for party in missing)
    if optional and (series is None or series.late == "without-optional"):
        return dict.fromkeys(missing, f"no {what} in time")
    because = f"{what} of {names} did not come in time"
    call.round.cancel(because)
    raise Refused(f"round {call.round.name} is cancelled: {because}; what came is destroyed by `close`")


def late_argument(parser: argparse.ArgumentParser) -> None:
    """`--late`."""
    parser.add_argument(
        "--late", action="store_true", help="the due day is over: go on or cancel, as the file's `late` says"
    )


def _over(day: Any) -> bool:
    return bool(utc_now().date() > day)


def _same_names(attributes: Mapping[str, Package]) -> list[str]:
    """Columns of two parties that would have one name; Delta's names are alike in small and capital letters."""
    seen: dict[str, str] = {}
    problems = []
    for party, package in attributes.items():
        for column in package.schema(ROWS).names if ROWS in package.manifest.labels else ():
            name = f"{party}_{column}"
            if name.lower() in seen:
                problems.append(f"{name} and {seen[name.lower()]}: one name for two columns; rename one in its plan")
            seen[name.lower()] = name
    return problems


def _problems(call: Call, party: str, package: Package) -> list[str]:
    """What is wrong with a party's attributes: columns, types, reports."""
    name = package.manifest.address.name
    if ROWS not in package.manifest.labels:
        raise BadInput(f"{name}: no table {ROWS!r}; the sender has another version of this program?")
    schema = package.schema(ROWS)
    problems = []
    if SERIAL not in schema.names or not pa.types.is_string(schema.field(SERIAL).type):
        problems.append(f"{name}: no column {SERIAL!r} of text; allowed: the serials of `combination-serial`")
    if len(schema.names) < 2:
        problems.append(f"{name}: no attribute beside the serial")
    problems += [f"{name}, column {one.name}: type {one.type}" for one in schema if not is_allowed(one.type)]
    content = package.content
    good = (content.get("verify", {}).get("verdict"), content.get("review", {}).get("verdict")) == ("equal", "fit")
    if not good:
        problems.append(
            f"{name}: no reports that say equal and fit (guideline L1553); allowed: what `attributes` sends"
        )
    keys = {column.name for column in call.combination.key.columns}
    strange = sorted(set(content.get("cleared", {})) - keys)
    if strange:
        problems.append(f"{name}: cleared {', '.join(strange)}, which are no key columns of the combination")
    return problems
