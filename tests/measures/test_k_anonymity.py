"""k-anonymity of a delivered table, against counting by hand."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from pyspark.sql import SparkSession

from transforms.measures import class_sizes, k_anonymity

pytestmark = pytest.mark.spark
COLUMNS = "person string, age int, region string"
ROWS = [
    ("a", 30, "서울"), ("b", 30, "서울"), ("c", 30, "서울"),
    ("d", 40, "부산"), ("d", 40, "부산"), ("e", 40, "부산"),
    ("f", None, "서울"), ("g", None, "서울"), ("h", None, None), ("i", None, None),
]  # fmt: skip


def by_hand(rows: list[Any], subject: bool) -> dict[Any, int]:
    """Sizes of classes, in rows or in distinct persons; null is a value of its own."""
    classes: dict[Any, list[Any]] = defaultdict(list)
    for person, age, region in rows:
        classes[(age, region)].append(person)
    return {key: len(set(people)) if subject else len(people) for key, people in classes.items()}


def sizes(spark: SparkSession, rows: list[Any], subject: str | None) -> dict[Any, int]:
    found = class_sizes(spark.createDataFrame(rows, COLUMNS), ["age", "region"], subject).collect()
    return {(row["age"], row["region"]): row["class_size"] for row in found}


def test_null_is_a_value_of_its_own(spark: SparkSession) -> None:
    expected = by_hand(ROWS, subject=False)
    assert expected[(None, None)] == 2  # two rows without age and region share a class, and no other
    assert sizes(spark, ROWS, None) == expected
    assert k_anonymity(spark.createDataFrame(ROWS, COLUMNS), ["age", "region"]) == 2


def test_a_person_with_many_rows_counts_once(spark: SparkSession) -> None:
    expected = by_hand(ROWS, subject=True)
    assert expected[(40, "부산")] == 2  # d twice, e once: three rows, two persons
    assert sizes(spark, ROWS, "person") == expected


def test_a_row_of_nobody_counts_for_nobody(spark: SparkSession) -> None:
    rows = [(None, 50, "대구"), ("a", 30, "서울"), ("b", 30, "서울")]
    assert sizes(spark, rows, "person") == {(50, "대구"): 0, (30, "서울"): 2}
    assert k_anonymity(spark.createDataFrame(rows, COLUMNS), ["age", "region"], "person") == 0


def test_fewer_quasi_identifiers_make_larger_classes(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, COLUMNS)
    assert k_anonymity(frame, ["age"]) == 3  # 30 thrice, 40 thrice, null four times
    assert k_anonymity(frame, []) == len(ROWS)


def test_no_row_no_class(spark: SparkSession) -> None:
    empty = spark.createDataFrame([], COLUMNS)
    assert k_anonymity(empty, ["age"]) == 0
    assert k_anonymity(empty, []) == 0
    assert class_sizes(empty, ["age"]).count() == 0


def test_names_with_dots_are_columns(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(1, 1), (1, 2)], "`case.id` int, `a``b` int")
    assert k_anonymity(frame, ["case.id"]) == 2
    assert k_anonymity(frame, ["case.id", "a`b"]) == 1


def test_an_unknown_column_is_told(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, COLUMNS)
    with pytest.raises(ValueError, match=r"columns job; allowed: .*age"):
        k_anonymity(frame, ["age", "job"])
