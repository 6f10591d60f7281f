"""`receive`: checks the applications of all parties and gives the round its receipt number (접수번호)."""

from __future__ import annotations

import json

from pydantic import ValidationError

from jobs.clock import utc_now
from jobs.combination.combining_agency.supplies import digest_of, late_argument, without
from jobs.combination.everyone.apply import COLUMN, TABLE
from jobs.combination.packages import Package
from jobs.combination.step import Call, Step
from jobs.errors import BadInput, Refused
from jobs.job import Outcome
from transforms.combination.application import CombinationApplication, problems_in

SPEC_DIGITS = 8


def body(call: Call) -> Outcome:
    """Waiting while applications are missing, Refused with all that is to be put right; then one number for all."""
    found = {party: call.received("application", party) for party in call.combination.parties}
    missing = [party for party, package in found.items() if package is None]
    late = without(call, missing, "application") if missing else {}
    there = {party: package for party, package in found.items() if package is not None}
    problems = [f"{party}: {text}" for party, package in there.items() for text in _problems(call, package)]
    if problems:
        raise Refused("\n".join(["the applications are to be put right (`apply --revision 2`):", *problems]))
    number = receipt_number(call)
    agency = call.combination.roles.key_agency
    for receiver in (*there, agency):
        package = call.draft("receipt", receiver, revision=1, receipt=number)
        package.finish(content={"receipt": number})
    told = {"receipt": number, "applications": sorted(there), "left_out": late}
    if (call.round.done("receive") or {}).get("receipt") != number:
        call.round.record("receive", told | {"inputs": {party: digest_of(one) for party, one in there.items()}})
    text = f"round {call.round.name}: receipt number {number} for {', '.join(there)}"
    return Outcome(told, text="\n".join([text, *(f"without {party}: {why}" for party, why in late.items())]))


def receipt_number(call: Call) -> str:
    """One for a round of a combination file: the same however often it is asked for."""
    return f"{call.me}-{call.round.name}-{call.combination.fingerprint[:SPEC_DIGITS]}"


def _problems(call: Call, package: Package) -> list[str]:
    try:
        (text,) = package.table(TABLE).column(COLUMN).to_pylist()
        application = CombinationApplication.model_validate(json.loads(text))
    except (ValidationError, ValueError, KeyError):
        raise BadInput(
            f"{package.manifest.address.name}: not the fields of an application; the sender has another version?"
        ) from None
    return problems_in(application, call.combination, utc_now().date())


STEP = Step(
    "receive",
    "checks the applications and gives the round its receipt number",
    "combining agency",
    body,
    writes=("keys", "evidence"),
    arguments=late_argument,
)
