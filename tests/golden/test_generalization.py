"""The guideline's examples of generalization: ranges, categories, ages above 80, dates and ages of a hospital."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.errors import Site
from transforms.given import Given
from transforms.plan_loader import load
from transforms.run_keys import RunKeys
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps


def applied(step: Any, values: list[Any]) -> list[Any]:
    (technique,) = parse_steps(step)
    assert isinstance(technique, ColumnTechnique)
    cells: list[Any] = technique.apply(pa.array(values), Given(Site("t", "c", 0, "p"))).to_pylist()
    return cells


def test_an_income_as_a_range() -> None:
    """L2079: 소득 3,300만원을 소득 3,000만원~4,000만원으로."""
    assert applied({"data-range": {"width": 1000, "suffix": "만원"}}, [3_300]) == ["3,000만원~4,000만원"]


def test_baby_articles() -> None:
    """L2081-2090."""
    goods = ["분유", "기저귀", "젖병", "샤워타올", "욕실화"]
    assert applied({"categorization": {"육아용품": goods}}, goods) == ["육아용품"] * 5


def test_ages_above_eighty() -> None:
    """L2372-2404 (로컬 일반화, 상단 코딩): 84 and 88 become 80초과, the others stay."""
    ages = [35, 35, 35, 35, 36, 36, 36, 36, 37, 84, 88]
    step = {"data-range": {"ends": {"above": 80}, "texts": {"above": "{end}초과"}}}
    assert applied(step, ages) == [str(age) for age in ages[:9]] + ["80초과"] * 2


def test_ages_of_a_hospital() -> None:
    """L3867: '39세 이하', '40~84세: 1세단위', '85세 이상'."""
    step = {"data-range": {"ends": {"at_most": 39, "at_least": 85}, "suffix": "세"}}
    expected = ["39세 이하", "39세 이하", "40세", "84세", "85세 이상", "85세 이상"]
    assert applied(step, [12, 39, 40, 84, 85, 99]) == expected


def test_dates_of_a_hospital() -> None:
    """L3867: 사망일자는 연단위까지, 나머지 데이터는 월단위까지만."""
    days = [date(2019, 3, 17), date(2020, 12, 31)]
    assert applied({"date-generalization": {"to": "year", "as": "integer"}}, days) == [2019, 2020]
    assert applied({"date-generalization": {"to": "month", "as": "text"}}, days) == ["2019-03", "2020-12"]


# L2350-2370: 나이, 주소, 직업, 월소득(만원); and what becomes of 직업.
JOBS = [
    ("서울", "변호사", 600, "변호사"), ("서울", "변호사", 700, "변호사"), ("서울", "변호사", 500, "변호사"),
    ("서울", "변호사", 700, "변호사"), ("서울", "판사", 1_200, "법조인"), ("경기", "검사", 800, "법조인"),
    ("경기", "변호사", 600, "변호사"), ("경기", "변호사", 1_300, "변호사"), ("경기", "변호사", 300, "변호사"),
    ("경기", "변호사", 900, "변호사"), ("경기", "변호사", 800, "변호사"), ("경기", "변호사", 200, "변호사"),
]  # fmt: skip
PLAN = """\
format: 1
plan: lawyers
application: {number: 2024-001}
purpose: {kind: statistics, statement: 지역별 직업별 월소득의 차이 통계, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 통계업체, place: closed, from: 2026-01-01, until: 2027-12-31}
source: {table: lawyers, row_key: [id]}
excluded: [id]
columns:
  address: {kind: quasi-identifier, apply: keep}
  job: {kind: quasi-identifier, apply: {categorization: {hierarchy: jobs.csv, level: group, below: 2}}}
  income: {kind: attribute, apply: keep}
additional_information: {destroy: approved}
output: {table: lawyers}
"""
HIERARCHY = "job,group\n변호사,법조인\n판사,법조인\n검사,법조인\n"


@pytest.mark.parametrize("turned", [False, True])
def test_rare_jobs_go_to_their_group(tmp_path: Path, turned: bool) -> None:
    """L2350-2370: 판사 and 검사 → 법조인, while the many 변호사 of the same group stay; in any order of rows."""
    (tmp_path / "jobs.csv").write_text(HIERARCHY, "utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, "utf-8")
    loaded = load(path)
    columns = list(zip(*(JOBS[::-1] if turned else JOBS), strict=True))
    source = pa.table({"id": list(range(12)), "address": columns[0], "job": columns[1], "income": columns[2]})
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    keys = RunKeys(Secret(bytes(32)), "our organisation", "a run", "통계업체")
    delivered = pipeline.apply_table(source, keys).to_pylist()
    expected = [{"address": address, "job": after, "income": income} for address, _, income, after in JOBS]
    assert sorted(map(str, delivered)) == sorted(map(str, expected))
