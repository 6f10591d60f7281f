"""A pipeline on a DataFrame or on an Arrow table: the same task functions as the job, other feeds and sinks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from transforms.errors import CellsRefused, DataRefused
from transforms.pipeline.class_pass import ToOrder, class_stage
from transforms.pipeline.engine import FAILURE, Engine, LocalEngine, PassFailed, SparkEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.parts import prepare_part
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.states import unpack
from transforms.pipeline.transform import DATA, ToBatches, TransformMap, TransformReduce
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.run_keys import RunKeys


def apply_table(
    table: TablePipeline, plan: Plan, source: pa.Table, keys: RunKeys, stopped: pa.Array | None
) -> pa.Table:
    """See `Pipeline.apply_table`."""
    engine = LocalEngine([TableUnit(0, source, table.source_schema)])
    options = Options(cores=1, buckets=1, rows_hint=source.num_rows, limits=plan.outlier_limits)
    prepared = _prepared(table, keys, engine, options, stopped)
    finished = finish(prepared, engine, ToBatches(), options)
    tables = [pa.ipc.open_stream(blob).read_all() for blob in finished.outputs]
    return pa.concat_tables(tables).combine_chunks() if tables else table.schema.empty_table()


def apply_frame(table: TablePipeline, plan: Plan, frame: Any, keys: RunKeys, stopped: pa.Array | None) -> Any:
    """See `Pipeline.apply`."""
    spark = frame.sparkSession
    if table.row_key is None:
        raise CellsRefused("row_key: row-number has no meaning in a DataFrame; name key columns", 0)
    feed = frame.select([_quoted(name) for name in table.source_schema.names])
    engine = SparkEngine(spark, frame=feed, schema=table.source_schema, label=table.name)
    options = Options(cores=spark.sparkContext.defaultParallelism, rows_hint=frame.count(), limits=plan.outlier_limits)
    prepared = _prepared(table, keys, engine, options, stopped)
    return delivered_frame(engine, prepared)


def _prepared(
    table: TablePipeline, keys: RunKeys, engine: Engine, options: Options, stopped: pa.Array | None
) -> Prepared:
    if table.whole is None:
        return prepare(_alone(table), keys, engine, options, stopped)
    whole = prepare(_alone(table.whole), keys, engine, options, stopped)
    return prepare_part(whole, _alone(table), keys, engine, options)


def _alone(table: TablePipeline) -> TablePipeline:
    """A table without its register: nobody else's sample decides here. Errors: DataRefused where it has to."""
    alone = replace(table, register=None)
    if alone.condition_columns() - set(table.source_schema.names):
        raise DataRefused(f"table {table.source}: its sample is drawn by columns that its register alone has")
    return alone


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def delivered_frame(engine: SparkEngine, prepared: Prepared) -> Any:
    """The transforming pass as a lazy DataFrame. Its broadcast lives as long as the frame is in use."""
    from pyspark.sql.pandas.types import from_arrow_schema

    work = prepared.work
    reduce_ = TransformReduce(work, prepared.offsets, ToBatches())
    inner = class_stage(work, ToOrder(work.buckets))
    handle = engine.hold((TransformMap(work), reduce_, engine.units, inner), "transform")
    blobs = engine.shuffled(handle, work.buckets, kinds=True, inner=inner.buckets if inner is not None else 0)

    def rows_of(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for kind, blob in zip(batch.column(1).to_pylist(), batch.column(2), strict=True):
                if kind == DATA:
                    yield from pa.ipc.open_stream(blob.as_buffer())
                elif kind == FAILURE:
                    raise PassFailed([unpack(blob.as_buffer())])

    return blobs.mapInArrow(rows_of, from_arrow_schema(work.table.schema))
