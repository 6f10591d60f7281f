"""What a step of a combination is, and what its body is given."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jobs.combination.packages import Draft, Package, draft, received
from jobs.combination.parcels import Kind
from jobs.combination.rounds import Round
from jobs.environment import Environment, Zone
from jobs.errors import BadInput
from jobs.job import Context, Outcome
from jobs.progress import Progress
from transforms.combination.model import Combination

Role = Literal["all", "applicant", "key agency", "combining agency", "user"]


@dataclass(frozen=True)
class Call:
    """One call of a step: who works on what. The environment holds the zones that the step declared, and no other."""

    context: Context
    file: Path | None
    given: Combination | None
    at: Round | None

    @property
    def environment(self) -> Environment:
        """This role's zones and places."""
        return self.context.environment

    @property
    def combination(self) -> Combination:
        """The combination file; BadInput where none was named."""
        if self.given is None:
            raise BadInput("no combination file; allowed: FILE, say conf/combinations/mobility-housing-health.yaml")
        return self.given

    @property
    def round(self) -> Round:
        """The round; BadInput where none was named."""
        if self.at is None:
            raise BadInput(f"which round? allowed: --round R, one of {', '.join(self.combination.rounds())}")
        return self.at

    @property
    def me(self) -> str:
        """This role's name."""
        return self.environment.exchange.name

    @property
    def arguments(self) -> argparse.Namespace:
        """The command's arguments; `revision` among them."""
        return self.context.arguments

    @property
    def revision(self) -> int:
        """Which revision of what the step makes: 1, or more for what is sent again."""
        return int(self.arguments.revision)

    @property
    def progress(self) -> Progress:
        """Shows how far the work is."""
        return self.context.progress

    def draft(
        self, kind: Kind, receiver: str, *, revision: int | None = None, receipt: str | None = None, inputs: Any = None
    ) -> Draft:
        """Begins a package of this round (`packages.draft`), of the revision that was asked for unless one is given."""
        return draft(
            self.environment,
            self.combination,
            round=self.round.name,
            kind=kind,
            receiver=receiver,
            revision=self.revision if revision is None else revision,
            receipt=receipt,
            inputs=inputs,
        )

    def received(self, kind: Kind, sender: str) -> Package | None:
        """The newest package of this round that came from `sender` (`packages.received`); None without one."""
        return received(self.environment, self.combination, round=self.round.name, kind=kind, sender=sender)


@dataclass(frozen=True)
class Step:
    """A step: who takes it, which zones it is handed, its own arguments, its work.

    `file` and `round` say whether it needs a combination file and a round. The record it keeps has its name.
    """

    name: str
    about: str
    role: Role
    body: Callable[[Call], Outcome]
    reads: tuple[Zone, ...] = ()
    writes: tuple[Zone, ...] = ("evidence",)
    arguments: Callable[[argparse.ArgumentParser], None] | None = None
    file: bool = True
    round: bool = True


def names_of(role: Role, combination: Combination) -> tuple[str, ...]:
    """Who has a role in a combination; all, for "all"."""
    agencies = (combination.roles.key_agency, combination.roles.combining_agency)
    holders: dict[Role, tuple[str, ...]] = {
        "all": tuple(dict.fromkeys((*combination.parties, *agencies))),
        "applicant": combination.suppliers,
        "key agency": agencies[:1],
        "combining agency": agencies[1:],
        "user": combination.users,
    }
    return holders[role]
