"""Delta tables as Spark DataFrames: by Spark's own reader on this machine, file by file in an object store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.errors import BadInput
from jobs.storage import Location
from jobs.tables import Snapshot, pinned
from transforms.pipeline.feed import FileUnit, pack_units
from transforms.pipeline.quiet import quietly

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

Batches = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def read(
    spark: SparkSession,
    location: Location | str,
    version: int | None = None,
    columns: Sequence[str] | None = None,
) -> DataFrame:
    """The table (or one version of it) as a Spark DataFrame; with `columns`, these alone.

    A table in an object store is read by our own tasks, with the options of the environment: Spark has no connector of
    its own, unless it is given one. BadInput where the session lacks Delta's jars, or a connector that the table needs.
    """
    place = location if isinstance(location, Location) else Location.of(location)
    if not place.is_local:
        snapshot = pinned(place, version)
        if snapshot.by_file:
            return _by_file(spark, snapshot, snapshot.schema.names if columns is None else columns)
        _require_connector(spark, snapshot)
    from jobs.session import require_delta  # it imports Spark, and a table's place is told without

    require_delta()
    reader = spark.read.format("delta")
    frame = (reader if version is None else reader.option("versionAsOf", version)).load(str(place))
    return frame if columns is None else frame.select(*map(quoted, columns))


def quoted(name: str) -> str:
    """A column's name as Spark takes any name."""
    return "`" + name.replace("`", "``") + "`"


def mapped(frame: DataFrame, task: Batches, schema: StructType | str) -> DataFrame:
    """`mapInArrow` for columns of any name: PySpark itself takes a name with a point for a field of a structure."""
    names = frame.columns
    plain = frame.toDF(*(f"c{place}" for place in range(len(names))))
    return plain.mapInArrow(quietly(_Named(tuple(names), task)), schema)


@dataclass(frozen=True)
class _Named:
    names: tuple[str, ...]
    task: Batches

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return self.task(batch.rename_columns(list(self.names)) for batch in batches)


def needs_connector(snapshot: Snapshot, settings: Mapping[str, str]) -> str | None:
    """Why Spark itself must read a table of an object store, and what that takes; None where it need not, or may.

    `settings` are the session's, as the environment file gives them.
    """
    scheme = snapshot.uri.partition("://")[0]
    wanted = f"spark.hadoop.fs.{scheme}.impl"
    if snapshot.location.is_local or snapshot.by_file or wanted in settings:
        return None
    return (
        f"the table at {snapshot.uri} has {', '.join(sorted(snapshot.features)) or 'deleted rows'}, so that its files"
        f" alone don't tell what it holds, and Spark has no connector for {scheme}://; allowed: a table without these"
        f" (copied, or written anew), or Hadoop's connector in the environment's `jars` and {wanted} in its `spark`"
    )


def _require_connector(spark: SparkSession, snapshot: Snapshot) -> None:
    settings = dict(spark.sparkContext.getConf().getAll())
    if told := needs_connector(snapshot, settings):
        raise BadInput(told)


@dataclass(frozen=True)
class _ReadFiles:
    """A task: the rows of the units whose numbers it is handed."""

    units: Sequence[FileUnit]
    names: tuple[str, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from self.units[number].batches(self.names)


def _by_file(spark: SparkSession, snapshot: Snapshot, columns: Sequence[str]) -> DataFrame:
    """The same rows in the same order each time it is computed, as a reader gives them."""
    from pyspark.sql.pandas.types import from_arrow_schema

    schema = pa.schema([pa.field(name, snapshot.schema.field(name).type) for name in columns])
    units = pack_units([file.source for file in snapshot.files], schema, spark.sparkContext.defaultParallelism)
    numbers = spark.range(0, len(units), 1, max(1, len(units)))
    return numbers.mapInArrow(quietly(_ReadFiles(units, tuple(columns))), from_arrow_schema(schema))
