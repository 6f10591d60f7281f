"""Aggregates of differential privacy before the noise: exact numbers, each person's part bounded; and after it."""

from __future__ import annotations

import random
from collections import defaultdict
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import PlanError
from transforms.pipeline.aggregate import bounded, exact, scaled
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit

PERSONS = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: people}
source: {table: people, row_key: [id], subject: id}
excluded: [name]
rows:
  - record-suppression: {where: {age: {below: 20}}}
columns:
  id: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
  region: {kind: quasi-identifier, apply: keep}
  "amount_{kind}": {kind: attribute, apply: {rounding: {unit: 100, direction: half-down}}}
further:
  by_region:
    differential-privacy:
      by: {region: [region 0, region 1, nowhere], age: [20, 30]}
      queries:
        persons: {count: persons, epsilon: 0.5}
        food: {sum: amount_food, bounds: [0, 50000], epsilon: 1}
        mean: {mean: amount_food, bounds: [1000, 50000], epsilon: 1}
        rents: {histogram: amount_rent, edges: [100000, 200000], epsilon: 0.5}
      budget: 3
"""


def numbers(case: Any, text: str, source: pa.Table | None = None, units: int = 1, stopped: Any = None) -> Any:
    one = case(text, source)
    (aggregate,) = one.pipeline.aggregates.values()
    size = -(-one.source.num_rows // units)
    pieces = [one.source.slice(first, size) for first in range(0, one.source.num_rows, size)]
    engine = LocalEngine([TableUnit(n, piece, one.source.schema, n * size) for n, piece in enumerate(pieces)])
    return aggregate, exact(aggregate, one.keys, engine, stopped)


def clip(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)


def test_exact_numbers_are_those_of_plain_python(case: Any) -> None:
    """Final cells (rounded, top-coded), row rules applied, nulls left out, groups in the plan's order."""
    source = case().source
    aggregate, found = numbers(case, PERSONS, units=3)
    groups = [(region, age) for region in ("region 0", "region 1", "nowhere") for age in (20, 30)]
    members: dict[Any, list[Any]] = defaultdict(list)
    for row in source.to_pylist():
        if row["age"] >= 20:
            food = row["amount_food"]
            # Half-down: 50 goes down.
            cells = [None if v is None else -(-(v - 50) // 100) * 100 for v in (food, row["amount_rent"])]
            members[row["region"], min(row["age"], 80) // 10 * 10].append(cells)
    food = {group: [cells[0] for cells in members[group] if cells[0] is not None] for group in groups}
    assert found["persons"] == [len(members[group]) for group in groups]
    assert found["food"] == [sum(clip(v, 0, 50000) for v in food[group]) for group in groups]
    assert found["mean"] == [sum(2 * clip(v, 1000, 50000) - 51000 for v in food[group]) for group in groups]
    assert found["mean rows"] == [len(food[group]) for group in groups]
    bins = [[0, 0, 0] for _ in groups]
    for place, group in enumerate(groups):
        for _, rent in members[group]:
            bins[place][0 if rent < 100_000 else 1 if rent < 200_000 else 2] += 1
    assert found["rents"] == [count for one in bins for count in one]
    assert found["persons"][4:] == [0, 0]
    assert sum(found["persons"]) > 50
    table = aggregate.finished(found)
    assert table.column_names == ["region", "age", "persons", "food", "mean", "rents_1", "rents_2", "rents_3"]
    assert list(zip(table["region"].to_pylist(), table["age"].to_pylist(), strict=True)) == groups
    expected = [sum(clip(v, 1000, 50000) for v in food[g]) / len(food[g]) for g in groups[:4]]
    assert table["mean"].to_pylist()[:4] == pytest.approx(expected)
    assert table["mean"].to_pylist()[4:] == [25500.0, 25500.0]


def test_units_order_and_outlier_rules_change_nothing(case: Any) -> None:
    _, expected = numbers(case, PERSONS)
    source = case().source
    places = list(range(source.num_rows))
    random.Random(3).shuffle(places)
    rule = "{find: {frequency: {columns: [region], below: 900}}, treat: {local-suppression: {columns: [region]}}}"
    text = PERSONS + f"outliers: [{rule}]\n"
    _, found = numbers(case, text, source.take(pa.array(places)), units=5)
    assert found == expected


def test_who_asked_to_stop_is_not_counted(case: Any) -> None:
    source = case().source
    _, found = numbers(case, PERSONS, stopped=source["id"].slice(0, 2000).combine_chunks())
    _, expected = numbers(case, PERSONS, source.slice(2000))
    assert found == expected


VISITS = (
    PERSONS.replace("row_key: [id], subject: id", "row_key: [visit], subject: person")
    .replace("excluded: [name]\nrows:\n  - record-suppression: {where: {age: {below: 20}}}\n", "excluded: [visit]\n")
    .split("columns:")[0]
    + """\
columns:
  person: {kind: identifier, apply: keyed-token}
  shop: {kind: quasi-identifier, apply: keep}
  paid: {kind: attribute, apply: keep}
further:
  by_shop:
    differential-privacy:
      by: {shop: [a, b, c, null]}
      max_groups: 2
      max_rows: 3
      queries:
        persons: {count: persons, epsilon: 0.5}
        visits: {count: rows, epsilon: 0.5}
        paid: {sum: paid, bounds: [-1, 20.5], epsilon: 1}
      budget: 3
"""
)


def visits(count: int, seed: int = 1) -> pa.Table:
    draw = random.Random(seed)
    rows = {
        "visit": list(range(count)),
        "person": [f"P{draw.randint(0, count // 10)}" for _ in range(count)],
        "shop": [draw.choice(["a", "b", "c", "elsewhere", None]) for _ in range(count)],
        "paid": [None if draw.random() < 0.1 else Decimal(draw.randint(-500, 4000)) / 100 for _ in range(count)],
    }
    types = [("visit", pa.int64()), ("person", pa.string()), ("shop", pa.string()), ("paid", pa.decimal128(12, 2))]
    return pa.table(rows, schema=pa.schema(types))


def test_one_person_changes_no_number_by_more_than_its_sensitivity(case: Any) -> None:
    """The promise itself: with a person's rows or without them, each vector differs by its L1 sensitivity at most."""
    source = visits(600)
    aggregate, whole = numbers(case, VISITS, source, units=2)
    assert {one.name: one.sensitivity for one in aggregate.measures} == {
        "persons": 2, "visits": 6, "paid": 6 * 2050,
    }  # fmt: skip
    reached: dict[str, int] = defaultdict(int)
    for person in sorted(set(source["person"].to_pylist()))[:20]:
        without = source.filter(pa.array([one != person for one in source["person"].to_pylist()]))
        _, less = numbers(case, VISITS, without)
        for measure in aggregate.measures:
            change = sum(abs(a - b) for a, b in zip(whole[measure.name], less[measure.name], strict=True))
            assert change <= measure.sensitivity
            reached[measure.name] = max(reached[measure.name], change)
    assert (reached["persons"], reached["visits"]) == (2, 6)


def test_persons_with_many_rows_are_bounded_whatever_the_units(case: Any) -> None:
    source = visits(900)
    _, expected = numbers(case, VISITS, source)
    _, found = numbers(case, VISITS, source.take(pa.array(list(reversed(range(900))))), units=7)
    assert found == expected
    by_person: dict[str, set[Any]] = defaultdict(set)
    for row in source.to_pylist():
        if row["shop"] != "elsewhere":
            by_person[row["person"]].add(row["shop"])
    assert sum(found["persons"]) == sum(min(2, len(shops)) for shops in by_person.values())


@given(
    rows=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60),
    most_groups=st.integers(1, 3),
    most_rows=st.integers(1, 3),
)
def test_bounding_is_that_of_a_plain_loop(rows: list[tuple[int, int]], most_groups: int, most_rows: int) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    stay, firsts = [], []
    for place, (person, group) in enumerate(rows):
        earlier = [g for p, g in rows[:place] if p == person]
        seen = list(dict.fromkeys(earlier))
        if group in seen[:most_groups] or (group not in seen and len(seen) < most_groups):
            if earlier.count(group) < most_rows:
                stay.append(place)
            if group not in seen:
                firsts.append(place)
    persons = np.array([[0, person] for person, _ in rows], np.uint64).reshape(-1, 2)
    groups = np.array([group for _, group in rows], np.int64)
    found = bounded(persons, groups, most_groups, most_rows)
    assert [one.tolist() for one in found] == [stay, firsts]


@given(st.lists(st.one_of(st.none(), st.decimals(-(10**25), 10**25, places=2)), max_size=20))
def test_decimals_become_whole_numbers_without_rounding(values: list[Decimal | None]) -> None:
    cells = pa.array([None, *values], pa.decimal128(38, 2)).slice(1)
    found, valid = scaled(cells)
    low, high = -(2**63), 2**63 - 1
    expected = [0 if one is None else clip(int(one.scaleb(2)), low, high) for one in values]
    assert found.tolist() == expected
    assert valid.tolist() == [one is not None for one in values]


REFUSED = [
    ("bounds: [0, 50000], ", "", True, "queries.food", "an unbounded sum"),
    ("bounds: [1000, 50000], ", "", True, "queries.mean", "an unbounded mean"),
    ("budget: 3", "budget: 2", True, "budget", "queries that spend 3.0 of a budget of 2"),
    ("[0, 50000]", "[5, 5]", False, "queries.food.bounds", "bounds ['5', '5']"),
    ("[100000, 200000]", "[2, 1]", False, "queries.rents.edges", "edges that do not rise"),
    ("epsilon: 0.5}\n        food", "epsilon: 0}\n        food", False, "queries.persons.epsilon", "0"),
    ("count: persons", "count: persons, sum: age", False, "queries.persons", "`count` and `sum`"),
    ("[20, 30]", "[20, 20]", False, "by.age", "a group twice"),
    ("[20, 30]", "[20, old]", False, "by.age", "values that are no int32"),
    ("sum: amount_food", "sum: region", False, "queries.food.sum", "column of type string"),
    ("sum: amount_food", "sum: id", False, "queries.food.sum", "'id'"),
    ("by: {region", "by: {country", False, "by.country", "'country'"),
    ("        rents:", "        region:", False, "queries.region", "query name 'region'"),
    ("excluded: [name]", "excluded: [name]\nsample: {fraction: 0.5}", True, "", "beside a sample"),
    (", subject: id", "", True, "", "no subject"),
]


@pytest.mark.parametrize(("old", "new", "refused", "path", "found"), REFUSED)
def test_what_would_not_be_private_is_refused(
    case: Any, old: str, new: str, refused: bool, path: str, found: str
) -> None:
    assert PERSONS.count(old) >= 1
    with pytest.raises(PlanError) as error:
        case(PERSONS.replace(old, new, 1))
    problem = next(one for one in error.value.problems if found in one.found)
    place = "further.by_region.differential-privacy"
    assert problem.path == (f"{place}.{path}" if path else place)
    assert problem.refused == refused
    assert problem.line


def test_a_measured_cut_off_is_not_private(case: Any) -> None:
    steps = "[{top-coding: {quantile: 0.9}}, {rounding: {unit: 100, direction: half-down}}]"
    text = PERSONS.replace("{rounding: {unit: 100, direction: half-down}}", steps)
    with pytest.raises(PlanError, match="step top-coding is measured on all rows: it is not private") as error:
        case(text)
    assert error.value.refused


def test_a_step_on_whole_classes_is_not_private(case: Any) -> None:
    steps = "[{rounding: {unit: 100, direction: half-down}}, {permutation: {by: [region], small: keep}}]"
    text = PERSONS.replace("{rounding: {unit: 100, direction: half-down}}", steps)
    with pytest.raises(PlanError, match="step permutation is measured on all rows"):
        case(text)


def test_withheld_records_leave_the_aggregate(case: Any) -> None:
    text = PERSONS.replace("{table: people}\n", "{table: people, records: withheld}\n", 1)
    pipeline = case(text).pipeline
    assert (list(pipeline.tables), list(pipeline.aggregates)) == ([], ["by_region"])
    with pytest.raises(PlanError, match="withheld, and nothing else to deliver"):
        case(text[: text.index("further:")])


def test_explain_tells_of_aggregates(case: Any) -> None:
    said = case(PERSONS).pipeline.explain()
    assert "people → by_region: differential privacy: discrete Laplace noise on 4 aggregates of 6 groups" in said
    assert "ε = 3.0" in said


def test_an_aggregate_has_a_name_of_its_own(case: Any) -> None:
    with pytest.raises(PlanError, match="a name that no other table has"):
        case(PERSONS.replace("  by_region:", "  people:"))
