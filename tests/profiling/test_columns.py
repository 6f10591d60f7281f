"""What one pass counts of a column, against plain lists; parts add up, in any order."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.pipeline.feed import TableUnit
from transforms.profiling.columns import ColumnFacts, ProfileTask, facts_of
from transforms.profiling.hashing import hashes
from transforms.profiling.sketch import KEPT


def facts(column: pa.Array | pa.ChunkedArray, parts: int = 1) -> ColumnFacts:
    """The facts of one column, read in so many parts."""
    table = pa.table({"c": column})
    size = max(1, -(-len(column) // parts))
    units = [TableUnit(number, table.slice(number * size, size), table.schema) for number in range(parts)]
    blobs = [blob for unit in units for blob in ProfileTask(("c",))(unit)]
    random.Random(1).shuffle(blobs)
    return facts_of(table.schema, blobs)[0]


def by_hand(values: Sequence[Any]) -> tuple[int, int, int, float, float]:
    """Rows, nulls, distinct values, share of cells that stand alone, entropy."""
    held = [value for value in values if value is not None]
    counts = Counter(held)
    entropy = -sum(n / len(held) * math.log2(n / len(held)) for n in counts.values()) if held else 0.0
    alone = sum(n == 1 for n in counts.values()) / len(held) if held else 0.0
    return len(values), len(values) - len(held), len(counts), alone, entropy


def told(found: ColumnFacts) -> tuple[int, int, int, float, float]:
    return found.rows, found.nulls, found.distinct, found.alone, found.entropy


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", "a", None, "가나다", ""], [1, 2, 2, 3, None], [1.5, 1.5, 0.25], [True, False, None, True],
        [date(2024, 1, 1), date(2024, 1, 2)], [datetime(2024, 1, 1, 12, tzinfo=UTC)] * 2,
        [Decimal("1.10"), Decimal("-1.10"), Decimal("1.10")], ["x" * 40, "x" * 41, "x" * 40 + "y", "y" + "x" * 40],
    ],
)  # fmt: skip
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_up_to_a_thousand_distinct_values_all_is_exact(values: list[Any], parts: int) -> None:
    found = facts(pa.array(values), parts)
    assert found.exact
    assert told(found) == pytest.approx(by_hand(values))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([], pa.string()), (0, 0, 0, 0, 0)),
        (pa.array([None] * 5, pa.int64()), (5, 5, 0, 0, 0)),
        (pa.array(["only"]), (1, 0, 1, 1, 0)),
        (pa.array([7] * 100), (100, 0, 1, 0, 0)),
    ],
)
def test_empty_all_null_one_row_one_value(column: pa.Array, expected: tuple[int, int, int, float, float]) -> None:
    found = facts(column)
    assert told(found) == expected
    assert found.unique == (len(column) == 1)


@pytest.mark.parametrize("parts", [1, 7])
@pytest.mark.parametrize("distinct", [1_500, 40_000])
def test_beyond_that_estimates_are_within_a_tenth(distinct: int, parts: int) -> None:
    """Three standard errors of a sample of 1,024 values are 9.4 %."""
    values = np.random.default_rng(distinct).integers(0, distinct, 120_000)
    for column in (pa.array(values), pa.array([f"C{value}" for value in values])):
        found, exact = facts(column, parts), by_hand(values.tolist())
        assert not found.exact
        assert found.distinct == pytest.approx(exact[2], rel=0.1)
        assert found.alone == pytest.approx(exact[3], abs=0.05)
        assert found.entropy == pytest.approx(exact[4], rel=0.1)


@pytest.mark.parametrize("parts", [1, 5])
def test_frequent_values_are_counted_and_not_guessed(parts: int) -> None:
    """Six cells in ten are zero: a sample of distinct values alone would mostly miss it."""
    random_ = np.random.default_rng(5)
    values = np.where(random_.random(100_000) < 0.6, 0, random_.integers(1, 30_000, 100_000))
    assert facts(pa.array(values), parts).entropy == pytest.approx(by_hand(values.tolist())[4], rel=0.1)


def test_the_order_of_the_parts_does_not_matter() -> None:
    values = pa.array(np.random.default_rng(9).integers(0, 50_000, 60_000))
    whole = facts(values)
    assert told(facts(values, 9)) == pytest.approx(told(whole), rel=1e-9, abs=0.02)
    assert facts(values, 9).distinct == whole.distinct


def test_a_key_is_told_as_unique() -> None:
    keys = pa.array([f"EC-{number:06d}" for number in range(30_000)])
    found = facts(keys, 4)
    assert (found.unique, found.distinct, found.exact) == (True, 30_000, False)
    once_twice = pa.concat_arrays([keys.slice(0, 29_000), keys.slice(0, 1_000)])
    assert not facts(once_twice, 4).unique


def test_looks_and_identification_numbers() -> None:
    column = pa.array(["김민수", "이서연", "박지훈", "010-2345-6789"] * 50)
    found = facts(column, 3)
    assert found.looks["name"] == pytest.approx(0.75)
    assert found.found["phone"].whole == 50
    long = facts(pa.array(["서울특별시 은평구 연서로 29길 245", "경기도 수원시 팔달구 정조로 1"]))
    assert long.looks["address"] == 1
    assert facts(pa.array([19900102, 20231231])).looks["date"] == 1


def test_every_number_is_found_in_columns_that_repeat_and_in_those_that_do_not() -> None:
    """Values that repeat are looked at once and counted as often as they stand."""
    few = pa.array((["010-2345-6789"] + ["x"] * 9) * 4_000)
    assert facts(few, 3).found["phone"].whole == 4_000
    many = pa.array([f"010-{2000 + number // 10_000:04d}-{number % 10_000:04d}" for number in range(40_000)])
    assert facts(many, 3).found["phone"].whole == 40_000


@pytest.mark.parametrize(
    "values",
    [
        pa.array([f"{'ab' * (number % 9)}{number}" for number in range(20_000)]),
        pa.array(range(20_000)),
        pa.array([Decimal(number) for number in range(20_000)], pa.decimal128(38, 4)),
        pa.array([number / 7 for number in range(20_000)]),
    ],
    ids=["text", "int", "decimal", "double"],
)
def test_hashes_tell_values_apart_and_know_them_again(values: pa.Array) -> None:
    made = hashes(values)
    assert len(np.unique(made)) == len(values)
    assert (hashes(values.slice(11, 500)) == made[11:511]).all()
    # As good as random: of 20,000 hashes about a half have any bit set.
    for bit in (0, 31, 63):
        assert 0.48 < float(((made >> np.uint64(bit)) & np.uint64(1)).mean()) < 0.52


def test_the_two_zeros_are_one_value() -> None:
    assert facts(pa.array([0.0, -0.0])).distinct == 1


def test_what_a_task_gives_is_small() -> None:
    """A wide table's states cross to the driver: some 20 KB a column, however long it is."""
    table = pa.table({"c": np.arange(100_000)})
    (blob,) = ProfileTask(("c",))(TableUnit(0, table, table.schema))
    assert len(blob) < 24 * KEPT
