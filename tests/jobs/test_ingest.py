"""ingest and generate, as a user starts them: files in, a Delta table and a ledger entry out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import cli
from jobs.environment import Environment
from jobs.formats import pieces as pieces_module
from jobs.frames import read
from jobs.ledger import source_ledger
from jobs.tables import pinned

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
Start = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def start(spark: SparkSession, environment_file: Path, capfd: pytest.CaptureFixture[str]) -> Start:
    """Runs `gamyeong …`: exit code, the last line's object, and all that was printed."""

    def start(*words: object) -> tuple[int, dict[str, Any], str]:
        capfd.readouterr()
        code = cli.main([*map(str, words), "--environment", str(environment_file), "--json"])
        shown = capfd.readouterr()
        return code, json.loads(shown.out.splitlines()[-1]), shown.out + shown.err

    return start


def rows_of(environment: Environment, name: str) -> list[dict[str, Any]]:
    files = pinned(environment.zone("source") / name).files
    return [row for file in files for row in pq.read_table(file.uri).to_pylist()]


def leftovers(environment: Environment, name: str) -> list[Path]:
    """Parquet files of a table's folder that its log doesn't know."""
    place = environment.zone("source") / name
    known: set[str] = set()
    if (place / "_delta_log").exists():
        known = {file.uri for file in pinned(place).files}
    return [file for file in Path(place).rglob("*.parquet") if str(file) not in known]


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_csv_in_both_encodings(start: Start, environment: Environment, tmp_path: Path, encoding: str) -> None:
    text = "전화,이름,나이,시각\n010-1,가나다,36,2024-01-02 09:00:00\n010-2,,,\n"
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))
    code, told, shown = start(
        "ingest", tmp_path / "a.csv", "--table", "crm/members", "--encoding", encoding, "--time-zone", "Asia/Seoul"
    )  # fmt: skip
    assert code == 0, shown
    instant = dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    assert rows_of(environment, "crm/members") == [
        {"전화": "010-1", "이름": "가나다", "나이": 36, "시각": instant},
        {"전화": "010-2", "이름": None, "나이": None, "시각": None},
    ]
    assert (told["rows"], told["version"], told["types"]["나이"]) == (2, 0, "int64")
    assert "010-1" not in shown
    (entry,) = source_ledger(environment, write=False).entries()
    assert entry.type == "ingest"
    assert (entry.content()["table"], entry.content()["version"]) == ("crm/members", 0)


def test_a_large_csv_is_read_in_pieces(
    start: Start, environment: Environment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces_module, "BLOCK", 4_096)
    monkeypatch.setattr(pieces_module.pieces, "__defaults__", (20_000,))
    lines = [f'{n},"줄 {n}\nzwei"' for n in range(5_000)]
    (tmp_path / "a.csv").write_text("id,text\n" + "\n".join(lines) + "\n", encoding="utf-8")
    code, told, shown = start("ingest", tmp_path / "a.csv", "--table", "t")
    assert code == 0, shown
    assert told["rows"] == 5_000
    assert len(pinned(environment.zone("source") / "t").files) > 3
    found = sorted(rows_of(environment, "t"), key=lambda row: int(row["id"]))
    assert found == [{"id": n, "text": f"줄 {n}\nzwei"} for n in range(5_000)]


