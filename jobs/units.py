"""Spreads units of work over Spark tasks: one JSON object in, one JSON object out.

For work that reads and writes files by itself (generate, ingest). What a task raises reaches the driver
as type and place: texts of foreign libraries quote cell values, and Spark prints and logs them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from jobs.progress import Progress
from jobs.session import watched
from transforms.pipeline.quiet import TaskFailed, settle_worker, told

Unit = dict[str, Any]


def over_units(
    spark: SparkSession, progress: Progress, text: str, units: Sequence[Unit], task: Callable[[Unit], Unit]
) -> list[Unit]:
    """The results of `task` for each unit, in the units' order, one Spark task a unit.

    Units and results are JSON objects and hold no secrets and no cell values.
    """
    if not units:
        return []
    rows = [(number, json.dumps(unit)) for number, unit in enumerate(units)]
    frame = spark.createDataFrame(rows, "number int, unit string").repartitionById(len(units), "number")
    with watched(spark, progress, text):
        done = frame.mapInArrow(_guarded(task), "number int, result string").collect()
    return [json.loads(row["result"]) for row in sorted(done, key=lambda row: int(row["number"]))]


def _guarded(
    task: Callable[[Unit], Unit],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        settle_worker()
        for batch in batches:
            for number, unit in zip(batch.column(0), batch.column(1), strict=True):
                try:
                    result = task(json.loads(unit.as_py()))
                except Exception as error:  # noqa: BLE001 - its text may quote a cell
                    raise TaskFailed(told(error)) from None
                yield pa.RecordBatch.from_arrays(
                    [pa.array([number.as_py()], pa.int32()), pa.array([json.dumps(result)])],
                    names=["number", "result"],
                )

    return work
