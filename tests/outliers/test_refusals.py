"""Outlier rules that can't be: told with line, path, what was found and what is allowed, before any data is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.errors import PlanError, Problem
from transforms.plan_loader import load

PLAN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 지역별 직업별 월소득 통계작성, legal_basis: 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: people}
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  region: {kind: quasi-identifier, apply: keep}
  job: {kind: quasi-identifier, apply: keep}
  born: {kind: attribute, apply: keep}
  income: {kind: attribute, apply: keep}
  share: {kind: attribute, apply: keep}
  spent: {kind: attribute, apply: keep}
  total: {kind: attribute, derive: {sum: [income, spent]}}
outliers:
  - RULE
"""
SCHEMA = pa.schema(
    [
        ("id", pa.string()), ("region", pa.string()), ("job", pa.string()), ("born", pa.date32()),
        ("income", pa.int64()), ("share", pa.float64()), ("spent", pa.int64()),
    ]
)  # fmt: skip
TREE = "job,field\nlawyer,law\njudge,law\n"


@pytest.fixture
def problems(tmp_path: Path) -> Callable[..., list[Problem]]:
    """The problems of the plan with these outlier rules, by loading and compiling it."""

    def make(*rules: str) -> list[Problem]:
        (tmp_path / "jobs.csv").write_text(TREE, "utf-8")
        file = tmp_path / "plan.yaml"
        file.write_text(PLAN.replace("RULE", "\n  - ".join(rules)), "utf-8")
        try:
            loaded = load(file)
            compile_plan(loaded.plan, SCHEMA, loaded.hierarchies, loaded.lines)
        except PlanError as error:
            return list(error.problems)
        return []

    return make


class Case(NamedTuple):
    name: str
    find: str
    treat: str
    path: str
    found: str
    allowed: str
    hint: str = ""


