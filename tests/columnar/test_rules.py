"""Rules of the columnar path (design, section 6): each was seen to break when tried."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction, create_table_with_add_actions

from jobs.errors import BadInput, DataFailed, Operational
from jobs.runs import RunFolder
from jobs.sources import engine_for
from jobs.tables import pinned

pytestmark = pytest.mark.spark

KEEP = """\
columns:
  id: {kind: identifier, apply: serial-number}
  "*": {kind: attribute, apply: keep}
"""


def columns(*names):
    kept = "".join(f"  {name}: {{kind: attribute, apply: keep}}\n" for name in names)
    return "columns:\n  id: {kind: identifier, apply: serial-number}\n" + kept


def by_value(rows, key):
    return {row[key]: {name: v for name, v in row.items() if name != "id"} for row in rows}


def feed(bench, text="n"):
    """Which feed the pinned source gets."""
    from transforms.compiler import compile_plan
    from transforms.plan_loader import load

    snapshot = pinned(bench.source)
    plan = load(bench.folder / "plan.yaml").plan
    engine, _ = engine_for(bench.spark, snapshot, compile_plan(plan, snapshot.schema).table(), "", None)
    return "files" if engine.frame is None else "frame"


def test_deleted_persons_do_not_come_back(bench):
    """A DELETE under deletion vectors leaves the rows in the files: read by file, they would come back."""
    bench.sql("CREATE TABLE {t} (id STRING, n BIGINT) USING DELTA TBLPROPERTIES ('delta.enableDeletionVectors'='true')")
    bench.sql("INSERT INTO {t} SELECT concat('P-', id), id FROM range(100)")
    bench.sql("DELETE FROM {t} WHERE n % 3 = 0")
    assert "deletionVectors" in pinned(bench.source).features
    found = bench.rows(bench.run(columns("n")))
    assert sorted(row["n"] for row in found) == [n for n in range(100) if n % 3]
    assert sorted(row["id"] for row in found) == list(range(1, 67))
    assert feed(bench) == "frame"


def test_column_mapping_reads_renamed_columns(bench):
    bench.sql("CREATE TABLE {t} (id STRING, old BIGINT) USING DELTA TBLPROPERTIES ('delta.columnMapping.mode'='name')")
    bench.sql("INSERT INTO {t} SELECT concat('P-', id), id FROM range(10)")
    bench.sql("ALTER TABLE {t} RENAME COLUMN old TO n")
    found = bench.rows(bench.run(columns("n")))
    assert sorted(row["n"] for row in found) == list(range(10))
    assert feed(bench) == "frame"


def test_both_feeds_give_the_same_rows(bench):
    """Row groups of files, and a DataFrame: the same rows in the same order, with the same serials."""
    from jobs.keys import RunSecrets
    from transforms.derivation import Secret

    rows = pa.table({"id": [f"P-{n}" for n in range(500)], "n": list(range(500))})
    bench.write(rows)
    text = "sample: {fraction: 0.4}\n" + columns("n").replace(
        "n: {kind: attribute, apply: keep}",
        "n: {kind: attribute, apply: [{top-coding: {quantile: 0.9}}, {rounding: {unit: 10, direction: down}}]}",
    )
    from transforms.compiler import compile_plan
    from transforms.plan_loader import load
    from transforms.run_keys import RunKeys

    done = bench.run(text)
    expected = bench.rows(done)
    assert feed(bench) == "files"
    pipeline = compile_plan(load(bench.folder / "plan.yaml").plan, pinned(bench.source).schema)
    from jobs.key_providers.file import FileProvider

    provider = FileProvider(bench.environment.keys.path)
    secret = RunSecrets(bench.environment.zone("keys"), provider).load(done.run)
    assert isinstance(secret, Secret)
    keys = RunKeys(secret, bench.environment.organisation, done.run, "분석팀")
    bench.spark.read.format("delta").load(bench.source).createOrReplaceTempView("people_view")
    view = bench.spark.sql("SELECT id, n FROM people_view").repartition(7)
    applied = pipeline.apply(view, keys)
    assert sorted((row.asDict() for row in applied.collect()), key=lambda row: row["id"]) == expected
    assert pipeline.apply_table(rows, keys).to_pylist() == expected


def test_added_columns_are_null_in_older_files(bench):
    bench.write(pa.table({"id": ["a"], "n": [1]}))
    bench.write(pa.table({"id": ["b"], "n": [2], "new": ["x"]}), mode="append", schema_mode="merge")
    found = by_value(bench.rows(bench.run(columns("n", "new"))), "n")
    assert found == {1: {"n": 1, "new": None}, 2: {"n": 2, "new": "x"}}


def test_widened_columns(bench):
    """Type widening: older files hold int, the table says bigint."""
    bench.sql("CREATE TABLE {t} (id STRING, n INT) USING DELTA TBLPROPERTIES ('delta.enableTypeWidening'='true')")
    bench.sql("INSERT INTO {t} VALUES ('a', 1)")
    bench.sql("ALTER TABLE {t} ALTER COLUMN n TYPE BIGINT")
    bench.sql("INSERT INTO {t} VALUES ('b', 5000000000)")
    assert {row["n"] for row in bench.rows(bench.run(columns("n")))} == {1, 5_000_000_000}
    assert feed(bench) == "frame"


def test_partition_columns_come_from_the_log(bench):
    rows = pa.table({"id": list("abcd"), "n": [1, 2, 3, 4], "day": [datetime.date(2026, 1, d) for d in (1, 1, 2, 2)]})
    bench.write(rows, partition_by=["day"])
    found = by_value(bench.rows(bench.run(columns("n", "day"))), "n")
    assert found[3] == {"n": 3, "day": datetime.date(2026, 1, 2)}
    assert feed(bench) == "files"


def foreign_file(bench, table, schema=None, **options):
    """A source table around a Parquet file that another program wrote."""
    import pathlib

    folder = pathlib.Path(bench.source)
    folder.mkdir(parents=True)
    pq.write_table(table, folder / "part.parquet", **options)
    size = (folder / "part.parquet").stat().st_size
    action = AddAction("part.parquet", size, {}, 0, True, "{}")
    from jobs.tables import delta_schema

    create_table_with_add_actions(bench.source, delta_schema(schema or table.schema, {}), [action])


def test_int96_far_in_the_future(bench):
    """Read in nanoseconds, 9999-12-31 would wrap into the 19th century."""
    moment = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    table = pa.table({"id": ["a"], "at": pa.array([moment.replace(tzinfo=None)], pa.timestamp("us"))})
    schema = pa.schema([("id", pa.string()), ("at", pa.timestamp("us", "UTC"))])
    foreign_file(bench, table, schema, use_deprecated_int96_timestamps=True)
    (row,) = bench.rows(bench.run(columns("at")))
    assert row["at"] == moment


def test_dictionary_and_large_types_are_decoded(bench):
    table = pa.table({"id": pa.array(["a", "b"], pa.large_string()), "town": pa.array(["x", "y"]).dictionary_encode()})
    foreign_file(bench, table, pa.schema([("id", pa.string()), ("town", pa.string())]))
    assert {row["town"] for row in bench.rows(bench.run(columns("town")))} == {"x", "y"}


def test_large_integers_with_nulls_keep_their_digits(bench):
    """By way of floats, 2^53 + 1 would become 2^53."""
    bench.write(pa.table({"id": list("abc"), "n": pa.array([2**53 + 1, None, -(2**62) - 1], pa.int64())}))
    text = columns("n").replace("apply: keep}", "apply: {top-coding: {at: 4611686018427387904}}}")
    found = {row["n"] for row in bench.rows(bench.run(text))}
    assert found == {2**53 + 1, None, -(2**62) - 1}


def test_every_type_of_the_closed_list(bench):
    """What Delta holds comes back as it was, and Spark reads it."""
    moment = datetime.datetime(2026, 5, 4, 3, 2, 1, 999999, tzinfo=datetime.UTC)
    row = {
        "flag": (pa.bool_(), True), "tiny": (pa.int8(), -7), "small": (pa.int16(), 300), "int": (pa.int32(), 70000),
        "long": (pa.int64(), 2**40), "real": (pa.float32(), 0.5), "double": (pa.float64(), 0.1),
        "decimal": (pa.decimal128(12, 2), Decimal("1234567890.12")), "text": (pa.string(), "가나다"),
        "bytes": (pa.binary(), b"\x00\xff"), "day": (pa.date32(), datetime.date(1900, 1, 1)),
        "instant": (pa.timestamp("us", "UTC"), moment),
        "wall": (pa.timestamp("us"), moment.replace(tzinfo=None)),
    }  # fmt: skip
    arrays = {name: pa.array([value, None], type_) for name, (type_, value) in row.items()}
    bench.write(pa.table({"id": ["a", "b"], **arrays}))
    done = bench.run(columns(*row))
    found = next(one for one in bench.rows(done) if one["flag"] is not None)
    assert {name: found[name] for name in row} == {name: value for name, (_, value) in row.items()}
    place = RunFolder(bench.environment, done.run).staged("people")
    assert bench.spark.read.format("delta").load(str(place)).where("flag").count() == 1


def test_an_empty_result_is_a_table_too(bench):
    bench.write(pa.table({"id": ["a", "b"], "n": [1, 2]}))
    text = "rows:\n  - record-suppression: {where: {n: {below: 100}}}\n" + columns("n")
    done = bench.run(text)
    assert done.tables[0].rows == 0
    place = RunFolder(bench.environment, done.run).staged("people")
    assert pinned(str(place)).schema.names == ["id", "n"]


def test_the_footer_of_a_result_names_no_excluded_column(bench):
    """The stored Arrow schema and Spark's metadata of the source would list them all."""
    rows = pa.table({"id": ["a"], "n": [1], "diagnosis_secret": ["x"]})
    bench.write(rows.replace_schema_metadata({"note": "diagnosis_secret"}))
    done = bench.run("excluded: [diagnosis_secret]\n" + columns("n"))
    place = RunFolder(bench.environment, done.run).staging.local
    files = [file for file in place.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"diagnosis_secret" in file.read_bytes()]
    (data,) = place.rglob("*.parquet")
    assert pq.read_metadata(data).metadata is None
    assert not pq.read_metadata(data).row_group(0).column(1).is_stats_set


