"""Deletion of cells and of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique, RowTechnique, Wording
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
GIVEN = Given(Site("t", "c", 0, "p"))
AGES = pa.record_batch({"age": pa.array([19, 20, None, 35]), "other": pa.array([1, 2, 3, 4])})


def rows(**parameters: Any) -> RowTechnique:
    (step,) = parse_steps({"record-suppression": {"where": {"age": {"below": 20}}, **parameters}})
    assert isinstance(step, RowTechnique)
    return step


@pytest.mark.parametrize(
    ("nulls", "kept"), [("keep", [False, True, True, True]), ("remove", [False, True, False, True])]
)
def test_rows_that_meet_the_condition_are_removed(nulls: str, kept: list[bool]) -> None:
    assert rows(nulls=nulls).keeps(AGES, GIVEN).to_pylist() == kept


def test_rows_whose_condition_is_unknown_stay_unless_said() -> None:
    assert rows().keeps(AGES, GIVEN).to_pylist() == [False, True, True, True]
    with pytest.raises(CellsRefused) as caught:
        rows(nulls="error").keeps(AGES, GIVEN)
    assert caught.value.count == 1


def test_row_rules_name_their_columns_and_themselves() -> None:
    assert rows().columns() == {"age"}
    assert rows(nulls="remove").wording("ko") == Wording("행 항목 삭제", "age 20 미만인 행 삭제 (값이 없는 행 포함)")
    assert rows().wording("en") == Wording("record suppression", "rows with age < 20 deleted")


@pytest.mark.parametrize("type_", [pa.string(), pa.int8(), pa.decimal128(21, 2), pa.timestamp("us")], ids=str)
def test_a_suppressed_column_is_null_alone(type_: pa.DataType) -> None:
    (step,) = parse_steps("suppression")
    assert isinstance(step, ColumnTechnique)
    cells = pa.array([1, 2]).cast(type_)
    assert step.apply(cells, GIVEN).to_pylist() == [None, None]
    image = step.image(Anything(nullable=False), GIVEN)
    assert not image.contains(cells).any()
    assert image.contains(pa.nulls(2, type_)).all()


def test_cells_of_some_rows(run: Run) -> None:
    raw = {"suppression": {"when": {"region": {"equals": "울릉도"}}}}
    columns = {"region": pa.array(["서울", "울릉도", None])}
    assert run(raw, [600, 200, 300], columns=columns) == [600, None, 300]
    (step,) = parse_steps(raw)
    assert step.columns() == {"region"}
    assert step.wording("ko").level == "region = 울릉도인 경우만: 값 삭제"
    assert step.wording("en").level == "only where region = 울릉도: cells deleted"
