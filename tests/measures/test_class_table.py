"""The class table: every class with its size, and how often each sensitive value stands in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.measures import ClassTable, class_table_of
from transforms.measures.closeness import ordered_distances
from transforms.measures.groups import groups_of, merged, pack, parted, unpack

PEOPLE = pa.table({
    "person": ["a", "b", "c", "d", "d", "e", "f", None],
    "age": [30, 30, 30, 40, 40, 40, None, None],
    "region": ["서울", "서울", "서울", "부산", "부산", "부산", "서울", "서울"],
    "disease": ["flu", "flu", "cold", "flu", "cold", "flu", None, "flu"],
})  # fmt: skip
cells = st.one_of(st.none(), st.integers(0, 2))
rows_of_cells = st.lists(st.tuples(cells, cells, st.integers(0, 4), cells), max_size=40)


def sizes(table: ClassTable) -> dict[tuple[Any, ...], int]:
    """The classes by their values."""
    keys = [table.values[name].take(pa.array(table.codes[name])).to_pylist() for name in table.columns]
    return dict(zip(zip(*keys, strict=True), table.sizes.tolist(), strict=True))


def pairs(table: ClassTable, column: str) -> dict[tuple[Any, ...], dict[Any, int]]:
    """Counts of each sensitive value by class."""
    names, values = list(sizes(table)), table.sensitive[column]
    found: dict[tuple[Any, ...], dict[Any, int]] = defaultdict(dict)
    cells = values.values.take(pa.array(values.places)).to_pylist()
    for place, cell, count in zip(values.classes.tolist(), cells, values.counts.tolist(), strict=True):
        found[names[place]][cell] = count
    return dict(found)


def test_classes_and_the_values_in_them() -> None:
    table = class_table_of(PEOPLE, ["age", "region"], ["disease"])
    assert sizes(table) == {(30, "서울"): 3, (40, "부산"): 3, (None, "서울"): 2}
    assert pairs(table, "disease")[(30, "서울")] == {"flu": 2, "cold": 1}
    assert pairs(table, "disease")[(None, "서울")] == {None: 1, "flu": 1}  # null is a value of its own
    assert table.sensitive["disease"].values.to_pylist() == ["cold", "flu", None]
    assert table.sensitive["disease"].totals.tolist() == [2, 5, 1]
    assert table.rows == 8
    assert (table.null_code("age"), table.null_code("region")) == (2, None)


def test_a_person_counts_once_in_a_class_and_once_for_each_value() -> None:
    table = class_table_of(PEOPLE, ["age"], ["disease"], subject="person")
    # d stands there twice, with flu and with cold; the row of nobody counts for nobody, but its class is there
    assert sizes(table) == {(30,): 3, (40,): 2, (None,): 1}
    assert pairs(table, "disease")[(40,)] == {"flu": 2, "cold": 1}
    assert pairs(table, "disease")[(None,)] == {None: 1}
    assert (table.rows, table.by_person) == (8, True)


def test_a_value_that_nobody_has_is_no_value_of_the_table() -> None:
    table = pa.table({"person": [1, 2, 3, None], "job": ["a", "a", "b", "b"], "pay": [1, 2, 2, 9]})
    values = class_table_of(table, ["job"], ["pay"], subject="person").sensitive["pay"]
    assert values.values.to_pylist() == [1, 2]
    assert values.totals.tolist() == [1, 2]
    # Shares 1/3 and 2/3; class b has the second alone, so 1/3 moves over the whole width (with a third value: half)
    assert ordered_distances(values).tolist() == pytest.approx([1 / 6, 1 / 3])


def test_coarser_classes_over_some_of_the_columns() -> None:
    table = class_table_of(PEOPLE, ["age", "region"])
    assert sorted(table.sizes_over(["region"]).tolist()) == [3, 5]
    assert table.sizes_over([]).tolist() == [8]
    with pytest.raises(ValueError, match="in persons over fewer columns"):
        class_table_of(PEOPLE, ["age", "region"], subject="person").sizes_over(["age"])


def test_no_quasi_identifier_one_class() -> None:
    table = class_table_of(PEOPLE, [], ["disease"])
    assert (len(table), table.sizes.tolist(), table.sensitive["disease"].counts.tolist()) == (1, [8], [2, 5, 1])
    assert class_table_of(PEOPLE, []).sizes.tolist() == [8]


def test_tables_of_nothing_or_almost_nothing() -> None:
    empty = class_table_of(PEOPLE.slice(0, 0), ["age"], ["disease"])
    assert (len(empty), empty.rows, len(empty.sensitive["disease"].counts)) == (0, 0, 0)
    assert len(class_table_of(PEOPLE.slice(0, 0), [])) == 0
    assert sizes(class_table_of(PEOPLE.slice(0, 1), ["age", "region"])) == {(30, "서울"): 1}
    nulls = pa.table({"a": pa.nulls(3, pa.int64()), "b": pa.nulls(3, pa.string())})
    assert sizes(class_table_of(nulls, ["a"], ["b"])) == {(None,): 3}
    assert pairs(class_table_of(nulls, ["a"], ["b"]), "b") == {(None,): {None: 3}}


def test_nan_is_nan_and_zero_has_no_sign() -> None:
    table = class_table_of(pa.table({"x": [0.0, -0.0, float("nan"), -float("nan"), None]}), ["x"])
    assert sorted(table.sizes.tolist()) == [1, 2, 2]


def test_a_column_has_one_role() -> None:
    with pytest.raises(ValueError, match="columns age twice"):
        class_table_of(PEOPLE, ["age"], ["age"])
    with pytest.raises(ValueError, match=r"columns job; allowed: .*age"):
        class_table_of(PEOPLE, ["job"])


@given(rows_of_cells, st.booleans())
def test_any_table_as_counted_by_hand(rows: list[Any], persons: bool) -> None:
    columns = list(zip(*rows, strict=True)) or [()] * 4
    types = [pa.int64()] * 4
    whole = pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], ["a", "b", "p", "s"])
    table = class_table_of(whole, ["a", "b"], ["s"], "p" if persons else None)
    counted = {(a, b, p) for a, b, p, _ in rows} if persons else [row[:3] for row in rows]
    assert sizes(table) == dict(Counter((a, b) for a, b, _ in counted))
    values = set(rows) if persons else rows
    expected: dict[Any, Any] = defaultdict(Counter)
    for a, b, _, s in values:
        expected[(a, b)][s] += 1
    assert pairs(table, "s") == expected
    assert table.sensitive["s"].totals.sum() == len(values)


@given(rows_of_cells, st.integers(1, 5), st.integers(1, 4))
def test_it_does_not_matter_how_rows_were_spread_over_tasks(rows: list[Any], tasks: int, parts: int) -> None:
    if not rows:
        return
    columns = [pa.array(column, pa.int64()) for column in zip(*rows, strict=True)]
    batch = pa.record_batch(columns, ["a", "b", "p", "s"]).select(["a", "b", "s"])
    cut = [batch.slice(place, -(-len(rows) // tasks)) for place in range(0, len(rows), -(-len(rows) // tasks))]
    boxes: dict[int, list[Any]] = defaultdict(list)
    for one in cut:
        for part, state in parted(groups_of(one, 2), 2, parts):
            boxes[part].append(unpack(pack(state)))
    met = [merged(states) for states in boxes.values()]
    found = Counter[Any]()
    for state in met:
        keys = [column.values.take(pa.array(column.codes)).to_pylist() for column in state.keys]
        classes = list(zip(*keys, strict=True))
        assert not found.keys() & set(classes)  # a class meets in one part
        found.update(dict(zip(classes, state.counts.tolist(), strict=True)))
    assert found == Counter((a, b) for a, b, _, _ in rows)


def test_more_combinations_than_fit_into_one_number() -> None:
    # nine columns of 256 values: in 64 bits the first one would count 256^8 = 2^64 each, and be lost
    every = np.arange(256)
    columns = {f"c{place}": np.concatenate([every, np.zeros(255, np.int64)]) for place in range(9)}
    columns["c0"] = np.concatenate([every, every[1:]])  # rows that differ in the first column alone
    table = class_table_of(pa.table(columns), list(columns))
    assert (len(table), set(table.sizes.tolist())) == (256 + 255, {1})
