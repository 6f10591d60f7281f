"""`combine`: linking table and attributes become one table for each user (결합); unlinked rows and serials stay out."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.combination.combined import tables_of
from jobs.combination.combining_agency.close import end_run, runs_of
from jobs.combination.combining_agency.supplies import Supplies, gather, late_argument
from jobs.combination.combining_agency.tables import Made, combine_for
from jobs.combination.exports import handed_over
from jobs.combination.mock import require_no_mock
from jobs.combination.order import State
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import Refused
from jobs.job import Outcome
from transforms.column_types import type_of_text
from transforms.combination.combining import SERIAL, Supplied

# What a new combination makes void: decisions were made about another table.
LATER = ("combine", "process", "vote", "reject")
SECRET = "record"


def body(call: Call) -> Outcome:
    """Combines for each user; the same packages again change nothing, new revisions replace the round."""
    before = call.round.done("combine")
    if before is not None and call.round.state >= State.EXPORTED:
        return _told(call, before, "combined already, and exported")
    if users := handed_over(call.round):
        raise Refused(f"round {call.round.name} went out to {', '.join(users)}; allowed: `export` again, which ends it")
    require_no_mock(call)
    supplies = gather(call)
    if before is not None:
        if before["inputs"] == supplies.inputs and _stands(call, before):
            return _told(call, before, "combined already")
        _void(call, "combined again: " + ", ".join(_changed(before, supplies)))
    _check_columns(call, supplies)
    secret = round_secret(call.environment, call.combination, call.round.name, SECRET, make=True)
    absent = _absent(call, supplies)
    made = {one.user: combine_for(call, supplies, one, secret, absent) for one in call.combination.outputs}
    told = {
        "inputs": supplies.inputs,
        "parties": list(supplies.attributes),
        "left_out": dict(supplies.left_out),
        "receipt": supplies.linking.manifest.receipt,
        "columns": _columns(supplies),
        "plans": {party: one.content.get("fingerprint") for party, one in supplies.attributes.items()},
        "outputs": {user: one.plain() for user, one in made.items()},
    }
    call.round.record("combine", told, call.round.revision("combine") + 1)
    return _told(call, told, "combined")


def _void(call: Call, because: str) -> None:
    """What was made of the older table counts no more, and does not stay either."""
    for folder in runs_of(call):
        end_run(folder, because)
    call.round.void(*LATER, because=because)


def _stands(call: Call, before: Mapping[str, Any]) -> bool:
    """True if the tables that the record speaks of lie there."""
    there = {str(place) for place in tables_of(call.environment, call.combination).values()}
    zone = call.environment.zone("source")
    wanted = {str(zone / t["name"]) for output in before["outputs"].values() for t in output["tables"].values()}
    return wanted <= there


def _changed(before: Mapping[str, Any], supplies: Supplies) -> list[str]:
    """The packages that differ from those of the last time."""
    now, then = supplies.inputs, before["inputs"]
    return [name for name in sorted({*now, *then}) if now.get(name) != then.get(name)] or ["the table was gone"]


def _columns(supplies: Supplies) -> dict[str, dict[str, str]]:
    """Columns and types by party, as they came."""
    return {
        party: {one.name: str(one.type) for one in package.schema("rows")}
        for party, package in supplies.attributes.items()
    }


def _check_columns(call: Call, supplies: Supplies) -> None:
    """Refused where a party sends other columns than in the last round, unless `--changed-columns` says why."""
    earlier = _last_columns(call)
    problems = []
    for party, columns in _columns(supplies).items():
        known = earlier.get(party, columns)
        gone = [f"{name} ({type_})" for name, type_ in known.items() if columns.get(name) != type_]
        new = [f"{name} ({type_})" for name, type_ in columns.items() if known.get(name) != type_]
        if gone or new:
            problems.append(f"{party}: before {', '.join(gone) or 'nothing else'}; now {', '.join(new) or 'without'}")
    if problems and not call.arguments.changed_columns:
        allowed = "allowed: the same columns and types; or `--changed-columns`: the round is then reviewed in full"
        raise Refused("\n".join(["other attributes than in the round before:", *problems, allowed]))


def _last_columns(call: Call) -> dict[str, dict[str, str]]:
    """Each party's columns in its last round before this one that was combined here."""
    found: dict[str, dict[str, str]] = {}
    rounds = call.combination.rounds()
    for name in rounds[: rounds.index(call.round.name)]:
        done = type(call.round)(call.environment, call.combination, name).done("combine")
        found |= done["columns"] if done is not None else {}
    return found


def _absent(call: Call, supplies: Supplies) -> list[Supplied]:
    """Parties that stay out of this round, with the columns of their last one; those that never sent are not known."""
    earlier, parties = _last_columns(call), call.combination.parties
    found = []
    for party in supplies.left_out:
        if party in earlier:
            fields = [(name, type_of_text(text)) for name, text in earlier[party].items() if name != SERIAL]
            found.append(Supplied(party, pa.schema(fields), parties[party].rows == "many"))
    return found


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    # Uniqueness of the user's own columns comes first: who holds their source could find those records.
    lines = [text for user, one in told["outputs"].items() for text in Made.uniqueness_of(user, one)]
    for user, one in told["outputs"].items():
        rows = ", ".join(f"{table['name']}: {table['rows']} rows" for table in one["tables"].values())
        lines.append(f"round {call.round.name}, {user}: {state}; {rows}")
    lines += [f"without {party}: {why}" for party, why in told["left_out"].items()]
    summary = {"state": state, "outputs": told["outputs"], "parties": told["parties"], "left_out": told["left_out"]}
    return Outcome(summary, text="\n".join(lines))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    late_argument(parser)
    parser.add_argument(
        "--changed-columns", action="store_true", help="accept other attributes than in the round before"
    )


STEP = Step(
    "combine",
    "combines the parties' attributes by the linking table, for each user",
    "combining agency",
    body,
    writes=("source", "staging", "published", "additional-information", "keys", "evidence"),
    arguments=arguments,
)
