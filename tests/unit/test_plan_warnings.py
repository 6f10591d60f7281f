"""What `gamyeong check` warns of before any data is read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.plan_loader import load
from transforms.plan_warnings import plan_warnings

PLAN = """\
format: 1
plan: amounts
application: {number: 2024-001}
purpose: {kind: statistics, statement: 지역별 금액의 차이 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 통계업체, place: closed, from: 2026-01-01, until: 2027-12-31}
source: {table: amounts, row_key: [id]}
excluded: [id]
columns:
  "amount_{month}": {kind: attribute, apply: STEPS}
  sex: {kind: attribute, apply: keep}
additional_information: {destroy: approved}
output: {table: amounts}
"""
SCHEMA = pa.schema([("id", pa.int64()), ("amount_1", pa.int64()), ("amount_2", pa.int64()), ("sex", pa.string())])
ROUNDING = "{rounding: {unit: 1000, direction: half-up}}"


def warnings_of(tmp_path: Path, steps: str) -> list[str]:
    """What is warned of where the amounts have these steps; as much in both languages."""
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN.replace("STEPS", steps), "utf-8")
    loaded = load(path)
    pipeline = compile_plan(loaded.plan, SCHEMA, {}, loaded.lines)
    found = plan_warnings(pipeline, "en")
    assert len(plan_warnings(pipeline, "ko")) == len(found)
    return found


@pytest.mark.parametrize(
    ("steps", "warned"),
    [(ROUNDING, True), (f"[{{top-coding: {{at: 100000}}}}, {ROUNDING}]", False), ("{data-range: {width: 10}}", False)],
)
def test_rounding_without_an_end(tmp_path: Path, steps: str, warned: bool) -> None:
    """L2004-2012: a rounding may leave unique values; the largest ones, where nothing codes them, all the more."""
    found = warnings_of(tmp_path, steps)
    assert [one.split(":")[0] for one in found] == (["amounts, amount_1, amount_2"] if warned else [])


def test_a_sum_that_a_later_step_does_not_keep(tmp_path: Path) -> None:
    keeping, coarse = "{controlled-rounding: {unit: 10}}", "{top-coding: {at: 100000}}"
    assert not any("sums are not kept" in one for one in warnings_of(tmp_path, f"[{coarse}, {keeping}]"))
    assert any("sums are not kept" in one for one in warnings_of(tmp_path, f"[{keeping}, {coarse}]"))


@pytest.mark.parametrize(
    ("kind", "named", "warned"),
    [
        ("attribute", "", ["visits, phone, 성명"]),
        ("attribute", "phone", ["visits, 성명"]),
        ("attribute", 'phone, "성명"', []),
        ("quasi-identifier", "", []),
    ],
)
def test_excluded_identifiers_that_texts_are_not_searched_for(
    tmp_path: Path, kind: str, named: str, warned: list[str]
) -> None:
    """A name may stand in a memo though its own column is excluded; the review looks for those that `against` names.
    Names of columns say which are identifiers; the row key and amounts are none of them."""
    text = PLAN.replace("amounts", "visits").replace('"amount_{month}": {kind: attribute, apply: STEPS}', "")
    text = text.replace("excluded: [id]", "excluded: [id, phone, 성명, amount]")
    text = text.replace("sex: {kind: attribute,", f"memo: {{kind: {kind},")
    text += f"adequacy: {{leftovers: {{against: [{named}]}}}}\n"
    path = tmp_path / "plan.yaml"
    path.write_text(text, "utf-8")
    loaded = load(path)
    texts = [(name, pa.string()) for name in ("memo", "phone", "성명")]
    pipeline = compile_plan(loaded.plan, pa.schema([("id", pa.int64()), ("amount", pa.int64()), *texts]), {}, {})
    assert [one.split(":")[0] for one in plan_warnings(pipeline, "en")] == warned
    assert len(plan_warnings(pipeline, "ko")) == len(warned)
