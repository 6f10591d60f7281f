"""Who may handle a run's additional information (추가정보): not those who use or review the data (L696)."""

from __future__ import annotations

from collections.abc import Iterable

from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.reviewers import load_reviewers
from transforms.persons import person as one_person
from transforms.plan import People

LONGEST_REASON = 2_000


def require_reason(reason: str) -> None:
    """BadInput unless somebody says why."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise BadInput(f"--reason of {len(reason)} characters; allowed: why, in 1 to {LONGEST_REASON}")


def require_handler(environment: Environment, people: People, person: str) -> None:
    """Refused for users and reviewers (pinned ones too), and for all whom the plan does not name to handle it."""
    pinned = [one.name for one in load_reviewers(environment)]
    if _among(person, (*people.users, *people.reviewers, *pinned)):
        raise Refused(
            f"{person} is a user or reviewer of this plan; allowed: whoever handles its additional information "
            "(guideline L696: apart from those who use the pseudonymized data)"
        )
    named = [one for one in (people.responsible, people.operator, *people.processors) if one]
    if not _among(person, named):
        allowed = ", ".join(named) or "nobody: the plan names neither people.responsible, nor operator, nor processors"
        raise Refused(f"{person!r} has no part in this plan; allowed: {allowed}")


def _among(name: str, others: Iterable[str]) -> bool:
    """Is it one of them, however the name is spelled?"""
    return one_person(name) in {one_person(other) for other in others}
