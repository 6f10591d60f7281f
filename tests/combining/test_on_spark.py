"""On Spark the same rows come out as in one process, in the same order, and nothing of a fault is tried in vain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from transforms.combination.joins import JoinRule
from transforms.pipeline.engine import PassFailed, SparkEngine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
PARTIES = ("A", "B", "C")


def test_spark_gives_the_same_rows(spark: SparkSession, drawn_case: Callable[..., Any]) -> None:
    case = drawn_case(PARTIES, 600, many=["C"])
    rule = JoinRule("outer-single", PARTIES, "A")
    local = case.combine(rule, link="link_U")
    assert len(local[0][""]) > 200
    assert case.combine(rule, link="link_U", pieces=4, engine=partial(SparkEngine, spark)) == local


def test_faults_are_told_by_count(
    spark: SparkSession, case: Callable[..., Any], drawn_case: Callable[..., Any]
) -> None:
    drawn = drawn_case(("A", "B"), 200)
    doubled = pa.concat_tables([drawn.attributes["B"], drawn.attributes["B"][:7]])
    both = case({"A": drawn.attributes["A"], "B": doubled}, drawn.linking)
    with pytest.raises(PassFailed, match=r"attributes of B: rows with the serial of another row.*at least 7"):
        both.combine(JoinRule("inner-single", ("A", "B")), engine=partial(SparkEngine, spark))
