"""Generalizations and masks in a whole run: the same in any pieces, and verify recomputes them and their fact."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.plan import Plan

COLUMNS: dict[str, Any] = {
    "id": {"kind": "identifier", "apply": {"masking": {"pattern": "EC-*+"}}},
    "job": {
        "kind": "quasi-identifier",
        "apply": {"categorization": {"mapping": {"법조인": ["판사", "검사"], "기타": ["국회의원", "군수"]},
                                     "below": 20, "unmatched": "keep"}},
    },
    "age": {"kind": "quasi-identifier", "apply": {"data-range": {"width": 10, "ends": {"below": 20, "at_least": 80}}}},
    "born": {"kind": "quasi-identifier", "apply": [{"age": {"at": "2026-01-01"}}, {"top-coding": {"at": 80}}]},
    "seen": {"kind": "attribute", "apply": {"date-generalization": {"to": "quarter", "as": "text"}}},
    "address": {"kind": "quasi-identifier", "apply": {"region": {"level": "eupmyeondong", "unmatched": "coarser"}}},
}  # fmt: skip


@pytest.fixture
def plan(shop: ModuleType) -> dict[str, Any]:
    return {**shop.PLAN, "columns": COLUMNS, "sample": {"fraction": 0.9}, "rows": [], "outliers": [], "excluded": []}


@pytest.fixture(scope="module")
def source() -> pa.Table:
    """1,200 people; two of the five jobs are rare."""
    rng = np.random.default_rng(11)
    names = np.array(["변호사", "판사", "검사", "국회의원", "군수"])
    jobs = names[rng.choice(5, 1_200, p=[0.5, 0.3, 0.18, 0.01, 0.01])]
    days = [date(1930, 1, 1) + timedelta(days=int(one)) for one in rng.integers(0, 30_000, 1_200)]
    streets = ["서울시 은평구 불광동 1", "경기도 수원시 장안구 정자동 2", "서울시 은평구 연서로 3", "세종시 어진동"]
    return pa.table({
        "id": [f"EC-{number:06d}" for number in range(1_200)],
        "job": pa.array(jobs, mask=rng.random(1_200) < 0.05),
        "age": rng.integers(10, 98, 1_200),
        "born": days,
        "seen": [date(2024, 1, 1) + timedelta(days=int(one)) for one in rng.integers(0, 700, 1_200)],
        "address": [streets[int(one)] for one in rng.integers(0, 4, 1_200)],
    })  # fmt: skip


def test_the_rows_do_not_depend_on_pieces_or_order(shop: ModuleType, plan: dict[str, Any], source: pa.Table) -> None:
    expected = shop.run(plan, source).staged
    turned = source.take(pa.array(np.random.default_rng(2).permutation(source.num_rows)))
    for rows, buckets in ((source, 5), (turned, 1), (turned, 3)):
        assert shop.run(plan, rows, buckets).staged.equals(expected)


def test_verify_finds_an_honest_run_equal(shop: ModuleType, plan: dict[str, Any], source: pa.Table) -> None:
    case = shop.run(plan, source)
    assert case.verified(1).differences == case.verified(4).differences == ()
    # which jobs are rare among the 1,080 drawn is for the run to count; here all of them are known to be few
    staged = Counter(case.staged["job"].to_pylist())
    assert staged["기타"] < 40 < staged["판사"]
    assert not {"국회의원", "군수"} & set(staged)


def test_verify_finds_a_claim_of_other_rare_values(shop: ModuleType, plan: dict[str, Any], source: pa.Table) -> None:
    """A run that called 판사 rare, too, and staged what follows from that: the fact itself is recounted."""
    case = shop.run(plan, source)
    ((site, facts),) = case.facts.concluded.items()
    lied = replace(case.facts, concluded={site: {"rare": tuple(sorted((*facts["rare"], "판사")))}})
    false = case.with_(facts=lied, staged=shop.staged_with(case, lied).combine_chunks())
    assert "판사" not in set(false.staged["job"].to_pylist())
    assert [one.what for one in false.verified().differences] == ["fact"]


def test_the_plan_is_read_back_from_its_json(plan: dict[str, Any]) -> None:
    parsed = Plan.model_validate(plan)
    assert Plan.model_validate(parsed.canonical()) == parsed
