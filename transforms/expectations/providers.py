"""Metrics of a staged table: one columnar pass for all cells, one for the classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration

from transforms.expectations.handed import PARAMETER, find_handed
from transforms.measures.class_table import ClassTable, class_table
from transforms.measures.k_anonymity import Anonymity, anonymity, anonymity_of
from transforms.pipeline.review import Adequacy, adequacy, compare, frame_schema

CELLS, CLASSES, SUBJECTS = "gamyeong.cells", "gamyeong.classes", "gamyeong.subjects"
CLASS_TABLE = "gamyeong.class_table"
T = TypeVar("T")


def frame_of(execution_engine: Any, domain: Any) -> Any:
    """The Spark DataFrame that a metric is asked of."""
    frame, _, _ = execution_engine.get_compute_domain(domain, domain_type=MetricDomainTypes.TABLE)
    return frame


def _noted(name: str, call: Callable[[], T]) -> T:
    """Great Expectations makes a failed expectation of what a metric raises; the job wants to know better."""
    try:
        return call()
    except Exception as error:
        find_handed(name).failures.append(error)
        raise


class CellsMetric(TableMetricProvider):
    """Every cell, serial and schema of a staged version (transforms.pipeline.review), once for all columns."""

    metric_name = CELLS
    value_keys = (PARAMETER,)

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Adequacy:  # noqa: N805
        name = metric_value_kwargs[PARAMETER]
        handed = find_handed(name)
        frame = frame_of(execution_engine, metric_domain_kwargs)

        def count() -> Adequacy:
            label = f"review {handed.table.name}"
            spark = frame.sparkSession
            found = adequacy(handed.table, handed.facts, spark, handed.files, label, handed.values)
            return replace(found, schema=found.schema.merge(compare(frame_schema(frame), handed.table.schema)))

        return _noted(name, count)


class ClassesMetric(TableMetricProvider):
    """k-anonymity of a staged version: by a Spark aggregation, or from the class table where that is made anyway."""

    metric_name = CLASSES
    value_keys = (PARAMETER, "k", "quasi_identifiers", "subject", "sensitive")

    @classmethod
    def _get_evaluation_dependencies(cls, metric: MetricConfiguration, *_: Any, **__: Any) -> dict[str, Any]:
        asked = metric.metric_value_kwargs
        if not asked.get("sensitive"):
            return {}
        shared = {key: asked.get(key) for key in ClassTableMetric.value_keys}
        return {CLASS_TABLE: MetricConfiguration(CLASS_TABLE, metric.metric_domain_kwargs, shared)}

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(
        cls,  # noqa: N805
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        metrics: Any,
        **_: Any,
    ) -> Anonymity:
        asked = metric_value_kwargs
        if CLASS_TABLE in metrics:
            return anonymity_of(metrics[CLASS_TABLE], asked["k"])
        frame = frame_of(execution_engine, metric_domain_kwargs)
        return _noted(
            asked[PARAMETER],
            lambda: anonymity(frame, asked["quasi_identifiers"], asked["k"], asked.get("subject")),
        )


class ClassTableMetric(TableMetricProvider):
    """The classes of a table with their sensitive values (transforms.measures), once for all that is measured."""

    metric_name = CLASS_TABLE
    value_keys = ("quasi_identifiers", "subject", "sensitive")

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> ClassTable:  # noqa: N805
        asked = metric_value_kwargs
        frame = frame_of(execution_engine, metric_domain_kwargs)
        return class_table(frame, asked["quasi_identifiers"], asked["sensitive"], asked.get("subject"))


class SubjectsMetric(TableMetricProvider):
    """Distinct subjects of a staged version by their delivered pseudonym."""

    metric_name = SUBJECTS
    value_keys = (PARAMETER, "subject")

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(cls, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> int:  # noqa: N805
        column = metric_value_kwargs["subject"]
        frame = frame_of(execution_engine, metric_domain_kwargs)
        name = metric_value_kwargs[PARAMETER]
        return _noted(name, lambda: int(frame.select("`" + column.replace("`", "``") + "`").distinct().count()))
