"""`link`: the linking table (결합키연계정보) goes to the combining agency, serials of doubled keys to their parties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from jobs.combination.combining_agency.supplies import late_argument
from jobs.combination.key_agency.inputs import Inputs, gather, next_revision
from jobs.combination.key_agency.join_rates import (
    Rate,
    rates_of,
    require_few_doubled,
    require_floor,
    require_serials,
)
from jobs.combination.key_agency.matcher import Matcher, digest_of
from jobs.combination.key_agency.sealed_tables import SealedTables, by_table
from jobs.combination.order import State
from jobs.combination.packages import Draft
from jobs.combination.parcels import Kind
from jobs.combination.sealed_files import PackedFile
from jobs.combination.step import Call, Step
from jobs.errors import Refused
from jobs.job import Outcome
from transforms.combination.combining import SERIAL
from transforms.combination.linking import LINKING_TABLE, LinkReduce, linking_schema
from transforms.combination.matching import KEYS_SCHEMA, Matching, Tally

EMPTY = pa.schema([KEYS_SCHEMA.field(SERIAL)])


def body(call: Call) -> Outcome:
    """The same packages again change nothing; new revisions of keys, and withdrawals, make a new revision of it.

    A party that was late stays out of the round. DataFailed where a party's keys are unfit or too few are joined:
    then nothing goes to the combining agency.
    """
    before = call.round.done("link")
    if before is not None and call.round.state == State.CLOSED:
        return _told(call, before, "linked already, and closed")
    inputs = gather(call)
    if before is not None and before["inputs"] == inputs.digest:
        return _told(call, before, "linked already")
    _require_extraction(call, inputs)
    matcher = Matcher.of(call, inputs)
    drafts = _drafts(call, inputs)
    try:
        tally, blobs = matcher.run(LinkReduce(matcher.work, SealedTables.of(drafts)), "link", serials=True)
        files = by_table(blob for _, blob in blobs)
        for party in inputs.parties:
            _finish(drafts[party], files.get(party), EMPTY, _counts(call, inputs, tally, party))
        told = _checked(call, inputs, matcher.work, tally)
        content = {"parties": list(inputs.parties), "left_out": dict(inputs.left_out)}
        told["rows"] = _finish(drafts[LINKING_TABLE], files.get(LINKING_TABLE), linking_schema(matcher.work), content)
    finally:
        for package in drafts.values():
            package.discard()
    call.round.record("link", told, call.round.revision("link") + 1)
    return _told(call, told, "linked")


def _require_extraction(call: Call, inputs: Inputs) -> None:
    """Refused where the lists of the extraction are missing, or were made of other keys."""
    if call.combination.options.extraction is None:
        return
    made = call.round.done("extract")
    if made is None or made["inputs"] != inputs.of_keys:
        found = "no lists were sent yet" if made is None else "the lists were made of other keys than are there now"
        raise Refused(
            f"link: {found} (options.extraction); first: `gamyeong combination extract`, so that the parties' "
            "attributes are those of the linked"
        )


def _drafts(call: Call, inputs: Inputs) -> dict[str, Draft]:
    """The linking table's package, and one for each party's doubled serials, by the tasks' names of tables."""

    def begun(kind: Kind, receiver: str, made_from: Mapping[str, Any]) -> Draft:
        revision = next_revision(call, kind, receiver, digest_of(made_from))
        return call.draft(kind, receiver, revision=revision, receipt=inputs.receipt, inputs=made_from)

    digest = inputs.digest
    drafts = {
        party: begun("duplicates", party, {name: found.get(party) for name, found in digest.items()})
        for party in inputs.parties
    }
    return drafts | {LINKING_TABLE: begun("linking", call.combination.roles.combining_agency, digest)}


def _finish(package: Draft, files: list[PackedFile] | None, schema: pa.Schema, content: Mapping[str, Any]) -> int:
    """Sends a package, with an empty table where tasks wrote none; its rows."""
    return package.finish(files or [package.sealer.write(schema.empty_table())], content).rows


def _counts(call: Call, inputs: Inputs, tally: Tally, party: str) -> dict[str, Any]:
    """What a party learns of its own keys."""
    place = inputs.parties.index(party)
    named = ("rows", "voided", "doubled", "repeated")
    counts = {name: int(getattr(tally, name)[place]) for name in named}
    return {**counts, "keys": inputs.of_keys[party][0], "limit": call.combination.key.duplicates.limit}


def _checked(call: Call, inputs: Inputs, work: Matching, tally: Tally) -> dict[str, Any]:
    """What the record of the step holds, once all is fit to be sent."""
    require_serials(tally, inputs)
    require_few_doubled(tally, inputs, call.combination)
    rates = rates_of(tally, inputs.parties, work.rules)
    require_floor(rates, call.combination)
    return {
        "inputs": inputs.digest,
        "left_out": dict(inputs.left_out),
        "parties": {
            party: {
                "matched": rates[party].matched,
                "total": rates[party].total,
                "voided": int(tally.voided[place]),
                "doubled": int(tally.doubled[place]),
            }
            for place, party in enumerate(inputs.parties)
        },
    }


def _told(call: Call, told: Mapping[str, Any], state: str) -> Outcome:
    agency = call.combination.roles.combining_agency
    lines = [f"round {call.round.name}: {told['rows']} rows {state}, for {agency}"]
    for party, one in told["parties"].items():
        lines.append(
            f"{party}: {Rate(one['total'], one['matched'])} joined; {one['doubled']} serials of doubled keys and "
            f"{one['voided']} withdrawn are left out"
        )
    lines += [f"without {party}: {why}" for party, why in told["left_out"].items()]
    summary = {name: told[name] for name in ("rows", "parties", "left_out")}
    return Outcome({"state": state, **summary}, text="\n".join(lines))


STEP = Step(
    "link",
    "makes the linking table of the parties' serials for the combining agency",
    "key agency",
    body,
    writes=("keys", "evidence"),
    arguments=late_argument,
)
