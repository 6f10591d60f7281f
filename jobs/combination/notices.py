"""Notices (통지): small signed messages from one role to another; each is a package of kind `notice` without files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.combination.packages import draft, received, sent
from jobs.combination.parcels import Address, Kind, Manifest
from jobs.combination.rounds import Round

KIND: Kind = "notice"


def notify(round_: Round, receiver: str, content: Mapping[str, Any]) -> Manifest:
    """Sends a notice, once: the same content again changes nothing, another one is the next in a row."""
    environment, combination = round_.environment, round_.combination
    revision = 1
    while True:
        me = environment.exchange.name
        before = sent(environment, Address(combination.combination, round_.name, KIND, me, receiver, revision))
        if before is not None and dict(before.content) == dict(content):
            return before
        if before is None:
            name = round_.name
            package = draft(environment, combination, round=name, kind=KIND, receiver=receiver, revision=revision)
            return package.finish(content=content)
        revision += 1


def notified(round_: Round, receiver: str) -> Iterator[Mapping[str, Any]]:
    """What we have told a role in this round, in order."""
    environment, me = round_.environment, round_.environment.exchange.name
    revision = 1
    while True:
        address = Address(round_.combination.combination, round_.name, KIND, me, receiver, revision)
        before = sent(environment, address)
        if before is None:
            return
        yield before.content
        revision += 1


def notices(round_: Round, sender: str) -> Iterator[Mapping[str, Any]]:
    """What a role has told us in this round, in order."""
    return (one.content for one in manifests(round_, sender))


def manifests(round_: Round, sender: str) -> Iterator[Manifest]:
    """The same with who, when, to whom; a role that can't write evidence now looks at them without taking them in."""
    environment, combination, revision = round_.environment, round_.combination, 1
    enter = "evidence" in environment.writes
    while True:
        found = received(
            environment, combination, round=round_.name, kind=KIND, sender=sender, revision=revision, enter=enter
        )
        if found is None:
            return
        yield found.manifest
        revision += 1


def noticed(round_: Round, sender: str, about: str) -> Mapping[str, Any] | None:
    """The newest notice of a role about something, or None."""
    return next((one for one in reversed(list(notices(round_, sender))) if one.get("about") == about), None)
