"""The guideline's tables of joins (reference 3, L2700-2900), from attribute rows to the combined table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from transforms.combination.joins import JoinRule

# Who has which join key, as the guideline prints it.
KEYS = {
    "A": {"dac": "A1", "c2e": "A2", "cd1": "A3", "89c": "A4", "9a0": "A5"},
    "B": {"abc": "B1", "dac": "B2", "c2e": "B3", "9a0": "B4", "rew": "B5"},
    "C": {"o23": "C1", "dac": "C2", "c2e": "C3", "89c": "C4", "rew": "C5"},
}
TABLES = [
    ("inner-single", "AB", None, None, "A1B2 A2B3 A5B4"),
    ("inner-single", "ABC", None, None, "A1B2C2 A2B3C3"),
    ("inner-multi", "ABC", "A", None, "A1B2C2 A2B3C3 A5B4-- A4--C4"),
    ("inner-multi", "ABC", "A", ("C",), "A1B2C2 A2B3C3 A5B4--"),
    ("inner-full", "ABC", None, None, "A1B2C2 A2B3C3 A5B4-- A4--C4 --B5C5"),
    ("outer-single", "AB", "A", None, "A1B2 A2B3 A3-- A4-- A5B4"),
    ("outer-single", "ABC", "A", None, "A1B2C2 A2B3C3 A3---- A5B4-- A4--C4"),
    ("anti-inner-single", "AB", "A", None, "A3 A4"),
    ("anti-inner-single", "ABC", "A", None, "A3"),
]


@pytest.mark.parametrize(("kind", "parties", "base", "optional", "expected"), TABLES)
def test_the_guidelines_tables(
    kind: Any, parties: str, base: str | None, optional: tuple[str, ...] | None, expected: str, case: Callable[..., Any]
) -> None:
    names = tuple(parties)
    attributes = {
        name: pa.table({"serial": list(KEYS[name].values()), "value": list(KEYS[name].values())}) for name in names
    }
    every = sorted({key for name in names for key in KEYS[name]})
    linking = pa.table({f"serial_{name}": [KEYS[name].get(key) for key in every] for name in names})
    rule = JoinRule(kind, names, base, optional)
    tables, counts = case(attributes, linking).combine(rule)
    shown = names if kind != "anti-inner-single" else ("A",)
    found = {"".join(row[f"{name}_value"] or "--" for name in shown) for row in tables[""]}
    assert found == set(expected.split())
    assert len(tables[""]) == len(expected.split()) == counts["records"]
    assert set(tables[""][0]) == {"record", *(f"{name}_value" for name in shown)}
