"""The made retail customers: the guideline's columns, its worked customer, skew, sameness."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from jobs.retail import CATEGORIES, CHUNK, GRADES, MONTHS, Retail, districts, schema


@pytest.fixture(scope="module")
def table() -> pa.Table:
    made = Retail(25_000, 1, districts())
    return pa.Table.from_batches([made.chunk(number) for number in range(made.chunks)])


def test_222_columns_as_the_guideline_counts_them(table: pa.Table) -> None:
    # guideline L3323: 4 + 24 months x (7 categories, total, preferred) + 2 grades
    assert len(table.schema) == 4 + 24 * 9 + 2 == 222
    assert table.schema == schema()
    assert table.column_names[:4] == ["customer_id", "age", "address", "sex"]
    assert {"amount_travel_201901", "total_202112", "preferred_201912", "grade_2021"} <= set(table.column_names)


def test_the_worked_customer_is_planted_twenty_times(table: pa.Table) -> None:
    # guideline L3517-3556
    expected = {
        "age": 36, "address": "서울시 은평구 연서로 29길 245", "sex": "M", "grade_2021": "S",
        "amount_travel_201901": 0, "amount_food_201901": 248_240, "amount_clothes_201901": 180_000,
        "amount_hobby_201901": 740_000, "amount_living_201901": 562_500, "amount_baby_201901": 360_000,
        "amount_etc_201901": 715_000, "total_201901": 2_805_740, "preferred_201901": "취미용품",
        "amount_food_202112": 362_150, "amount_clothes_202112": 0, "amount_hobby_202112": 24_300,
        "amount_living_202112": 478_130, "amount_baby_202112": 452_300, "amount_etc_202112": 782_350,
        "total_202112": 2_099_230, "preferred_202112": "기타",
    }  # fmt: skip
    planted = table.filter(pc.equal(table["address"], expected["address"]))
    found = [row for row in planted.to_pylist() if all(row[name] == value for name, value in expected.items())]
    assert len(found) == 20
    assert found[0]["customer_id"] == "EC-232578"


def test_ids_differ_and_tell_nothing_of_their_order(table: pa.Table) -> None:
    ids = table["customer_id"]
    assert pc.count_distinct(ids).as_py() == table.num_rows
    assert pc.all(pc.match_substring_regex(ids, r"^EC-\d{6,}$")).as_py()
    numbers = pc.utf8_slice_codeunits(ids, 3).cast(pa.int64()).to_numpy()
    rises = (numbers[1:] > numbers[:-1]).mean()
    assert 0.3 < rises < 0.7


def test_ids_stay_different_beyond_a_million() -> None:
    made = Retail(8_200_000, 1, districts())
    ids = pa.chunked_array([made.chunk(number)["customer_id"] for number in (0, 400, 819)])
    assert pc.count_distinct(ids).as_py() == len(ids)
    assert pc.all(pc.match_substring_regex(ids, r"^EC-\d{7}$")).as_py()


def test_totals_and_preferred_follow_from_the_amounts(table: pa.Table) -> None:
    for month in (MONTHS[0], MONTHS[13]):
        rows = table.select([f"amount_{name}_{month}" for name in CATEGORIES]).to_pylist()
        totals = [sum(row.values()) for row in rows]
        assert table[f"total_{month}"].to_pylist() == totals
        labels = list(CATEGORIES.values())
        largest = [labels[list(row.values()).index(max(row.values()))] if any(row.values()) else None for row in rows]
        assert table[f"preferred_{month}"].to_pylist() == largest


def test_values_are_what_a_shop_would_have(table: pa.Table) -> None:
    ages = table["age"].to_numpy()
    assert (ages.min(), ages.max()) == (10, 97)
    assert 36 <= sorted(ages)[len(ages) // 2] <= 48
    assert (ages < 20).any()
    assert (ages >= 80).any()
    amounts = pa.chunked_array([c for name in CATEGORIES for c in table[f"amount_{name}_201906"].chunks])
    assert pc.all(pc.equal(pc.bit_wise_and(pc.multiply(pc.divide(amounts, 10), 10), amounts), amounts)).as_py()
    assert pc.min(amounts).as_py() == 0
    assert pc.sum(pc.equal(amounts, 0)).as_py() / len(amounts) > 0.3
    assert pc.max(amounts).as_py() > 10_000_000  # the last band of the graded rounding
    assert set(table["grade_2019"].to_pylist()) == set(GRADES)
    regions = set(districts())
    assert len(regions) > 200
    assert {" ".join(text.split(" ")[:-3]) for text in set(table["address"].to_pylist())} <= regions


def test_the_same_seed_makes_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (Retail(CHUNK * 2, seed, districts()).chunk(1) for seed in (5, 5, 6))
    assert first.equals(again)
    assert not first.equals(other)
    assert first.num_rows == CHUNK