FREQUENCY = "{frequency: {columns: [region, job], below: 3}}"
IQR = "{iqr: {column: income}}"
UPPER = "{iqr: {column: income, side: upper}}"
CASES = [
    Case("no find", "{}", "{record-suppression: {}}", "find", "nothing", "three-sigma"),
    Case("two finds", "{iqr: {column: income}, quantile: {column: income, q: 0.9}}", "{record-suppression: {}}", "find",
         "`iqr` and `quantile`", "one of"),
    Case("unknown find", "{4-sigma: {column: income}}", "{record-suppression: {}}", "find.4-sigma", "unknown key",
         "three-sigma"),
    Case("unknown treatment", IQR, "{winsorize: {}}", "treat.winsorize", "unknown key", "microaggregation"),
    Case("unknown column", "{three-sigma: {column: incom}}", "{record-suppression: {}}", "find.three-sigma.column",
         "'incom'", "delivered columns", "did you mean 'income'?"),
    Case("unknown class", "{iqr: {column: income, within: [town]}}", "{record-suppression: {}}", "find.iqr.within[0]",
         "'town'", "delivered columns"),
    Case("derived column", "{iqr: {column: total}}", "{microaggregation: {}}", "find.iqr.column",
         "the derived column 'total'", "come from the source", "derived from"),
    Case("text", "{three-sigma: {column: job}}", "{record-suppression: {}}", "find.three-sigma.column",
         "'job', a column of type string", "integers"),
    Case("floats make no classes", "{iqr: {column: income, within: [share]}}", "{record-suppression: {}}", "",
         "column 'share' of type double", "exact values"),
    Case("serial number", "{frequency: {columns: [id], below: 2}}", "{record-suppression: {}}", "",
         "a serial number", "rows can share"),
    Case("mean of dates", "{iqr: {column: born}}", "{microaggregation: {}}", "treat.microaggregation",
         "'born', a column of type date32", "numbers"),
    Case("rare text has no mean", FREQUENCY, "{microaggregation: {}}", "treat.microaggregation",
         "microaggregation of what frequency finds", "categorization"),
    Case("parents of numbers", IQR, "{categorization: {hierarchy: jobs.csv, level: field}}", "treat.categorization",
         "categorization of what iqr finds", "top-coding"),
    Case("ranges of combinations", "{rare-combinations: {columns: [region, job]}}",
         "{local-generalization: {column: income}}", "treat.local-generalization", "rare-combinations finds",
         "local-suppression"),
    Case("outside the classes", FREQUENCY, "{local-suppression: {columns: [spent]}}",
         "treat.local-suppression.columns[0]", "'spent'", "region, job"),
    Case("importance of some", FREQUENCY, "{local-suppression: {importance: {job: 1}}}",
         "treat.local-suppression.importance", "importance of job", "region, job"),
    Case("importance of nothing", FREQUENCY, "{local-suppression: {importance: {job: 0, region: 1}}}",
         "treat.local-suppression.importance.job", "0", "above 0"),
    Case("which column", FREQUENCY, "{categorization: {hierarchy: jobs.csv, level: field}}", "treat.categorization",
         "no `column`", "region, job"),
    Case("another column's parent", FREQUENCY, "{categorization: {hierarchy: jobs.csv, level: field, column: spent}}",
         "treat.categorization.column", "'spent'", "region, job"),
    Case("no such level", "{frequency: {columns: [job], below: 2}}",
         "{categorization: {hierarchy: jobs.csv, level: feild}}", "treat.categorization.level", "'feild'",
         "job, field", "did you mean 'field'?"),
    Case("no such file", "{frequency: {columns: [job], below: 2}}",
         "{categorization: {hierarchy: job.csv, level: field}}", "treat.categorization", "'job.csv'", "a CSV file",
         "did you mean 'jobs.csv'?"),
    Case("range of the class itself", FREQUENCY, "{local-generalization: {column: job}}",
         "treat.local-generalization.column", "'job', which makes the classes", "column of numbers", "quantile"),
    Case("range of text", "{frequency: {columns: [region], below: 2}}", "{local-generalization: {column: job}}",
         "treat.local-generalization.column", "'job', a column of type string", "integers"),
    Case("another column's range", IQR, "{local-generalization: {column: spent}}", "treat.local-generalization.column",
         "'spent'", "income"),
    Case("class by itself", IQR, "{local-generalization: {by: [income]}}", "treat.local-generalization.by",
         "'income' among its own classes", "other columns"),
    Case("unknown class of a range", IQR, "{local-generalization: {by: [town]}}", "treat.local-generalization.by[0]",
         "'town'", "delivered columns"),
    Case("beyond, of a class", IQR, "{local-generalization: {as: beyond, unit: 5}}", "treat.local-generalization.as",
         "of a whole class", "scope: cell"),
    Case("beyond a measured bound", IQR, "{local-generalization: {as: beyond, scope: cell}}",
         "treat.local-generalization.as", "without a unit", "`unit`"),
    Case("top coding of both ends", IQR, "{top-coding: {}}", "treat.top-coding", "outliers on side both",
         "`side: upper`"),
    Case("bottom coding of the upper end", UPPER, "{bottom-coding: {}}", "treat.bottom-coding", "on side upper",
         "`side: lower`"),
    Case("quantile of 1", "{quantile: {column: income, q: 1}}", "{record-suppression: {}}", "find.quantile.q", "1",
         "between 0 and 1"),
    Case("negative factor", "{three-sigma: {column: income, factor: -3}}", "{record-suppression: {}}",
         "find.three-sigma.factor", "-3", "above 0"),
    Case("combinations of four", "{rare-combinations: {columns: [region, job], size: 4}}", "{record-suppression: {}}",
         "find.rare-combinations.size", "4", "at most 3"),
    Case("fewer than one", "{frequency: {columns: [job], below: 1}}", "{record-suppression: {}}",
         "find.frequency.below", "1", "above 1"),
    Case("column twice", "{frequency: {columns: [job, job], below: 2}}", "{record-suppression: {}}",
         "find.frequency.columns[1]", "again", "once"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_problem_with_its_place(problems: Any, case: Case) -> None:
    found = problems(f"{{find: {case.find}, treat: {case.treat}}}")
    path = f"outliers[0].{case.path}".rstrip(".")
    (problem,) = [one for one in found if one.path == path] or [None]
    assert problem is not None, found
    assert len({one.path for one in found}) == 1, found
    assert case.found in problem.found
    assert case.allowed in problem.allowed
    assert case.hint in (problem.hint or "")
    assert problem.line == 19
    assert not problem.refused


def test_a_measured_cut_off_is_not_published(problems: Any) -> None:
    """It is additional information: refused by rule (exit 3) unless a unit hides it."""
    (problem,) = problems(f"{{find: {UPPER}, treat: {{top-coding: {{replace: cut}}}}}}")
    assert problem.refused
    assert problem.path == "outliers[0].treat.top-coding.replace"
    assert problems(f"{{find: {UPPER}, treat: {{top-coding: {{replace: cut, unit: 1000}}}}}}") == []


def test_what_an_earlier_rule_made_text_of_is_no_number(problems: Any) -> None:
    text = f"{{find: {IQR}, treat: {{local-generalization: {{}}}}}}"
    mean = "{find: {three-sigma: {column: income}}, treat: {microaggregation: {}}}"
    paths = {problem.path: problem for problem in problems(text, mean)}
    assert "put this rule before" in (paths["outliers[1].find.three-sigma.column"].hint or "")
    # nor can it be summed up any more
    assert paths["columns.total.derive"].found == "operands of type string"
    assert {problem.path for problem in problems(mean, text)} == {"columns.total.derive"}


def test_all_problems_of_all_rules_are_told_at_once(problems: Any) -> None:
    found = problems(
        "{find: {iqr: {column: incme}}, treat: {top-coding: {}}}",
        "{find: {frequency: {columns: [jb], below: 2}}, treat: {microaggregation: {}}}",
    )
    assert {problem.path for problem in found} == {
        "outliers[0].find.iqr.column",
        "outliers[0].treat.top-coding",
        "outliers[1].find.frequency.columns[0]",
        "outliers[1].treat.microaggregation",
    }
