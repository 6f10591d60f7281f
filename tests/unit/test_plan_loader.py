"""From a plan file to a frozen plan: what it holds, where its lines are, what it extends, its fingerprint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import ValidationError

from transforms.errors import PlanError, Problem
from transforms.fingerprint import fingerprint
from transforms.plan import Plan
from transforms.plan_loader import load, load_plan, source_tables
from transforms.plan_sections import part
from transforms.yaml_nodes import read_yaml

Write = Callable[[str], Path]
WriteNamed = Callable[[str, str], Path]


def mark(path: Path) -> str:
    loaded = load(path)
    return fingerprint(loaded.plan, loaded.hierarchies)


def test_a_plan_is_frozen_and_typed(valid_plan: str, plan_file: Write) -> None:
    plan = load_plan(plan_file(valid_plan))
    assert plan.columns["age"].apply is not None
    assert [step.name for step in plan.columns["age"].apply] == ["top-coding", "rounding"]
    assert plan.use.until.isoformat() == "2027-12-31"
    assert plan.rows[0].columns() == {"age"}
    with pytest.raises(ValidationError, match="frozen"):
        plan.plan = "other"  # type: ignore[misc]


def test_lines_and_hierarchies_come_with_it(valid_plan: str, plan_file: Write) -> None:
    loaded = load(plan_file(valid_plan))
    written = valid_plan.splitlines()
    assert "top-coding" in written[loaded.lines["columns.age.apply[0]"] - 1]
    assert "k-anonymity" in written[loaded.lines["adequacy.k-anonymity.k"] - 1]
    assert list(loaded.hierarchies) == ["towns.csv"]
    assert loaded.hierarchies["towns.csv"].lookup(pa.array(["은평"]), "sido").to_pylist() == ["서울시"]


def test_hierarchies_are_found_beside_above_and_where_the_caller_says(
    valid_plan: str, plan_file: Write, tmp_path: Path
) -> None:
    path = plan_file(valid_plan)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "towns.csv").rename(elsewhere / "towns.csv")
    with pytest.raises(PlanError, match="no hierarchy file"):
        load(path)
    assert load(path, [elsewhere]).hierarchies
    (tmp_path / "hierarchies").mkdir()
    (elsewhere / "towns.csv").rename(tmp_path / "hierarchies" / "towns.csv")
    assert load(path).hierarchies


def test_what_is_wrong_in_a_hierarchy_file_is_told_with_its_name_and_line(
    valid_plan: str, plan_file: Write, tmp_path: Path
) -> None:
    path = plan_file(valid_plan.replace("{k: 3}", "{k: 1}"))
    (tmp_path / "towns.csv").write_text("town,sido\n가평,경기도\n은평,\n", "utf-8")
    with pytest.raises(PlanError) as caught:
        load(path)
    told = [(problem.file, problem.line, problem.path) for problem in caught.value.problems]
    assert told == [(None, 22, "adequacy.k-anonymity.k"), ("towns.csv", 3, "row")]
    assert "columns.address.apply" in str(caught.value.problems[1].hint)


def test_a_plan_goes_through_json_and_back(valid_plan: str, plan_file: Write) -> None:
    plan = load_plan(plan_file(valid_plan))
    text = json.dumps(plan.canonical(), ensure_ascii=False)
    assert Plan.model_validate(json.loads(text)) == plan


# --- extends: a file for each recipient that holds only what differs ---

OVERLAY = """\
extends: plan.yaml
plan: clinic-visits-internal
use: {form: internal-other-department, recipient: 분석팀}
columns:
  age:
    apply: {rounding: {unit: 5, direction: down}}
  grade: null
  "grade*": {kind: attribute, apply: suppression}
