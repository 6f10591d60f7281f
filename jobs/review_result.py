"""The review's result as it is kept: an allow-list, so that no value and no fact comes along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from jobs.runs import RunRecord
from transforms.uniqueness import WARNED_SHARE

if TYPE_CHECKING:
    from transforms.expectations.validation import Judged

Verdict = Literal["fit", "unfit"]
# What an expectation may tell: numbers of cells, rows, columns, classes, subjects; names of columns, kinds of
# identifiers.
COUNTS = frozenset({
    "cells", "outside", "stray_nulls", "rows", "missing", "extra", "other_type", "reordered", "annotated",
    "subjects", "k", "classes", "classes_below", "countable", "filled", "distinct", "unique",
    "left", "looked", "compared", "others", "judged",
})  # fmt: skip
NAMES = frozenset({"columns", "kinds"})
# Figures of the class that discloses most: shares, distances, numbers of values.
FIGURES = frozenset({"l", "entropy_l", "c", "t", "alpha", "beta", "delta"})
K_ANONYMITY = "expect_k_anonymity"
CELLS_IN_IMAGE = "expect_cells_in_image_of_chain"


def verdict_of(tables: Mapping[str, Sequence[Judged]]) -> Verdict:
    """`fit` (적정) only where every expectation about every table holds."""
    every = [one for judged in tables.values() for one in judged]
    return "fit" if every and all(one.success for one in every) else "unfit"


def result_body(
    record: RunRecord,
    anonymity: Mapping[str, tuple[int, Sequence[str]]],
    tables: Mapping[str, Sequence[Judged]],
    measures: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> dict[str, Any]:
    """The content of result.json. `anonymity` is the k that the plan asks for and its columns, by table; `measures`
    what it asks of sensitive columns, by table."""
    return {
        "format": 1,
        "verdict": verdict_of(tables),
        "run": record.run,
        "fingerprint": record.fingerprint,
        "tables": [asdict(one) for one in record.tables],
        "k": {name: _k(anonymity[name], tables[name]) for name in tables if name in anonymity},
        "measures": [_measure(name, one, tables[name]) for name, asked in (measures or {}).items() for one in asked],
        "expectations": [_expectation(name, one) for name, judged in tables.items() for one in judged],
        "warnings": unique_values(tables),
    }


def unique_values(tables: Mapping[str, Sequence[Judged]]) -> list[dict[str, Any]]:
    """Generalized columns of which so many cells are unique that a coarser step is called for (L2004-2012)."""
    return [
        {"kind": "unique-values", "table": name, "column": one.column,
         **{count: one.counts[count] for count in ("filled", "distinct", "unique")}}
        for name, judged in tables.items()
        for one in judged
        if one.expectation == CELLS_IN_IMAGE and _many_unique(one.counts)
    ]  # fmt: skip


def _many_unique(counts: Mapping[str, Any]) -> bool:
    return bool(counts.get("filled")) and counts["unique"] > WARNED_SHARE * counts["filled"]


def warnings(tables: Mapping[str, Sequence[Judged]]) -> list[str]:
    """One line for each warning: column and counts, never a value."""
    return [
        f"warning: {one['table']}, column {one['column']}: {one['unique']} of {one['filled']} cells hold a value that "
        "no other record holds; a coarser unit, wider intervals or top coding would make them alike"
        for one in unique_values(tables)
    ]


def _expectation(table: str, one: Judged) -> dict[str, Any]:
    allowed = {name: value for name, value in one.counts.items() if _allowed(name, value)}
    return {
        "table": table,
        "type": one.expectation,
        "column": one.column,
        "success": one.success,
        "counts": allowed,
    }


def _k(asked: tuple[int, Sequence[str]], judged: Sequence[Judged]) -> dict[str, Any]:
    """k asked and found; found is None where persons can't be told apart in what is delivered."""
    counts = next(one.counts for one in judged if one.expectation == K_ANONYMITY)
    k, columns = asked
    found = {name: counts.get(name) for name in ("classes", "classes_below")}
    return {"asked": k, "found": counts.get("k"), "columns": list(columns), **found}


def _measure(table: str, asked: Mapping[str, Any], judged: Sequence[Judged]) -> dict[str, Any]:
    """What was asked of a sensitive column and found; a figure that is infinite is not there."""
    one = next(one for one in judged if (one.expectation, one.column) == (asked["type"], asked["column"]))
    found = {name: value for name, value in one.counts.items() if name in {*FIGURES, "k"}}
    classes = {name: one.counts[name] for name in ("classes", "classes_below")}
    return {"table": table, **asked, "found": found, **classes, "success": one.success}


def _allowed(name: str, value: Any) -> bool:
    if name in NAMES:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name in FIGURES:
        return isinstance(value, (int, float))
    return name in COUNTS and isinstance(value, int)


def failures(tables: Mapping[str, Sequence[Judged]]) -> list[str]:
    """One line for each expectation that failed: table, column, what was counted."""
    return [
        f"{name}{f', column {one.column}' if one.column else ''}: {one.expectation} failed ({_told(one)})"
        for name, judged in tables.items()
        for one in judged
        if not one.success
    ]


def _told(one: Judged) -> str:
    shown = {name: value for name, value in one.counts.items() if _allowed(name, value)}
    texts = [f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in shown.items()
             if value != []]  # fmt: skip
    return ", ".join(texts)
