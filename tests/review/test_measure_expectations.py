"""Expectations about sensitive columns: judged on a class table, and made from a plan's `adequacy`."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.errors import PlanError
from transforms.expectations.measured import (
    ClassExpectation,
    ExpectAlphaKAnonymity,
    ExpectBetaLikeness,
    ExpectDeltaDisclosure,
    ExpectLDiversity,
    ExpectTCloseness,
)
from transforms.expectations.suite import load_suite, make_suite, suite_json
from transforms.measures import class_table_of
from transforms.plan import Adequacy
from transforms.plan_loader import load

# Class a: flu twice, cold twice; class b: flu three times, cold once; class c: cold, alone.
DISEASES = pa.table(
    {"area": list("aaaabbbbc"), "disease": ["flu", "flu", "cold", "cold", "flu", "flu", "flu", "cold", "cold"]}
)
HEAD = """
    format: 1
    plan: wards
    application: {number: 2026-003, stage: new}
    purpose: {kind: statistics, statement: 지역별 진료비 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
    use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
    additional_information: {destroy: approved}
    output: {table: wards}
    source: {table: hospital/wards, row_key: [visit], subject: SUBJECT}
    excluded: [visit, patient]
    columns:
      age: {kind: quasi-identifier, apply: {rounding: {unit: 10, direction: down}}}
      area: {kind: quasi-identifier, apply: keep}
      disease: {kind: sensitive, apply: keep}
      cost: {kind: attribute, apply: {rounding: {unit: 1000, direction: down}}}
"""
SCHEMA = pa.schema({"visit": pa.int64(), "patient": pa.int64(), "age": pa.int64(), "area": pa.string(),
                    "disease": pa.string(), "cost": pa.int64()})  # fmt: skip


def judged(expectation: type[ClassExpectation], **asked: Any) -> dict[str, Any]:
    """The verdict on the diseases."""
    table = class_table_of(DISEASES, ["area"], ["disease"])
    told = expectation(column="disease", quasi_identifiers=["area"], **asked).judge(table)
    return {"success": told["success"], **told["result"]}


def compiled(adequacy: str, folder: Path, subject: str = "visit") -> Any:
    file = folder / "plan.yaml"
    file.write_text(textwrap.dedent(HEAD).replace("SUBJECT", subject) + f"adequacy: {adequacy}\n", "utf-8")
    loaded = load(file)
    return compile_plan(loaded.plan, SCHEMA, loaded.hierarchies, loaded.lines)


def suite_of(pipeline: Any) -> Any:
    adequacy = pipeline.plan.adequacy
    return make_suite(pipeline.table(), adequacy.k_anonymity, pipeline.fingerprint, adequacy)


@pytest.mark.parametrize(
    ("expectation", "asked", "below", "figures"),
    [
        (ExpectLDiversity, {"l": 2}, 1, {"l": 1}),
        (ExpectLDiversity, {"l": 1.5, "kind": "entropy"}, 1, {"entropy_l": 1.0}),
        (ExpectLDiversity, {"l": 2, "kind": "recursive", "c": 3.5}, 1, {"l": 1}),  # b: 3 < 3.5 x 1; c is infinite there
        (ExpectLDiversity, {"l": 2, "kind": "recursive", "c": 3}, 2, {"l": 1}),  # 3 < 3 x 1 is false
        (ExpectLDiversity, {"l": 1, "kind": "recursive", "c": 1.1}, 0, {"l": 1, "c": 1.0}),
        (ExpectTCloseness, {"t": 0.2}, 1, {"t": round(5 / 9, 6)}),  # five of nine have flu, nobody in c
        (ExpectAlphaKAnonymity, {"alpha": 0.7, "k": 2}, 2, {"alpha": 1.0, "k": 1}),
        (ExpectAlphaKAnonymity, {"alpha": 0.8, "k": 2}, 1, {"alpha": 1.0, "k": 1}),
        (ExpectBetaLikeness, {"beta": 0.4}, 1, {"beta": 1.25}),  # c: 1 of 1 where the table has 4 of 9
        (ExpectBetaLikeness, {"beta": 2.0, "kind": "enhanced"}, 1, {}),  # 1.25 > -ln(4/9): no beta helps c
        (ExpectDeltaDisclosure, {"delta": 0.7}, 1, {"delta": 0.81093}),  # ln(1 / (4/9))
    ],
)
def test_each_class_that_misses_it_counts(
    expectation: type[ClassExpectation], asked: dict[str, Any], below: int, figures: dict[str, float]
) -> None:
    assert judged(expectation, **asked) == {"success": below == 0, "classes": 3, "classes_below": below, **figures}


def test_two_of_two_equally_frequent_values_are_two() -> None:
    table = class_table_of(DISEASES.slice(0, 4), ["area"], ["disease"])
    expectation = ExpectLDiversity(column="disease", quasi_identifiers=["area"], l=2, kind="entropy")
    assert expectation.judge(table)["success"]  # exp(ln 2) may be 1.9999999999999998


def test_a_plan_becomes_expectations_that_share_a_pass(tmp_path: Path) -> None:
    text = "{k-anonymity: {k: 3}, l-diversity: {l: 2, of: [disease, cost]}, t-closeness: {t: 0.3, columns: [area]}}"
    suite = suite_of(compiled(text, tmp_path))
    found = [one for one in suite.expectations if isinstance(one, ClassExpectation)]
    assert [
        (one.expectation_type, one.column, list(one.quasi_identifiers), list(one.sensitive or ())) for one in found
    ] == [
        ("expect_l_diversity", "disease", ["age", "area"], ["cost", "disease"]),
        ("expect_l_diversity", "cost", ["age", "area"], ["cost", "disease"]),
        ("expect_t_closeness", "disease", ["area"], ["disease"]),
    ]
    (k,) = (one for one in suite_json(suite)["expectations"] if one["type"] == "expect_k_anonymity")
    assert k["kwargs"]["sensitive"] == ["cost", "disease"]
    read = [one for one in load_suite(json.dumps(suite_json(suite))).expectations if isinstance(one, ClassExpectation)]
    assert [one.configuration.kwargs for one in read] == [one.configuration.kwargs for one in found]


def test_without_them_the_suite_is_what_it_was(tmp_path: Path) -> None:
    pipeline = compiled("{k-anonymity: {k: 3}}", tmp_path)
    k = pipeline.plan.adequacy.k_anonymity
    assert suite_json(suite_of(pipeline)) == suite_json(make_suite(pipeline.table(), k, pipeline.fingerprint))
    assert "l-diversity" not in pipeline.plan.canonical()["adequacy"]  # so old fingerprints stay


@pytest.mark.parametrize(
    ("adequacy", "path", "found"),
    [
        (
            "{l-diversity: {l: 2, of: [diseases]}}",
            "adequacy.l-diversity.of[0]",
            "column 'diseases', which is not delivered",
        ),
        (
            "{t-closeness: {t: 0.2, columns: [visit]}}",
            "adequacy.t-closeness.columns[0]",
            "column 'visit', which is not",
        ),
        ("{beta-likeness: {beta: 1, of: [cost], columns: [cost]}}", "adequacy.beta-likeness.columns[0]", "is measured"),
        ("{l-diversity: {l: 2.5}}", "adequacy.l-diversity.l", "l of 2.5"),
        ("{l-diversity: {l: 2, kind: recursive}}", "adequacy.l-diversity", "no `c`"),
        ("{l-diversity: {l: 2, c: 3}}", "adequacy.l-diversity.c", "`c` with kind distinct"),
        ("{t-closeness: {t: 1.5}}", "adequacy.t-closeness.t", "1.5"),
    ],
)
def test_a_plan_that_can_not_be_measured_is_told(adequacy: str, path: str, found: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as told:
        compiled(adequacy, tmp_path)
    (problem,) = told.value.problems
    assert problem.path == path
    assert found in problem.found
    assert problem.line is not None


def test_no_sensitive_column_and_persons_that_can_not_be_counted(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="allowed: a pseudonym in the subject's column") as told:
        compiled("{l-diversity: {l: 2}}", tmp_path, subject="patient")
    assert [problem.path for problem in told.value.problems] == ["adequacy.l-diversity"]
    file = tmp_path / "plan.yaml"
    file.write_text(
        file.read_text("utf-8").replace("subject: patient", "subject: visit").replace("sensitive", "attribute"), "utf-8"
    )
    loaded = load(file)
    with pytest.raises(PlanError, match="no delivered column of kind sensitive"):
        compile_plan(loaded.plan, SCHEMA, loaded.hierarchies, loaded.lines)


def test_unknown_fields_are_told() -> None:
    with pytest.raises(ValueError, match="alpha"):
        Adequacy.model_validate({"alpha-k-anonymity": {"alpha": 0, "k": 2}})
