"""The usual way through a round, for each role: its steps in order, and whose packages each waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from jobs.combination.parcels import Kind
from jobs.combination.step import Role, names_of
from transforms.combination.model import Combination


def _always(combination: Combination) -> bool:
    return True


@dataclass(frozen=True)
class Stage:
    """A step that a role takes in every round where `when` is true, once the packages of `waits` are there.

    `options` are what the command needs besides file, round and environment; `people` says who has to act outside
    of the role's own commands before the step ends.
    """

    step: str
    waits: tuple[tuple[Kind, Role], ...] = ()
    options: str = ""
    when: Callable[[Combination], bool] = _always
    people: str = ""


def _has_rate(combination: Combination) -> bool:
    return combination.options.join_rate is not None


def _has_extraction(combination: Combination) -> bool:
    return combination.options.extraction is not None


_EXTRACTION = Stage("attributes", (("extraction", "key agency"),), "--plan PLAN", _has_extraction)
_PLAIN = Stage("attributes", (("salt", "key agency"),), "--plan PLAN", lambda one: not _has_extraction(one))
FLOW: Mapping[Role, tuple[Stage, ...]] = {
    "applicant": (
        Stage("apply", options="--plan PLAN"),
        Stage("prove"),
        Stage("keys", (("salt", "key agency"),), "--plan PLAN"),
        _EXTRACTION,
        _PLAIN,
        Stage("forget", (("notice", "combining agency"),)),
    ),
    "user": (
        Stage("apply", options="--application FILE"),
        Stage("apply-export", options="--application FILE"),
        Stage("take", (("export", "combining agency"),)),
    ),
    "key agency": (
        Stage("salt", (("proof", "applicant"),)),
        Stage("rate", (("keys", "applicant"),), when=_has_rate),
        Stage("extract", (("keys", "applicant"),), when=_has_extraction),
        Stage("link", (("keys", "applicant"),)),
        Stage("close", (("notice", "combining agency"),)),
    ),
    "combining agency": (
        Stage("receive", (("application", "applicant"), ("application", "user"))),
        Stage("combine", (("linking", "key agency"), ("attributes", "applicant"))),
        Stage("process"),
        Stage("export", people="reviewers (`gamyeong decide RUN`) and committee (`gamyeong combination vote`)"),
        Stage("close"),
    ),
}


def roles_of(name: str, combination: Combination) -> tuple[Role, ...]:
    """The roles that someone has in a combination, suppliers first."""
    return tuple(role for role in FLOW if name in names_of(role, combination))


def stages(name: str, combination: Combination) -> Iterator[Stage]:
    """The stages of all roles that someone has, each step once."""
    seen = set()
    for role in roles_of(name, combination):
        for stage in FLOW[role]:
            if stage.when(combination) and stage.step not in seen:
                seen.add(stage.step)
                yield stage