def test_declared_types_stand_above_inferred_ones(start: Start, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,price,on\n1,2.50,2024-01-02\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text("id: string\nprice: decimal(12, 2)\n", encoding="utf-8")
    assert start("ingest", tmp_path / "a.csv", "--table", "t", "--schema", tmp_path / "s.yaml")[0] == 0
    types = [str(field.type) for field in pinned(environment.zone("source") / "t").schema]
    assert types == ["string", "decimal128(12, 2)", "date32[day]"]
    (tmp_path / "s.yaml").write_text("prise: int\nid: varchar\n", encoding="utf-8")
    code, _, shown = start("ingest", tmp_path / "a.csv", "--table", "u", "--schema", tmp_path / "s.yaml")
    assert code == 2
    assert "type varchar; allowed" in shown
    (tmp_path / "s.yaml").write_text("prise: int\n", encoding="utf-8")
    assert "did you mean price?" in start(
        "ingest", tmp_path / "a.csv", "--table", "u", "--schema", tmp_path / "s.yaml"
    )[2]  # fmt: skip


def test_misfits_are_told_by_place_and_nothing_is_written(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    good, bad = "1,2024-01-02\n" * 30_000, "hush,hush\n3\n"  # beyond the sample that types are inferred from
    (tmp_path / "a.csv").write_text("id,on\n" + good + bad, encoding="utf-8")
    code, told, shown = start("ingest", tmp_path / "a.csv", "--table", "t")
    assert code == 2
    for place in ("record 30001 from line 2, column id: a cell that is no int64", "column on: a cell that is no"):
        assert place in told["error"]
    assert "hush" not in shown
    assert "Traceback" not in shown
    assert not leftovers(environment, "t")
    assert not (environment.zone("source") / "t" / "_delta_log").exists()
    assert not source_ledger(environment, write=False).entries()


def test_bad_bytes_are_exit_2(start: Start, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("이름\n가\n".encode("cp949"))
    code, told, _ = start("ingest", tmp_path / "a.csv", "--table", "t")
    assert code == 2
    assert "line 1, byte 0: no utf-8" in told["error"]


def test_json_lines(start: Start, environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id":1,"이름":"가"}\n{"id":2}\n', encoding="utf-8")
    assert start("ingest", tmp_path / "a.jsonl", "--table", "t")[0] == 0
    assert rows_of(environment, "t") == [{"id": 1, "이름": "가"}, {"id": 2, "이름": None}]
    (tmp_path / "b.jsonl").write_text('{"id":1,"tags":["hush"]}\n', encoding="utf-8")
    code, told, shown = start("ingest", tmp_path / "b.jsonl", "--table", "u")
    assert code == 2
    assert "column tags: type nested" in told["error"]
    assert "hush" not in shown


def test_parquet_types_are_brought_to_the_closed_list(
    start: Start, environment: Environment, tmp_path: Path, spark: SparkSession
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    table = pa.table(
        {
            "u": pa.array([2**32 - 1, None], pa.uint32()),
            "kind": pa.array(["a", None]).dictionary_encode(),
            "at": pa.array([dt.datetime(9999, 12, 31), None], pa.timestamp("us")),  # noqa: DTZ001
            "big": pa.array([2**53 + 1, None], pa.int64()),
        }
    )
    pq.write_table(table, folder / "one.parquet", row_group_size=1)
    pq.write_table(table.slice(0, 1), folder / "two.parquet")
    assert start("ingest", folder, "--table", "t", "--format", "parquet")[0] == 0
    place = environment.zone("source") / "t"
    assert [str(field.type) for field in pinned(place).schema] == ["int64", "string", "timestamp[us]", "int64"]
    rows = [tuple(row) for row in read(spark, place).sort("u").collect()]
    full = (2**32 - 1, "a", dt.datetime(9999, 12, 31), 2**53 + 1)  # noqa: DTZ001
    assert rows == [(None, None, None, None), full, full]


def test_int96_is_an_instant_in_microseconds(start: Start, environment: Environment, tmp_path: Path) -> None:
    # Spark and Hive write instants so; in nanoseconds this one would wrap
    moment = pa.array([dt.datetime(9999, 12, 31, 23, 59, 59)], pa.timestamp("us"))  # noqa: DTZ001
    pq.write_table(pa.table({"at": moment}), tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    assert start("ingest", tmp_path / "a.parquet", "--table", "t")[0] == 0
    assert rows_of(environment, "t") == [{"at": dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)}]


def test_a_damaged_parquet_file_is_operational(start: Start, environment: Environment, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"name": [f"hush {n}" for n in range(1_000)]}), path, compression="zstd")
    whole = path.read_bytes()
    path.write_bytes(whole[:-6] + b"xxxxxx")
    assert start("ingest", path, "--table", "t")[0] == 4
    path.write_bytes(whole[:200] + b"\0" * 400 + whole[600:])  # the footer holds, a page does not
    code, told, shown = start("ingest", path, "--table", "t")
    assert code == 4
    assert "damaged" in told["error"]
    assert "hush" not in shown
    assert not leftovers(environment, "t")


def test_append_takes_the_tables_own_types_and_create_takes_no_place(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("code\nA1\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("code\n77\n", encoding="utf-8")
    assert start("ingest", tmp_path / "a.csv", "--table", "t")[0] == 0
    assert start("ingest", tmp_path / "b.csv", "--table", "t")[0] == 2
    assert start("ingest", tmp_path / "b.csv", "--table", "t", "--append")[0] == 0
    assert sorted(row["code"] for row in rows_of(environment, "t")) == ["77", "A1"]
    assert start("ingest", tmp_path / "b.csv", "--table", "t", "--replace")[0] == 0
    assert rows_of(environment, "t") == [{"code": 77}]
    (tmp_path / "c.csv").write_text("kode\n1\n", encoding="utf-8")
    code, told, _ = start("ingest", tmp_path / "c.csv", "--table", "t", "--append")
    assert code == 2
    assert "column code is missing in the files" in told["error"]
    assert "column kode is not in the table" in told["error"]


def test_what_a_killed_ingest_left_is_removed_by_the_next(
    start: Start, environment: Environment, tmp_path: Path
) -> None:
    orphan = environment.zone("source") / "t" / "dead" / "x.parquet"
    orphan.local.parent.mkdir(parents=True)
    orphan.local.write_bytes(b"PAR1")
    (environment.zone("source") / "_attempts" / "t.json").write_json({"folder": "dead"})
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    assert start("ingest", tmp_path / "a.csv", "--table", "t")[0] == 0
    assert not orphan.exists()
    assert not leftovers(environment, "t")


@pytest.mark.parametrize("name", ["../t", "/t", "_t", "a//b", "a/_b", ""])
def test_a_table_name_stays_in_the_zone(start: Start, tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    assert start("ingest", tmp_path / "a.csv", "--table", name)[0] == 2


@pytest.mark.parametrize(
    "words", [("--delimiter", "ab"), ("--time-zone", "Asia/Soul"), ("--append", "--replace"), ("--format", "xls")]
)
def test_bad_arguments_are_exit_2(start: Start, environment_file: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "a.csv").write_text("id\n1\n", encoding="utf-8")
    argv = ["ingest", str(tmp_path / "a.csv"), "--table", "t", *words, "--environment", str(environment_file)]
    assert cli.main(argv) == 2


def test_generate_is_the_same_table_again_and_says_so(start: Start, environment: Environment) -> None:
    words = ("generate", "retail", "--customers", 25_000, "--table", "retail/customers")
    code, told, shown = start(*words)
    assert code == 0, shown
    assert (told["rows"], told["columns"], told["made"]) == (25_000, 222, True)
    first = pinned(environment.zone("source") / "retail/customers")
    assert len(first.files) > 1
    assert first.rows == 25_000
    code, told, _ = start(*words)
    assert (code, told["made"]) == (0, False)
    assert pinned(environment.zone("source") / "retail/customers").version == first.version
    assert start(*words, "--seed", 2)[0] == 2
    assert start(*words, "--seed", 2, "--replace")[0] == 0
    assert [entry.type for entry in source_ledger(environment, write=False).entries()] == ["generate"] * 2
    markers = Path(environment.zone("source") / "_attempts")
    assert not list(markers.glob("*.json"))  # no attempt is open
    assert start("generate", "retail", "--customers", 19)[0] == 2


def test_generate_makes_the_rows_that_its_parts_make(start: Start, environment: Environment) -> None:
    from jobs.retail import Retail, districts

    assert start("generate", "retail", "--customers", 12_000, "--table", "r", "--seed", 3)[0] == 0
    files = pinned(environment.zone("source") / "r").files
    found = pa.concat_tables([pq.read_table(file.uri) for file in files]).sort_by("customer_id")
    made = Retail(12_000, 3, districts())
    expected = pa.Table.from_batches([made.chunk(0), made.chunk(1)]).sort_by("customer_id")
    assert found.equals(expected)


def test_no_value_stands_in_the_zone_but_in_parquet(start: Start, environment: Environment) -> None:
    assert start("generate", "retail", "--customers", 100, "--table", "r")[0] == 0
    warehouse = environment.zone("source").local.parent
    others = [file for file in warehouse.rglob("*") if file.is_file() and file.suffix != ".parquet"]
    assert others
    for file in others:
        assert b"EC-" not in file.read_bytes(), file
    assert "EC-232578" in [row["customer_id"] for row in rows_of(environment, "r")]


def test_location_of_a_table_is_private(start: Start, environment: Environment) -> None:
    assert start("generate", "retail", "--customers", 20, "--table", "r")[0] == 0
    assert environment.zone("source").local.stat().st_mode & 0o077 == 0
