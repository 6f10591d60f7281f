"""`identity`: makes this role's keys and its inbox, and writes the public file that its partners pin."""

from __future__ import annotations

import argparse
from pathlib import Path

from jobs.combination import entries
from jobs.combination.identities import make_identity, save_public
from jobs.combination.step import Call, Step
from jobs.job import Outcome


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("--to", type=Path, metavar="FILE", help="the public file (default: NAME.json)")


def body(call: Call) -> Outcome:
    """The same keys, however often it is called."""
    identity = make_identity(call.environment)
    call.environment.exchange.inbox.local.mkdir(parents=True, exist_ok=True)
    path = call.arguments.to or Path(f"{identity.name}.json")
    save_public(identity, path)
    entries.append(call.environment, "combination-identity", identity.plain(), once=("name", "signing", "sealing"))
    text = (
        f"{identity.name}: {path} goes to every partner, who puts it into the folder `partners` of its environment\n"
        f"fingerprint {identity.fingerprint}: tell it by another way than the file takes"
    )
    return Outcome({"name": identity.name, "fingerprint": identity.fingerprint, "public": str(path)}, text=text)


STEP = Step(
    "identity",
    "makes this role's keys, and the public file for its partners",
    "all",
    body,
    arguments=arguments,
    writes=("keys", "evidence"),
    file=False,
    round=False,
)
