"""The public measures on a Spark DataFrame: what `class_table_of` finds of the same rows, however they are spread."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from transforms import measures
from transforms.measures import class_table, class_table_of, disclosure

pytestmark = pytest.mark.spark
DRAW = np.random.default_rng(7)
COUNT = 3_000
KEYS = ["age", "region", "job.code"]
# Persons with some rows each; nulls everywhere; cells of all kinds.
TABLE = pa.table({
    "person": pa.array([None if place % 97 == 0 else f"P{place % 1100}" for place in range(COUNT)]),
    "age": pa.array(DRAW.integers(2, 9, COUNT) * 10, pa.int32(), mask=DRAW.random(COUNT) < 0.05),
    "region": pa.array(DRAW.choice(["서울", "부산", "제주"], COUNT), mask=DRAW.random(COUNT) < 0.05),
    "job.code": pa.array(DRAW.integers(0, 2, COUNT) == 1),
    "disease": pa.array(DRAW.choice(["flu", "cold", "cough"], COUNT, p=[0.6, 0.3, 0.1])),
    "income": pa.array(DRAW.integers(1, 40, COUNT) * 100, pa.int64(), mask=DRAW.random(COUNT) < 0.02),
})  # fmt: skip


def same(left: Any, right: Any) -> bool:
    """Two class tables with the same content in the same order."""
    columns = all(
        left.values[name].equals(right.values[name]) and np.array_equal(left.codes[name], right.codes[name])
        for name in left.columns
    )
    sensitive = all(
        one.values.equals(two.values)
        and all(
            np.array_equal(getattr(one, part), getattr(two, part)) for part in ("classes", "places", "counts", "totals")
        )
        for one, two in zip(left.sensitive.values(), right.sensitive.values(), strict=True)
    )
    return columns and sensitive and np.array_equal(left.sizes, right.sizes) and left.rows == right.rows


@pytest.mark.parametrize("subject", [None, "person"])
def test_tasks_find_what_one_process_finds(spark: SparkSession, subject: str | None) -> None:
    frame = spark.createDataFrame(TABLE).repartition(5, "income")
    found = class_table(frame, KEYS, ["disease", "income"], subject)
    assert same(found, class_table_of(TABLE, KEYS, ["disease", "income"], subject))
    assert found.rows == COUNT


def test_each_measure_is_the_one_of_disclosure(spark: SparkSession) -> None:
    frame = spark.createDataFrame(TABLE)
    keys = ["age", "job.code"]
    whole = disclosure(frame, keys, ["disease", "income"])
    assert set(whole.columns) == {"disease", "income"}
    one = whole.columns["disease"]
    assert 1 < one.l <= 3
    assert one.t > 0
    asked = (frame, keys, "disease")
    assert measures.k_anonymity(frame, keys) == whole.k > 0
    assert measures.l_diversity(*asked) == one.l
    assert measures.entropy_l_diversity(*asked) == one.entropy_l
    assert measures.recursive_c_l_diversity(*asked) == (one.c, one.l)
    assert measures.recursive_c_l_diversity(*asked, l=4) == (math.inf, 4)  # no class has four diseases
    assert measures.alpha_k_anonymity(*asked) == (one.alpha, whole.k)
    assert measures.t_closeness(*asked) == one.t
    assert measures.basic_beta_likeness(*asked) == one.beta
    assert measures.enhanced_beta_likeness(*asked) == one.enhanced_beta
    assert measures.delta_disclosure(*asked) == one.delta


def test_of_several_columns_the_worst_counts(spark: SparkSession) -> None:
    frame = spark.createDataFrame(TABLE)
    found = disclosure(frame, ["region"], ["disease", "income"])
    assert found.columns["income"].ordered
    assert not found.columns["disease"].ordered
    both = measures.t_closeness(frame, ["region"], ["disease", "income"])
    assert both == max(found.columns["disease"].t, found.columns["income"].t)
    over_ranks = measures.t_closeness(frame, ["region"], "income")
    assert over_ranks == found.columns["income"].t != measures.t_closeness(frame, ["region"], "income", ordered=[])


def test_wildcards_give_company(spark: SparkSession) -> None:
    frame = spark.createDataFrame(TABLE)
    alone, together = (measures.k_anonymity(frame, KEYS, wildcards=columns) for columns in ((), ("age", "region")))
    assert together > alone
    assert measures.l_diversity(frame, KEYS, "disease", wildcards=["age"]) >= measures.l_diversity(
        frame, KEYS, "disease"
    )


def test_clear_answers_where_there_is_little(spark: SparkSession) -> None:
    empty = spark.createDataFrame(TABLE.slice(0, 0))
    assert measures.l_diversity(empty, KEYS, "disease") == 0
    assert measures.t_closeness(empty, KEYS, "disease") == 0.0
    assert measures.alpha_k_anonymity(empty, KEYS, "disease") == (0.0, 0)
    single = spark.createDataFrame(TABLE.slice(5, 1))
    assert disclosure(single, KEYS, ["disease"]).columns["disease"].l == 1
    whole = disclosure(spark.createDataFrame(TABLE), [], ["disease"])
    assert (whole.k, whole.classes, whole.columns["disease"].t) == (COUNT, 1, 0.0)
    nulls = spark.sql("select 1 as a, null as s, cast(null as string) as b from range(3)")
    assert disclosure(nulls, ["a", "b"], ["s"]).columns["s"].l == 1


def test_what_can_not_be_measured_is_told(spark: SparkSession) -> None:
    frame = spark.createDataFrame(TABLE)
    with pytest.raises(ValueError, match=r"columns job; allowed: .*age"):
        measures.l_diversity(frame, ["job"], "disease")
    with pytest.raises(ValueError, match="columns disease twice"):
        measures.l_diversity(frame, ["disease"], "disease")
    with pytest.raises(ValueError, match="no sensitive column"):
        measures.t_closeness(frame, KEYS, [])
    with pytest.raises(ValueError, match="nested columns x"):
        class_table(spark.sql("select array(1, 2) as x"), ["x"])
