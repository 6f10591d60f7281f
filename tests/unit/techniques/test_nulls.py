"""Null, slices and conditions mean the same in every technique that works cell by cell."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from transforms.errors import CellsRefused, Site
from transforms.facts import TailCut
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

NUMBERS = [3, 17, 30, -4, 99, 64, 5, 12, 41, 77, 8]
TEXTS = ["서울시 은평구", "서울시", "부산시 북구 1", "a b c d", "시", "도 시", "구", "x구 y", "1시", "2구", "3시 4구"]
STEPS: list[tuple[Any, list[Any]]] = [
    ("keep", NUMBERS),
    ({"rounding": {"unit": 10, "direction": "half-even"}}, NUMBERS),
    ({"graded-rounding": [{"below": 40, "unit": 7, "direction": "up"}, {"unit": 20, "direction": "down"}]}, NUMBERS),
    ({"top-coding": {"quantile": 0.9}}, NUMBERS),
    ({"bottom-coding": {"at": 10}}, NUMBERS),
    ({"data-range": {"width": 25}}, NUMBERS),
    ({"data-range": {"bounds": [0, 50], "outside": "open"}}, NUMBERS),
    ({"categorization": {"mapping": {1: NUMBERS[:5]}, "unmatched": {"value": 2}}}, NUMBERS),
    ({"masking": {"first": 1}}, TEXTS),
    ({"partial-suppression": {"first": 2}}, TEXTS),
    ({"partial-suppression": {"words": 1}}, TEXTS),
]
IDS = [f"{number}-{step if isinstance(step, str) else next(iter(step))}" for number, (step, _) in enumerate(STEPS)]
TYPES = [pa.int16(), pa.int64(), pa.float32(), pa.float64(), pa.decimal128(7, 1), pa.decimal128(18, 0)]


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    return step


def given(raw: Any, **more: Any) -> Given:
    """What the step is given: a measured cut-off, if it has one."""
    facts = {"cut": TailCut(60)} if "quantile" in str(raw) else {}
    return Given(Site("t", "c", 0, "p"), facts=facts, **more)


@pytest.mark.parametrize(("raw", "values"), STEPS, ids=IDS)
def test_null_stays_null_and_changes_no_other_cell(raw: Any, values: list[Any]) -> None:
    step = step_of(raw)
    facts = given(raw)
    plain = step.apply(pa.array(values), facts).to_pylist()
    holed = step.apply(pa.array([x for value in values for x in (value, None)]), facts)
    assert holed.to_pylist() == [x for value in plain for x in (value, None)]
    assert step.applied_image(Anything(), facts).contains(holed).all()


@pytest.mark.parametrize(("raw", "values"), STEPS, ids=IDS)
def test_nulls_error(raw: Any, values: list[Any]) -> None:
    named = {raw: {}} if isinstance(raw, str) else dict(raw)
    ((name, parameters),) = named.items()
    key = "grades" if isinstance(parameters, list) else None
    step = step_of({name: {**({key: parameters} if key else parameters), "nulls": "error"}})
    facts = given(raw)
    with pytest.raises(CellsRefused) as caught:
        step.apply(pa.array([values[0], None, None]), facts)
    assert caught.value.count == 2
    null = pa.nulls(1, step.output_type(pa.array(values).type))
    assert not step.applied_image(Anything(), facts).contains(null).any()


@pytest.mark.parametrize(("raw", "values"), STEPS, ids=IDS)
@pytest.mark.parametrize("start", [0, 1, 3, 8])
def test_a_slice_is_read_where_it_lies(raw: Any, values: list[Any], start: int) -> None:
    step, facts = step_of(raw), given(raw)
    holed = [None if place % 3 == 1 else value for place, value in enumerate(values)]
    for cells in (values, holed):
        part = step.apply(pa.array(cells).slice(start), facts)
        assert part.to_pylist() == step.apply(pa.array(cells[start:], pa.array(values).type), facts).to_pylist()
        assert part.validate(full=True) is None


@pytest.mark.parametrize("type_", TYPES, ids=str)
@pytest.mark.parametrize(
    "raw", [{"rounding": {"unit": 10, "direction": "up"}}, {"top-coding": {"at": 40}}], ids=["rounding", "top-coding"]
)
def test_slices_of_every_numeric_type(raw: Any, type_: pa.DataType) -> None:
    holed = pa.array([None if place % 3 == 1 else value for place, value in enumerate(NUMBERS)], type_)
    whole = step_of(raw).apply(holed, given(raw))
    for start in range(len(NUMBERS)):
        part = step_of(raw).apply(holed.slice(start, 2), given(raw))
        assert part.to_pylist() == whole.to_pylist()[start : start + 2]


@pytest.mark.parametrize(("raw", "values"), [one for one in STEPS if "data-range" not in str(one[0])][1:6:2])
def test_when_leaves_other_cells_alone(raw: Any, values: list[Any]) -> None:
    ((name, parameters),) = raw.items()
    named = {"grades": parameters} if isinstance(parameters, list) else parameters
    step = step_of({name: {**named, "when": {"chosen": {"equals": True}}}})
    columns = {"chosen": pa.array([True, False, None] + [True] * (len(values) - 3))}
    facts = given(raw, columns=columns)
    result = step.apply(pa.array(values), facts).to_pylist()
    all_changed = step_of(raw).apply(pa.array(values), facts).to_pylist()
    assert result[1:3] == values[1:3]
    assert [result[0], *result[3:]] == [all_changed[0], *all_changed[3:]]
    assert step.applied_image(Anything(), facts).contains(pa.array(result)).all()


@pytest.mark.parametrize(("raw", "values"), STEPS, ids=IDS)
def test_no_cells_at_all(raw: Any, values: list[Any]) -> None:
    facts = given(raw)
    empty = pa.array(values).slice(0, 0)
    result = step_of(raw).apply(empty, facts)
    assert len(result) == 0
    assert result.type == step_of(raw).output_type(empty.type)
