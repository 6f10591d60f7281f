"""Delta tables: what a pinned snapshot tells, and what a commit leaves in the log."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.errors import BadInput
from jobs.frames import read
from jobs.parquet import NewFile, ParquetSink, write_batches
from jobs.storage import Location
from jobs.tables import commit_files, exists, last_commit, pinned, write_source
from tests.jobs.kinds_of_columns import KINDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = pa.table({"id": pa.array([1, 2, 3]), "이름 (원)": pa.array(["secret", None, "나"])})


@pytest.fixture
def place(tmp_path: Path) -> Location:
    return Location.of(tmp_path / "zone" / "retail" / "customers")


def log_of(place: Location) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in (place.local / "_delta_log").iterdir())


def test_a_source_table_tells_no_values_in_its_log(place: Location) -> None:
    assert write_source(ROWS, place) == 0
    snapshot = pinned(place)
    assert (snapshot.version, snapshot.rows, snapshot.schema) == (0, 3, ROWS.schema)
    assert snapshot.features == frozenset()
    assert snapshot.configuration["delta.dataSkippingNumIndexedCols"] == "0"
    assert "secret" not in log_of(place)
    (file,) = snapshot.files
    footer = pq.ParquetFile(file.uri).metadata
    assert footer.metadata is None  # no Arrow schema, no pandas
    assert not footer.row_group(0).column(0).is_stats_set


def test_append_replace_and_versions(place: Location) -> None:
    write_source(ROWS, place)
    first = pinned(place)
    assert write_source(ROWS, place, mode="append") == 1
    assert pinned(place).rows == 6
    assert pinned(place, 0).rows == 3
    assert write_source(ROWS.slice(0, 1), place, mode="replace") == 2
    assert pinned(place).rows == 1
    assert pinned(place).table_id != first.table_id
    with pytest.raises(BadInput, match="already"):
        write_source(ROWS, place)
    with pytest.raises(BadInput, match="no version 9"):
        pinned(place, 9)


def test_no_table_is_told(place: Location) -> None:
    assert not exists(place)
    with pytest.raises(BadInput, match="no Delta table"):
        pinned(place)


def test_no_rows_still_commit_a_table_with_its_properties_and_comments(place: Location) -> None:
    version = commit_files(
        place,
        ROWS.schema,
        [],
        properties={"gamyeong.plan": "retail"},
        comments={"id": "고객번호"},
        description="d",
        commit={"run": "r1"},
        transactions={"gamyeong": 7},
    )
    snapshot = pinned(place)
    assert (snapshot.version, snapshot.rows, snapshot.description) == (version, 0, "d")
    assert snapshot.configuration["gamyeong.plan"] == "retail"
    assert snapshot.comments == {"id": "고객번호"}
    assert last_commit(place)["run"] == "r1"


def test_an_empty_table_that_a_killed_run_left_is_taken_over(place: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    files = write_batches(place, "a", ROWS.schema, ROWS.to_batches())

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    properties = {"gamyeong.plan": "p"}
    with monkeypatch.context() as patched:
        patched.setattr("jobs.tables.DeltaTable.create_write_transaction", killed)
        with pytest.raises(KeyboardInterrupt):
            commit_files(place, ROWS.schema, files, properties=properties)
    assert pinned(place).rows == 0
    commit_files(place, ROWS.schema, files, properties=properties)
    assert pinned(place).rows == 3
    with pytest.raises(BadInput, match="already"):  # but what is whole is never taken over
        commit_files(place, ROWS.schema, files, properties=properties)


def test_types_off_the_list_are_refused_before_anything_is_written(place: Location) -> None:
    with pytest.raises(BadInput, match="column a: type nested"):
        write_source(pa.table({"a": [[1]]}), place)
    with pytest.raises(BadInput, match="column a: type uint8"):
        commit_files(place, pa.schema([("a", pa.uint8())]), [])
    assert not place.exists()


def test_a_sink_bounds_row_groups_and_files(place: Location) -> None:
    schema = pa.schema([("a", pa.int64())])
    with ParquetSink(place, "run", schema, row_group_bytes=8_000, file_bytes=24_000) as sink:
        for start in range(0, 7_000, 500):
            sink.write(pa.record_batch({"a": pa.array(range(start, start + 500))}))
        files = sink.close()
    groups = [pq.ParquetFile(place / file.path).metadata.num_row_groups for file in files]
    assert (groups, [file.rows for file in files]) == ([3, 3, 1], [3_000, 3_000, 1_000])
    commit_files(place, schema, files)
    assert pinned(place).rows == 7_000


def test_a_sink_that_fails_leaves_nothing(place: Location) -> None:
    schema = pa.schema([("a", pa.int64())])

    def stopped() -> None:
        with ParquetSink(place, "run", schema, row_group_bytes=8, file_bytes=16) as sink:
            for _ in range(5):
                sink.write(pa.record_batch({"a": pa.array([1])}))
            assert list((place.local / "run").iterdir())
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stopped()
    assert not list((place.local / "run").iterdir())


@pytest.mark.spark
def test_spark_reads_what_we_commit(spark: SparkSession, place: Location) -> None:
    table = pa.table(KINDS)
    write_source(table, place)
    assert pinned(place).features == {"timestampNtz"}
    assert read(spark, place).toArrow().cast(table.schema).equals(table)
    assert read(spark, place, 0).count() == 2


@pytest.mark.spark
def test_features_that_a_feed_of_files_must_not_read_are_reported(spark: SparkSession, tmp_path: Path) -> None:
    deleted, mapped, widened = (str(tmp_path / name) for name in ("deleted", "mapped", "widened"))
    spark.sql(f"CREATE TABLE delta.`{deleted}` (id BIGINT) USING DELTA"
              " TBLPROPERTIES('delta.enableDeletionVectors'='true')")  # fmt: skip
    spark.range(100).coalesce(1).write.format("delta").mode("append").save(deleted)
    spark.sql(f"DELETE FROM delta.`{deleted}` WHERE id < 3")
    spark.range(100, 110).coalesce(1).write.format("delta").mode("append").save(deleted)
    snapshot = pinned(deleted)
    assert snapshot.features == {"deletionVectors"}
    assert sorted((file.rows, file.deletion_vector) for file in snapshot.files) == [(10, False), (100, True)]
    assert snapshot.rows is None  # the log's count is not the table's

    spark.sql(f"CREATE TABLE delta.`{mapped}` (`나 이` INT, p DATE) USING DELTA PARTITIONED BY (p)"
              " TBLPROPERTIES('delta.columnMapping.mode'='name')")  # fmt: skip
    spark.sql(f"INSERT INTO delta.`{mapped}` VALUES (1, DATE'2024-01-02')")
    snapshot = pinned(mapped)
    assert snapshot.features == {"columnMapping"}
    assert snapshot.column_ids == {"나 이": 1, "p": 2}
    assert set(snapshot.physical_names) == {"나 이", "p"}
    assert not any(key.startswith(b"delta.") for field in snapshot.schema for key in field.metadata or {})

    spark.sql(f"CREATE TABLE delta.`{widened}` (id INT) USING DELTA"
              " TBLPROPERTIES('delta.enableTypeWidening'='true')")  # fmt: skip
    spark.sql(f"INSERT INTO delta.`{widened}` VALUES (1)")
    spark.sql(f"ALTER TABLE delta.`{widened}` ALTER COLUMN id TYPE BIGINT")
    snapshot = pinned(widened)
    assert snapshot.features == {"typeWidening"}
    assert snapshot.schema == pa.schema([("id", pa.int64())])


@pytest.mark.spark
def test_partition_values_are_typed_and_paths_decoded(spark: SparkSession, tmp_path: Path) -> None:
    place = str(tmp_path / "parts")
    spark.sql(f"CREATE TABLE delta.`{place}` (id INT, t TIMESTAMP, q STRING) USING DELTA PARTITIONED BY (t, q)")
    spark.sql(f"INSERT INTO delta.`{place}` VALUES (1, TIMESTAMP'2024-01-02 03:04:05', 'a b=/%가'), (2, NULL, NULL)")
    snapshot = pinned(place)
    assert snapshot.partition_columns == ("t", "q")
    by_time = sorted((file.partition for file in snapshot.files), key=lambda values: values["t"] is None)
    instant = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert by_time == [{"t": instant, "q": "a b=/%가"}, {"t": None, "q": None}]
    assert all(Path(file.uri).is_file() for file in snapshot.files)


def test_the_log_of_a_file_names_its_rows_alone() -> None:
    assert NewFile("a/b.parquet", 10, 3).stats == '{"numRecords": 3}'
