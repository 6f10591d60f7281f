"""Delta tables as DataFrames: the same from an object store as from a disk, without a connector of Spark's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from jobs import check
from jobs.environment import Environment, load_environment
from jobs.errors import BadInput
from jobs.frames import needs_connector, read
from jobs.retail import schema
from jobs.storage import Location
from jobs.tables import pinned, write_source
from tests.jobs.kinds_of_columns import KINDS
from tests.object_store import Store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
TABLE = pa.table({**KINDS, "a.b": pa.array([7, None], pa.int64())})


@pytest.fixture
def environment(environment_file: Path, real_store: Store) -> Environment:
    """source in a bucket of its own."""
    real_store.environment(environment_file, {"source": real_store.bucket("frames") / "source"})
    return load_environment(environment_file)


def with_deleted_rows(place: Location) -> None:
    """A table, then a commit after which its files alone no longer tell its rows (Delta protocol, table features)."""
    write_source(schema().empty_table(), place)
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    action = {"protocol": {"minReaderVersion": 3, "minWriterVersion": 7, **features}}
    filesystem, path = (place / "_delta_log" / f"{1:020}.json").filesystem()
    with filesystem.open_output_stream(path) as file:
        file.write(json.dumps(action).encode())


@pytest.mark.spark
def test_a_store_gives_the_rows_of_a_disk(spark: SparkSession, environment: Environment, tmp_path: Path) -> None:
    there, here = environment.zone("source") / "crm/고객 목록", Location.of(tmp_path / "here")
    for place in (there, here):
        write_source(TABLE, place)
        write_source(TABLE.slice(1), place, mode="append")
    from_store, from_disk = read(spark, there), read(spark, here)
    assert from_store.schema == from_disk.schema
    assert from_store.count() == 3
    key = [("i8", "ascending")]
    assert from_store.toArrow().cast(TABLE.schema).sort_by(key) == from_disk.toArrow().cast(TABLE.schema).sort_by(key)
    assert read(spark, there, 0).count() == 2
    assert read(spark, there, None, ["a.b", "d"]).columns == ["a.b", "d"]
    assert read(spark, here, 0, ["a.b"]).toArrow().to_pylist() == [{"a.b": 7}, {"a.b": None}]
    write_source(TABLE.schema.empty_table(), there, mode="replace")
    assert read(spark, there).count() == 0


@pytest.mark.spark
def test_a_table_that_spark_alone_can_read_is_refused_where_it_has_no_connector(
    spark: SparkSession, environment: Environment
) -> None:
    place = environment.zone("source") / "retail/customers"
    with_deleted_rows(place)
    with pytest.raises(BadInput, match=r"deletionVectors.*no connector for s3://.*spark\.hadoop\.fs\.s3\.impl"):
        read(spark, place)
    assert needs_connector(pinned(place), {"spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem"}) is None


def test_check_warns_of_it_before(
    environment: Environment, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(ROOT / "conf/plans/retail-third-party.yaml"), "--schema", "--environment", str(environment_file)]
    write_source(schema().empty_table(), environment.zone("source") / "retail/customers")
    assert check.main(words) == 0
    assert "no connector" not in capsys.readouterr().out
    (environment.zone("source") / "retail/customers").delete()
    with_deleted_rows(environment.zone("source") / "retail/customers")
    assert check.main(words) == 0
    assert "warning: the table at s3://" in capsys.readouterr().out
