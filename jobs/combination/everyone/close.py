"""`close`: a round is over; each of the two agencies destroys what it holds of it."""

from __future__ import annotations

import argparse

from jobs.combination.combining_agency.close import close_round
from jobs.combination.key_agency.close import close_round as close_at_key_agency
from jobs.combination.step import Call, Step
from jobs.errors import Refused
from jobs.job import Outcome


def body(call: Call) -> Outcome:
    """As the role that calls it; Refused for a party, which forgets."""
    roles = call.combination.roles
    if call.me == roles.combining_agency:
        return close_round(call)
    if call.me == roles.key_agency:
        return close_at_key_agency(call)
    raise Refused(
        f"`close` is a step of the agencies ({roles.key_agency}, {roles.combining_agency}); {call.me} takes `forget`"
    )


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("--cancel", metavar="REASON", help="the round ends without a result, why; the others are told")


STEP = Step(
    "close",
    "an agency destroys what it holds of a round; a series keeps its salts",
    "all",
    body,
    writes=("source", "staging", "published", "additional-information", "keys", "evidence"),
    arguments=arguments,
)
