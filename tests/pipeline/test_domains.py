"""A pseudonym domain: whatever type a column keeps a person's id in, the pseudonym is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import PlanError
from transforms.pipeline.engine import PassFailed

SEVERAL = """\
subjects: {person: {register: people, key: no}}
pseudonyms: {person: {technique: keyed-token}}
tables:
  people:
    source: people
    row_key: [no]
    subject: {person: no}
    columns:
      "no": {kind: identifier, apply: {pseudonym: person}}
  visits:
    source: visits
    row_key: row-number
    subject: {person: who}
    columns:
      who: {kind: identifier, apply: {pseudonym: person}}
      doctor.id: {kind: identifier, apply: {pseudonym: person}}
"""
NUMBERS = [7, 12, 2**53 - 1]
COLUMNS = {
    "text": pa.array([str(number) for number in NUMBERS]),
    "int16": pa.array([7, 12, 300], pa.int16()),
    "int64": pa.array(NUMBERS, pa.int64()),
    "float": pa.array(NUMBERS, pa.float64()),
    "decimal": pa.array(NUMBERS, pa.decimal128(18, 0)),
}


@pytest.fixture
def several(compiled: Callable[[str, Any], Any], plan_head: str) -> Callable[..., Any]:
    """The plan above on ids of some types."""

    def make(register: pa.Array, who: pa.Array, doctor: pa.Array) -> tuple[Any, pa.Table, pa.Table]:
        people = pa.table({"no": register})
        visits = pa.table({"who": who, "doctor.id": doctor})
        return compiled(plan_head + SEVERAL, {"people": people.schema, "visits": visits.schema}), people, visits

    return make


@pytest.mark.parametrize("register", ["text", "int64", "decimal"])
@pytest.mark.parametrize("other", ["text", "int64", "float", "decimal"])
def test_one_pseudonym_whatever_the_type(several: Callable[..., Any], keys: Any, register: str, other: str) -> None:
    ids = COLUMNS[other]
    doctors = pa.concat_arrays([ids.slice(1), pa.nulls(1, ids.type)])
    pipeline, people, visits = several(COLUMNS[register], ids, doctors)
    of_people = pipeline.apply_table(people, keys, "people").column("no").to_pylist()
    made = pipeline.apply_table(visits, keys, "visits").to_pylist()
    assert len(set(of_people)) == 3
    assert {row["who"] for row in made} == set(of_people)
    # The doctor of the first visit is the second visit's patient, and so on; the last one has none.
    chain = {row["who"]: row["doctor.id"] for row in made}
    (first,) = set(of_people) - set(chain.values())
    assert chain[chain[chain[first]]] is None


def test_narrow_integers_are_the_registers_too(several: Callable[..., Any], keys: Any) -> None:
    pipeline, people, visits = several(COLUMNS["int64"], COLUMNS["int16"], COLUMNS["int16"])
    of_people = set(pipeline.apply_table(people, keys, "people").column("no").to_pylist())
    made = set(pipeline.apply_table(visits, keys, "visits").column("who").to_pylist())
    assert len(of_people & made) == 2  # 300 is nobody's number there


@pytest.mark.parametrize("wrong", [7.5, float("nan"), float("inf"), 2.0**60])
@pytest.mark.parametrize("register", ["text", "int64"])
def test_floats_that_name_nobody_are_refused_and_counted(
    several: Callable[..., Any], keys: Any, wrong: float, register: str
) -> None:
    pipeline, _, visits = several(COLUMNS[register], COLUMNS["int64"], pa.array([7.0, wrong, None]))
    with pytest.raises(PassFailed) as caught:
        pipeline.apply_table(visits, keys, "visits")
    assert "no whole numbers (1 cells)" in str(caught.value)
    assert "doctor.id" in str(caught.value)
    assert "7.5" not in str(caught.value)


def test_types_that_never_fit_are_a_problem_of_the_plan(several: Callable[..., Any]) -> None:
    days = pa.array([1, 2, 3], pa.date32())
    with pytest.raises(PlanError) as caught:
        several(COLUMNS["int64"], days, days)
    assert {problem.path for problem in caught.value.problems} == {
        "tables.visits.subject",
        "tables.visits.columns.who.apply",
        "tables.visits.columns['doctor.id'].apply",
    }
    assert "date32" in str(caught.value)
    assert "register's type int64" in str(caught.value)
