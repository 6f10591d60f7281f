"""`gamyeong reveal`: the authorised person reads a released column again; nobody else, and never without a trace."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from jobs import additional, reveal, vault
from jobs.environment import Environment, load_environment
from jobs.keys import FileProvider
from jobs.ledger import evidence_ledger
from jobs.plans import open_plan
from jobs.revealing import Asked
from jobs.revealing import reveal as reveal_run
from jobs.run_plan import save_plan
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder, RunRecord, SourceVersion, StagedTable
from transforms.compiler import compile_plan
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.run import Options, prepare

RUN = "0123456789abcdef"
PLAN = """\
format: 1
plan: clinic
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 진료비 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
people: {responsible: 김책임, operator: 이처리, reviewers: [최검토, 정검토, 강검토], users: [조분석]}
source: {table: clinic, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: two-way-encryption}
  phone: {kind: identifier, apply: format-preserving-encryption}
  name: {kind: identifier, apply: {two-way-encryption: {algorithm: aes-gcm, stable_over: panel}}}
  card: {kind: identifier, apply: [{masking: {last: 2}}, {two-way-encryption: {output: binary}}]}
  paid: {kind: attribute, apply: {two-way-encryption: {accept_frequency_leak: 시험}}}
  hash: {kind: identifier, apply: one-way-hash}
  email: {kind: identifier, apply: {two-way-encryption: {algorithm: rsa-oaep, public_key: {file: recipient.pem}}}}
  chart: {kind: identifier, apply: {tokenization: {vault: true}}}
