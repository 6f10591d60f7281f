"""Conditions: typed trees over Arrow columns with SQL's three-valued logic."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.predicate import Predicate
from transforms.technique import Model

AGES = pa.array([19, 20, None, 64, 65], pa.int32())


def truth(raw: object, **columns: pa.Array) -> list[bool | None]:
    """What a condition, written as in a plan, says of each row."""
    return Predicate.parse(raw).evaluate(columns).to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ({"equals": 20}, [False, True, None, False, False]),
        ({"not_equals": 20}, [True, False, None, True, True]),
        ({"below": 20}, [True, False, None, False, False]),
        ({"at_most": 20}, [True, True, None, False, False]),
        ({"above": 64}, [False, False, None, False, True]),
        ({"at_least": 64}, [False, False, None, True, True]),
        ({"between": [20, 64]}, [False, True, None, True, False]),
        ({"in": [19, 65]}, [True, False, None, False, True]),
        ({"not_in": [19, 65]}, [False, True, None, True, False]),
        ({"is": None}, [False, False, True, False, False]),
        ({"at_least": 20, "below": 65}, [False, True, None, True, False]),
    ],
)
def test_comparisons_and_null(comparison: dict[str, Any], expected: list[bool | None]) -> None:
    assert truth({"age": comparison}, age=AGES) == expected


def test_text_begins_with() -> None:
    towns = pa.array(["서울시 은평구", "경기도", None])
    assert truth({"town": {"starts_with": "서울"}}, town=towns) == [True, False, None]
    assert truth({"town": {"starts_with": ["서울", "경기"]}}, town=towns) == [True, True, None]


def kleene_and(left: bool | None, right: bool | None) -> bool | None:
    """SQL's AND by its truth table."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


@given(st.lists(st.tuples(*[st.sampled_from([True, False, None])] * 2), min_size=1))
def test_all_any_and_not_follow_sql(rows: list[tuple[bool | None, bool | None]]) -> None:
    columns = {"p": pa.array([p for p, _ in rows], pa.bool_()), "q": pa.array([q for _, q in rows], pa.bool_())}
    both = [{"p": {"equals": True}}, {"q": {"equals": True}}]
    negated: dict[bool | None, bool | None] = {True: False, False: True, None: None}
    assert truth({"all": both}, **columns) == [kleene_and(p, q) for p, q in rows]
    assert truth({"any": both}, **columns) == [negated[kleene_and(negated[p], negated[q])] for p, q in rows]
    assert truth({"not": both[0]}, **columns) == [negated[p] for p, _ in rows]


def test_several_columns_in_one_mapping_must_all_hold() -> None:
    columns = {"age": pa.array([30, 30, 10]), "sex": pa.array(["M", "F", "M"])}
    assert truth({"age": {"above": 20}, "sex": {"equals": "M"}}, **columns) == [True, False, False]


@pytest.mark.parametrize(
    ("cell", "type_", "operand"),
    [
        (date(2026, 1, 31), pa.date32(), "2026-01-31"),
        (datetime.fromisoformat("2026-01-31 10:05"), pa.timestamp("us"), "2026-01-31 10:05:00"),
        (datetime(2026, 1, 31, 10, 5, tzinfo=UTC), pa.timestamp("us", "UTC"), "2026-01-31 10:05:00"),
        (Decimal("0.10"), pa.decimal128(9, 2), 0.1),
        (2**62 + 1, pa.int64(), 2**62 + 1),
        (1.5, pa.float64(), 1.5),
        (True, pa.bool_(), True),
    ],
)
def test_constants_meet_cells_of_their_kind_exactly(cell: object, type_: pa.DataType, operand: object) -> None:
    column = pa.array([cell, None], type_)
    predicate = Predicate.parse({"c": {"equals": operand}})
    assert predicate.check(pa.schema([("c", type_)])) == []
    assert predicate.evaluate({"c": column}).to_pylist() == [True, None]


@pytest.mark.parametrize(
    ("comparison", "type_", "found"),
    [
        ({"equals": 12}, pa.string(), "quote it"),
        ({"equals": "12"}, pa.int64(), "not a value of this type"),
        ({"below": 20.5}, pa.int64(), "not a value of this type"),
        ({"below": 1.234}, pa.decimal128(9, 2), "not a value of this type"),
        ({"above": 300}, pa.int8(), "not a value of this type"),
        ({"equals": "31.1.2026"}, pa.date32(), "2026-01-31"),
        ({"below": True}, pa.bool_(), "no order"),
        ({"starts_with": "1"}, pa.int64(), "text only"),
    ],
)
def test_what_does_not_fit_the_column_is_told_before_any_data(
    comparison: dict[str, Any], type_: pa.DataType, found: str
) -> None:
    (problem,) = Predicate.parse({"c": comparison}).check(pa.schema([("c", type_)]))
    assert found in problem


def test_a_column_that_is_not_there() -> None:
    (problem,) = Predicate.parse({"agee": {"below": 3}}).check(pa.schema([("age", pa.int64())]))
    assert problem == "column 'agee' is not in the table (did you mean 'age'?)"


WHOLE = {"any": [{"age": {"below": 20}}, {"not": {"all": [{"sex": {"in": ["M"]}}, {"town": {"is": None}}]}}]}


def test_columns_and_the_way_back_to_plain_data() -> None:
    predicate = Predicate.parse(WHOLE)
    assert predicate.columns() == {"age", "sex", "town"}
    assert predicate.plain() == WHOLE
    assert Predicate.parse(predicate.plain()) == predicate


def test_every_fault_is_told_with_its_place() -> None:
    class Step(Model):
        when: Predicate

    with pytest.raises(ValidationError) as caught:
        Step.model_validate({"when": {"age": {"bellow": 3, "in": 3, "between": [5, 1]}, "any": [], "not": "x"}})
    places = {error["loc"]: error["ctx"]["allowed"] for error in caught.value.errors()}
    assert set(places) == {
        ("when", "age", "bellow"), ("when", "age", "in"), ("when", "age", "between"), ("when", "any"), ("when", "not"),
    }  # fmt: skip
    assert places["when", "age", "in"] == "a list of values without null"
