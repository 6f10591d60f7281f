"""Every column of a table gets exactly one rule: what is left over, missing or met twice is told."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import PlanError, Problem
from transforms.expansion import expand_columns, operands
from transforms.plan import ColumnRule

CELLS = [f"amount_{category}_{month}" for month in ("201901", "202112") for category in ("travel", "baby")]
KEEP = ColumnRule.model_validate({"kind": "attribute", "apply": "keep"})


def derived(**derive: Any) -> ColumnRule:
    return ColumnRule.model_validate({"kind": "attribute", "derive": derive})


def schema(*names: str) -> pa.Schema:
    return pa.schema([(name, pa.int64()) for name in names])


def problems(rules: dict[str, ColumnRule], excluded: list[str], names: list[str]) -> list[Problem]:
    with pytest.raises(PlanError) as caught:
        expand_columns(rules, excluded, schema(*names), "retail/customers", {"columns.age": 7})
    return list(caught.value.problems)


def test_columns_come_in_the_tables_order_and_new_ones_behind() -> None:
    rules = {
        "total_{month}": derived(sum="amount_*_{month}"),
        "best_{month}": derived(**{"largest": "amount_{category}_{month}", "as": "category"}),
        "amount_{category}_{month}": KEEP,
    }
    names = ["id", "total_201901", *CELLS, "total_202112"]
    bound = expand_columns(rules, ["id"], schema(*names), "t")
    assert [column.name for column in bound] == [*names[1:], "best_201901", "best_202112"]
    assert [column.in_source for column in bound] == [True] * 6 + [False] * 2
    assert bound[1].captures == {"category": "travel", "month": "201901"}
    assert bound[-1].path == "columns.best_{month}"


def test_operands_come_in_source_order_with_all_captures() -> None:
    rule = derived(**{"largest": "amount_{category}_{month}", "as": "category"})
    assert rule.derive is not None
    read = operands(rule.derive, {"month": "202112"}, CELLS)
    assert [(one.column, one.captures["category"]) for one in read] == [
        ("amount_travel_202112", "travel"),
        ("amount_baby_202112", "baby"),
    ]


def test_a_column_without_a_rule() -> None:
    (problem,) = problems({"age": KEEP}, [], ["age", "sex"])
    assert problem.path == "columns"
    assert "'sex' of table retail/customers has no rule" in problem.found


def test_a_rule_without_a_column_names_the_nearest() -> None:
    first, second = problems({"age": KEEP}, [], ["ages"])
    assert (second.path, second.line, second.hint) == ("columns.age", 7, "did you mean 'ages'?")
    assert first.hint == "did you mean 'age'?"


def test_two_rules_for_a_column_and_a_rule_for_an_excluded_one() -> None:
    (double,) = problems({"amount_{c}_{m}": KEEP, "amount_travel_*": KEEP}, [], CELLS[:1])
    assert double.path == "columns.amount_travel_*"
    assert "columns.amount_{c}_{m}" in double.found
    (excluded,) = problems({"age": KEEP}, ["a*"], ["age"])
    assert "excluded[0]" in excluded.found


def test_an_exclusion_that_meets_nothing() -> None:
    (problem,) = problems({"age": KEEP}, ["phone"], ["age"])
    assert problem.path == "excluded[0]"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("amunt_*", "whose operands meet no"),
        ("sum_a", "'sum_a', which is derived itself"),
        ("id", "meet no delivered column"),  # excluded columns are not delivered
    ],
)
def test_derivations_read_delivered_cells_alone(pattern: str, found: str) -> None:
    rules = {"amount_*": KEEP, "sum_a": derived(sum="amount_*"), "sum_b": derived(sum=pattern)}
    (problem,) = problems(rules, ["id"], ["id", *CELLS, "sum_b"])
    assert problem.path == "columns.sum_b.derive"
    assert found in problem.found


def test_tables_of_a_plan_are_named_in_the_path() -> None:
    with pytest.raises(PlanError) as caught:
        expand_columns({"age": KEEP}, [], schema("sex", "age"), "crm/members", prefix="tables.members.")
    assert caught.value.problems[0].path == "tables.members.columns"
