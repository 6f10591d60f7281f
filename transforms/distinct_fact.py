"""The distinct values of a column, as a fact: for steps that must treat each of a few values apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.facts import Counts, Fact

State = frozenset[Any] | None


@dataclass(frozen=True)
class Distinct(Fact):
    """The distinct non-null values (texts in NFC), in order, as a tuple; None where there are more than `most`."""

    most: int

    def observe(self, values: pa.Array) -> State:
        found = pc.unique(composed(values)).drop_null()
        return None if len(found) > self.most else frozenset(found.to_pylist())

    def merge(self, left: State, right: State) -> State:
        if left is None or right is None or len(left | right) > self.most:
            return None
        return left | right

    def conclude(self, state: State) -> tuple[Any, ...] | None:
        return None if state is None else tuple(sorted(state))

    def audit(self, values: pa.Array, claim: tuple[Any, ...] | None) -> Counts:
        """How often each claimed value occurs, by its place, and how many values are none of them."""
        listed = pa.array(claim or (), values.type)
        places = pc.index_in(composed(values).drop_null(), value_set=listed)
        counted = pc.value_counts(places.drop_null())
        counts: Counts = {f"value {one['values']}": one["counts"] for one in counted.to_pylist()}
        return {**counts, "others": places.null_count}

    def accepts(self, counts: Counts, claim: tuple[Any, ...] | None) -> bool:
        if claim is None:
            return False
        # Every claimed value occurs, and no other one.
        return counts.get("others", 0) == 0 and len(counts.keys() - {"others"}) == len(claim)


def composed(values: pa.Array) -> pa.Array:
    """Texts in NFC; anything else as it is."""
    return pc.utf8_normalize(values, form="NFC") if pa.types.is_string(values.type) else values
