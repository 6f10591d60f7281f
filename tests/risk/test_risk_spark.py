"""Risk of a Spark table: the same figures as in one process, whatever the partitions; persons with several rows."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from transforms.measures import risk
from transforms.risk.combinations import Combinations
from transforms.risk.review import risk_figures

pytestmark = pytest.mark.spark
QUASI = ["나이", "a.b", "sex"]


def people(rows: int) -> pa.Table:
    return pa.table({
        "나이": pa.array([None if row % 17 == 0 else row * 7 % 60 for row in range(rows)], pa.int64()),
        "a.b": [f"시군구{row * row % 23}" for row in range(rows)],
        "sex": ["FM"[row % 2] for row in range(rows)],
        "person": [f"p{row // 2 if row < 40 else row}" for row in range(rows)],
    })


@pytest.mark.parametrize("wildcards", [(), ("나이",)])
def test_as_in_one_process(spark: SparkSession, wildcards: tuple[str, ...]) -> None:
    table = people(900)
    here = risk_figures(Combinations.of(table, QUASI), threshold=3, wildcards=wildcards, population=9_000)
    frame = spark.createDataFrame(table).repartition(3)
    found = risk(frame, QUASI, threshold=3, wildcards=wildcards, population=9_000)
    assert found.subsets == here.subsets
    assert found.special_uniques == here.special_uniques
    assert found == here
    assert (found.classes.unique > 0) is not bool(wildcards)  # whose age is unknown may be anybody's


def test_persons_are_counted_once_where_they_have_several_rows(spark: SparkSession) -> None:
    table = people(200)
    here = risk_figures(Combinations.of(table, QUASI, person="person"), threshold=3, unit="subjects")
    found = risk(spark.createDataFrame(table).repartition(2), QUASI, threshold=3, subject="person")
    assert found == here
    assert found.records == 200  # each of the twenty persons with two rows stands in two classes
    # ("F", "M") apart, 20 persons of two rows are in both classes: 100 records each, of distinct persons
    assert {one.columns: one for one in found.subsets}["sex",].k == 100


def test_a_frame_without_rows(spark: SparkSession) -> None:
    found = risk(spark.createDataFrame(people(0)), QUASI, threshold=3)
    assert (found.records, found.classes.k, found.classes.classes) == (0, 0, 0)
