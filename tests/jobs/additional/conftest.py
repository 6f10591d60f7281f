"""A run that was released and keeps its additional information, made without Spark."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from jobs import additional_information, vault
from jobs.additional import card
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.ledger import evidence_ledger
from jobs.plans import open_plan
from jobs.run_plan import save_plan
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder, RunRecord, SourceVersion, StagedTable
from jobs.vouched import hashes
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
        return additional_information.main(
            ["reveal", "--environment", str(self.environment_file), "--column", column, "--person", person,
             "--reason", reason, "--to", str(to), *more]
        )  # fmt: skip

    def read(self, to: Path) -> dict[str, str]:
        with to.open(encoding="utf-8") as file:
            return {row["released"]: row["original"] for row in csv.DictReader(file)}

    def entries(self) -> list[Any]:
        ledger = evidence_ledger(self.folder.environment, write=False)
        return [entry.content() for entry in ledger.entries() if entry.type == "additional-information-reveal"]


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
    files = hashes(folder, "pseudonymize")
    keys = run_keys(environment, loaded.plan, RUN)
    made = {"run": RUN, "plan": "clinic", "files": files, "secret": card(folder)}
    evidence_ledger(environment).append("pseudonymize", made)
    rows = pipeline.apply_table(SOURCE, keys)
    engine = LocalEngine([TableUnit(0, SOURCE, SOURCE.schema)])
    prepared = prepare(pipeline.table(), keys, engine, Options(rows_hint=SOURCE.num_rows))
    vault.write_index(folder, keys, {"clinic": vault.write(folder, prepared, engine, keys)})
    place = folder.published(record, "clinic").local
    place.mkdir(parents=True)
    deltalake.write_deltalake(str(place), rows)
    return Released(folder, environment_file, rows, tmp_path)
