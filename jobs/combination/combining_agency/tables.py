"""One user's combined tables of a round: made by tasks, committed, tested for uniqueness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from jobs.combination.combined import CombinedFiles, files_of, first_day, folder_of, put_round, table_name
from jobs.combination.combining_agency.supplies import ROWS, Supplies, linked_parties
from jobs.combination.engines import cores_of, engine_of, failed
from jobs.combination.packages import Package
from jobs.combination.sealed_files import SealedUnit
from jobs.combination.step import Call
from jobs.parquet import NewFile
from jobs.tables import pinned, source_file
from transforms.combination.combine_tasks import COUNTS, FindMap, FindReduce, RecordMap, RecordReduce, add
from transforms.combination.combining import SERIAL, CombineKeys, Combining, Supplied, bucket_count, sourced
from transforms.combination.joins import JoinRule
from transforms.combination.model import Output
from transforms.combination.own_columns import OwnMap, OwnReduce, OwnUniqueness
from transforms.derivation import Secret, subkey
from transforms.draws import Draws
from transforms.pipeline.engine import Engine, Inner, PassFailed
from transforms.pipeline.feed import Unit, pack_units
from transforms.pipeline.states import unpack
from transforms.run_keys import ALGORITHM

TELLING = 0.05


@dataclass(frozen=True)
class Made:
    """What stands now for a user: tables (name in the source zone, id, version, rows), counts, uniqueness."""

    tables: Mapping[str, Mapping[str, Any]]
    counts: Mapping[str, int]
    uniqueness: Mapping[str, Mapping[str, Any]]

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @staticmethod
    def uniqueness_of(user: str, told: Mapping[str, Any]) -> Iterator[str]:
        """The report on the user's own columns, a line for each table that has some."""
        for table, found in told["uniqueness"].items():
            rows, alone = found["rows"], found["within"]["1"]
            share = alone / rows if rows else 0.0
            advice = "; let the further processing coarsen them or leave them out" if share > TELLING else ""
            yield (
                f"{user} holds the source of its own {len(found['columns'])} column(s) in {table}: {alone} of {rows} "
                f"rows ({share:.1%}) are unique by them, {found['within']['5']} stand among 5 or fewer{advice}"
            )


def combine_for(
    call: Call, supplies: Supplies, output: Output, secret: Secret, absent: Sequence[Supplied] = ()
) -> Made:
    """Combines for one user and puts the round into its tables; DataFailed where the packages contradict each other.

    `absent`: what parties sent in earlier rounds that stayed out of this one; their columns are null.
    """
    parties = tuple(
        Supplied(party, attributes_of(package), call.combination.parties[party].rows == "many", package.manifest.rows)
        for party, package in supplies.attributes.items()
    )
    names = tuple(supplies.attributes)
    attributes = [_numbered(package) for package in supplies.attributes.values()]
    units = sourced(supplies.linking.units(), attributes)
    label = f"combine {call.combination.combination} {call.round.name} {output.user}"
    engine = engine_of(call.environment, units, supplies.rows, label, call.progress)
    series = f"combination/{call.combination.combination}/{call.round.name}"
    work = Combining(
        output.user,
        parties,
        JoinRule.of(output, names),
        CombineKeys.of(secret, call.environment.organisation, series, output.user, names),
        f"link_{output.user}" if output.link_id else None,
        supplies.voided(),
        bucket_count(parties, cores_of(engine)),
        tuple(party for party in linked_parties(supplies.linking) if party not in supplies.attributes),
    )
    day = first_day(call.combination, call.round.name)
    schemas, zone = work.tables_beside(absent, call.combination.suppliers), call.environment.zone("source")
    places = {name: zone / table_name(call.combination, output.user, name) for name in schemas}
    sink = CombinedFiles(places, schemas, folder_of(day))
    counts, files = run_tasks(engine, work, sink)
    told = {"gamyeong.round": call.round.name, "gamyeong.combination": call.combination.fingerprint}
    comments = _comments(supplies)
    tables: dict[str, dict[str, Any]] = {}
    uniqueness: dict[str, dict[str, Any]] = {}
    for name, place in places.items():
        mine = files.get(name, [])
        put_round(place, schemas[name], mine, day, told, comments)
        snapshot = pinned(place)
        rows = sum(file.rows for file in mine)
        full = table_name(call.combination, output.user, name)
        tables[name] = {"name": full, "id": snapshot.table_id, "version": snapshot.version, "rows": rows}
        if columns := _own(parties, output.user, name):
            sources = [source_file(place / file.path) for file in mine]
            found_units = pack_units(sources, schemas[name], 2 * cores_of(engine))
            uniqueness[full] = _uniqueness(call, found_units, columns, rows, secret)
    return Made(tables, counts, uniqueness)


def run_tasks(engine: Engine, work: Combining, sink: CombinedFiles) -> tuple[dict[str, int], dict[str, list[NewFile]]]:
    """Combines: the counts, and the files written by table; DataFailed where the packages contradict each other."""
    inner = Inner(FindMap(work, work.buckets), FindReduce(work), work.buckets)
    try:
        found = engine.shuffle(RecordMap(work), RecordReduce(work, sink), work.buckets, "combine", True, inner)
    except PassFailed as error:
        raise failed(error) from None
    counts: dict[str, int] = {}
    for kind, blob in found:
        if kind == COUNTS:
            add(counts, unpack(blob))
    return counts, files_of([blob for kind, blob in found if kind != COUNTS])


def attributes_of(package: Package) -> pa.Schema:
    """A package's columns without the serial."""
    return pa.schema([one for one in package.schema(ROWS) if one.name != SERIAL])


def _numbered(package: Package) -> list[tuple[Unit, int]]:
    """A package's units, each with the number of its first row."""
    rows = {file.name: file.rows for file in package.manifest.files}
    found, first = [], 0
    for unit in package.units(ROWS):
        found.append((unit, first))
        assert isinstance(unit, SealedUnit)
        first += sum(rows[name] for name in unit.files)
    return found


def _own(parties: tuple[Supplied, ...], user: str, table: str) -> tuple[str, ...]:
    """The columns of a table that its user supplied."""
    mine = [one for one in parties if one.party == user and (one.party == table if table else not one.many)]
    return tuple(one.named(name) for one in mine for name in one.schema.names)


def _uniqueness(call: Call, units: list[Any], columns: tuple[str, ...], rows: int, secret: Secret) -> dict[str, Any]:
    """How many rows the user's own columns tell apart."""
    key = subkey(
        secret, organisation=call.environment.organisation, run_or_series=call.round.name, recipient=None,
        algorithm=ALGORITHM, domain="own columns", step=None, purpose="classes",
    )  # fmt: skip
    engine = engine_of(call.environment, units, rows, "uniqueness of own columns", call.progress)
    buckets = max(1, -(-rows // 2_000_000), min(cores_of(engine), rows))
    task = OwnMap(columns, Draws(key), buckets)
    try:
        found = OwnUniqueness.of(engine.shuffle(task, OwnReduce(), buckets, "own columns"))
    except PassFailed as error:
        raise failed(error) from None
    within = {str(most): count for most, count in found.within.items()}
    return {"columns": list(columns), "rows": found.rows, "classes": found.classes, "within": within}


def _comments(supplies: Supplies) -> dict[str, str]:
    """What each column means, as its party declared it."""
    return {
        f"{party}_{one['name']}": f"{party}: {one['label']}" + (f" ({one['unit']})" if one.get("unit") else "")
        for party, package in supplies.attributes.items()
        for one in package.content.get("columns", [])
        if one.get("label")
    }