def test_row_number_is_a_key_of_its_own(bench, head):
    """A table without a natural key: rows are told apart by their place in the pinned version."""
    bench.write(pa.table({"n": [5, 5, 5, 7]}))
    text = "columns:\n  n: {kind: attribute, apply: keep}\n"
    done = bench.run(text, head=head("{table: people, row_key: row-number}"))
    assert sorted(row["n"] for row in bench.rows(done)) == [5, 5, 5, 7]


def test_damaged_file_is_an_operational_error_and_nothing_is_written(bench):
    bench.write(pa.table({"id": [f"P-{n}" for n in range(1000)], "n": list(range(1000))}))
    (file,) = DeltaTable(bench.source).file_uris()
    with open(file, "r+b") as damaged:
        damaged.seek(40)
        damaged.write(b"\xff" * 200)
    with pytest.raises(Operational, match="can't be read"):
        bench.run(columns("n"))
    assert not any(bench.environment.zone("staging").local.rglob("*.parquet"))


def test_duplicate_row_keys_fail_the_data(bench):
    bench.write(pa.table({"id": ["a", "b", "a"], "n": [1, 2, 3]}))
    with pytest.raises(DataFailed, match="row key"):
        bench.run(columns("n"))
    assert not any(bench.environment.zone("staging").local.rglob("*.parquet"))


def test_nested_columns_are_refused_by_name(bench):
    from transforms.errors import PlanError

    bench.write(pa.table({"id": ["a"], "items": pa.array([[1, 2]])}))
    with pytest.raises(PlanError, match=r"items.*list") as caught:
        bench.run(columns("items"))
    assert "flatten" in str(caught.value)


def test_no_source_table(bench):
    with pytest.raises(BadInput, match="no Delta table"):
        bench.run(columns("n"))


def test_running_again_is_a_no_op(bench):
    bench.write(pa.table({"id": ["a", "b"], "n": [1, 2]}))
    first = bench.run(columns("n"))
    second = bench.run(columns("n"))
    assert (first.state, second.state) == ("staged", "staged already")
    assert first.run == second.run
    assert first.tables == second.tables
