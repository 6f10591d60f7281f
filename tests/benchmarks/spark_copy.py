"""The yardstick: Spark reads the source and writes it again, with the write settings of our own files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from jobs.frames import read
from jobs.parquet import WRITE_OPTIONS
from jobs.tables import NO_STATISTICS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# Delta passes only the codec on to the Parquet writer; the rest goes by the session, for the copy alone.
SETTINGS = {
    "parquet.compression.codec.zstd.level": str(WRITE_OPTIONS["compression_level"]),
    "parquet.column.statistics.enabled": "false",
    "spark.databricks.delta.stats.collect": "false",
}


def copy(spark: SparkSession, source: Path, target: Path) -> None:
    """A plain Delta copy of the whole table."""
    save(spark, read(spark, str(source)), target)


def save(spark: SparkSession, frame: DataFrame, target: Path) -> None:
    """A frame as a new Delta table."""
    with _set(spark):
        writer = frame.write.format("delta").option("compression", WRITE_OPTIONS["compression"])
        for name, value in NO_STATISTICS.items():
            writer = writer.option(name, value)
        writer.save(str(target))


@contextmanager
def _set(spark: SparkSession) -> Iterator[None]:
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    try:
        yield
    finally:
        for name in SETTINGS:
            spark.conf.unset(name)


def written_as(file: Path) -> dict[str, Any]:
    """How a Parquet file was really written: its codec, and whether its footer holds statistics."""
    footer = pq.read_metadata(file)
    chunks = [footer.row_group(0).column(place) for place in range(footer.num_columns)]
    held = [chunk for chunk in chunks if chunk.is_stats_set and chunk.statistics.has_min_max]
    return {"codecs": sorted({chunk.compression for chunk in chunks}), "columns_with_minima": len(held)}
