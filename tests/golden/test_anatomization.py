"""Anatomization (해부화) of the guideline's own table, L2199-2225."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

# L2203-2209: Record ID, 이름, 성별, 나이, 월 납입금액, 총 납부금액
RECORDS = [
    (1, "조미선", "F", 33, 817_250, 66_300_000),
    (2, "홍길병", "M", 61, 4_559_120, 327_700_000),
    (3, "김영심", "F", 50, 13_601_564, 41_300_000),
    (4, "이미정", "F", 70, 979_118, 64_600_000),
    (5, "김경태", "M", 40, 5_501_809, 23_549_000),
    (6, "유영근", "M", 43, 609_622, 13_900_000),
]
NAMES = ["번호", "이름", "성별", "나이", "월 납입금액", "총 납부금액"]
PLAN = """\
format: 1
plan: payments
application: {number: 2026-001}
purpose: {kind: statistics, statement: 성별과 나이에 따른 납부금액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
source: {table: payments, row_key: [번호], subject: 번호}
excluded: [번호]
columns:
  이름: {kind: identifier, apply: {partial-suppression: {first: 1}}}
  성별: {kind: quasi-identifier, apply: keep}
  나이: {kind: quasi-identifier, apply: keep}
  "* *금액": {kind: attribute, apply: keep}
further:
  납부: {anatomization: {columns: ["* *금액"], record_id: Record ID}}
output: {table: 가입자}
"""


def test_one_table_becomes_two_that_the_record_id_joins(tmp_path: Path) -> None:
    """L2211-2225: name, sex and age in one table; the two amounts in the other; Record ID in both."""
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN, "utf-8")
    source = pa.table({name: [row[place] for row in RECORDS] for place, name in enumerate(NAMES)})
    loaded = load(file)
    pipeline = compile_plan(loaded.plan, source.schema)
    keys = RunKeys(Secret(bytes(range(32))), "organisation", "run", "recipient", {})
    people, payments = (pipeline.apply_table(source, keys, name) for name in ("가입자", "납부"))
    assert people.column_names == ["Record ID", "이름", "성별", "나이"]
    assert payments.column_names == ["Record ID", "월 납입금액", "총 납부금액"]
    amounts = {row[0]: row[1:] for row in zip(*payments.to_pydict().values(), strict=True)}
    joined = {row[1:] + amounts[row[0]] for row in zip(*people.to_pydict().values(), strict=True)}
    assert joined == {(name[0], *rest) for _, name, *rest in RECORDS}
    assert len(amounts) == len(RECORDS)
