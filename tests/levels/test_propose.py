"""`gamyeong propose` on a Delta table: the draft that it writes is valid, and its result has the k that was asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from ruamel.yaml import YAML

from jobs.environment import Environment, load_environment
from jobs.propose import main
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

PEOPLE, K = 600, 5
PLAN = """
format: 1
plan: members
application: {number: 2026-001, applicant: 분석팀}
purpose: {kind: statistics, statement: 직업별·연령별 월 구매 금액의 통계작성, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2028-12-31}
source: {table: shop/members, row_key: [no], subject: no}
rows: [{record-suppression: {where: {age: {below: 20}}}}]
columns:
  no: {kind: identifier, apply: serial-number}
  age: {label: 나이, kind: quasi-identifier, coding: {"80": 80세 이상}, apply: {top-coding: {at: 80}}}
  job: {label: 직업, kind: quasi-identifier, apply: keep}
  sex: {label: 성별, kind: quasi-identifier, apply: keep}
  illness: {label: 질병, kind: sensitive, legal: sensitive-23, apply: keep}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: members}
"""
JOBS = "job,field\n판사,법조인\n검사,법조인\n의사,의료인\n간호사,의료인\n"


def members() -> pa.Table:
    draw = np.random.default_rng(7)
    return pa.table({
        "no": pa.array(range(PEOPLE), pa.int64()),
        "age": draw.integers(10, 95, PEOPLE),
        "job": draw.choice(["판사", "검사", "의사", "간호사"], PEOPLE),
        "sex": draw.choice(["F", "M"], PEOPLE),
        "illness": draw.choice(["a", "b", "c"], PEOPLE),
    })  # fmt: skip


@pytest.fixture
def place(environment_file: Path, tmp_path: Path) -> Path:
    environment = load_environment(environment_file)
    write_deltalake(str(environment.zone("source").local / "shop" / "members"), members())
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "members.yaml").write_text(PLAN, "utf-8")
    (folder / "jobs.csv").write_text(JOBS, "utf-8")
    return folder


def asked(environment: Environment | Path, *words: str, capsys: Any) -> tuple[int, dict[str, Any], str]:
    code = main([*words, "--environment", str(environment), "--json", "--quiet"])
    printed = capsys.readouterr()
    return code, json.loads(printed.out.splitlines()[-1]), printed.err


@pytest.mark.spark
def test_the_draft_has_the_k_that_was_asked(
    spark: Any, place: Path, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, drafted = place / "members.yaml", place / "draft.yaml"
    words = [str(plan), "--k", str(K), "--suppression", "0.02", "--hierarchy", "job=jobs.csv", "--to", str(drafted)]
    code, told, _ = asked(environment_file, *words, capsys=capsys)
    assert code == 0
    assert told["rows"] == sum(age >= 20 for age in members()["age"].to_pylist())
    loaded = load(drafted)
    changed = YAML(typ="safe").load(drafted)["columns"]
    assert set(changed) < {"age", "job", "sex"}, "those of 600 that stay finer are as they were"
    for name in changed:
        rule = loaded.plan.columns[name]
        assert (rule.kind, rule.coding) == ("quasi-identifier", {}), "a coding was of other values"
        assert rule.requirement
    pipeline = compile_plan(loaded.plan, members().schema, loaded.hierarchies, loaded.lines)
    made = pipeline.apply_table(members(), RunKeys(Secret(bytes(32)), "office", "run", "분석팀"))
    classes = Counter(zip(*(made[name].to_pylist() for name in ("age", "job", "sex")), strict=True))
    assert min(classes.values()) >= K == loaded.plan.adequacy.k_anonymity.k
    assert min(classes.values()) == told["k"]
    assert made.num_rows == told["rows"] - round(told["removed"] * told["rows"])

    other = place / "other.yaml"
    words = [str(plan), "--l", "2", "--t", "0.4", "--to", str(other)]
    code, told, _ = asked(environment_file, *words, capsys=capsys)
    assert (code, told["k"] >= 3) == (0, True), "k is the plan's"
    measured = load(other).plan.adequacy
    assert (measured.l_diversity.l, measured.t_closeness.t) == (2, 0.4), "review measures what was asked here"
    assert measured.l_diversity.of is None, "the plan's own sensitive columns"
    code, told, _ = asked(environment_file, str(plan), "--l", "4", capsys=capsys)
    assert (code, told["levels"]) == (1, None), "there are three illnesses"


@pytest.mark.parametrize(("words", "said"), [
    (["--k", "1"], "--k 1; allowed: 2 or more"),
    (["--suppression", "2"], "--suppression 2.0; allowed: 0 to 1"),
    (["--units", "age"], "--units age; allowed: COLUMN=…"),
    (["--units", "age=5,x"], "whole numbers with commas"),
    (["--units", "ages=5"], "did you mean 'age'?"),
    (["--hierarchy", "job=../jobs.csv"], "a CSV file in the plan's folder"),
    (["--l", "2", "--sensitive", "pain"], "--sensitive pain: no such column"),
    (["--to", "elsewhere.yaml"], "a new file in the plan's folder"),
    (["--table", "orders"], "--table orders; allowed: --table with one of members"),
])  # fmt: skip
def test_wrong_words_are_told(
    words: list[str], said: str, place: Path, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, error = asked(environment_file, str(place / "members.yaml"), *words, capsys=capsys)
    assert code == 2
    assert said in error
    assert sorted(one.name for one in place.iterdir()) == ["jobs.csv", "members.yaml"]
