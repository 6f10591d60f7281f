"""Persons with many rows: sampled together, one pseudonym, one serial number."""

import random
from collections import defaultdict
from itertools import pairwise

import pyarrow as pa
import pytest

VISITS = """\
source: {table: visits, row_key: [visit], subject: person}
excluded: [visit]
sample: {fraction: 0.3}
rows:
  - record-suppression: {where: {paid: {below: 10}}}
columns:
  person: {kind: identifier, apply: PSEUDONYM}
  town: {kind: quasi-identifier, apply: keep}
  paid: {kind: attribute, apply: {rounding: {unit: 10, direction: down}}}
"""


def visits(persons=500, seed=5):
    draw = random.Random(seed)
    rows = [
        {"visit": number, "person": draw.randint(1, persons), "town": draw.choice("abcd"), "paid": draw.randint(0, 900)}
        for number in range(persons * 6)
    ]
    schema = pa.schema([("visit", pa.int64()), ("person", pa.int32()), ("town", pa.string()), ("paid", pa.int64())])
    return pa.Table.from_pylist(rows, schema=schema)


@pytest.fixture
def make(case, plan_head):
    return lambda pseudonym: case(plan_head + VISITS.replace("PSEUDONYM", pseudonym), visits())


@pytest.mark.parametrize("pseudonym", ["serial-number", "keyed-token"])
def test_all_rows_of_a_drawn_person_or_none(make, pseudonym):
    one = make(pseudonym)
    prepared, rows, _ = one.run(units=7, buckets=5)
    persons = set(one.source["person"].to_pylist())
    assert prepared.subjects == len(persons)
    assert prepared.drawn == int(len(persons) * 0.3)
    by_person = defaultdict(list)
    for row in one.source.to_pylist():
        if row["paid"] >= 10:
            by_person[row["person"]].append((row["town"], row["paid"] // 10 * 10))
    by_pseudonym = defaultdict(list)
    for row in rows.to_pylist():
        by_pseudonym[row["person"]].append((row["town"], row["paid"]))
    originals = sorted(sorted(found) for found in by_person.values())
    for found in by_pseudonym.values():
        assert sorted(found) in originals
    assert len(by_pseudonym) <= prepared.drawn


@pytest.mark.parametrize(("units", "buckets"), [(1, 1), (7, 200), (50, 3)])
def test_serials_are_dense_over_persons_under_any_partitioning(make, units, buckets):
    _, expected, _ = make("serial-number").run()
    _, rows, _ = make("serial-number").run(units=units, buckets=buckets)
    assert rows.equals(expected)
    found = rows["person"].to_pylist()
    assert found == sorted(found)
    assert sorted(set(found)) == list(range(1, len(set(found)) + 1))


def test_without_a_delivered_pseudonym_rows_of_a_person_do_not_stand_together(case, plan_head):
    """Neighbours would re-link what the plan took apart."""
    text = VISITS.replace("  person: {kind: identifier, apply: PSEUDONYM}\n", "")
    text = text.replace("excluded: [visit]", "excluded: [visit, person]")
    one = case(plan_head + text, visits())
    prepared, rows, _ = one.run(units=3)
    assert not prepared.work.table.by_subject
    assert rows.column_names == ["town", "paid"]
    linked = make_neighbours(one, rows)
    assert linked < 0.05


def make_neighbours(one, rows):
    """Share of neighbouring rows that could be the same person's, by amounts that occur once."""
    persons = defaultdict(set)
    for row in one.source.to_pylist():
        persons[(row["town"], row["paid"] // 10 * 10)].add(row["person"])
    owners = [persons[(row["town"], row["paid"])] for row in rows.to_pylist()]
    pairs = [(a, b) for a, b in pairwise(owners) if len(a) == len(b) == 1]
    return sum(a == b for a, b in pairs) / max(1, len(pairs))


def test_outlier_classes_count_persons_not_rows(case, plan_head):
    """A class of one person with ten visits is rare."""
    rows = [{"visit": n, "person": 1, "town": "x", "paid": 50} for n in range(10)]
    rows += [{"visit": 10 + n, "person": 2 + n, "town": "y", "paid": 50} for n in range(10)]
    source = pa.Table.from_pylist(rows, schema=visits(5).schema)
    text = VISITS.replace("sample: {fraction: 0.3}\n", "").replace("PSEUDONYM", "keyed-token") + (
        "outliers:\n"
        "  - {find: {frequency: {columns: [town], below: 3}}, treat: {local-suppression: {columns: [town]}}}\n"
        "outlier_limits: {cells: 1.0, rows: 1.0}\n"
    )
    _, found, _ = case(plan_head + text, source).run(units=4)
    assert found["town"].to_pylist().count("x") == 0
    counted = text.replace("below: 3", "below: 3, count: row")
    _, found, _ = case(plan_head + counted, source).run(units=4)
    assert found["town"].to_pylist().count("x") == 10
