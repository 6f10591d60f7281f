"""What the plan would deliver of the quasi-identifiers: sample, row rules, column steps and outlier rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs import retail
from jobs.storage import conf_path
from transforms.assess.planned import as_planned
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline.apply import apply_table
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.plan_loader import load
from transforms.plan_outliers import OutlierLimits
from transforms.run_keys import RunKeys

KEYS = RunKeys(Secret(bytes(range(32))), "organisation", "assess", "nobody", {})
QUASI = ("age", "address", "sex")
PEOPLE = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시도별 연령대별 상담 건수 통계, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 연구소, place: closed, from: 2026-01-01, until: 2098-12-31}
source: {table: people, row_key: [id], subject: id}
excluded: [id, note]
SAMPLE
rows:
  - record-suppression: {where: {age: {below: 20}}}
columns:
  mark: {kind: attribute, apply: keep}
  age: {kind: quasi-identifier, apply: {rounding: {unit: 10, direction: down}}}
  region: {kind: quasi-identifier, apply: keep}
outliers:
  - {find: {frequency: {columns: [age, region], below: 3}}, treat: {record-suppression: {}}}
outlier_limits: {rows: LIMIT}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: people}
"""
ROWS: list[dict[str, Any]] = [
    {"id": f"P{n:03}", "mark": n, "age": 10 + n * 7 % 50, "region": "ABCDEFG"[n % 7 % (1 + n % 7)]} for n in range(200)
]


def first(source: pa.Table) -> tuple[Plan, TablePipeline]:
    loaded = load(conf_path("plans/first.yaml"), [conf_path("hierarchies/region.csv").parent])
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    return loaded.plan, pipeline.wholes["first"]


def people(folder: Path, sample: str = "", limit: str = "0.9") -> tuple[Plan, TablePipeline, pa.Table]:
    source = pa.table({**{name: [row[name] for row in ROWS] for name in ROWS[0]}, "note": ["never read"] * len(ROWS)})
    (folder / "plan.yaml").write_text(PEOPLE.replace("SAMPLE", sample).replace("LIMIT", limit), "utf-8")
    loaded = load(folder / "plan.yaml")
    return loaded.plan, compile_plan(loaded.plan, source.schema).wholes["people"], source


def delivered(plan: Plan, table: TablePipeline, source: pa.Table) -> pa.Table:
    return apply_table(table, plan, source.select(table.source_schema.names), KEYS, None)


def test_classes_behind_the_steps_of_the_readmes_plan() -> None:
    """Nobody under 20, ages by tens up to 60, provinces: counted on plain lists."""
    source = pa.Table.from_batches([retail.Retail(1500, 7, retail.districts()).chunk(0)])
    plan, table = first(source)
    asked = as_planned(replace(table, sample=None, outliers=()), QUASI, None)
    assert asked is not None
    assert (asked.sampled, asked.left_out) == (False, ())
    assert set(asked.table.source_schema.names) == {"customer_id", *QUASI}, "no other column is read"
    found = delivered(plan, asked.table, source)
    rows = source.select(QUASI).to_pylist()
    expected = Counter(
        (min(row["age"], 60) // 10 * 10, row["address"].split()[0], row["sex"])
        for row in rows
        if row["age"] is not None and row["age"] >= 20
    )
    classes = Counter(zip(*(found[name].to_pylist() for name in QUASI), strict=True))
    assert sorted(classes.values()) == sorted(expected.values())
    assert {age for age, _, _ in classes} == {20, 30, 40, 50, 60}


def test_the_readmes_plan_with_its_sample_and_its_suppression() -> None:
    """Half of the customers, and no combination of age, province and sex below three: addresses are taken away."""
    source = pa.Table.from_batches([retail.Retail(1500, 7, retail.districts()).chunk(0)])
    plan, table = first(source)
    asked = as_planned(table, QUASI, None)
    assert asked is not None
    assert (asked.sampled, asked.left_out) == (True, ())
    # so few customers have many rare combinations
    plan = plan.model_copy(update={"outlier_limits": OutlierLimits(cells=0.5, rows=0.5)})
    found = delivered(plan, asked.table, source)
    young = sum(age is None or age < 20 for age in source["age"].to_pylist())
    assert 750 - young <= found.num_rows <= 750
    classes = Counter(zip(*(found[name].to_pylist() for name in QUASI), strict=True))
    assert min(classes.values()) >= 3


@pytest.mark.parametrize(("sample", "number"), [("", 200), ("sample: {technique: simple, fraction: 0.4}", 80)])
def test_outlier_rules_look_at_whom_the_sample_took(tmp_path: Path, sample: str, number: int) -> None:
    """Plain lists, from the marks of whom the draw took: without the young, combinations below three are removed."""
    plan, table, source = people(tmp_path, sample)
    everyone = as_planned(replace(table, outliers=(), row_rules=()), ("mark", "age", "region"), None)
    asked = as_planned(table, ("mark", "age", "region"), None)
    assert everyone is not None
    assert asked is not None
    taken = set(delivered(plan, everyone.table, source)["mark"].to_pylist())
    assert len(taken) == number
    rows = {row["mark"]: (row["age"] // 10 * 10, row["region"]) for row in ROWS
            if row["mark"] in taken and row["age"] >= 20}  # fmt: skip
    sizes = Counter(rows.values())
    assert 0 < min(sizes.values()) < 3, "there is something to remove"
    found = delivered(plan, asked.table, source)
    assert found["mark"].to_pylist() != sorted(found["mark"].to_pylist())
    assert sorted(zip(*(found[name].to_pylist() for name in ("mark", "age", "region")), strict=True)) == sorted(
        (mark, *cells) for mark, cells in rows.items() if sizes[cells] >= 3
    )


def test_columns_that_only_outlier_rules_read_come_along(tmp_path: Path) -> None:
    plan, table, source = people(tmp_path)
    asked = as_planned(table, ("age",), None)
    assert asked is not None
    rows = [(row["age"] // 10 * 10, row["region"]) for row in ROWS if row["age"] >= 20]
    sizes = Counter(rows)
    found = delivered(plan, asked.table, source)
    assert Counter(found["age"].to_pylist()) == Counter(cells[0] for cells in rows if sizes[cells] >= 3)


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    _, table, _ = people(tmp_path, "sample: {technique: simple, fraction: 0.4}")
    asked = as_planned(replace(table, register="crm/members"), ("age", "region"), None)
    assert asked is not None
    assert (asked.sampled, asked.left_out, asked.table.sample) == (False, ("sample",), None)
    without = asked.without_outliers()
    assert (without.left_out, without.table.outliers) == (("sample", "outliers-failed"), ())


def test_rows_without_a_key_can_only_be_told_by_the_run() -> None:
    source = pa.Table.from_batches([retail.Retail(10, 7, retail.districts()).chunk(0)])
    _, table = first(source)
    assert as_planned(replace(table, row_key=None), ("age",), None) is None
