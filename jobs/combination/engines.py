"""Where a step's passes run: on Spark, or in this process where so little is to be done that Spark would only cost."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.environment import Environment
from jobs.errors import DataFailed, JobError, Operational
from jobs.progress import Progress
from transforms.pipeline.engine import Engine, LocalEngine, PassFailed, SparkEngine
from transforms.pipeline.feed import Unit

# Starting Spark takes longer than this process needs for so many rows.
LOCAL_ROWS = 200_000


def engine_of(environment: Environment, units: Sequence[Unit], rows: int, label: str, progress: Progress) -> Engine:
    """The engine for passes over `units`, which have about `rows` rows; the same rows come out of both."""
    if rows <= LOCAL_ROWS:
        return LocalEngine(units)
    from jobs.session import require_encryption, spark_session, watched

    spark = spark_session(environment, label)
    require_encryption(spark)
    return SparkEngine(spark, units, label=label, watch=lambda what: watched(spark, progress, what))


def cores_of(engine: Engine) -> int:
    """How many tasks run at once."""
    return int(engine.spark.sparkContext.defaultParallelism) if isinstance(engine, SparkEngine) else 1


def failed(error: PassFailed) -> JobError:
    """How a step ends whose tasks reported failures: 4 where a file is damaged, else 1."""
    return Operational(str(error)) if error.damaged else DataFailed(str(error))