sample: null
"""


def test_an_extending_plan_changes_only_what_it_names(valid_plan: str, plan_file: WriteNamed) -> None:
    base = load_plan(plan_file(valid_plan, "plan.yaml"))
    plan = load_plan(plan_file(OVERLAY, "internal.yaml"))
    assert plan.purpose == base.purpose
    assert (plan.use.recipient, plan.use.until) == ("분석팀", base.use.until)
    assert plan.columns["age"].kind == "quasi-identifier"  # the rule's other keys stay
    assert plan.columns["age"].apply is not None
    assert [step.name for step in plan.columns["age"].apply] == ["rounding"]  # a chain is replaced whole
    assert "grade" not in plan.columns
    assert plan.sample is None


def test_a_step_of_the_base_is_replaced_not_mixed_with(valid_plan: str, plan_file: WriteNamed) -> None:
    plan_file(valid_plan, "plan.yaml")
    overlay = "extends: plan.yaml\nplan: other\ncolumns:\n  grade: {apply: {suppression: {}}}\n"
    plan = load_plan(plan_file(overlay, "other.yaml"))
    assert [step.name for step in plan.columns["grade"].apply or ()] == ["suppression"]


def test_places_in_the_base_are_named_with_its_file(valid_plan: str, plan_file: WriteNamed) -> None:
    plan_file(valid_plan.replace("{k: 3}", "{k: 1}"), "plan.yaml")
    with pytest.raises(PlanError) as caught:
        load(plan_file(OVERLAY.replace("unit: 5", "unit: 0"), "internal.yaml"))
    told = [(problem.file, problem.line, problem.path) for problem in caught.value.problems]
    assert told == [
        (None, 6, "columns.age.apply.rounding.unit"),
        ("plan.yaml", 22, "adequacy.k-anonymity.k"),
    ]


@pytest.mark.parametrize(
    ("base", "found"),
    [("none.yaml", "no file 'none.yaml'"), ("internal.yaml", "a circle of plans"), ("[a, b]", "no file name")],
)
def test_bases_that_are_none(base: str, found: str, valid_plan: str, plan_file: WriteNamed) -> None:
    text = valid_plan.replace("format: 1", f"format: 1\nextends: {base}")
    with pytest.raises(PlanError) as caught:
        load(plan_file(text, "internal.yaml"))
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("extends", 2)
    assert found in problem.found


def test_a_circle_over_two_files_ends(valid_plan: str, plan_file: WriteNamed) -> None:
    plan_file(valid_plan.replace("format: 1", "format: 1\nextends: two.yaml"), "one.yaml")
    with pytest.raises(PlanError, match="a circle of plans"):
        load(plan_file("extends: one.yaml\n", "two.yaml"))


# --- the fingerprint: SHA-256 of what the plan means ---


def test_the_fingerprint_is_of_meaning_not_of_writing(valid_plan: str, plan_file: Write) -> None:
    first = mark(plan_file(valid_plan))
    assert len(first) == 64
    rewritten = valid_plan.replace(
        "{form: third-party, recipient: 보건연구소,", "{recipient: '보건연구소', form: third-party,"
    )
    rewritten = "# a comment\n" + rewritten.replace("{fraction: 0.5}", "{technique: simple, fraction: 0.50}")
    assert mark(plan_file(rewritten)) == first


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{unit: 10,", "{unit: 5,"),
        ("direction: down", "direction: up"),
        ("fraction: 0.5", "fraction: 0.25"),
        ("2: [C]", "'2': [C]"),
        ("보건연구소, place", "다른연구소, place"),
        ("apply: keep", "apply: suppression"),  # techniques with the same parameters differ
    ],
)
def test_every_parameter_is_in_the_fingerprint(old: str, new: str, valid_plan: str, plan_file: Write) -> None:
    assert valid_plan.count(old) >= 1
    changed = valid_plan.replace(old, new)
    if new.startswith("'2'"):
        changed = changed.replace("{1: [A", "{'1': [A")
    assert mark(plan_file(changed)) != mark(plan_file(valid_plan))


def test_the_contents_of_hierarchies_are_in_the_fingerprint(valid_plan: str, plan_file: Write, tmp_path: Path) -> None:
    path = plan_file(valid_plan)
    before = mark(path)
    towns = tmp_path / "towns.csv"
    towns.write_text(towns.read_text("utf-8").replace("가평,경기도", "가평,강원도"), "utf-8")
    assert mark(path) != before


# --- whatever stands in a plan, it is told, and never a traceback ---

JUNK = [None, 0, -1.5, "x", "", [], {}, [1], {"a": {"b": [None]}}, {1: 2}, True, "2026-01-01", 10**30, [[]]]


@pytest.mark.parametrize("turn", [0, 1, 2, 3])
def test_junk_in_any_place_is_a_problem_with_a_line(turn: int, plan_file: Write, valid_plan: str) -> None:
    for text in (valid_plan, SEVERAL):
        root, _ = read_yaml(text, "plan.yaml")
        places = [loc for loc, _ in root.walk() if loc]
        for number, (*above, last) in enumerate(places):
            data = holder = root.plain()
            for one in above:
                holder = holder[one]
            holder[last] = JUNK[(number * 4 + turn) % len(JUNK)]
            told = problems_of(plan_file(json.dumps(data, ensure_ascii=False)))
            assert all(problem.line for problem in told), told


def problems_of(path: Path) -> tuple[Problem, ...]:
    try:
        load(path)
    except PlanError as error:
        return error.problems
    return ()


# --- a plan held against its table ---

NAMES = ["person", "visit", "phone", "age", "address", "paid", "grade", "cost_a_01", "cost_b_01"]


def test_a_wrong_plan_is_held_against_the_tables_names_too(valid_plan: str, plan_file: Write) -> None:
    text = valid_plan.replace("{rounding: {unit: 10,", "{roundng: {unit: 10,")
    names = [name for name in NAMES if name != "phone"] + ["sex"]
    with pytest.raises(PlanError) as caught:
        load(plan_file(text), schemas={"": pa.schema([(name, pa.string()) for name in names])})
    assert [problem.path for problem in caught.value.problems] == [
        "excluded[1]",
        "columns",
        "columns.age.apply[1]",
    ]
    assert [problem.line for problem in caught.value.problems] == [8, 12, 14]


def test_source_tables_of_a_plan_that_is_wrong_elsewhere(valid_plan: str, plan_file: Write) -> None:
    assert source_tables(plan_file(valid_plan.replace("{k: 3}", "{k: 1}"))) == {"": "clinic/visits"}


def test_rules_of_the_caller_are_told_beside_the_plans_own(valid_plan: str, plan_file: Write) -> None:
    def only_internal(sections: object) -> list[Problem]:
        form = part(sections, "use", "form")  # type: ignore[arg-type]
        return [Problem("use.form", form, "internal", refused=True)] if form == "third-party" else []

    with pytest.raises(PlanError) as caught:
        load(plan_file(valid_plan), rules=[only_internal])
    assert (caught.value.problems[0].line, caught.value.refused) == (5, True)


SEVERAL = """\
format: 1
plan: revisit
application: {number: 2024-031}
purpose: {kind: statistics, statement: 시군구별 재방문율, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2024-04-01, until: 2025-03-31}
subjects:
  member: {register: crm/members, key: member_no}
