"""How many records a user's own columns tell apart, against counting with a dictionary."""

from __future__ import annotations

import random
from collections import Counter

import pyarrow as pa
import pytest

from transforms.combination.own_columns import SIZES, OwnMap, OwnReduce, OwnUniqueness
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit


def rows(count: int) -> list[tuple[object, ...]]:
    dice = random.Random(3)
    return [
        (dice.choice([None, *range(20)]), dice.choice(["서울", "나주", None]), dice.choice([0.5, 1.5, None]))
        for _ in range(count)
    ]


@pytest.mark.parametrize(("buckets", "pieces"), [(1, 1), (5, 3)])
def test_classes_are_counted(buckets: int, pieces: int) -> None:
    found = rows(900)
    table = pa.table(dict(zip("abc", map(list, zip(*found, strict=True)), strict=True)))
    size = -(-len(found) // pieces)
    units = [TableUnit(at, table.slice(at * size, size), table.schema) for at in range(pieces)]
    task = OwnMap(("a", "b", "c"), Draws(Secret(b"o" * 32)), buckets)
    told = OwnUniqueness.of(LocalEngine(units).shuffle(task, OwnReduce(), buckets, "own"))
    classes = Counter(found)
    assert told.rows == 900
    assert told.classes == len(classes) > 100
    assert told.within == {most: sum(n for n in classes.values() if n <= most) for most in SIZES}
    assert 0 < told.within[1] < told.within[10] < 900
