"""`gamyeong profile`: every column of a table in one pass, no value told, a draft to edit."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from jobs.environment import Environment
from jobs.profile import main
from jobs.tables import write_source

PHONES = [f"010-{2000 + number:04d}-{number:04d}" for number in range(40)]
TABLE = pa.table({
    "회원번호": [f"M-{number:04d}" for number in range(40)],
    "mobile": PHONES,
    "memo": ["친절했어요"] * 39 + [f"전화 주세요 {PHONES[0]}"],
    "age": [20 + number % 3 for number in range(40)],
    "paid": [None, 10] * 20,
})  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def table(environment: Environment) -> str:
    """A small table in the source zone."""
    write_source(TABLE, environment.zone("source") / "shop/members")
    return "shop/members"


@pytest.mark.spark
def test_a_table_of_the_source_zone(
    spark: SparkSession, table: str, environment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = tmp_path / "draft.yaml"
    code, out, err = run(capsys, table, "--to", draft, "--environment", environment_file, "--json")
    said = json.loads(out.splitlines()[-1])
    columns = said["columns"]
    assert (code, said["rows"], said["row_key"], said["subject"]) == (0, 40, "회원번호", "회원번호")
    assert {name: one["kind"] for name, one in columns.items()} == {
        "회원번호": "identifier", "mobile": "identifier", "memo": "identifier", "age": "quasi-identifier",
        "paid": "attribute",
    }  # fmt: skip
    assert columns["mobile"]["identifiers"] == {"phone": {"verdict": "is", "whole": 40, "inside": 0}}
    assert columns["memo"]["identifiers"] == {"phone": {"verdict": "contains", "whole": 0, "inside": 1}}
    assert (columns["age"]["distinct"], columns["paid"]["nulls"], columns["paid"]["entropy"]) == (3, 20, 0)
    assert "profile members: columns, pass 1 of 1" in err
    text = draft.read_text("utf-8")
    assert stat.S_IMODE(draft.stat().st_mode) == 0o600
    assert '  table: "shop/members"' in text
    assert not any(phone in text + out + err for phone in PHONES)


@pytest.mark.spark
def test_a_delta_folder_with_columns_that_no_plan_takes(
    spark: SparkSession, environment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nested = pa.table({"name": ["김민수", "이서연"], "tags": pa.array([["a"], ["b"]])})
    write_deltalake(str(tmp_path / "folder"), nested)
    code, out, _ = run(capsys, tmp_path / "folder", "--environment", environment_file)
    assert code == 0
    assert "column tags: list<" in out
    assert "flatten it first" in out


@pytest.mark.spark
def test_an_empty_table(
    spark: SparkSession, environment: Environment, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_source(TABLE.slice(0, 0), environment.zone("source") / "shop/nobody")
    code, out, _ = run(capsys, "shop/nobody", "--environment", environment_file)
    assert code == 0
    assert "0 rows, 5 columns" in out
    assert "row key: none found" in out


def test_what_is_not_there_and_what_is_there_already(
    environment_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "shop/none", "--environment", environment_file)
    assert (code, "no Delta table" in err) == (2, True)
    there = tmp_path / "there.yaml"
    there.write_text("mine", "utf-8")
    code, _, err = run(capsys, "shop/none", "--to", there, "--environment", environment_file)
    assert (code, "is there already" in err, there.read_text("utf-8")) == (2, True, "mine")
