"""Kinds of joins (결합 유형): which subjects a user's output takes, by the parties that know them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.combination.model import BASED, MOST_PARTIES, Join, Output

Patterns = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class JoinRule:
    """One output's join over the parties that take part in a round, 2 to 16 of them.

    A pattern is a whole number with one bit for each party, the first party's the lowest: 1 where the party has
    the subject. Lost: nothing but subjects that the rule does not take; parties that a record lacks stay empty.
    Source: guideline, reference 3 (결합의 다양한 유형).

    - `inner-single` (공통단일): every party has the subject.
    - `inner-multi` (공통다중): `base` has it, and all others that are not `optional`, and at least one other.
    - `inner-full` (공통완전): any two parties have it.
    - `outer-single` (확대단일): `base` has it.
    - `anti-inner-single` (잔여단일): `base` has it and no other; the user gets nothing but the base's columns.

    `optional` None: all but the base. ValueError for fewer than two parties, or too many, or without the base.
    """

    kind: Join
    parties: tuple[str, ...]
    base: str | None = None
    optional: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if not 2 <= len(set(self.parties)) == len(self.parties) <= MOST_PARTIES:
            raise ValueError(f"a join of {len(self.parties)} parties; allowed: 2 to {MOST_PARTIES}, each once")
        if (self.kind in BASED) != (self.base is not None) or self.base not in (None, *self.parties):
            needed = f"one of {', '.join(self.parties)}" if self.kind in BASED else "none"
            raise ValueError(f"join {self.kind} with base {self.base}; allowed: {needed}")

    @classmethod
    def of(cls, output: Output, taking_part: Sequence[str]) -> JoinRule:
        """The rule of an output, over the parties that take part in the round (the file's order)."""
        return cls(output.join, tuple(taking_part), output.base, output.optional)

    @property
    def shown(self) -> tuple[str, ...]:
        """Parties whose columns the user gets."""
        return (self.base,) if self.kind == "anti-inner-single" and self.base else self.parties

    def takes(self, present: Collection[str]) -> bool:
        """True if the output takes a subject that these parties have."""
        has = set(present) & set(self.parties)
        match self.kind:
            case "inner-single":
                return len(has) == len(self.parties)
            case "inner-full":
                return len(has) >= 2
            case "inner-multi":
                others = set(self.parties) - {self.base}
                needed = others - set(others if self.optional is None else self.optional)
                return self.base in has and needed <= has and len(has) >= 2
            case "outer-single":
                return self.base in has
            case "anti-inner-single":
                return has == {self.base}

    def matches(self, present: Collection[str]) -> bool:
        """True if these parties' records of a subject meet in the output, or would but for an anti-join."""
        has = set(present) & set(self.parties)
        if self.kind == "anti-inner-single":
            return self.base in has and len(has) >= 2
        return self.takes(present) and len(has) >= 2

    @cached_property
    def taken(self) -> Chosen:
        """`takes` of every pattern, by its number."""
        return np.array([self.takes(members(self.parties, one)) for one in range(1 << len(self.parties))])

    @cached_property
    def matched(self) -> Chosen:
        """`matches` of every pattern, by its number."""
        return np.array([self.matches(members(self.parties, one)) for one in range(1 << len(self.parties))])


def members(parties: Sequence[str], pattern: int) -> tuple[str, ...]:
    """The parties of a pattern."""
    return tuple(party for place, party in enumerate(parties) if pattern >> place & 1)


def patterns_of(serials: Mapping[str, pa.Array], parties: Sequence[str]) -> Patterns:
    """The pattern of each row of a linking table: which parties' serials are not null."""
    rows = len(next(iter(serials.values()))) if serials else 0
    found = np.zeros(rows, np.int64)
    for place, party in enumerate(parties):
        if party in serials:
            found |= serials[party].is_valid().to_numpy(zero_copy_only=False).astype(np.int64) << place
    return found


def rules_of(outputs: Sequence[Output], taking_part: Sequence[str]) -> dict[str, JoinRule]:
    """The rule of each output by its user; ValueError as `JoinRule`."""
    return {one.user: JoinRule.of(one, taking_part) for one in outputs}


def needed(rules: Mapping[str, JoinRule]) -> Chosen:
    """Which patterns at least one output takes."""
    found: Chosen = np.logical_or.reduce([rule.taken for rule in rules.values()])
    return found


def meeting(rules: Mapping[str, JoinRule]) -> Chosen:
    """Which patterns count as joined for the join rate (결합률): in at least one output records meet."""
    found: Chosen = np.logical_or.reduce([rule.matched for rule in rules.values()])
    return found
