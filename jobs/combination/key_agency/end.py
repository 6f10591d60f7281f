"""`end`: the series is over: everybody is told, and both salts are destroyed (guideline L2919)."""

from __future__ import annotations

import argparse

from jobs.combination.hearing import ENDED
from jobs.combination.key_agency.close import KINDS
from jobs.combination.notices import notify
from jobs.combination.order import State
from jobs.combination.packages import destroy_packages
from jobs.combination.rounds import Round
from jobs.combination.secret_store import end_series, series_end
from jobs.combination.step import Call, Step, names_of
from jobs.errors import Refused
from jobs.job import Outcome


def body(call: Call) -> Outcome:
    """Refused while a round is open. Afterwards no key can be made, no link id repeated, and no round begun."""
    combination = call.combination
    ended = series_end(call.environment, combination)
    rounds = [Round(call.environment, combination, name) for name in combination.rounds()]
    if ended is None:
        open_ = [one.name for one in rounds if one.begun and one.state != State.CLOSED]
        if open_:
            raise Refused(
                f"end: {', '.join(open_)} not closed yet; allowed: after `gamyeong combination close` of each round"
            )
    because = ended or call.arguments.reason
    last = max((one for one in rounds if one.begun), key=rounds.index, default=rounds[0])
    told = [name for name in names_of("all", combination) if name != call.me]
    for name in told:
        notify(last, name, {"about": ENDED, "because": because})
    for one in rounds:
        destroy_packages(call.environment, combination, round=one.name, kinds=KINDS)
    end_series(call.environment, combination, because)
    state = "ended" if ended is None else "ended already"
    text = (
        f"{combination.combination}: the series is {state} ({because}); join salt and link salt are destroyed; told: "
        f"{', '.join(told)}"
    )
    return Outcome({"state": state, "because": because, "told": told}, text=text)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why the series ends, for the notice")


STEP = Step(
    "end",
    "ends the series: notice to all, salts destroyed, no further round",
    "key agency",
    body,
    writes=("keys", "evidence"),
    arguments=arguments,
    round=False,
)
