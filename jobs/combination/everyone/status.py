"""`status`: this role's rounds: how far each is, what it waits for, and the next command."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace

from jobs.combination.flow import Stage, stages
from jobs.combination.hearing import heard
from jobs.combination.order import NEEDS, State
from jobs.combination.packages import newest_in_inbox, newest_taken
from jobs.combination.parcels import Kind
from jobs.combination.rounds import Round
from jobs.combination.step import Call, Role, Step, names_of
from jobs.job import Outcome


@dataclass(frozen=True)
class Standing:
    """One round: its state, what it waits for, the next command, and packages that came since a step was done."""

    round: str
    state: str
    due: str
    waits_for: str
    next: str
    new: tuple[str, ...] = ()


def body(call: Call) -> Outcome:
    """Reads this role's evidence and looks into its inbox; opens no package."""
    combination, environment = call.combination, call.environment
    rounds = [Round(environment, combination, name) for name in combination.rounds()]
    ended = replace(rounds[0], heard=heard(rounds[0])).ended
    if call.arguments.round:
        shown = [Round(environment, combination, call.arguments.round)]
    else:
        begun = [one for one in rounds if one.begun]
        waiting = [one for one in rounds if not one.begun]
        shown = begun + (waiting[:1] if ended is None else [])
    found = [_standing(call, replace(one, heard=heard(one))) for one in shown]
    lines = [f"{combination.combination}, {call.me}" + (f": the series has ended ({ended})" if ended else "")]
    lines += [line for one in found for line in _told(one)]
    return Outcome({"ended": ended, "rounds": [asdict(one) for one in found]}, text="\n".join(lines))


def _standing(call: Call, round_: Round) -> Standing:
    dues = call.combination.due(round_.name)
    due = f"keys until {dues.keys}, attributes until {dues.attributes}" if dues else ""
    way = list(stages(call.me, call.combination, round_.name))
    done = [stage for stage in way if round_.done(stage.step) is not None]
    new = tuple(dict.fromkeys(text for stage in done for text in _new(call, round_, stage)))
    cancelled = round_.cancelled
    if cancelled is not None:
        return Standing(round_.name, "CANCELLED", "", f"nothing: {cancelled}", "", new)
    # An optional step whose time is over isn't waited for.
    state = round_.state if round_.closed_elsewhere is None else State.CLOSED
    left = [stage for stage in way if stage not in done and state <= NEEDS[stage.step].until]
    if not left:
        return Standing(round_.name, round_.state.name, "", "nothing: all steps are taken", "", new)
    refused = round_.missing(left[0].step)
    if refused is not None:
        return Standing(round_.name, round_.state.name, due, refused, "", new)
    waits = [*_missing(call, round_, left[0]), *([left[0].people] if left[0].people else [])]
    return Standing(round_.name, round_.state.name, due, "; ".join(waits), _command(call, round_, left[0]), new)


def _packages(call: Call, kinds: Iterable[tuple[Kind, Role]]) -> Iterator[tuple[Kind, str]]:
    for kind, role in kinds:
        for sender in names_of(role, call.combination):
            if sender != call.me:
                yield kind, sender


def _missing(call: Call, round_: Round, stage: Stage) -> list[str]:
    missing = []
    for kind, sender in _packages(call, stage.waits):
        if not newest_in_inbox(call.environment, call.combination, round_.name, kind, sender):
            party = call.combination.parties.get(sender)
            optional = " (optional)" if party is not None and party.optional else ""
            missing.append(f"{kind} of {sender}{optional}")
    return list(dict.fromkeys(missing))


def _new(call: Call, round_: Round, stage: Stage) -> Iterator[str]:
    for kind, sender in _packages(call, (*stage.waits, *stage.heeds)):
        there = newest_in_inbox(call.environment, call.combination, round_.name, kind, sender)
        if there > newest_taken(call.environment, call.combination, round_.name, kind, sender):
            yield f"{kind} of {sender}, revision {there}: `{stage.step}` again takes it in"


def _command(call: Call, round_: Round, stage: Stage) -> str:
    words = ["gamyeong combination", stage.step, str(call.file), "--round", round_.name]
    return " ".join([*words, "--environment", str(call.environment.file), *([stage.options] if stage.options else [])])


def _told(one: Standing) -> list[str]:
    lines = [f"round {one.round}: {one.state}" + (f" ({one.due})" if one.due else "")]
    lines += [f"  waits for: {one.waits_for}"] if one.waits_for else []
    lines += [f"  next: {one.next}"] if one.next else []
    return lines + [f"  new: {text}" for text in one.new]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("--round", metavar="R", help="one round; without it all that were begun, and the next")


STEP = Step(
    "status",
    "tells this role's rounds, what they wait for, and the next command",
    "all",
    body,
    reads=("evidence",),
    writes=(),
    arguments=arguments,
    round=False,
)
