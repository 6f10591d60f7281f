"""Classes of rows: the same numbers for equal cells, whichever way they are found."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import classes
from transforms.classes import classes_of

NEAR = st.lists(st.integers(-3, 40), min_size=1, max_size=80)
FAR = st.lists(st.sampled_from([-(2**63), -1, 0, 5, 2**63 - 1]), min_size=1, max_size=80)


def expected(rows: list[Any]) -> dict[int, set[Any]]:
    """By definition: rows are of one class where their cells are equal."""
    return {number: {other for other, row in enumerate(rows) if row == rows[number]} for number in range(len(rows))}


@given(st.one_of(NEAR, FAR), st.sampled_from([pa.int64(), pa.int32(), pa.int8()]))
def test_equal_integers_are_one_class(cells: list[int], type_: pa.DataType) -> None:
    if type_ != pa.int64():
        cells = [cell % 100 for cell in cells]
    found = classes_of([pa.array(cells, type_)], len(cells))
    assert {n: set((found.codes == code).nonzero()[0].tolist()) for n, code in enumerate(found.codes)} == expected(
        cells
    )
    assert len(set(found.keys.to_pylist())) == found.count == len(set(cells))


@given(NEAR, st.data())
def test_both_ways_give_the_same_classes(cells: list[int], data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.sampled_from(["a", "b", None]), min_size=len(cells), max_size=len(cells)))
    columns = [pa.array(cells), pa.array(texts, pa.string())]
    quick = classes_of(columns, len(cells))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classes, "NEAR", 0)
        slow = classes_of(columns, len(cells))
    keys = [one.keys.take(pa.array(one.codes)).to_pylist() for one in (quick, slow)]
    assert keys[0] == keys[1]
    rows = list(zip(cells, texts, strict=True))
    assert len(set(keys[0])) == len(set(rows)) == quick.count