sample: {of: member, fraction: 0.25}
pseudonyms: {member: {technique: keyed-token}}
tables:
  members:
    source: crm/members
    row_key: [member_no]
    subject: {member: member_no}
    excluded: [name]
    columns:
      member_no: {kind: identifier, apply: {pseudonym: member}}
  visits:
    source: shop/visits
    row_key: row-number
    subject: {member: cust_id}
    columns:
      cust_id: {kind: identifier, apply: {pseudonym: member}}
additional_information: {destroy: approved}
output: {table: revisit}
"""


def test_a_plan_of_several_tables(plan_file: Write) -> None:
    path = plan_file(SEVERAL)
    plan = load_plan(path)
    assert plan.tables["visits"].row_key == "row-number"
    assert source_tables(path) == {"members": "crm/members", "visits": "shop/visits"}
    assert Plan.model_validate(json.loads(json.dumps(plan.canonical()))) == plan


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("subject: {member: cust_id}", "subject: {membr: cust_id}", "tables.visits.subject.membr"),
        ("subject: {member: cust_id}", "subject: {member: cust}", "tables.visits.subject.member"),
        ("{of: member,", "{of: visitor,", "sample.of"),
        ("row_key: [member_no]", "row_key: [id]", "tables.members.row_key[0]"),
        ("pseudonyms: {member:", "pseudonyms: {m:", "pseudonyms.m"),
        ("source: shop/visits", "source: ../visits", "tables.visits.source"),
        ("{kind: identifier, apply: {pseudonym: member}}\n  visits", "{kind: identifier, apply: keep}\n  visits",
         "tables.members.columns.member_no.apply"),
    ],
)  # fmt: skip
def test_rules_hold_in_every_table(old: str, new: str, path: str, plan_file: Write) -> None:
    assert SEVERAL.count(old) == 1
    with pytest.raises(PlanError) as caught:
        load(plan_file(SEVERAL.replace(old, new)))
    assert path in [problem.path for problem in caught.value.problems]
