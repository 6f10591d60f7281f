"""What is wrong with a plan is told with line, path, what was found, what is allowed: all of it at once.

Each case changes the valid plan of conftest.py in one place and names the one problem that this makes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.problem_case import Case
from transforms.errors import PlanError, Problem
from transforms.plan_loader import load, load_plan

Write = Callable[[str], Path]


MALFORMED = [
    Case("reviewer named twice, spelled otherwise", "정검토", "최 검토", "people.reviewers[1]", "named twice",
         "each person once"),
    Case("chair who is no reviewer", "users: [조분석]", "users: [조분석], chair: 나위원", "people.chair", "no reviewer",
         "one of people.reviewers"),
    Case("small organisation without a reason", "users: [조분석]", "users: [이처리], small_organisation: ' '",
         "people.small_organisation", "no reason", "can't be kept apart"),
    Case("unknown key", "adequacy:", "adequancy:", "adequancy", "unknown key 'adequancy'", "adequacy", "'adequacy'"),
    Case("unknown key below", "place: closed", "plaice: closed, place: closed", "use.plaice",
         "unknown key 'plaice'", "place", "'place'"),
    Case("misspelt technique", "{rounding: {unit: 10,", "{roundng: {unit: 10,", "columns.age.apply[1]",
         "'roundng'", "rounding", "did you mean 'rounding'?"),
    Case("unknown parameter", "direction: half-up}", "direction: half-up, step: 2}",
         "columns.paid.apply[1].rounding.step", "'step'", "unit"),
    Case("duplicate key", "sample: {fraction: 0.5}", "sample: {fraction: 0.5, fraction: 0.4}", "sample.fraction",
         "key again", "each key once"),
    Case("unit 0", "unit: 10,", "unit: 0,", "columns.age.apply[1].rounding.unit", "0", "above 0"),
    Case("negative fraction", "{fraction: 0.5}", "{fraction: -0.5}", "sample.fraction", "-0.5", "above 0"),
    Case("no size of sample", "{fraction: 0.5}", "{technique: simple}", "sample", "neither", "one of them"),
    Case("wrong kind of value", "{k: 3}", "{k: three}", "adequacy.k-anonymity.k", "'three'", "a whole number"),
    Case("not one of the words", "form: third-party", "form: third-parti", "use.form", "'third-parti'",
         "internal-same-department", "did you mean 'third-party'?"),
    Case("number for a text", "number: 2024-001", "number: 2024", "application.number", "2024", "a text", "quotes"),
    Case("number for a day", "date: 2024-01-15", "date: 20240115", "application.date", "no date", "2026-01-31"),
    Case("missing key", ", legal_basis: 개인정보 보호법 제28조의2", "", "purpose.legal_basis",
         "nothing", "must be there"),
    Case("missing purpose", "statement: 시군구별 재방문율, ", "", "purpose.statement", "nothing", "must be there"),
    Case("no effect", "{kind: attribute, apply: keep}", "{kind: attribute}",
         "columns.cost_{kind}_{month}", "neither `apply` nor `derive`", "one of them", "apply: keep"),
    Case("no derivation", '{sum: "cost_*_{month}"}', '{product: "cost_*_{month}"}', "columns.total_{month}.derive",
         "a mapping", "{sum: COLUMNS}"),
    Case("overlapping grades", "{rounding: {unit: 100, direction: half-up}}",
         "{graded-rounding: [{below: 10, unit: 5, direction: up}, {below: 10, unit: 5, direction: up}, "
         "{unit: 7, direction: up}]}",
         "columns.paid.apply[1].graded-rounding[1].below", "below 10 after below 10", "increasing"),
    Case("gap above the grades", "{rounding: {unit: 100, direction: half-up}}",
         "{graded-rounding: [{below: 10, unit: 5, direction: up}]}",
         "columns.paid.apply[1].graded-rounding[0].below", "nothing for magnitudes from 10 on", "a last grade"),
    Case("value in two categories", "{1: [A, B], 2: [C]}", "{1: [A, B], 2: [B, C]}",
         "columns.grade.apply.categorization[2][0]", "has already", "each value in one category"),
    Case("unknown comparison", "{age: {below: 20}}", "{age: {bellow: 20}}",
         "rows[0].record-suppression.where.age.bellow", "'bellow'", "below", "did you mean 'below'?"),
    Case("condition as SQL", "where: {age: {below: 20}}", "where: age < 20", "rows[0].record-suppression.where",
         "text", "a condition", "never SQL"),
    Case("condition on an unknown column", "where: {age:", "where: {years:", "rows[0].record-suppression",
         "'years'", "columns"),
    Case("row technique on cells", "apply: keep", "apply: {record-suppression: {where: {age: {below: 3}}}}",
         "columns.cost_{kind}_{month}.apply.record-suppression", "works on rows", "for cells", "rows"),
    Case("cell technique on rows", "record-suppression: {where: {age: {below: 20}}}", "suppression: {}",
         "rows[0].suppression", "works on cells", "record-suppression"),
    Case("no hierarchy file", "towns.csv", "town.csv", "columns.address.apply[0].categorization", "'town.csv'",
         "a CSV file", "did you mean 'towns.csv'?"),
    Case("no such level", "level: sido", "level: sidu", "columns.address.apply[0].categorization.level", "'sidu'",
         "town, sido", "did you mean 'sido'?"),
    Case("key that no rule names", "subject: person", "subject: persons", "source.subject", "'persons'",
         "`columns` or `excluded`", "did you mean 'person'?"),
    Case("until before from", "until: 2027-12-31", "until: 2025-12-31", "use.until", "2025-12-31", "on or after"),
    Case("way out of the zone", "recipient: 보건연구소", "recipient: ../../x", "use.recipient", "'../../x'", "letters"),
    Case("outlier of an unknown column", "columns: [age, address], below", "columns: [ages, address], below",
         "outliers[0].find.frequency.columns[0]", "'ages'", "delivered columns", "did you mean 'age'?"),
    Case("treatment outside the classes", "{columns: [address]}}}", "{columns: [grade]}}}",
         "outliers[0].treat.local-suppression.columns[0]", "'grade'", "age, address"),
    Case("k of 1", "{k: 3}", "{k: 1}", "adequacy.k-anonymity.k", "1", "at least 2"),
    Case("fate of additional information", "{destroy: approved}", "{}", "additional_information",
         "neither `destroy` nor `keep`", "keep: {reason, until}"),
    Case("null removal in a later step", "direction: down}", "direction: down, nulls: remove}",
         "columns.age.apply[1].rounding.nulls", "later step", "first step"),
    Case("pseudonym of no domain", "apply: serial-number", "apply: {pseudonym: member}",
         "columns.person.apply[0].pseudonym", "'member'", "pseudonyms"),
    Case("two forms at once", "outliers:", "subjects: {member: {register: a, key: b}}\noutliers:", "subjects",
         "beside `source`", "several tables"),
    Case("dates that move twice, away from the person's other dates",
         "grade: {kind: attribute, apply: {categorization: {1: [A, B], 2: [C]}}}",
         "grade: {kind: attribute, "
         "apply: [{date-shift: {days: [-5, 5]}}, {date-shift: {days: [-5, 5]}}]}",
         "columns.grade.apply[1].date-shift", "a second shift", "one shift"),
    Case("a level at which nothing is categorized", "{hierarchy: towns.csv, level: sido}",
         "{hierarchy: towns.csv, level: town}", "columns.address.apply[0].categorization.level",
         "every value is its own category", "sido"),
    Case("no strata", "sample: {fraction: 0.5}", "sample: {technique: stratified, by: [], fraction: 0.5}",
         "sample.by", "a list of 0", "at least 1 entry"),
    Case("no reason", "person: {label: 환자번호, kind: identifier, apply: serial-number}",
         "person: {kind: identifier, apply: {keyed-token: {accept_frequency_leak: ''}}}",
         "columns.person.apply.keyed-token.accept_frequency_leak", "''", "at least 1 character"),
]  # fmt: skip
REFUSED = [
    Case("vague purpose (guideline L306)", "시군구별 재방문율", "신제품 개발을 위한 과학적 연구 수행",
         "purpose.statement", "does not say what is studied", "L306"),
    Case("empty purpose", "시군구별 재방문율", '""', "purpose.statement", "nothing", "what is studied"),
    Case("published to anybody (L201)", "form: third-party", "form: public", "use.form", "public", "third-party",
         "anonymous information"),
    Case("identifier kept", "apply: serial-number", "apply: keep", "columns.person.apply", "an identifier that is kept",
         "serial-number"),
    Case("identifier kept in some cells", "apply: serial-number",
         "apply: {suppression: {when: {age: {below: 30}}}}", "columns.person.apply", "kept in some cells", "excluded"),
    *(
        Case(f"identifier that may stay as it is: {step}", "apply: serial-number", f"apply: {step}",
             "columns.person.apply", "kept in some cells", "excluded")
        for step in (
            "{categorization: {mapping: {many: [A, B]}, unmatched: keep}}",
            "{top-coding: {at: 1000}}",
            "{bottom-coding: {at: 5}}",
            "{microaggregation: {k: 5, small: keep}}",
        )
    ),
    Case("measured cut-off that unlisted values keep",
         "{top-coding: {quantile: 0.999}}, {rounding: {unit: 100, direction: half-up}}",
         "{top-coding: {quantile: 0.999}}, {categorization: {mapping: {1: [5, 6]}, unmatched: keep}}",
         "columns.paid.apply[0].top-coding.quantile", "would be published", "a coarser step"),
    Case("resident number without a statute (L316)", "{label: 환자번호, kind: identifier,",
         "{label: 주민번호, kind: identifier, legal: rrn, act: 주민등록법,", "columns.person.legal",
         "without a statute", "`act` and `article`"),
    Case("resident number by its name", "label: 환자번호", "label: 주민등록번호", "columns.person",
         "not marked", "legal: rrn"),
    Case("unique identification information kept",
         "grade: {kind: attribute, apply: {categorization: {1: [A, B], 2: [C]}}}",
         "grade: {kind: attribute, legal: unique-24, apply: keep}", "columns.grade.apply", "that is kept", "excluded"),
    Case("reviewer who wrote the plan", "reviewers: [최검토,", "reviewers: [김작성,", "people.reviewers[0]",
         "also author", "neither wrote"),
    Case("reviewer who carries it out", "정검토", "박수탁", "people.reviewers[1]", "also processor", "neither wrote"),
    Case("processor spelled otherwise", "정검토", "박 수 탁", "people.reviewers[1]", "also processor", "neither wrote"),
    Case("reviewer who uses the result", "정검토", "조분석", "people.reviewers[1]", "also user", "nor use its result"),
    Case("too few reviewers named (L706)", "[최검토, 정검토, 강검토]", "[최검토, 정검토]", "people.reviewers",
         "2, none but whom", "3 or more"),
    Case("chair who wrote the plan", "reviewers: [최검토, 정검토, 강검토], users:", "chair: 김작성, users:",
         "people.chair", "also author", "neither wrote"),
    Case("analyst who reaches the source (L428)", "users: [조분석]", "users: [이처리]", "people.users[0]",
         "also operator", "can't reach"),
    Case("analyst who reaches the source, spelled otherwise", "users: [조분석]", "users: [이 처리]",
         "people.users[0]", "also operator", "can't reach"),
    Case("measured cut-off published", "{top-coding: {quantile: 0.999}}, {rounding: {unit: 100, direction: half-up}}",
         "{top-coding: {quantile: 0.999}}", "columns.paid.apply[0].top-coding.quantile", "would be published",
         "a coarser step"),
    Case("measured cut-off that only open ends would hide",
         "{top-coding: {quantile: 0.999}}, {rounding: {unit: 100, direction: half-up}}",
         "{top-coding: {quantile: 0.999}}, {data-range: {ends: {below: 20}}}",
         "columns.paid.apply[0].top-coding.quantile", "would be published", "a coarser step"),
    Case("unique identification information of which rare values alone change",
         "grade: {kind: attribute, apply: {categorization: {1: [A, B], 2: [C]}}}",
         "grade: {kind: attribute, legal: unique-24, "
         "apply: {categorization: {mapping: {D: [A, B, C]}, below: 5}}}",
         "columns.grade.apply", "kept in some cells", "excluded"),
    Case("frequencies shown by tokens", "grade: {kind: attribute, apply: {categorization: {1: [A, B], 2: [C]}}}",
         "grade: {kind: attribute, apply: keyed-token}", "columns.grade.apply[0].keyed-token", "how often",
         "accept_frequency_leak"),
]  # fmt: skip


def problem_of(case: Case, valid: str, write: Write) -> tuple[Problem, bool, int]:
    """The one problem that a case makes, whether the plan is refused by rule, and the line of the change."""
    assert valid.count(case.old) == 1, "the case must change one place"
    changed = valid.replace(case.old, case.new)
    with pytest.raises(PlanError) as caught:
        load_plan(write(changed))
    assert len(caught.value.problems) == 1, caught.value
    return caught.value.problems[0], caught.value.refused, valid[: valid.index(case.old)].count("\n") + 1


@pytest.mark.parametrize("case", [*MALFORMED, *REFUSED], ids=lambda case: case.name)
def test_one_problem_with_its_place(case: Case, valid_plan: str, plan_file: Write) -> None:
    problem, refused, line = problem_of(case, valid_plan, plan_file)
    assert (problem.path, problem.line) == (case.path, line)
    case.require_told(problem)
    assert refused == (case in REFUSED)  # exit 3 for what a rule forbids, 2 for what is malformed


def test_the_unchanged_plan_is_valid(valid_plan: str, plan_file: Write) -> None:
    assert load_plan(plan_file(valid_plan)).plan == "clinic-visits"


def test_all_problems_come_together_and_by_line(valid_plan: str, plan_file: Write) -> None:
    text = valid_plan
    for case in [*MALFORMED[:5], REFUSED[0], REFUSED[3]]:
        text = text.replace(case.old, case.new)
    with pytest.raises(PlanError) as caught:
        load(plan_file(text))
    lines = [problem.line for problem in caught.value.problems]
    assert len(lines) == 7
    assert lines == sorted(lines, key=lambda line: line or 0)
    assert not caught.value.refused  # one malformed place is enough for exit 2


def test_a_message_reads_as_one_sentence(valid_plan: str, plan_file: Write) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(plan_file(valid_plan.replace("level: sido", "level: sidu")))
    assert str(caught.value) == (
        "line 15, columns.address.apply[0].categorization.level: level 'sidu'; "
        "allowed: a level of towns.csv: town, sido; did you mean 'sido'?"
    )


def test_a_constant_of_a_condition_is_never_shown(valid_plan: str, plan_file: Write) -> None:
    text = valid_plan.replace("{below: 20}", "{below: [900101-1234567]}")
    with pytest.raises(PlanError) as caught:
        load_plan(plan_file(text))
    assert "900101" not in str(caught.value)
    assert "a list of 1" in caught.value.problems[0].found


def test_a_rule_that_is_wrong_still_makes_its_column_known(valid_plan: str, plan_file: Write) -> None:
    text = valid_plan.replace("person: {label: 환자번호, kind: identifier, apply: serial-number}", "person: 12")
    with pytest.raises(PlanError) as caught:
        load_plan(plan_file(text))
    assert [problem.path for problem in caught.value.problems] == ["columns.person"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("a: [1", "no YAML here"), ("- 1\n", "no mapping"), ("", "0 documents"), ("a: 1\n---\nb: 2\n", "2 documents")],
)
def test_what_is_no_plan_at_all(text: str, found: str, plan_file: Write) -> None:
    with pytest.raises(PlanError) as caught:
        load_plan(plan_file(text))
    assert found in caught.value.problems[0].found


def test_no_file_and_no_utf_8(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no readable file"):
        load_plan(tmp_path / "none.yaml")
    (tmp_path / "cp949.yaml").write_bytes("plan: 가명\n".encode("cp949"))
    with pytest.raises(PlanError, match="not UTF-8 at position 6"):
        load_plan(tmp_path / "cp949.yaml")


def test_a_small_organisation_may_let_its_handlers_use_the_result(valid_plan: str, plan_file: Write) -> None:
    """The guideline's exception (L1647): with a reason; it spares nobody who reviews."""
    text = valid_plan.replace("users: [조분석]", "users: [이처리], small_organisation: 상시 근로자 3명")
    assert load_plan(plan_file(text)).people.small_organisation == "상시 근로자 3명"
    with pytest.raises(PlanError, match="a reviewer who is also operator"):
        load_plan(plan_file(text.replace("[최검토,", "[이처리,")))
