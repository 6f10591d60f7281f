"""An expectation that needs nothing of a run: for an engineer's own suites, on any Spark DataFrame.

`ExpectNoIdentifiersInColumn(column="memo")` stands beside Great Expectations' own; importing this module is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import pyarrow as pa
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider

from transforms.expectations.classes import Verdict, verdict
from transforms.expectations.providers import frame_of
from transforms.identity.find import find_identifiers
from transforms.identity.kinds import KINDS

IDENTIFIERS = "gamyeong.identifiers"


def counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Of batches of one column: cells by kind that surely hold one (task function; no cell leaves it)."""
    for batch in batches:
        found = {kind: one.strong for kind, one in find_identifiers(batch.column(0)).items() if one.strong}
        yield pa.RecordBatch.from_pydict({"kind": list(found), "cells": pa.array(found.values(), pa.int64())})


class IdentifiersMetric(TableMetricProvider):
    """Cells of a column by the kind of identifier that they hold."""

    metric_name = IDENTIFIERS
    value_keys = ("column",)

    @metric_value(engine=SparkDFExecutionEngine)
    def _spark(
        cls,  # noqa: N805
        execution_engine: Any,
        metric_domain_kwargs: Any,
        metric_value_kwargs: Any,
        **_: Any,
    ) -> dict[str, int]:
        frame = frame_of(execution_engine, metric_domain_kwargs)
        quoted = "`" + metric_value_kwargs["column"].replace("`", "``") + "`"
        kinds = frame.select(frame[quoted].alias("c0")).mapInArrow(counted, "kind string, cells long")
        rows = kinds.groupBy("kind").sum("cells").toDF("kind", "cells").collect()
        return {row["kind"]: int(row["cells"]) for row in rows}


class ExpectNoIdentifiersInColumn(BatchExpectation):
    """No cell of the column holds a natural person's identification number, telephone number, e-mail address …

    Whole or within a longer text, by form and check digit; `allowed` are kinds that may stand there (names of
    `transforms.identity.kinds.KINDS`). The result tells kinds and numbers of cells, never a cell.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = (IDENTIFIERS,)
    success_keys: ClassVar[tuple[str, ...]] = ("column", "allowed")

    column: str
    allowed: Sequence[str] = ()

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> Verdict:
        left = {
            kind: cells
            for kind, cells in metrics[IDENTIFIERS].items()
            if kind not in self.allowed and KINDS[kind].person
        }
        return verdict(not left, kinds=sorted(left), left=sum(left.values()))
