"""`prove`: key making, and with `--table` the whole way of the data, shown on public vectors."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv

from jobs.tables import write_source
from transforms.combination.key_vectors import expected_keys, numbers

from .conftest import Roles
from .party_round import PartyRound


@pytest.fixture
def round_(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PartyRound:
    made = PartyRound.of(roles, tmp_path, capsys)
    made.applied("A")
    return made


def test_the_proof_is_the_public_vectors_keys(round_: PartyRound) -> None:
    assert round_.done("A", "prove")["vectors"] == 10
    package = round_.got("KMA", "proof", "A")
    assert package is not None
    assert package.content["keys"] == expected_keys(round_.combination.key)
    assert round_.done("A", "prove")["state"] == "proved"  # again: the same


def taken_through(round_: PartyRound, change: tuple[str, str] | None = None) -> str:
    """The vectors as the party's own system gives them back, as a table of its source zone."""
    path = round_.folder / "vectors.csv"
    round_.done("A", "prove", "--write", str(path))
    if change is not None:
        path.write_text(path.read_text("utf-8").replace(*change), "utf-8")
    types = {"vector": pa.int64(), "name": pa.string(), "phone": pa.string(), "birth": pa.string()}
    table = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True))
    write_source(table, round_.environments["A"].zone("source") / "vectors")
    return "vectors"


def test_the_whole_way_of_the_data(round_: PartyRound) -> None:
    table = taken_through(round_)
    assert round_.done("A", "prove", "--table", table)["vectors"] == 10


def test_a_way_that_loses_something_is_found_before_real_data_is_touched(round_: PartyRound) -> None:
    table = taken_through(round_, change=("홍길동", "홍\ufffd동"))
    code, _, text = round_.run("A", "prove", "--table", table)
    assert code == 1
    assert "A does not make the combination's keys: the keys of vectors 1, 7 differ" in text
    assert "key column name: 2 cells hold U+FFFD" in text
    assert round_.got("KMA", "proof", "A") is None


def test_a_table_that_holds_something_else_is_exit_2(round_: PartyRound) -> None:
    table = taken_through(round_, change=("\n3,", "\n30,"))
    code, _, text = round_.run("A", "prove", "--table", table)
    assert code == 2
    assert "other vectors than `prove --write` writes" in text
    round_.register("A", [])
    code, _, text = round_.run("A", "prove", "--table", "crm/members")
    assert code == 2
    assert "no column 'vector'" in text


def test_vectors_are_written_in_the_combinations_encoding(round_: PartyRound) -> None:
    text = round_.file.read_text("utf-8")
    round_.file.write_text(text.replace("algorithm: SHA-256", "encoding: CP949\n  algorithm: SHA-256"), "utf-8")
    path = round_.folder / "vectors.csv"
    round_.done("A", "prove", "--write", str(path))
    lines = path.read_bytes().decode("cp949").splitlines()
    assert len(lines) == 1 + len(numbers(round_.combination.key)) == 10
    assert lines[1] == '1,"홍길동","01012345678","19800101"'
