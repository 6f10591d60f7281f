"""The guideline's real-estate example (L644-694), by the plan that lies in conf/plans."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

PLAN = Path(__file__).resolve().parents[2] / "conf/plans/real-estate.yaml"
NAMES = ["owner", "phone", "housing", "district_code", "sido", "sigungu", "eupmyeondong", "lot", "building",
         "jeonse_amount", "deposit_amount", "rent_amount", "exclusive_area", "supply_area"]  # fmt: skip
# L648-651; amounts in thousands of won.
LEASES: list[tuple[Any, ...]] = [
    ("김철수", "090-1234-5678", "아파트", "2635010700", "서울특별시", "동작구", "사당동", "1388-4", "한글아파트",
     None, 25_000, 750, Decimal("104.00"), Decimal("84.00")),
    ("이영희", "090-2468-3579", "오피스텔", "3611011000", "대전광역시", "서구", "둔산동", "656", "나주시티오",
     81_250, None, None, Decimal("56.45"), Decimal("24.32")),
    ("박민호", "090-9876-5432", "아파트", "4311410100", "부산광역시", "해운대구", "우동", "111-13", "세종아파트",
     125_000, None, None, Decimal("100.00"), Decimal("84.00")),
]  # fmt: skip
# L691-694, without the ids, which are drawn.
DELIVERED = [
    ("아파트", "서울특별시", "동작구", "사당동", None, 25_000, 800, Decimal("104.00"), Decimal("84.00")),
    ("오피스텔", "대전광역시", "서구", "둔산동", 81_300, None, None, Decimal("56.45"), Decimal("24.32")),
    ("아파트", "부산광역시", "해운대구", "우동", 125_000, None, None, Decimal("100.00"), Decimal("84.00")),
]
AMOUNTS = dict.fromkeys(("jeonse_amount", "deposit_amount", "rent_amount"), pa.int64())
AREAS = dict.fromkeys(("exclusive_area", "supply_area"), pa.decimal128(7, 2))
SCHEMA = pa.schema([(name, {**AMOUNTS, **AREAS}.get(name, pa.string())) for name in NAMES])


def delivered(rows: list[tuple[Any, ...]], secret: int = 1) -> list[dict[str, Any]]:
    loaded = load(PLAN)
    source = pa.table(list(map(list, zip(*rows, strict=True))), schema=SCHEMA)
    pipeline = compile_plan(loaded.plan, SCHEMA, loaded.hierarchies, loaded.lines)
    keys = RunKeys(Secret(bytes([secret] * 32)), "A사", "a run", loaded.plan.use.recipient)
    made: list[dict[str, Any]] = pipeline.apply_table(source, keys).to_pylist()
    return made


def test_the_three_leases() -> None:
    made = delivered(LEASES)
    ids = [row.pop("owner") for row in made]
    assert sorted(tuple(row.values()) for row in made) == sorted(DELIVERED, key=lambda row: row[:4])
    assert len(set(ids)) == 3
    assert all(re.fullmatch("[a-z2-7]{26}", one) for one in ids)


def test_the_id_is_of_owner_and_phone_together() -> None:
    """Two leases of one person have one id; a namesake with another phone, or a shared phone, is somebody else."""
    first = LEASES[0]
    others = [first, ("김철수", "090-0000-0000", *first[2:]), ("최동욱", first[1], *first[2:])]
    ids = [row["owner"] for row in delivered([*others, first])]
    assert len(ids) == 4
    assert len(set(ids)) == 3


def test_another_run_gives_other_ids() -> None:
    assert not {row["owner"] for row in delivered(LEASES)} & {row["owner"] for row in delivered(LEASES, secret=2)}


@pytest.mark.parametrize("column", ["phone", "lot", "building", "district_code"])
def test_what_is_not_needed_is_not_delivered(column: str) -> None:
    assert column not in delivered(LEASES)[0]
