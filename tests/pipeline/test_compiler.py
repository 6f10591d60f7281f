"""What only a plan and a schema together show to be wrong."""

import pyarrow as pa
import pytest

from transforms.errors import PlanError

SCHEMA = pa.schema([("id", pa.int64()), ("person", pa.string()), ("town", pa.string()), ("paid", pa.int64())])


def problems(compiled, text):
    with pytest.raises(PlanError) as caught:
        compiled(text, SCHEMA)
    return {problem.path: f"{problem.found}; {problem.allowed}" for problem in caught.value.problems}


def test_a_sum_of_serial_numbers_is_refused(compiled, plan_head):
    text = """\
source: {table: t, row_key: [id], subject: id}
excluded: [person, town]
columns:
  id: {kind: identifier, apply: serial-number}
  paid: {kind: attribute, apply: keep}
  total: {kind: attribute, derive: {sum: [id, paid]}}
"""
    assert "serial number 'id'" in problems(compiled, plan_head + text)["columns.total.derive"]


def test_k_of_persons_needs_persons_that_can_be_counted(compiled, plan_head):
    text = """\
source: {table: t, row_key: [id], subject: person}
excluded: [id, person]
columns:
  town: {kind: quasi-identifier, apply: keep}
  paid: {kind: attribute, apply: keep}
adequacy: {k-anonymity: {k: 3}}
"""
    assert "delivers no pseudonym" in problems(compiled, plan_head + text)["adequacy.k-anonymity"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("[id, age]", "`columns` without 'paid' itself"),
        ("[paid, town]", "'town' under `columns`: microaggregation on a column of type string"),
        ("[paid, age, paid]", "a name twice"),
    ],
)
def test_groups_are_looked_for_in_numbers_the_column_among_them(compiled, plan_head, names, found):
    text = f"""\
source: {{table: t, row_key: [id], subject: id}}
excluded: [person]
columns:
  id: {{kind: identifier, apply: serial-number}}
  town: {{kind: attribute, apply: keep}}
  age: {{kind: attribute, apply: keep}}
  paid: {{kind: attribute, apply: {{microaggregation: {{columns: {names}}}}}}}
"""
    schema = SCHEMA.append(pa.field("age", pa.int32()))
    with pytest.raises(PlanError) as caught:
        compiled(plan_head + text, schema)
    (problem,) = caught.value.problems
    assert (problem.path, found in problem.found) == ("columns.paid.apply", True)


def test_every_problem_at_once_with_its_line(compiled, plan_head):
    text = """\
source: {table: t, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  person: {kind: identifier, apply: keyed-token}
  town: {kind: attribute, apply: {rounding: {unit: 10, direction: down}}}
  paid: {kind: attribute, apply: {top-coding: {at: 5, when: {town: {above: 1}}}}}
outliers:
  - {find: {frequency: {columns: [town, id], below: 3}}, treat: {local-suppression: {columns: [town]}}}
"""
    found = problems(compiled, plan_head + text)
    assert set(found) == {"columns.town.apply", "columns.paid.apply", "outliers[0]"}
    with pytest.raises(PlanError) as caught:
        compiled(plan_head + text, SCHEMA)
    assert all(problem.line is not None for problem in caught.value.problems)
