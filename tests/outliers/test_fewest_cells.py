"""Local suppression with importance (로컬 삭제): the fewest and least important cells go until every class has k."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.pipeline.outlier_suppression import solve
from transforms.plan_outliers import Frequency

few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
RULE = (
    "{find: {frequency: {columns: [a, b], below: %s, count: row}}, "
    "treat: {local-suppression: {columns: [a, b], importance: {a: %s, b: %s}}}}"
)


def test_the_less_important_column_loses_its_cell(treat: Any) -> None:
    data = {"a": ["x", "x", "x", "y", "y"], "b": ["p", "q", None, "r", "r"]}
    # (x, p), (x, q) and (x, null) are alone; without `b` they are three of x.
    done = treat(data, RULE % (2, 5, 1))
    assert done.column("a") == data["a"]
    assert done.column("b") == [None, None, None, "r", "r"]
    assert done.outcomes == ({"rule": 1, "cells": 2, "rows": 0},)


def test_importance_turns_the_choice(treat: Any) -> None:
    """(x, p) and (y, p) are alone, (x, q) and (y, q) are not: p without a town, or towns with fewer q."""
    data = {"a": ["x", "y", "x", "x", "x", "y", "y", "y"], "b": ["p", "p", *"qqqqqq"]}
    assert treat(data, RULE % (2, 1, 5)).column("a")[:2] == [None, None]
    towns_kept = treat(data, RULE % (2, 99, 1))
    assert towns_kept.column("a") == data["a"]
    assert towns_kept.column("b").count(None) == 8


def test_without_importance_all_treated_cells_go_together(treat: Any) -> None:
    data = {"a": ["x", "x", "x", "y", "y"], "b": ["p", "q", "r", "r", "r"]}
    together = "{find: {frequency: {columns: [a, b], below: 2}}, treat: {local-suppression: {columns: [a, b]}}}"
    assert treat(data, together).column("a") == [None, None, None, "y", "y"]


def test_what_no_suppression_brings_to_k_is_removed(treat: Any) -> None:
    """Two rows can't be three."""
    assert treat({"a": ["x", "y"], "b": ["p", "p"]}, RULE % (3, 1, 1)).marks == []


CLASSES = st.lists(
    st.tuples(st.sampled_from([None, "x", "y"]), st.sampled_from([None, "p", "q"])), min_size=1, max_size=20
)


@few
@given(rows=CLASSES, least=st.integers(2, 4), weight=st.integers(1, 3))
def test_every_class_has_k_and_only_nulls_are_new(
    treat: Any, rows: list[tuple[Any, Any]], least: int, weight: int
) -> None:
    data = pa.table({name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate("ab")})
    done = treat(data, RULE % (least, weight, 1))
    after = dict(zip(done.marks, zip(done.column("a"), done.column("b"), strict=True), strict=True))
    assert all(count >= least for count in Counter(after.values()).values())
    pairs = [pair for mark, row in after.items() for pair in zip(rows[mark], row, strict=True)]
    assert all(new in (old, None) for old, new in pairs)
    outcome = done.outcomes[0]
    assert outcome["cells"] == sum(old != new for old, new in pairs)
    assert outcome["rows"] == len(rows) - len(after)


def fewest(rows: list[tuple[Any, Any]], least: int) -> int | None:
    """The fewest cells whose loss gives every class `least`, by trying all; None where none does."""
    best = None
    for gone in product(product([False, True], repeat=2), repeat=len(rows)):
        after = [
            (None if lost[0] else row[0], None if lost[1] else row[1]) for row, lost in zip(rows, gone, strict=True)
        ]
        if all(count >= least for count in Counter(after).values()):
            cells = sum(a + b for a, b in gone)
            best = cells if best is None else min(best, cells)
    return best


@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("pq")), min_size=2, max_size=5))
def test_greedy_is_near_the_fewest_cells(rows: list[tuple[Any, Any]]) -> None:
    """Whole classes lose their cells (rows of a class are alike), so it can't always be the very fewest: at most
    twice as many, and a pair of columns together never costs less."""
    counted = Counter(rows)
    classes = pa.table(
        {
            "a": [a for a, _ in counted],
            "b": [b for _, b in counted],
            "count_all": pa.array(list(counted.values()), pa.int64()),
        }
    )
    find = Frequency(columns=("a", "b"), below=2)
    greedy = solve(0, find, ("a", "b"), {"a": 1, "b": 1}, classes)
    together = solve(0, find, ("a", "b"), {}, classes)
    assert greedy.rows <= together.rows
    if not greedy.rows:
        best = fewest(rows, 2)
        assert best is not None
        assert best <= greedy.cells <= 2 * best + 2
        if not together.rows:
            assert greedy.cells <= together.cells


@given(st.permutations([("x", "p", 1), ("x", "q", 1), ("y", "p", 1), ("y", "q", 1), ("z", "p", 5), ("z", "q", 1)]))
def test_the_order_of_the_classes_does_not_matter(listed: list[tuple[str, str, int]]) -> None:
    """Four lone classes pair up by either column, at the same cost: which, their encoded cells decide."""
    classes = pa.table({"a": [a for a, _, _ in listed], "b": [b for _, b, _ in listed]})
    classes = classes.append_column("count_all", pa.array([count for _, _, count in listed], pa.int64()))
    change = solve(0, Frequency(columns=("a", "b"), below=2), ("a", "b"), {"a": 1, "b": 1}, classes)
    emptied = {act.column: [key.replace(b"\x01", b"") for key in act.keys.to_pylist()] for act in change.acts}
    assert emptied == {"a": [b"xp", b"yp"], "b": []} or emptied == {"a": [b"xp", b"xq", b"yp", b"yq", b"zq"]}
