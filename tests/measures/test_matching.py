"""Null as a wildcard: an empty cell rules nobody out, so it keeps company with everybody it could be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.measures import class_table_of, disclosure_of, matching

# Eight records of which one has no region.
REGIONS = [("A", 1), ("B", 2), ("A", None), ("A", 1), ("B", 3), ("B", 3)]
cells = st.one_of(st.none(), st.integers(0, 2))


def table_of(rows: list[Any]) -> Any:
    names = ["a", "b", "c", "s"][: len(rows[0])]
    return pa.table([pa.array(list(column)) for column in zip(*rows, strict=True)], names)


def test_an_empty_cell_agrees_with_every_value() -> None:
    table = class_table_of(table_of(REGIONS), ["a", "b"])
    met = matching(table, ["b"])
    named = [(table.values["a"][x].as_py(), table.values["b"][y].as_py())
             for x, y in zip(table.codes["a"], table.codes["b"], strict=True)]  # fmt: skip
    # (A, 1) twice and (A, null): three may be the same person; (B, 2) stays alone, for its neighbours say 3
    assert dict(zip(named, met.sizes.tolist(), strict=True)) == {("A", 1): 3, ("A", None): 3, ("B", 2): 1, ("B", 3): 2}
    assert dict(zip(named, table.sizes.tolist(), strict=True))[("A", None)] == 1


def test_a_column_that_is_no_wildcard_keeps_null_as_a_value() -> None:
    table = class_table_of(table_of(REGIONS), ["a", "b"])
    assert matching(table, ["a"]) is table
    with pytest.raises(ValueError, match="wildcards in columns c; allowed: quasi-identifiers: a, b"):
        matching(table, ["c"])


def test_persons_can_not_be_counted_by_wildcards() -> None:
    table = class_table_of(table_of([("A", None, 1), ("A", 1, 1)]), ["a", "b"], subject="c")
    with pytest.raises(ValueError, match="wildcards where persons are counted"):
        matching(table, ["b"])


@given(st.lists(st.tuples(cells, cells, cells, cells), min_size=1, max_size=30), st.sets(st.sampled_from("abc")))
def test_any_table_by_comparing_all_rows(rows: list[Any], wildcards: set[str]) -> None:
    typed = pa.table([pa.array(list(c), pa.int64()) for c in zip(*rows, strict=True)], ["a", "b", "c", "s"])
    met = matching(class_table_of(typed, ["a", "b", "c"], ["s"]), wildcards)
    values = met.sensitive["s"]
    for place in range(len(met)):
        mine = [met.values[name][met.codes[name][place]].as_py() for name in "abc"]
        agreeing = [
            row
            for row in rows
            if all(
                x == y or (name in wildcards and None in (x, y)) for name, x, y in zip("abc", mine, row, strict=False)
            )
        ]
        assert met.sizes[place] == len(agreeing)
        pairs = values.classes == place
        found = dict(zip(values.places[pairs].tolist(), values.counts[pairs].tolist(), strict=True))
        expected = Counter(row[3] for row in agreeing)
        assert {values.values[code].as_py(): count for code, count in found.items()} == expected
    assert disclosure_of(met).k == met.sizes.min()
