"""The purpose's list of items: a delivered column without a reason, a reason without a column (guideline L325)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.errors import PlanError
from transforms.fingerprint import fingerprint
from transforms.plan_loader import Loaded, load
from transforms.plan_warnings import plan_warnings
from transforms.purpose_items import ItemGaps, delivered_columns, item_gaps, reason_of

# L329-333: the guideline's example. Sex, region and purchases are needed; name, phone and the basket are not.
PLAN = """\
format: 1
plan: purchases
application: {number: 2024-001}
purpose:
  kind: statistics
  statement: 성별과 지역에 따른 구매액 상관관계를 분석하고자 함
  legal_basis: 개인정보 보호법 제28조의2
ITEMS
use: {form: third-party, recipient: 통계업체, place: closed, from: 2026-01-01, until: 2027-12-31}
source: {table: purchases, row_key: [id]}
excluded: [id, 성명]
columns:
  성별: {kind: quasi-identifier, apply: keep}
  주소: {kind: quasi-identifier, apply: keep}
  구매액: {kind: attribute, apply: keep}
  장바구니: {kind: attribute, apply: keep}
adequacy: {leftovers: {against: [성명]}}
additional_information: {destroy: approved}
output: {table: purchases}
"""
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "성명", "성별", "주소", "구매액", "장바구니")])


def loaded(folder: Path, items: str) -> Loaded:
    """The plan with these lines under `purpose`."""
    path = folder / "plan.yaml"
    path.write_text(PLAN.replace("ITEMS\n", items), "utf-8")
    return load(path)


def warned(folder: Path, items: str) -> list[str]:
    """The warnings of `check --schema`; as many in both languages."""
    plan = loaded(folder, items)
    pipeline = compile_plan(plan.plan, SCHEMA, {}, plan.lines)
    found = plan_warnings(pipeline, "en")
    assert len(plan_warnings(pipeline, "ko")) == len(found)
    return found


def test_a_column_that_the_purpose_does_not_need_is_told(tmp_path: Path) -> None:
    items = "  items: {성별: 성별 차이, 주소: 지역 차이, 구매액: 비교하는 금액}\n"
    (told,) = warned(tmp_path, items)
    assert told.startswith("purpose.items, 장바구니: delivered without a reason")


def test_a_reason_for_a_column_that_is_not_delivered_is_told(tmp_path: Path) -> None:
    items = "  items: {성별: 성별 차이, 주소: 지역 차이, 구매액: 금액, 장바구니: 품목, 성명: 확인, '금액_*': 추이}\n"
    (told,) = warned(tmp_path, items)
    assert told == "purpose.items, 성명, 금액_*: a reason, but no such column is delivered"


def test_nothing_is_told_where_all_is_listed_or_no_list_is_made(tmp_path: Path) -> None:
    assert warned(tmp_path, "  items: {'*': 상관관계 분석}\n") == []
    assert warned(tmp_path, "") == []


def test_a_reason_must_say_something(tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        loaded(tmp_path, '  items: {성별: " ", 주소: 지역 차이}\n')
    (problem,) = caught.value.problems
    assert (problem.line, problem.path, problem.found) == (8, "purpose.items.성별", "nothing")


def test_plans_without_a_list_keep_their_fingerprint(tmp_path: Path) -> None:
    without, listed = loaded(tmp_path, ""), loaded(tmp_path, "  items: {'*': 상관관계 분석}\n")
    assert "items" not in without.plan.canonical()["purpose"]
    assert fingerprint(without.plan, {}) != fingerprint(listed.plan, {})


def test_the_columns_own_name_comes_before_patterns() -> None:
    items = {"amount_*": "추이", "amount_total": "합계"}
    assert reason_of(items, "amount_total") == "합계"
    assert reason_of(items, "amount_2021") == "추이"
    assert reason_of(items, "sex") is None


def test_several_tables_may_name_the_table() -> None:
    delivered = {"visits": ("day", "member"), "members": ("member", "sex")}
    gaps = item_gaps({"visits.day": "재방문 간격", "member": "연결", "rooms.day": "x"}, delivered)
    assert gaps == ItemGaps(("members.sex",), ("rooms.day",))


def test_derived_columns_are_delivered_too(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    derived = "  합계: {kind: attribute, derive: {sum: 구매액}}\n"
    path.write_text(PLAN.replace("ITEMS\n", "").replace("adequacy", derived + "adequacy"), "utf-8")
    plan = load(path)
    numbers = SCHEMA.set(4, pa.field("구매액", pa.int64()))
    pipeline = compile_plan(plan.plan, numbers, {}, plan.lines)
    assert delivered_columns(pipeline) == {"purchases": ("성별", "주소", "구매액", "장바구니", "합계")}
