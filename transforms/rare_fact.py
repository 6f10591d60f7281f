"""The rare values of a column, as a fact: for steps that change only what few records hold."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.facts import Counts, Fact

State = dict[Any, int] | None
# A column of more distinct values is no list of categories.
MOST = 200_000


@dataclass(frozen=True)
class Rare(Fact):
    """The non-null values that fewer than `below` records hold, in order, as a tuple.

    Concludes to None for a column of more than 200,000 distinct values.
    """

    below: int

    def observe(self, values: pa.Array) -> State:
        counted = pc.value_counts(values.drop_null())
        if len(counted) > MOST:
            return None
        return dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))

    def merge(self, left: State, right: State) -> State:
        if left is None or right is None:
            return None
        merged = dict(left)
        for value, count in right.items():
            merged[value] = merged.get(value, 0) + count
        return merged if len(merged) <= MOST else None

    def conclude(self, state: State) -> tuple[Any, ...] | None:
        return None if state is None else tuple(sorted(value for value, count in state.items() if count < self.below))

    def audit(self, values: pa.Array, claim: tuple[Any, ...] | None) -> Counts:
        """How often each value occurs, by its digest."""
        counted = pc.value_counts(values.drop_null())
        return {_digest(one["values"]): one["counts"] for one in counted.to_pylist()}

    def accepts(self, counts: Counts, claim: tuple[Any, ...] | None) -> bool:
        if claim is None:
            return len(counts) > MOST
        return {digest for digest, count in counts.items() if count < self.below} == {_digest(one) for one in claim}


def _digest(value: Any) -> str:
    return sha256(f"{type(value).__name__}:{value}".encode()).hexdigest()
