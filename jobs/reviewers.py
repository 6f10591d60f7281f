"""The environment's pinned reviewers (적정성 검토위원): who may decide, and by which public key."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.locks import exclusive
from jobs.signing import key_id
from jobs.storage import Location
from transforms.persons import person

Kind = Literal["internal", "external"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Identity:
    """What the review's sheets say of a person (소속, 직위), and whose person it is."""

    kind: Kind = "internal"
    organisation: str | None = None
    position: str | None = None


OWN = Identity()


@dataclass(frozen=True)
class Reviewer:
    """One person's public key (hex), since when it is pinned, and when it was revoked, if it was.

    `kind` tells the organisation's own people from outside experts (외부전문가).
    """

    name: str
    public: str
    since: str
    revoked: str | None = None
    kind: Kind = "internal"
    organisation: str | None = None
    position: str | None = None

    @property
    def key_id(self) -> str:
        """The key's id, 16 hex digits."""
        return key_id(self.public)


def load_reviewers(environment: Environment) -> tuple[Reviewer, ...]:
    """The pinned list, revoked keys included; empty where there is no file yet.

    BadInput if it is damaged; Refused if one person has two keys or two persons share one.
    """
    place = Location.of(environment.reviewers)
    if not place.exists():
        return ()
    try:
        reviewers = tuple(Reviewer(**one) for one in place.read_json()["reviewers"])
        keys = [one.key_id for one in reviewers]
        if any(one.kind not in KINDS for one in reviewers):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        allowed = f"name, public, since, and, where given, kind ({' or '.join(KINDS)}), organisation, position"
        raise BadInput(f"{place} is damaged: not a list of reviewers with {allowed}") from None
    active = [person(one.name) for one in reviewers if one.revoked is None]
    twice = sorted({name for name in active if active.count(name) > 1})
    shared = sorted({key for key in keys if keys.count(key) > 1})
    problems = [f"{name} has two keys" for name in twice] + [f"key {key} stands twice" for key in shared]
    if problems:
        raise Refused(
            f"{place}: {'; '.join(problems)}; allowed: one key for one person; "
            "`gamyeong reviewer revoke NAME` ends an old one"
        )
    return reviewers


def pin(environment: Environment, name: str, public: str, at: str, identity: Identity = OWN) -> Reviewer:
    """Adds a person's public key; Refused if the person has one that is not revoked."""
    if not person(name):
        raise BadInput("a reviewer without a name; allowed: the person's name")
    new = Reviewer(" ".join(unicodedata.normalize("NFC", name).split()), public, at, **asdict(identity))
    with _changing(environment):
        reviewers = load_reviewers(environment)
        if any(person(one.name) == person(name) and one.revoked is None for one in reviewers):
            raise Refused(
                f"{new.name} has a key already; allowed: one key for one person; "
                "`gamyeong reviewer revoke` ends the old one"
            )
        _save(environment, [*reviewers, new])
    return new


def revoke(environment: Environment, name: str, at: str) -> Reviewer:
    """Ends a person's key: none of its decisions counts from now on. BadInput if there is none."""
    with _changing(environment):
        reviewers = load_reviewers(environment)
        for place, one in enumerate(reviewers):
            if person(one.name) == person(name) and one.revoked is None:
                ended = replace(one, revoked=at)
                _save(environment, [*reviewers[:place], ended, *reviewers[place + 1 :]])
                return ended
    names = ", ".join(one.name for one in reviewers if one.revoked is None) or "none"
    raise BadInput(f"no reviewer {name} with a key; there are: {names}")


def _changing(environment: Environment) -> AbstractContextManager[None]:
    lock = environment.reviewers.with_name(f".{environment.reviewers.name}.lock")
    return exclusive(Location.of(lock), "the list of reviewers", wait=True)


def _save(environment: Environment, reviewers: Sequence[Reviewer]) -> None:
    Location.of(environment.reviewers).write_json({"reviewers": [asdict(one) for one in reviewers]})
