"""Counts of unique values: exact on few, estimated on many, the same however the cells are parted."""

from __future__ import annotations

from collections import Counter as Counts
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from transforms.images import Anything, Finite, Image, Matching, Nothing, Numbers, Piece, Union
from transforms.uniqueness import MOST, Counter, Sketch, Uniqueness, possible, worth_counting

CELLS = {
    pa.int64(): st.integers(-5, 30),
    pa.string(): st.text("가나다", max_size=3),
    pa.date32(): st.dates(date(2019, 1, 1), date(2019, 2, 9)),
}


def sketch_of(parts: list[pa.Array]) -> Sketch:
    """The sketches of parts, merged from the left."""
    found = Counter().sketch(parts[0])
    for part in parts[1:]:
        found = found.merge(Counter().sketch(part))
    return found


@pytest.mark.parametrize("type_", CELLS, ids=str)
@over(data=st.data())
def test_few_values_are_counted_exactly(type_: pa.DataType, data: Any) -> None:
    rows = data.draw(st.lists(st.lists(st.none() | CELLS[type_]), min_size=1, max_size=4))
    parts = [pa.array(row, type_) for row in rows]
    counts = Counts(cell for row in rows for cell in row if cell is not None)
    expected = Uniqueness(
        sum(counts.values()), len(counts), sum(count == 1 for count in counts.values()), exact=True
    )
    assert sketch_of(parts).conclude() == expected
    assert sketch_of(parts[::-1]).conclude() == expected


def test_many_values_are_estimated_the_same_for_any_partition() -> None:
    """300,000 distinct values, of which 100,000 stand there twice."""
    cells = np.concatenate([np.arange(300_000), np.arange(100_000)])
    whole = sketch_of([pa.array(cells)])
    assert len(whole.hashes) <= MOST
    for parts in (3, 7):
        split = sketch_of([pa.array(cells[part::parts]) for part in range(parts)])
        assert (split.level, split.hashes.tolist()) == (whole.level, whole.hashes.tolist())
        assert split.conclude() == whole.conclude()
    found = whole.conclude()
    assert not found.exact
    assert found.cells == 400_000
    assert abs(found.distinct - 300_000) < 300_000 * 0.05
    assert abs(found.unique - 200_000) < 200_000 * 0.05


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (Numbers(pieces=(Piece(0, 80, 10),)), 9),
        (Numbers(pieces=(Piece(0, 80, 10), Piece(5, 5))), 10),
        (Numbers(pieces=(Piece(0, None, 10),)), None),
        (Numbers(pieces=(Piece(0, 80),)), None),
        (Finite(values=pa.array(["a", "b"])), 2),
        (Union(parts=(Finite(values=pa.array([1])), Numbers(pieces=(Piece(0, 1, 1),)))), 3),
        (Union(parts=(Nothing(), Anything())), None),
        (Matching(pattern="a"), None),
    ],
)
def test_how_many_values_an_image_holds(image: Image, size: int | None) -> None:
    assert possible(image) == size


def test_few_possible_values_on_many_rows_need_no_count() -> None:
    """Nine values can't make five in a hundred of a thousand cells unique; of a hundred cells they can."""
    bands = Numbers(pieces=(Piece(0, 80, 10),))
    assert not worth_counting(bands, 1_000, None)
    assert worth_counting(bands, 100, None)
    assert worth_counting(bands, 1_000, 0.001)
    assert worth_counting(Anything(), 1_000_000, None)
