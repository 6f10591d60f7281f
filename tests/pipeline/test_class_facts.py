"""Figures of classes: exact whatever the partitioning, as plain Python finds them."""

import random
import statistics
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pyarrow as pa
import pytest

from transforms.pipeline.engine import PassFailed

COLUMNS = """\
source: {{table: people, row_key: [id], subject: id}}
excluded: [name]
columns:
  id: {{kind: identifier, apply: serial-number}}
  age: {{kind: quasi-identifier, apply: [{{rounding: {{unit: 10, direction: down}}}}]}}
  region: {{kind: quasi-identifier, apply: keep}}
  amount_food: {{kind: attribute, apply: {{aggregation: {{statistic: {0}, by: [region, age], small: keep, least: 1}}}}}}
  amount_rent: {{kind: attribute, apply: [{{rounding: {{unit: 100, direction: down}}}}, {{aggregation: {0}}}]}}
"""


def half_away(value):
    return int(Decimal(value.numerator * 10**6 // value.denominator).scaleb(-6).quantize(Decimal(1), ROUND_HALF_UP))


FIGURES = {
    "mean": lambda values: half_away(Fraction(sum(values), len(values))),
    "max": max,
    "min": min,
    "mode": lambda values: min(statistics.multimode(values)),
    "median": lambda values: half_away(Fraction(statistics.median_low(values) + statistics.median_high(values), 2)),
}


def expected(rows, statistic):
    """The delivered amounts by person, from the definition."""
    groups = defaultdict(list)
    for row in rows:
        if row["amount_food"] is not None:
            groups[(row["region"], row["age"])].append(row["amount_food"])
    rent = FIGURES[statistic]([row["amount_rent"] // 100 * 100 for row in rows])
    return sorted(
        (
            row["region"],
            row["age"] // 10 * 10,
            -1 if row["amount_food"] is None else FIGURES[statistic](groups[(row["region"], row["age"])]),
            rent,
        )
        for row in rows
    )


@pytest.mark.parametrize("statistic", FIGURES)
def test_every_cell_becomes_its_class_figure(case, plan_head, persons, statistic):
    source = persons(1200)
    if statistic == "mode":
        place = source.column_names.index("amount_food")
        source = source.set_column(place, "amount_food", pa.array([n % 7 for n in range(1200)]))
    one = case(plan_head + COLUMNS.format(statistic), source)
    prepared, rows, _ = one.run(units=1)
    found = sorted(
        (row["region"], row["age"], -1 if row["amount_food"] is None else row["amount_food"], row["amount_rent"])
        for row in rows.to_pylist()
    )
    assert found == expected(one.source.to_pylist(), statistic)
    assert [text for text in prepared.passes if "class facts" in text] == ["class facts, pass 1"]
    turn = list(range(1200))
    random.Random(3).shuffle(turn)
    shuffled = one.source.take(pa.array(turn))
    for changes in ({"units": 5, "buckets": 4}, {"units": 20, "buckets": 3, "source": shuffled}):
        assert one.run(**changes)[1].equals(rows)


def test_a_small_class_is_an_error_that_tells_no_value(case, plan_head, persons):
    text = plan_head + COLUMNS.format("mean").replace(", small: keep, least: 1", "")
    with pytest.raises(PassFailed, match=r"columns.amount_food.apply.*fewer than 3 rows") as failed:
        case(text, persons(1200)).run(units=3)
    assert failed.value.failures[0].site.column == "amount_food"


def test_more_classes_than_fit_are_refused(case, plan_head, persons, monkeypatch):
    monkeypatch.setattr("transforms.pipeline.class_measure.MOST_CLASSES", 20)
    with pytest.raises(PassFailed, match="more classes than 20"):
        case(plan_head + COLUMNS.format("mean"), persons(1200)).run()


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ("{permutation: {by: [weight]}}", "class column 'weight' of type double"),
        ("[permutation, {rounding: {unit: 10, direction: up}}]", "permutation before another step"),
        ("{permutation: {by: [amount]}}", "the column 'amount' itself under `by`"),
    ],
)
def test_what_classes_can_not_be_is_a_problem_of_the_plan(compiled, plan_head, columns, problem):
    from transforms.errors import PlanError

    schema = pa.schema([("id", pa.string()), ("amount", pa.int64()), ("weight", pa.float64())])
    text = f"""\
source: {{table: people, row_key: [id], subject: id}}
excluded: [weight]
columns:
  id: {{kind: identifier, apply: serial-number}}
  amount: {{kind: attribute, apply: {columns}}}
"""
    with pytest.raises(PlanError, match=problem):
        compiled(plan_head + text, schema)


def test_neither_derived_columns_nor_outlier_rules_see_cells_made_of_classes(compiled, plan_head):
    from transforms.errors import PlanError

    schema = pa.schema([("id", pa.string()), ("amount", pa.int64()), ("age", pa.int64())])
    text = """\
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  amount: {kind: attribute, apply: permutation}
  age: {kind: quasi-identifier, apply: keep}
  total: {kind: attribute, derive: {sum: "amount"}}
outliers:
  - {find: {frequency: {columns: [age, amount], below: 3}}, treat: {local-suppression: {columns: [age]}}}
"""
    with pytest.raises(PlanError) as error:
        compiled(plan_head + text, schema)
    assert sorted(problem.path for problem in error.value.problems) == ["columns.total.derive", "outliers[0]"]


def test_identifiers_that_only_change_places_are_refused_by_rule(compiled, plan_head):
    from transforms.errors import PlanError

    text = """\
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  name: {kind: identifier, apply: permutation}
"""
    with pytest.raises(PlanError, match="an identifier that is kept") as error:
        compiled(plan_head + text, pa.schema([("id", pa.string()), ("name", pa.string())]))
    assert error.value.refused


def test_explain_tells_of_class_facts_and_the_class_pass(compiled, plan_head):
    schema = pa.schema([("id", pa.string()), ("a", pa.int64()), ("b", pa.int64()), ("area", pa.string())])
    text = """\
source: {table: people, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  area: {kind: quasi-identifier, apply: keep}
  a: {kind: attribute, apply: {microaggregation: {k: 3, by: [area]}}}
  b: {kind: attribute, apply: {controlled-rounding: {unit: 10}}}
"""
    said = compiled(plan_head + text, schema).explain()
    assert "class facts of b:" in said
    assert "class pass of a, with the transform: reads them and id; a shuffle of rows by area" in said


@pytest.mark.parametrize(
    ("statistic", "cells"),
    [("mean", [1e308] * 4), ("mean", [1.0, float("inf"), 2.0, 3.0]), ("median", [float("-inf"), float("inf")] * 2)],
)
def test_a_mean_or_median_that_is_no_finite_number_is_refused(case, plan_head, statistic, cells):
    text = f"""\
source: {{table: people, row_key: [id], subject: id}}
columns:
  id: {{kind: identifier, apply: serial-number}}
  paid: {{kind: attribute, apply: {{aggregation: {statistic}}}}}
"""
    source = pa.table({"id": ["a", "b", "c", "d"], "paid": cells})
    with pytest.raises(PassFailed, match=f"whose {statistic} is no finite number"):
        case(plan_head + text, source).run()
