"""`risk:` of a plan: what the risk review is told, with all that is wrong in it told at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from transforms.errors import PlanError
from transforms.fingerprint import fingerprint
from transforms.plan import Plan
from transforms.plan_loader import load, load_plan
from transforms.plan_risk import Population

PLAN = """\
format: 1
plan: visits
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 재방문율, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 연구소, place: closed, from: 2026-01-01, until: 2027-12-31}
source: {table: clinic/visits, row_key: [visit], subject: person}
excluded: [visit]
columns:
  person: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: keep}
  sex: {kind: quasi-identifier, apply: keep}
additional_information: {destroy: approved}
output: {table: visits}
"""


def written(folder: Path, risk: str) -> Path:
    """The plan with a `risk:` section, as a file."""
    path = folder / "plan.yaml"
    path.write_text(f"{PLAN}{risk}", "utf-8")
    return path


@pytest.mark.parametrize(
    ("risk", "path", "found"),
    [
        ("population: {}", "risk.population", "neither `size` nor `fraction`"),
        ("population: {size: 5, fraction: 0.5}", "risk.population", "both"),
        ("columns: [agge]", "risk.columns[0]", "'agge', which the plan does not know"),
        ("nulls: {visit: wildcard}", "risk.nulls.visit", "which is excluded"),
        ("checklist: {17: {answer: yes}}", "risk.checklist[17]", "question 17"),
        ("checklist: {3: {answer: no}}", "risk.checklist[3].note", "nothing"),
        ("held: [{table: ../secret, on: {born: age}}]", "risk.held[0].table", "'../secret'"),
        ("held: [{table: crm/all, on: {born: agge}}]", "risk.held[0].on.born", "does not know"),
        ("held: [{table: crm/all, of: other, on: {born: age}}]", "risk.held[0].of", "'other'"),
        ("limits: {unique: 1.5}", "risk.limits.unique", "1.5"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, risk: str, path: str, found: str) -> None:
    with pytest.raises(PlanError) as caught:
        load(written(tmp_path, f"risk:\n  {risk}\n"))
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (path, 15)
    assert found in problem.found


def test_a_plan_without_the_section_keeps_its_fingerprint(tmp_path: Path) -> None:
    plain = load(written(tmp_path, "")).plan
    assert "risk" not in plain.canonical()
    assert fingerprint(plain, {}) != fingerprint(load(written(tmp_path, "risk: {subsets: 2}\n")).plan, {})


def test_the_section_comes_back_from_the_evidence(tmp_path: Path) -> None:
    """plan.json has texts for the checklist's numbers; the plan read from it is the same."""
    risk = "risk: {checklist: {3: {answer: no, note: 공개된 자료 없음}}, population: {fraction: 0.25}}\n"
    plan = load_plan(written(tmp_path, risk))
    assert Plan.model_validate(json.loads(json.dumps(plan.canonical()))) == plan


@pytest.mark.parametrize(
    ("told", "counted", "persons"),
    [
        (Population(fraction=0.25), 2_000_000, 8_000_000),  # the guideline's sample (L567): 25 % of 8,000,000
        (Population(size=8_000_000), 2_000_000, 8_000_000),
        (Population(size=10), 12, 12),
    ],
)
def test_a_population_is_never_smaller_than_its_sample(told: Population, counted: int, persons: int) -> None:
    assert told.persons(counted) == persons
