"""`check`: is the combination file right, and are the plans that lie beside it? Needs no role and no Spark."""

from __future__ import annotations

import argparse
from pathlib import Path

from jobs.combination.opening import open_combination
from jobs.combination.step import Call, Step
from jobs.job import Outcome
from jobs.plans import open_plan
from transforms.combination.model import Combination
from transforms.combination.schedule import ONCE
from transforms.fingerprint import fingerprint
from transforms.plan_places import beside


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="combination file")


def body(call: Call) -> Outcome:
    """Loads the file, then the output plans that are there; writes nothing."""
    file: Path = call.arguments.file
    combination = open_combination(file)
    lines = [
        f"{file.name}: valid; fingerprint {combination.fingerprint}",
        f"suppliers: {', '.join(combination.suppliers)}; users: {', '.join(combination.users)}",
        f"key: {' + '.join(column.name for column in combination.key.columns)}, {combination.key.algorithm}",
        f"rounds: {_rounds(combination)}",
    ]
    plans: dict[str, str | None] = {}
    for output in combination.outputs:
        if output.plan is None:
            continue
        path = beside(file.parent, output.plan)
        if path is not None:
            loaded = open_plan(path, call.environment)
            plans[output.plan] = fingerprint(loaded.plan, loaded.hierarchies)
            lines.append(f"{output.plan}: valid; fingerprint {plans[output.plan]}")
        else:
            plans[output.plan] = None
            agency = combination.roles.combining_agency
            lines.append(f"warning: {output.plan} is not here; {agency} needs it to process what {output.user} gets")
    summary = {
        "combination": combination.combination,
        "fingerprint": combination.fingerprint,
        "rounds": len(combination.rounds()),
        "plans": plans,
    }
    return Outcome(summary, text="\n".join(lines))


def _rounds(combination: Combination) -> str:
    names = combination.rounds()
    if combination.series is None:
        return ONCE
    due = combination.due(names[0])
    assert due is not None
    return (
        f"{len(names)}, {names[0]} to {names[-1]}; of {names[0]}, keys are due on {due.keys:%Y-%m-%d} and "
        f"attributes on {due.attributes:%Y-%m-%d}"
    )


STEP = Step(
    "check",
    "is the combination file right? (no Spark)",
    "all",
    body,
    arguments=arguments,
    writes=(),
    file=False,
    round=False,
)
