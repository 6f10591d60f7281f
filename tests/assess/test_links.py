"""Linkage with what a recipient holds: who is met, and who is named, against a plain count over all pairs."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.assess.links import linked
from transforms.measures.class_table import class_table_of

CELLS = st.lists(st.tuples(st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, "M", "F"])), max_size=12)


def table(rows: list[tuple[int | None, str | None]], names: tuple[str, str]) -> pa.Table:
    ages, sexes = pa.array([a for a, _ in rows], pa.int32()), pa.array([s for _, s in rows], pa.string())
    return pa.table({names[0]: ages, names[1]: sexes})


@given(CELLS, CELLS)
def test_as_a_plain_count_says(
    ours: list[tuple[int | None, str | None]], theirs: list[tuple[int | None, str | None]]
) -> None:
    mine = class_table_of(table(ours, ("age", "sex")), ["age", "sex"])
    other = class_table_of(table(theirs, ("born", "gender")), ["born", "gender"])
    found = linked(mine, other, [("born", "age"), ("gender", "sex")])
    full = [row for row in ours if None not in row]
    met = sum(row in theirs for row in full)
    named = sum(theirs.count(row) == 1 and ours.count(row) == 1 for row in full)
    assert found == (pytest.approx(met / len(ours) if ours else 0), pytest.approx(named / len(ours) if ours else 0))


def test_whole_numbers_meet_whatever_their_type_is() -> None:
    """36 of an integer column is 36.0 of a float column and "36" of a text column."""
    ours = class_table_of(pa.table({"age": pa.array([36, 41], pa.int32())}), ["age"])
    for theirs in (pa.array([36.0]), pa.array(["36"]), pa.array([36], pa.int64())):
        held = class_table_of(pa.table({"a": theirs}), ["a"])
        assert linked(ours, held, [("a", "age")]) == (0.5, 0.5)
