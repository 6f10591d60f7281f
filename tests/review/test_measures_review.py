"""The review measures sensitive columns within classes: in persons, in one pass, without a value in what it writes."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import pytest

from jobs.documents.measures import measure_rows
from transforms.expectations import providers

pytestmark = pytest.mark.spark


@pytest.fixture
def measured_clinic(clinic_of: Any, visits_plan: str) -> Any:
    """The visits' run whose plan asks for l, t and alpha of the costs: three rows a person."""
    plan = visits_plan.replace("cost: {kind: attribute", "cost: {kind: sensitive").replace(
        "adequacy: {k-anonymity: {k: 2}}",
        "adequacy: {k-anonymity: {k: 2}, l-diversity: {l: 2}, t-closeness: {t: 0.001}, "
        "alpha-k-anonymity: {alpha: 0.9, k: 2}, beta-likeness: {beta: 0.2, kind: enhanced}}",
    )
    return clinic_of(plan)


def test_asked_and_found_in_persons(measured_clinic: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[Any] = []
    real = providers.class_table
    monkeypatch.setattr(providers, "class_table", lambda *asked: passes.append(asked[1:]) or real(*asked))
    done = measured_clinic.stage().review()
    rows = measured_clinic.table.to_pylist()
    people, costs = defaultdict(set), defaultdict(set)
    for row in rows:
        people[row["region"]].add(row["patient"])
        costs[row["region"]].add(row["cost"])

    assert passes == [(["region"], ["cost"], "patient")]  # one pass for k and all measures
    assert done.result["k"]["visits"]["found"] == min(map(len, people.values()))
    found = {one["type"]: one for one in done.result["measures"]}
    assert found["expect_l_diversity"]["found"] == {"l": min(map(len, costs.values()))}
    assert found["expect_l_diversity"]["asked"] == {"l": 2.0, "kind": "distinct", "c": None}
    assert found["expect_l_diversity"]["success"]
    assert found["expect_alpha_k_anonymity"]["found"]["k"] == done.result["k"]["visits"]["found"]
    # each cost stands in one region alone: its share doubles there, and ranks move by half a step each
    assert done.failed == {("expect_t_closeness", "cost"), ("expect_beta_likeness", "cost")}
    assert done.code == 1
    assert found["expect_t_closeness"]["found"]["t"] > 0.001
    assert found["expect_t_closeness"]["classes_below"] == 2

    told = {row.name: row for row in measure_rows(done.result, "visits", "en")}
    assert told["l-diversity (distinct values)"].asked == "l ≥ 2"
    assert told["t-closeness"].found.startswith("t = 0.")
    page = (measured_clinic.folder.report.local / "index.html").read_text("utf-8")
    assert "l-다양성 (서로 다른 값)" in page
    suite = json.loads(measured_clinic.folder.suite.local.read_text())
    written = json.dumps([done.result["measures"], done.result["expectations"], suite["expectations"]])
    assert not [row for row in rows if row["cost"] >= 10_000 and str(row["cost"]) in written]