additional_information: {keep: {reason: 환자에게 위험을 알려야 할 수 있음, until: 2030-12-31}}
output: {table: clinic}
"""
SOURCE = pa.table(
    {
        "id": ["P-1", "P-2", "P-3", "P-4"],
        "phone": ["010-1234-5678", "010-8765-4321", None, "02-345-6789"],
        "name": ["홍길동", "홍길동", "가나다", None],
        "card": ["1234-5678", "1111-2222", "1111-2222", "9"],
        "paid": pa.array([100, 200, 100, None], pa.int32()),
        "hash": ["a", "b", "c", "d"],
        "email": ["a@example.kr", "b@example.kr", None, "a@example.kr"],
        "chart": ["D1304365", "D1304366", None, "D1304365"],
    }
)


@dataclass(frozen=True)
class Released:
    """A run that was released: its folder, the file of its environment, and what the recipient has."""

    folder: RunFolder
    environment_file: Path
    rows: pa.Table
    home: Path

    def call(self, column: str, to: Path, *more: str, person: str = "김책임", reason: str = "위험 고지") -> int:
        return reveal.main(
            ["--environment", str(self.environment_file), "--column", column, "--person", person, "--reason", reason,
             "--to", str(to), *more]
        )  # fmt: skip

    def read(self, to: Path) -> dict[str, str]:
        with to.open(encoding="utf-8") as file:
            return {row["released"]: row["original"] for row in csv.DictReader(file)}

    def entries(self) -> list[Any]:
        ledger = evidence_ledger(self.folder.environment, write=False)
        return [entry.content() for entry in ledger.entries() if entry.type == "reveal"]


@pytest.fixture
def released(environment: Environment, environment_file: Path, tmp_path: Path) -> Released:
    """What pseudonymize and publish leave behind, made without Spark."""
    FileProvider.init(environment.keys.path)
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, "utf-8")
    pair = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (tmp_path / "recipient.pem").write_bytes(pair.public_key().public_bytes(pem, form))
    plain = pair.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "private.pem").write_bytes(plain)
    loaded = open_plan(file, environment)
    pipeline = compile_plan(loaded.plan, SOURCE.schema, loaded.hierarchies, loaded.lines)
    folder = RunFolder(environment, RUN)
    folder.evidence.local.mkdir(parents=True)
    save_plan(folder, loaded, SOURCE.schema)
    record = RunRecord(
        run=RUN,
        plan="clinic",
        fingerprint=pipeline.fingerprint,
        code_version="0",
        organisation=environment.organisation,
        application="2026-001",
        recipient="분석팀",
        output="clinic",
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:00:01Z",
        sources={"clinic": SourceVersion("clinic", "id", 0, 4)},
        tables=(StagedTable("clinic", "id", 0, 4),),
    )
    folder.save_record(record)
    keys = run_keys(environment, loaded.plan, RUN)
    rows = pipeline.apply_table(SOURCE, keys)
    engine = LocalEngine([TableUnit(0, SOURCE, SOURCE.schema)])
    prepared = prepare(pipeline.table(), keys, engine, Options(rows_hint=SOURCE.num_rows))
    vault.write_index(folder, keys, {"clinic": vault.write(folder, prepared, engine, keys)})
    place = folder.published(record, "clinic").local
    place.mkdir(parents=True)
    deltalake.write_deltalake(str(place), rows)
    return Released(folder, environment_file, rows, tmp_path)


def originals(column: str) -> set[str]:
    return {str(cell) for cell in SOURCE.column(column).to_pylist() if cell is not None}


@pytest.mark.parametrize("column", ["id", "phone", "name", "paid", "chart"])
def test_a_released_column_is_turned_back(released: Released, column: str, capfd: pytest.CaptureFixture[str]) -> None:
    to = released.home / "found" / "names.csv"
    assert released.call(column, to) == 0
    found = released.read(to)
    assert set(found) == {str(cell) for cell in released.rows.column(column).to_pylist() if cell is not None}
    assert set(found.values()) == originals(column)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    told = "".join(capfd.readouterr())
    assert not any(value in told for value in (*found, *found.values()) if len(value) > 3), (
        "it tells how many, not what"
    )


def test_what_is_encrypted_for_the_recipient_needs_the_recipients_key(
    released: Released, capsys: pytest.CaptureFixture[str]
) -> None:
    to = released.home / "x.csv"
    assert released.call("email", to, "--private-key", str(released.home / "recipient.pem")) == 2
    assert "no private key that fits" in capsys.readouterr().err
    assert released.call("email", to, "--private-key", str(released.home / "nobody.pem")) == 2
    assert released.call("email", to) == 2
    assert "--private-key" in capsys.readouterr().err
    assert released.call("email", to, "--private-key", str(released.home / "private.pem")) == 0
    assert set(released.read(to).values()) == originals("email")


def test_the_ledger_tells_who_why_and_how_much_but_no_value(released: Released) -> None:
    assert released.call("phone", released.home / "a.csv") == 0
    (entry,) = released.entries()
    assert entry == {
        "run": RUN,
        "table": "clinic",
        "column": "phone",
        "person": "김책임",
        "reason": "위험 고지",
        "values": 3,
        "unknown": 0,
        "given": "released table",
    }


def test_what_stands_behind_a_step_without_way_back(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    """Masking comes first, so the masked numbers are what comes back; the column is binary, so the file has base 64."""
    to = released.home / "cards.csv"
    assert released.call("card", to) == 0
    assert set(released.read(to).values()) == {"*******78", "*******22", "*"}
    assert "behind masking" in capsys.readouterr().out


def test_values_from_a_file(released: Released) -> None:
    tokens = released.rows.column("id").to_pylist()[:2]
    file = released.home / "tokens.txt"
    file.write_text("\n".join([*tokens, tokens[0], ""]), "utf-8")
    to = released.home / "some.csv"
    assert released.call("id", to, "--values", str(file)) == 0
    found = released.read(to)
    assert list(found) == tokens
    assert set(found.values()) <= originals("id")
    assert released.entries()[0]["given"] == "file of values"


def test_tokens_that_are_not_in_the_vault_have_no_original(
    released: Released, capsys: pytest.CaptureFixture[str]
) -> None:
    token = released.rows.column("chart").drop_null()[0].as_py()
    file = released.home / "tokens.txt"
    file.write_text(f"{token}\nZZZZ9999", "utf-8")
    to = released.home / "some.csv"
    assert released.call("chart", to, "--values", str(file)) == 0
    found = released.read(to)
    assert found.pop("ZZZZ9999") == ""
    assert set(found.values()) <= originals("chart")
    assert "1 of them are not in the vault" in capsys.readouterr().out
    assert released.entries()[0]["unknown"] == 1


def test_values_of_another_run_are_told_not_guessed_at(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    file = released.home / "tokens.txt"
    file.write_text("A" * 24 + "\n" + released.rows.column("id")[0].as_py(), "utf-8")
    assert released.call("id", released.home / "x.csv", "--values", str(file)) == 1
    assert "(1 cells)" in capsys.readouterr().err
    assert not (released.home / "x.csv").exists()
    assert released.entries() == []


def test_the_entry_comes_before_the_file(released: Released, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.revealing._write", lambda *_: pytest.fail("stopped here"))
    with pytest.raises(pytest.fail.Exception):
        reveal_run(released.folder, Asked("id", "김책임", "왜", released.home / "x.csv"))
    assert len(released.entries()) == 1


@pytest.mark.parametrize(
    ("person", "code"), [("김책임", 0), ("이처리", 0), ("최검토", 3), ("조분석", 3), ("남모르", 3)]
)
def test_only_who_handles_the_additional_information(released: Released, person: str, code: int) -> None:
    assert released.call("id", released.home / "x.csv", person=person) == code
    assert len(released.entries()) == (0 if code else 1)


@pytest.mark.parametrize(
    ("column", "told"),
    [("hash", "no way back"), ("nothing", "no such column")],
)
def test_columns_without_way_back(
    released: Released, column: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released.call(column, released.home / "x.csv") == 2
    error = capsys.readouterr().err
    assert told in error
    assert "clinic.id, clinic.phone, clinic.name, clinic.card, clinic.paid, clinic.email, clinic.chart" in error


def test_once_the_secret_is_destroyed_nobody_can(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    additional.run_secrets(released.folder).destroy(RUN)
    for column in ("id", "name"):  # the series of `name` still has its secret
        assert released.call(column, released.home / "x.csv") == 3
        assert "destroyed" in capsys.readouterr().err
    assert released.entries() == []


def test_after_the_additional_information_should_be_gone(released: Released) -> None:
    asked = Asked("id", "김책임", "왜", released.home / "x.csv")
    with pytest.raises(Exception, match=r"2030-12-31 is past") as caught:
        reveal_run(released.folder, asked, clock=lambda: datetime(2031, 1, 1, tzinfo=UTC))
    assert getattr(caught.value, "exit_code", None) == 3


def test_the_file_is_new_and_lies_outside_of_zones(released: Released) -> None:
    there = released.home / "there.csv"
    there.write_text("mine", "utf-8")
    inside = released.folder.environment.zone("evidence").local / "x.csv"
    for to in (there, inside):
        assert released.call("id", to) == 2
    assert there.read_text("utf-8") == "mine"
    assert not inside.exists()
    assert released.entries() == []
    assert released.call("id", released.home / "x.csv", reason=" ") == 2


def test_zones_that_are_not_its_own_may_be_missing(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    environment = load_environment(released.environment_file)
    for zone in ("source", "staging", "quarantine"):
        assert not environment.zone(zone).exists()  # type: ignore[arg-type]
    assert released.call("id", released.home / "x.csv", "--json") == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["exit"], line["values"], line["unknown"]) == (0, 4, 0)
