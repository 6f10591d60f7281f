"""The plan by which a party supplies its data to a combination."""

from __future__ import annotations

import argparse
from pathlib import Path

from jobs.combination.step import Call
from jobs.errors import BadInput
from jobs.plans import open_plan
from transforms.plan import Contribution
from transforms.plan_loader import Loaded


def plan_argument(parser: argparse.ArgumentParser) -> None:
    """`--plan FILE`."""
    parser.add_argument("--plan", type=Path, required=True, metavar="FILE", help="this party's plan")


def party_plan(call: Call) -> tuple[Loaded, Contribution]:
    """The plan of `--plan` and its `combination`; BadInput where it is of another combination or party."""
    loaded = open_plan(call.arguments.plan, call.environment)
    contribution, file = loaded.plan.combination, loaded.file
    if contribution is None:
        raise BadInput(f"{file}: no `combination`; allowed: the plan of what {call.me} supplies")
    supplies = call.combination.parties[call.me].supplies
    key = {column.name for column in call.combination.key.columns}
    problems = [
        f"{path}: {found!r}; allowed: {wanted!r}"
        for path, found, wanted in (
            ("plan", loaded.plan.plan, supplies),
            ("combination.name", contribution.name, call.combination.combination),
            ("combination.party", contribution.party, call.me),
            ("combination.key", sorted(contribution.key), sorted(key)),
        )
        if found != wanted
    ]
    if problems:
        raise BadInput("\n".join([f"{file} is not the plan that the combination file names:", *problems]))
    return loaded, contribution
