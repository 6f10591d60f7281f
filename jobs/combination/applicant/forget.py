"""`forget`: this party's serials of the round can't be made any more: the round's secret is destroyed."""

from __future__ import annotations

from jobs.combination.hearing import CLOSED
from jobs.combination.notices import noticed
from jobs.combination.packages import destroy_packages
from jobs.combination.parcels import Kind
from jobs.combination.secret_store import destroy_round_secrets
from jobs.combination.step import Call, Step
from jobs.errors import Waiting
from jobs.job import Outcome

# What other roles sent this one for the round, and is of no use after it.
KINDS: tuple[Kind, ...] = ("salt", "duplicates", "rate", "extraction", "mock-salt", "mock-chosen")


def body(call: Call) -> Outcome:
    """Once the combining agency has told that the round is closed; secrets and received lists go, with entries."""
    agency = call.combination.roles.combining_agency
    if noticed(call.round, agency, CLOSED) is None:
        raise Waiting(f"round {call.round.name} waits for the notice of {agency} that it is closed (`close`)")
    before = call.round.done("forget")
    if before is None:
        destroy_packages(call.environment, call.combination, round=call.round.name, kinds=KINDS)
        destroy_round_secrets(call.environment, call.combination, call.round.name)
        call.round.record("forget", {"what": "secrets of the round (serials), lists of the agencies"})
    state = "destroyed" if before is None else "destroyed already"
    text = f"round {call.round.name}, {call.me}: the secret of its serials is {state}; nobody can make them again"
    return Outcome({"round": call.round.name, "state": state}, text=text)


STEP = Step(
    "forget",
    "destroys the secret of the round's serials, once the combining agency has closed the round",
    "applicant",
    body,
    writes=("keys", "evidence"),
)
