"""How many cells hold a value, as a fact: for steps that are for few of them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from transforms.facts import Counts, Fact


@dataclass(frozen=True)
class Present(Fact):
    """The number of non-null values."""

    def observe(self, values: pa.Array) -> int:
        return int(len(values) - values.null_count)

    def merge(self, left: int, right: int) -> int:
        return left + right

    def conclude(self, state: int) -> int:
        return state

    def audit(self, values: pa.Array, claim: int) -> Counts:
        return {"present": len(values.drop_null())}

    def accepts(self, counts: Counts, claim: int) -> bool:
        return counts.get("present", 0) == claim
