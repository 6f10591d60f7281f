"""Verify proves solved outlier rules in another way than the run: a claim that is wrong in one place is found.

Facts and staged rows are altered alike nowhere here: the claim itself must not hold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from transforms.outlier_changes import EndsAct, KeyAct, RuleChange

SPREAD = [2, 3, 3, 4, 2, 3, 4, 2, -20, 90, 95]
FOUND = {("outliers", "outliers[0]")}
DATA = {"x": [*SPREAD, *SPREAD], "c": ["a"] * 11 + ["b"] * 11}
RULES = {
    "mean": "{find: {iqr: {column: x, within: [c]}}, treat: {microaggregation: {}}}",
    "median": (
        "{find: {three-sigma: {column: x, factor: 1}}, treat: {microaggregation: {statistic: median, of: class}}}"
    ),
    "cut": "{find: {quantile: {column: x, within: [c], q: 0.8}}, treat: {top-coding: {replace: cut, unit: 2}}}",
    "null": "{find: {three-sigma: {column: x, factor: 2}}, treat: {local-suppression: {}}}",
    "beyond": "{find: {iqr: {column: x}}, treat: {local-generalization: {scope: cell, as: beyond, unit: 5}}}",
    "ranges": "{find: {iqr: {column: x, within: [c]}}, treat: {local-generalization: {}}}",
    "cells": "{find: {iqr: {column: x}}, treat: {local-generalization: {scope: cell, by: [c]}}}",
    "removed": "{find: {iqr: {column: x, side: upper}}, treat: {record-suppression: {}}}",
}


def altered_values(values: pa.Array) -> pa.Array:
    """The first value is another one."""
    first = values[0].as_py()
    return pa.array([f"{first}9" if isinstance(first, str) else first + 1, *values.to_pylist()[1:]], values.type)


def without_first(act: Any) -> Any:
    """The act without its first class."""
    names = [name for name in ("keys", "values", "below", "above") if getattr(act, name, None) is not None]
    return replace(act, **{name: getattr(act, name)[1:] for name in names})


def faults(change: RuleChange) -> dict[str, RuleChange | None]:
    """Ways to be wrong about a solved rule on numbers."""
    (act,) = change.acts
    bounds = change.bounds
    assert bounds is not None
    found: dict[str, RuleChange | None] = {
        "left out": None,
        "a cell more": replace(change, cells=change.cells + 1),
        "a row more": replace(change, rows=change.rows + 1),
        "nothing treated": replace(change, acts=()),
        "a class forgotten": replace(change, acts=(without_first(act),)),
        "a class without its value": replace(change, acts=(replace(act, keys=act.keys[1:]),)),
        "another column": replace(change, acts=(replace(act, column="c"),)),
    }
    for name in ("low", "high"):
        ends = getattr(bounds, name)
        if ends.null_count < len(ends):
            found[f"{name} bound off by one"] = replace(change, bounds=replace(bounds, **{name: altered_values(ends)}))
    for name in ("values",) if isinstance(act, KeyAct) else ("below", "above"):
        if getattr(act, name) is not None:
            found[f"another value {name}"] = replace(
                change, acts=(replace(act, **{name: altered_values(getattr(act, name))}),)
            )
    return found


@pytest.mark.parametrize("name", RULES)
def test_every_wrong_claim_about_a_rule_on_numbers_is_found(treat: Any, name: str) -> None:
    done = treat(DATA, RULES[name])
    (change,) = done.facts.rules
    looked_at = faults(change)
    if name == "cut":  # a quantile below has no use: the rule looks upwards, and its value there is never used
        del looked_at["another value below"]
    for fault, claim in looked_at.items():
        assert done.claiming(0, claim) >= FOUND, fault


def test_a_claim_of_a_class_without_outliers_is_found(treat: Any) -> None:
    """`a` has outliers, `b` none; the claim says that 4 is one in b."""
    data = {"x": [*SPREAD, *SPREAD[:8]], "c": ["a"] * 11 + ["b"] * 8}
    done = treat(data, RULES["mean"])
    (change,) = done.facts.rules
    bounds, (act,) = change.bounds, change.acts
    other = bounds.keys[0].as_py().replace(b"a", b"b")
    more = replace(
        change,
        bounds=replace(
            bounds,
            keys=pa.array([*bounds.keys.to_pylist(), other]),
            low=pa.array([*bounds.low.to_pylist(), 0]),
            high=pa.array([*bounds.high.to_pylist(), 3]),
        ),
        acts=(
            EndsAct(
                act.columns,
                pa.array([*act.keys.to_pylist(), other]),
                act.column,
                pa.array([*act.below.to_pylist(), 4]),
                pa.array([*act.above.to_pylist(), 4]),
            ),
        ),
        cells=change.cells + 2,
    )
    assert done.claiming(0, more) >= FOUND


CLASSES = {
    "combinations": (
        "{find: {rare-combinations: {columns: [job, town]}}, treat: {local-suppression: {columns: [town]}}}"
    ),
    "parent": (
        "{find: {frequency: {columns: [job], below: 2}}, treat: {categorization: {hierarchy: t.csv, level: all}}}"
    ),
    "ranges": "{find: {frequency: {columns: [job], below: 2}}, treat: {local-generalization: {column: x, unit: 10}}}",
    "records": "{find: {frequency: {columns: [job], below: 2}}, treat: {record-suppression: {}}}",
}
PEOPLE = {"job": ["p", "p", "p", "q", "r"], "town": ["m", "m", "n", "n", "n"], "x": [1, 2, 3, 4, 5]}


@pytest.mark.parametrize("name", CLASSES)
def test_every_wrong_claim_about_a_rule_on_classes_is_found(treat: Any, name: str) -> None:
    tree = "job,all\np,any\nq,any\nr,any\n"
    report = "{cells: 1, rows: 1, recheck: report}"
    done = treat(PEOPLE, CLASSES[name], files={"t.csv": tree}, limits=report)
    change = done.facts.rules[0]
    act = change.acts[0]
    wrong = {
        "left out": None,
        "a cell more": replace(change, cells=change.cells + 1),
        "a row more": replace(change, rows=change.rows + 1),
        "nothing treated": replace(change, acts=()),
        "a class forgotten": replace(change, acts=(without_first(act), *change.acts[1:])),
    }
    if act.values is not None:
        wrong["another value"] = replace(change, acts=(replace(act, values=altered_values(act.values)),))
    for fault, claim in wrong.items():
        assert done.claiming(0, claim) >= FOUND, fault


def test_claims_out_of_order_are_found(treat: Any) -> None:
    done = treat(DATA, RULES["mean"], "{find: {iqr: {column: x, within: [c]}}, treat: {local-suppression: {}}}")
    first = done.facts.rules[0]
    assert done.claiming(0, replace(first, rule=7)) >= {("outliers", "outliers[1]")}


def test_a_cell_that_was_not_treated_is_found_by_review_too(treat: Any) -> None:
    """Ranges are text: a raw number in a column of numbers looks plausible, one as text too, another text does not."""
    done = treat(DATA, RULES["ranges"])
    texts = done.staged["x"].to_pylist()
    for text, misfits in (("17", {}), ("3,009,600~28,169,700", {"x": 1}), ("017", {"x": 1}), ("1e1", {"x": 1})):
        cells = pa.array([text, *texts[1:]])
        staged = done.staged.set_column(done.staged.column_names.index("x"), "x", cells)
        other = replace(done, staged=staged)
        assert other.misfits() == misfits
        assert not other.verified().equal


def test_the_facts_come_back_from_json_as_they_were(treat: Any) -> None:
    """Ranges, decimals, dates, nulls: what verify reads is what the run applied."""
    for rule in (*RULES.values(),):
        done = treat(DATA, rule, checked=False)
        for mine, theirs in zip(done.facts.rules, done.prepared.facts.rules, strict=True):
            assert mine == theirs
