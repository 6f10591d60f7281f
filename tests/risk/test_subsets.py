"""Subsets of columns: sorted where there are too many combinations to count by place; persons with several rows."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from transforms.risk.combinations import Combinations
from transforms.risk.subsets import class_sizes, survey


@pytest.mark.parametrize("values", [3, 40, 400, 300_000], ids=["by place", "sorted", "sorted too", "key and row apart"])
def test_class_sizes_are_those_of_counting(values: int) -> None:
    chance = np.random.default_rng(values)
    codes = [chance.integers(0, values, 600) // 2 for _ in range(3)]
    counts = chance.integers(1, 5, 600)
    given = Combinations(("a", "b", "c"), tuple(codes), (values,) * 3, (None,) * 3, counts)  # type: ignore[arg-type]
    for places in [(0,), (0, 1), (0, 1, 2), ()]:
        rows = list(zip(*(codes[place].tolist() for place in places), strict=True)) or [()] * 600
        whole: Counter[tuple[int, ...]] = Counter()
        for row, count in zip(rows, counts.tolist(), strict=True):
            whole[row] += count
        sizes, classes = class_sizes(given, places)
        assert sizes.tolist() == [whole[row] for row in rows]
        assert classes == len(whole)


def test_of_persons_with_several_rows_by_hand() -> None:
    """Who has two rows counts once in a class; pairs of records are still pairs of records."""
    rows = [("a", "x", 1), ("a", "x", 2), ("b", "y", 1), ("c", "y", 2), ("c", "z", 2), ("a", "z", 1)]
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(("who", "area", "grade"))})
    given = Combinations.of(table, ["area", "grade"], person="who")
    for places in [(0,), (1,), (0, 1)]:
        keys = [tuple(row[1 + place] for place in places) for row in rows]
        persons = [len({row[0] for row, other in zip(rows, keys, strict=True) if other == key}) for key in keys]
        found = survey(given, places, threshold=2).figures
        pairs = list(combinations(keys, 2))
        assert found.k == min(persons)
        assert found.unique == sum(size == 1 for size in persons)
        assert found.below == sum(size < 2 for size in persons)
        assert found.classes == len(set(keys))
        assert found.separation == pytest.approx(sum(one != other for one, other in pairs) / len(pairs))
