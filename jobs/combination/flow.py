"""The usual way through a round, for each role: its steps in order, and whose packages each waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jobs.combination.parcels import Kind
from jobs.combination.step import Role, names_of
from transforms.combination.model import Combination


def _always(combination: Combination, round: str) -> bool:
    return True


def _has_rate(combination: Combination, round: str) -> bool:
    return combination.options.join_rate is not None


def _has_extraction(combination: Combination, round: str) -> bool:
    return combination.options.extraction is not None


def _has_none(combination: Combination, round: str) -> bool:
    return combination.options.extraction is None


def _is_mocked(combination: Combination, round: str) -> bool:
    return combination.options.mock is not None and round in combination.options.mock.rounds


@dataclass(frozen=True)
class Stage:
    """A step that a role takes in each round for which `when` is true, once the packages of `waits` are there.

    `options` are what the command needs besides file, round and environment; `people` says who has to act outside
    of the role's own commands before the step ends. `heeds`: what it takes in besides, and does not wait for.
    """

    step: str
    waits: tuple[tuple[Kind, Role], ...] = ()
    options: str = ""
    when: Callable[[Combination, str], bool] = _always
    people: str = ""
    heeds: tuple[tuple[Kind, Role], ...] = ()


_PLAN = "--plan PLAN"
_LEAVE = Stage("mock-destroy", when=_is_mocked)
FLOW: Mapping[Role, tuple[Stage, ...]] = {
    "applicant": (
        Stage("apply", options=_PLAN),
        Stage("prove"),
        Stage("mock-keys", (("mock-salt", "key agency"),), _PLAN, _is_mocked),
        Stage("mock-attributes", (("mock-chosen", "combining agency"),), _PLAN, _is_mocked),
        _LEAVE,
        Stage("keys", (("salt", "key agency"),), _PLAN),
        Stage("attributes", (("extraction", "key agency"),), _PLAN, _has_extraction),
        Stage("attributes", options=_PLAN, when=_has_none),
        Stage("forget", (("notice", "combining agency"),)),
    ),
    "user": (
        Stage("apply", options="--application FILE"),
        Stage("apply-export", options="--application FILE"),
        Stage("take", (("export", "combining agency"),)),
    ),
    "key agency": (
        Stage("salt", (("proof", "applicant"),)),
        Stage("mock-salt", when=_is_mocked),
        _LEAVE,
        Stage("rate", (("keys", "applicant"),), when=_has_rate),
        Stage("extract", (("keys", "applicant"),), when=_has_extraction),
        Stage("link", (("keys", "applicant"),), heeds=(("void", "applicant"),)),
        Stage("close", (("notice", "combining agency"),)),
    ),
    "combining agency": (
        Stage("receive", (("application", "applicant"), ("application", "user"))),
        Stage("mock-choose", (("mock-keys", "applicant"),), when=_is_mocked),
        Stage("mock-combine", (("mock-attributes", "applicant"),), when=_is_mocked),
        _LEAVE,
        Stage("combine", (("linking", "key agency"), ("attributes", "applicant")), heeds=(("void", "applicant"),)),
        Stage("process"),
        Stage("export", people="reviewers (`gamyeong decide RUN`) and committee (`gamyeong combination vote`)"),
        Stage("close"),
    ),
}


def roles_of(name: str, combination: Combination) -> tuple[Role, ...]:
    """The roles that someone has in a combination, suppliers first."""
    return tuple(role for role in FLOW if name in names_of(role, combination))


def stages(name: str, combination: Combination, round: str) -> Iterator[Stage]:
    """The stages in a round of all roles that someone has, each step once."""
    seen = set()
    for role in roles_of(name, combination):
        for stage in FLOW[role]:
            if stage.when(combination, round) and stage.step not in seen:
                seen.add(stage.step)
                yield stage
