"""`mock-combine`: the chosen subjects' attributes side by side, in this agency's space; counts and rates are told.

The table is marked as a mock's: it is no source of an export (guideline L1442), and `mock-destroy` removes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.combination.combined import MARK, MOCK, CombinedFiles, first_day, folder_of, put_round, table_name
from jobs.combination.combining_agency.mock_choose import mock_sample
from jobs.combination.combining_agency.supplies import ROWS, digest_of
from jobs.combination.combining_agency.tables import attributes_of, run_tasks
from jobs.combination.mock import CHOICE, Sample, require_mock, those_there, without_argument
from jobs.combination.packages import Package
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.job import Outcome
from transforms.combination.combining import CombineKeys, Combining, Supplied, sourced
from transforms.combination.joins import JoinRule, meeting, patterns_of, rules_of
from transforms.combination.model import Output
from transforms.derivation import Secret
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit, Unit

# A count of fewer people than this is not told.
LEAST_TOLD = 10


def body(call: Call) -> Outcome:
    """Combines for each output as the real round would; what is told are counts of many and rates, no row."""
    require_mock(call)
    sampled, _ = mock_sample(call)
    attributes = those_there(call, "mock-attributes", "mock attributes", tuple(sampled.keys))
    inputs = {party: [one.manifest.address.revision, digest_of(one)] for party, one in attributes.items()}
    before = call.round.done("mock-combine")
    if before is not None and before["inputs"] == inputs:
        return _told(call, before, "combined already")
    if before is not None:
        call.round.void("mock-combine", because="other mock attributes came")
    linking = sampled.joined().select([f"serial_{party}" for party in attributes])
    linking = linking.filter(
        pa.array(patterns_of(dict(zip(attributes, linking.columns, strict=True)), list(attributes)) > 0)
    )
    secret = round_secret(call.environment, call.combination, call.round.name, CHOICE)
    outputs = {one.user: _combined(call, one, linking, attributes, secret) for one in call.combination.outputs}
    told = {"inputs": inputs, "joined": _rates(call, sampled), "outputs": outputs}
    call.round.record("mock-combine", told, call.round.revision("mock-combine") + 1)
    return _told(call, told, "combined")


def _combined(
    call: Call, output: Output, linking: pa.Table, attributes: Mapping[str, Package], secret: Secret
) -> dict[str, Any]:
    names = tuple(attributes)
    parties = tuple(
        Supplied(party, attributes_of(package), call.combination.parties[party].rows == "many", package.manifest.rows)
        for party, package in attributes.items()
    )
    units: list[list[tuple[Unit, int]]] = []
    for package in attributes.values():
        table = package.table(ROWS)
        units.append([(TableUnit(0, table, table.schema), 0)])
    keys = CombineKeys.of(secret, call.environment.organisation, f"{MOCK} {call.round.name}", output.user, names)
    work = Combining(output.user, parties, JoinRule.of(output, names), keys)
    day = first_day(call.combination, call.round.name)
    schemas, zone = work.tables, call.environment.zone("source")
    places = {name: zone / table_name(call.combination, output.user, name, mock=True) for name in schemas}
    engine = LocalEngine(sourced([TableUnit(0, linking, linking.schema)], units))
    counts, files = run_tasks(engine, work, CombinedFiles(places, schemas, folder_of(day)))
    for name, place in places.items():
        put_round(place, schemas[name], files.get(name, []), day, {"gamyeong.round": call.round.name}, None, MARK)
    tables = {
        table_name(call.combination, output.user, name, mock=True): _rows(files.get(name, [])) for name in schemas
    }
    nulls = {
        party: {name: _null_share(package.table(ROWS).column(name)) for name in attributes_of(package).names}
        for party, package in attributes.items()
    }
    kept = {name: at_least(count) for name, count in counts.items() if name == "records" or name.startswith("with ")}
    return {"tables": tables, "counts": kept, "null_shares": nulls}


def _rows(files: list[Any]) -> int | str:
    return at_least(sum(file.rows for file in files))


def _null_share(column: pa.ChunkedArray) -> float:
    return round(float(column.null_count) / max(1, len(column)), 3)


def at_least(count: int) -> int | str:
    """A count as it may be told: of few people only that they are few."""
    return count if count == 0 or count >= LEAST_TOLD else f"fewer than {LEAST_TOLD}"


def _rates(call: Call, sampled: Sample) -> dict[str, float]:
    """For each party the share of its sampled keys that some output joins."""
    parties = tuple(sampled.keys)
    joins, found = meeting(rules_of(call.combination.outputs, parties)), sampled.patterns()
    rates = {}
    for place, party in enumerate(parties):
        mine = found[(found >> place & 1).astype(np.bool_)]
        rates[party] = round(float(joins[mine].mean()), 3) if len(mine) else 0.0
    return rates


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    lines = [f"{party}: {rate:.1%} of its sampled keys are joined" for party, rate in told["joined"].items()]
    for user, one in told["outputs"].items():
        rows = ", ".join(f"{name}: {count} rows" for name, count in one["tables"].items())
        lines.append(f"mock of round {call.round.name}, {user}: {state}; {rows}; to be analysed here, never exported")
    return Outcome({"state": state, "joined": told["joined"], "outputs": told["outputs"]}, text="\n".join(lines))


STEP = Step(
    "mock-combine",
    "combines the chosen subjects' attributes for analysis in this agency alone",
    "combining agency",
    body,
    writes=("source", "keys", "evidence"),
    arguments=without_argument,
)
