"""Steps that need all rows of a class together: the same rows however the data lies, each cell in its own row."""

import random
from collections import Counter, defaultdict

import pyarrow as pa
import pytest

COLUMNS = """\
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  name: {kind: attribute, apply: keep}
  age: {kind: quasi-identifier, apply: keep}
  region: {kind: quasi-identifier, apply: keep}
  amount_food: {kind: attribute, apply: {permutation: {by: [region], small: keep}}}
  amount_rent: {kind: attribute, apply: [{rounding: {unit: 1000, direction: down}}, permutation]}
"""


@pytest.fixture
def moved(case, plan_head, persons):
    """A case whose two amounts change places: one within regions, one over all rows."""
    return case(plan_head + COLUMNS, persons(1500))


def by_class(rows, column):
    found = defaultdict(Counter)
    for row in rows.to_pylist():
        found[row["region"]][row[column]] += 1
    return found


def test_cells_change_places_within_their_class_and_other_cells_stay(moved):
    _, rows, tally = moved.run(units=3, buckets=2)
    assert by_class(rows, "amount_food") == by_class(moved.source, "amount_food")
    sent = Counter(value // 1000 * 1000 for value in moved.source["amount_rent"].to_pylist())
    assert Counter(rows["amount_rent"].to_pylist()) == sent
    before = {row["name"]: row for row in moved.source.to_pylist()}
    moved_cells = 0
    for row in rows.to_pylist():
        assert (row["age"], row["region"]) == (before[row["name"]]["age"], before[row["name"]]["region"])
        moved_cells += row["amount_food"] != before[row["name"]]["amount_food"]
    assert moved_cells > 1000
    nulls = moved.source["amount_food"].null_count
    changed, same, null = tally[("amount_food", 0)]
    assert (changed + same, null) == (1500 - nulls, nulls)
    assert sum(tally[("amount_rent", 0)]) == sum(tally[("amount_rent", 1)]) == 1500


@pytest.mark.parametrize(("units", "buckets"), [(7, 7), (200, 200)])
def test_same_rows_under_any_partitioning_and_input_order(moved, units, buckets):
    _, expected, counts = moved.run()
    turn = list(range(moved.source.num_rows))
    random.Random(3).shuffle(turn)
    _, rows, other = moved.run(source=moved.source.take(pa.array(turn)), units=units, buckets=buckets, cores=5)
    assert rows.equals(expected)
    assert other == counts
