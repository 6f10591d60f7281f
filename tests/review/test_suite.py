"""The suite that a plan becomes: what is asked of which column, without running it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.adequacy import suites_body
from transforms.compiler import compile_plan
from transforms.errors import Site
from transforms.images import Finite, Nothing, Numbers
from transforms.outlier_changes import KeyAct, RuleChange
from transforms.pipeline.review import image_of
from transforms.pipeline_model import Pipeline
from transforms.plan_loader import load
from transforms.plan_sample import SimpleSample
from transforms.run_facts import TableFacts

PLAN = """
    format: 1
    plan: revisits
    application: {number: 2026-002, stage: new}
    purpose: {kind: statistics, statement: 시군구별 재방문율 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
    use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
    subjects: {member: {register: crm/members, key: member_no}}
    pseudonyms: {member: {technique: keyed-token}}
    additional_information: {destroy: approved}
    output: {table: revisits}
    adequacy: {k-anonymity: {k: 5, columns: [region, age]}}
    tables:
      members:
        source: crm/members
        row_key: [member_no]
        subject: {member: member_no}
        columns:
          member_no: {kind: identifier, apply: {pseudonym: member}}
          age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
          job: {kind: quasi-identifier, apply: {categorization: {mapping: {법조인: [판사, 검사]}, unmatched: null}}}
          memo: {kind: attribute, apply: suppression}
          weight: {kind: attribute, apply: {rounding: {unit: 5, direction: up, nulls: remove}}}
      visits:
        source: shop/visits
        row_key: [visit_id]
        subject: {member: cust}
        excluded: [visit_id]
        columns:
          cust: {kind: identifier, apply: {pseudonym: member}}
          region: {kind: quasi-identifier, apply: keep}
"""
SCHEMAS = {
    "members": pa.schema({"member_no": pa.int64(), "age": pa.int32(), "job": pa.string(), "memo": pa.string(),
                          "weight": pa.int64()}),
    "visits": pa.schema({"visit_id": pa.string(), "cust": pa.int64(), "region": pa.string()}),
}  # fmt: skip
NO_FACTS = TableFacts(None, None, None, 0, 0, 0, 0, 1, (0,))


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    file = Path(tmp_path_factory.mktemp("plan")) / "plan.yaml"
    file.write_text(textwrap.dedent(PLAN), "utf-8")
    loaded = load(file)
    return compile_plan(loaded.plan, SCHEMAS, loaded.hierarchies, loaded.lines)


def suite_of(pipeline: Pipeline, table: str) -> dict[str, Any]:
    from transforms.expectations.suite import make_suite, suite_json

    return suite_json(make_suite(pipeline.table(table), pipeline.plan.adequacy.k_anonymity, pipeline.fingerprint))


def kwargs_of(suite: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (one["kwargs"] for one in suite["expectations"] if one["type"] == kind)
    return dict(found)


def test_each_table_has_its_own_suite_in_one_file(pipeline: Pipeline) -> None:
    from transforms.expectations.suite import load_suite

    suites = {name: suite_of(pipeline, name) for name in pipeline.tables}
    body = json.loads(json.dumps(suites_body(suites)))
    assert list(body["tables"]) == ["members", "visits"]
    for name, raw in body["tables"].items():
        columns = [one.column for one in load_suite(json.dumps(raw)).expectations if hasattr(one, "column")]
        assert columns == pipeline.table(name).schema.names
    assert suites_body({"members": suites["members"]}) == suites["members"]


def test_persons_are_counted_by_their_pseudonym_where_they_have_many_rows(pipeline: Pipeline) -> None:
    asked = kwargs_of(suite_of(pipeline, "visits"), "expect_k_anonymity")
    assert (asked["k"], asked["quasi_identifiers"], asked["subject"]) == (5, ["region"], "cust")
    alone = kwargs_of(suite_of(pipeline, "members"), "expect_k_anonymity")
    assert (alone["quasi_identifiers"], "subject" in alone) == (["age"], False)


@pytest.mark.parametrize(("fraction", "subjects", "n"), [(0.5, 7, 3), (0.29, 100, 29), (0.1, 30, 3), (1.0, 9, 9)])
def test_n_is_the_share_as_written_rounded_down(fraction: float, subjects: int, n: int) -> None:
    from transforms.expectations.sampled import planned_size

    # 0.29 x 100 is 28.999999999999996 in floating point; the plan says 29
    assert planned_size(SimpleSample(fraction=fraction), subjects) == n
    assert planned_size(SimpleSample(n=4), subjects) == 4


def test_where_null_may_stand(pipeline: Pipeline) -> None:
    table = pipeline.table("members")
    chains = {chain.name: chain for chain in table.chains}
    images = {name: image_of(table, chain, NO_FACTS) for name, chain in chains.items()}
    assert images["age"].nullable  # a null of the source stays null
    assert images["job"].nullable  # unmatched becomes null
    assert not images["weight"].nullable  # records with null were removed
    assert isinstance(images["memo"], Nothing)
    assert images["memo"].nullable  # a suppressed column holds nulls alone
    assert isinstance(images["job"], Finite)
    assert isinstance(images["age"], Numbers)
    treated = TableFacts(None, None, None, 0, 0, 0, 0, 1, (0,), rules=(
        RuleChange(0, (KeyAct(("weight",), pa.array([b"x"]), "weight"),), cells=3),))  # fmt: skip
    assert image_of(table, chains["weight"], treated).nullable  # an outlier rule suppressed cells of it
    nothing_found = TableFacts(None, None, None, 0, 0, 0, 0, 1, (0,), rules=(
        RuleChange(0),))  # fmt: skip
    assert not image_of(table, chains["weight"], nothing_found).nullable


@pytest.mark.parametrize(
    ("column", "cells", "inside"),
    [
        ("age", pa.array([0, 30, 80, 36, 90, None], pa.int32()), [True, True, True, False, False, True]),
        ("job", pa.array(["법조인", "판사", None]), [True, False, True]),
        ("memo", pa.array(["x", None]), [False, True]),
        ("weight", pa.array([5, 7, None]), [True, False, False]),
        ("member_no", pa.array(["a" * 25 + "y", "a" * 25, "1" * 26, None]), [True, False, False, True]),
    ],
)
def test_which_cells_may_come_out(pipeline: Pipeline, column: str, cells: pa.Array, inside: list[bool]) -> None:
    table = pipeline.table("members")
    (chain,) = (one for one in table.chains if one.name == column)
    assert isinstance(chain.steps[0].site, Site)
    assert image_of(table, chain, NO_FACTS).contains(cells).tolist() == inside
