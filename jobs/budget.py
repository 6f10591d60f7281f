"""The privacy budget (프라이버시 예산) of a data set: what epsilon its releases have spent, kept in the ledger.

A data set is a source table (its Delta id), in all its versions. Every run that draws noise enters what it spends
before it draws; the smallest budget that any plan declared for the data set holds, so no later plan can raise it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal

from jobs.environment import Environment
from jobs.errors import Refused
from jobs.ledger import Entry, Ledger, evidence_ledger, trusted_entries
from jobs.locks import exclusive
from jobs.runs import SourceVersion
from transforms.aggregates import Aggregate

SPENT = "privacy-budget"


@dataclass(frozen=True)
class Charge:
    """What one aggregate table of a run spends of a data set's budget; `path` is its place in the plan."""

    run: str
    table: str
    path: str
    source: SourceVersion
    epsilon: Decimal
    budget: Decimal

    def body(self) -> dict[str, str]:
        """The ledger's entry."""
        return {
            "run": self.run,
            "table": self.table,
            "source": self.source.table,
            "data_set": self.source.id,
            "epsilon": str(self.epsilon),
            "budget": str(self.budget),
        }


@dataclass(frozen=True)
class Account:
    """The state of a data set's budget: `spent` by all runs, this one included."""

    budget: Decimal
    spent: Decimal

    @property
    def left(self) -> Decimal:
        return self.budget - self.spent


def charges_of(
    run: str, aggregates: Mapping[str, Aggregate], sources: Mapping[str, SourceVersion]
) -> tuple[Charge, ...]:
    """What the aggregate tables of a run spend together."""
    return tuple(
        Charge(run, name, one.path, sources[one.table.name], one.technique.epsilon, Decimal(one.technique.budget))
        for name, one in aggregates.items()
    )


def accounts(charges: Iterable[Charge], entries: Iterable[Entry]) -> dict[str, Account]:
    """The budgets of the data sets that the charges concern (by id), each charge counted once, entered or not."""
    charges = tuple(charges)
    bodies = [entry.content() for entry in entries if entry.type == SPENT]
    known = {(body["run"], body["table"]) for body in bodies}
    bodies += [one.body() for one in charges if (one.run, one.table) not in known]
    found = {}
    for data_set in {one.source.id for one in charges}:
        own = [body for body in bodies if body["data_set"] == data_set]
        spent = sum((Decimal(body["epsilon"]) for body in own), Decimal(0))
        found[data_set] = Account(min(Decimal(body["budget"]) for body in own), spent)
    return found


def check(charges: Iterable[Charge], entries: Iterable[Entry]) -> dict[str, Account]:
    """The accounts as they are once all is spent; Refused where one is overspent."""
    charges = tuple(charges)
    found = accounts(charges, entries)
    problems = []
    for one in charges:
        account = found[one.source.id]
        if account.left < 0:
            own = sum((other.epsilon for other in charges if other.source.id == one.source.id), Decimal(0))
            problems.append(
                f"{one.path}.budget: the run would spend ε = {own} of {one.source.table}, of whose budget of "
                f"{account.budget} other runs have spent {account.spent - own}; allowed: at most "
                f"{max(account.budget - account.spent + own, Decimal(0))}"
            )
    if problems:
        raise Refused("\n".join(problems))
    return found


def affordable(
    environment: Environment, run: str, aggregates: Mapping[str, Aggregate], sources: Mapping[str, SourceVersion]
) -> tuple[Charge, ...]:
    """What a run would spend; Refused where that is too much, or where the ledger was altered."""
    charges = charges_of(run, aggregates, sources)
    if charges:
        check(charges, trusted_entries(environment, evidence_ledger(environment, write=False)))
    return charges


def spend(environment: Environment, ledger: Ledger, charges: Iterable[Charge]) -> dict[str, Account]:
    """Enters what is spent, once for each run and table; Refused, and nothing entered, where it is too much."""
    charges = tuple(charges)
    with ExitStack() as held:
        for data_set in sorted({one.source.id for one in charges}):
            place = environment.zone("evidence") / "locks" / f"budget-{data_set}.lock"
            held.enter_context(exclusive(place, f"the privacy budget of data set {data_set}", wait=True))
        found = check(charges, trusted_entries(environment, ledger))
        for one in charges:
            ledger.append(SPENT, one.body(), once=("run", "table"))
    return found


__all__ = ["SPENT", "Account", "Charge", "accounts", "affordable", "charges_of", "check", "spend"]
