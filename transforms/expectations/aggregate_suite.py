"""The adequacy suite of an aggregate table: Great Expectations' own expectations, from what the plan declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import great_expectations as gx
import pyarrow as pa
from great_expectations.core.expectation_suite import ExpectationSuite
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.core.expect_column_values_to_be_in_set import ExpectColumnValuesToBeInSet
from great_expectations.expectations.core.expect_column_values_to_be_of_type import ExpectColumnValuesToBeOfType
from great_expectations.expectations.core.expect_column_values_to_be_unique import ExpectColumnValuesToBeUnique
from great_expectations.expectations.core.expect_column_values_to_not_be_null import ExpectColumnValuesToNotBeNull
from great_expectations.expectations.core.expect_compound_columns_to_be_unique import ExpectCompoundColumnsToBeUnique
from great_expectations.expectations.core.expect_table_columns_to_match_ordered_list import (
    ExpectTableColumnsToMatchOrderedList,
)
from great_expectations.expectations.core.expect_table_row_count_to_equal import ExpectTableRowCountToEqual

from transforms.aggregates import Aggregate
from transforms.expectations.validation import Judged, ReviewFailed

_SPARK = {"int64": "LongType", "double": "DoubleType"}


def make_aggregate_suite(aggregate: Aggregate, fingerprint: str) -> ExpectationSuite:
    """The declared groups, each once and all of them; the plan's columns and types; no null; means within bounds."""
    suite = ExpectationSuite(name=f"{aggregate.name}-{fingerprint[:16]}")
    suite.expectations = list(_expectations(aggregate))
    return suite


def _expectations(aggregate: Aggregate) -> Iterator[Any]:
    technique, schema = aggregate.technique, aggregate.schema
    yield ExpectTableRowCountToEqual(value=technique.groups)
    yield ExpectTableColumnsToMatchOrderedList(column_list=schema.names)
    for name, values in aggregate.groups.items():
        texts = [value for value in values.to_pylist() if value is not None]
        yield ExpectColumnValuesToBeInSet(column=name, value_set=texts)
        if not values.null_count:
            yield ExpectColumnValuesToNotBeNull(column=name)
    if len(aggregate.groups) == 1:
        yield ExpectColumnValuesToBeUnique(column=next(iter(aggregate.groups)))
    elif aggregate.groups:
        yield ExpectCompoundColumnsToBeUnique(column_list=list(aggregate.groups), ignore_row_if="never")
    for name in schema.names[len(aggregate.groups) :]:
        yield ExpectColumnValuesToNotBeNull(column=name)
        yield ExpectColumnValuesToBeOfType(column=name, type_=_spark_type(schema.field(name).type))
    for name, query in technique.queries.items():
        if query.kind == "mean" and query.bounds is not None:
            low, high = (float(bound) for bound in query.bounds)
            yield ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high)


def _spark_type(type_: pa.DataType) -> str:
    return f"DecimalType({type_.precision},{type_.scale})" if pa.types.is_decimal(type_) else _SPARK[str(type_)]


def run_aggregate_suite(suite: ExpectationSuite, frame: Any) -> list[Judged]:
    """Every expectation on a Spark DataFrame of the staged version, in the suite's order. Errors: ReviewFailed."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_spark("staging", persist=False)
    asset = source.add_dataframe_asset(suite.name)
    batch = asset.add_batch_definition_whole_dataframe("version").get_batch({"dataframe": frame})
    outcome = batch.validate(suite, result_format="BOOLEAN_ONLY")
    found = []
    for one in outcome.results:
        info = one.exception_info or {}
        entries = [info] if "raised_exception" in info else list(info.values())
        if any(entry.get("raised_exception") for entry in entries):
            raise ReviewFailed([])
        config = one.expectation_config
        assert config is not None
        found.append(Judged(config.type, config.kwargs.get("column"), bool(one.success)))
    return found


__all__ = ["make_aggregate_suite", "run_aggregate_suite"]
