"""`close` at the key agency: keys and withdrawals of the round are destroyed; a series keeps its salts (L1268)."""

from __future__ import annotations

from jobs.combination.hearing import CANCELLED, CLOSED
from jobs.combination.notices import noticed, notify
from jobs.combination.packages import destroy_packages
from jobs.combination.parcels import Kind
from jobs.combination.secret_store import destroy_round_secrets, end_series
from jobs.combination.step import Call, names_of
from jobs.errors import BadInput, Waiting
from jobs.job import Outcome

# What came for the round; the linking table went to the combining agency, and none of it stayed here.
KINDS: tuple[Kind, ...] = ("keys", "void", "proof", "application", "mock-keys")
SALTS_STAY = "the salts stay: link ids must be the same in all rounds"
SALTS_GO = "the salts are destroyed: there is no further round"


def close_round(call: Call) -> Outcome:
    """Once the combining agency has told that it has closed the round, or the round is cancelled (`--cancel`)."""
    before = call.round.done("close")
    if before is None:
        _require_over(call)
    # Again, too: a party that doesn't know yet that the round is over may have sent keys since.
    gone = destroy_packages(call.environment, call.combination, round=call.round.name, kinds=KINDS)
    if before is None:
        destroy_round_secrets(call.environment, call.combination, call.round.name)
        if call.combination.series is None:
            end_series(call.environment, call.combination, "it has one round, which is closed")
        call.round.record("close", {"what": "join keys, serials, withdrawals of the round", "packages": gone})
    told = _tell(call)
    state = "destroyed" if before is None else "destroyed already"
    salts = SALTS_GO if call.combination.series is None else SALTS_STAY
    return Outcome(
        {"round": call.round.name, "state": state, "salts": salts, "told": told},
        text=f"round {call.round.name}, {call.me}: join keys and serials are {state}; {salts}"
        + (f"; told that it is cancelled: {', '.join(told)}" if told else ""),
    )


def _tell(call: Call) -> list[str]:
    """Everybody hears of a round that was cancelled here; those whom the combining agency told already are not."""
    agency = call.combination.roles.combining_agency
    if call.round.cancelled is None or noticed(call.round, agency, CLOSED) is not None:
        return []
    others = [name for name in names_of("all", call.combination) if name != call.me]
    for name in others:
        notify(call.round, name, {"about": CANCELLED, "because": call.round.cancelled})
    return others


def _require_over(call: Call) -> None:
    """Waiting until the combining agency has closed the round; a cancelled one is over here and now."""
    if call.arguments.cancel is not None:
        if not call.arguments.cancel.strip():
            raise BadInput("--cancel without a reason; allowed: why the round ends without a result")
        call.round.cancel(call.arguments.cancel)
    elif call.round.cancelled is None:
        agency = call.combination.roles.combining_agency
        if noticed(call.round, agency, CLOSED) is None:
            raise Waiting(
                f"round {call.round.name} waits for the notice of {agency} that it is closed (`close` there); a round "
                "that ends without a result is closed by --cancel REASON"
            )
