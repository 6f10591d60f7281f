"""A small valid plan that tests of the loader change in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

VALID = """\
format: 1
plan: clinic-visits
application: {number: 2024-001, applicant: 보건연구소, date: 2024-01-15}
purpose: {kind: statistics, statement: 시군구별 재방문율, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 보건연구소, place: closed, from: 2026-01-01, until: 2027-12-31}
people: {author: 김작성, operator: 이처리, processors: [박수탁], reviewers: [최검토, 정검토, 강검토], users: [조분석]}
source: {table: clinic/visits, row_key: [visit], subject: person}
excluded: [visit, phone]
sample: {fraction: 0.5}
rows:
  - record-suppression: {where: {age: {below: 20}}}
columns:
  person: {label: 환자번호, kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
  address: {kind: quasi-identifier, apply: {categorization: {hierarchy: towns.csv, level: sido}}}
  paid: {kind: attribute, apply: [{top-coding: {quantile: 0.999}}, {rounding: {unit: 100, direction: half-up}}]}
  grade: {kind: attribute, apply: {categorization: {1: [A, B], 2: [C]}}}
  "cost_{kind}_{month}": {kind: attribute, apply: keep}
  "total_{month}": {kind: attribute, derive: {sum: "cost_*_{month}"}}
outliers:
  - {find: {frequency: {columns: [age, address], below: 3}}, treat: {local-suppression: {columns: [address]}}}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: visits}
"""
TOWNS = "town,sido\n가평,경기도\n은평,서울시\n"


@pytest.fixture
def valid_plan() -> str:
    """The plan's text."""
    return VALID


@pytest.fixture
def plan_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a plan's text beside its hierarchy file and returns its path."""

    def write(text: str, name: str = "plan.yaml") -> Path:
        (tmp_path / "towns.csv").write_text(TOWNS, "utf-8")
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return write
