"""The result page warns of generalized columns with many unique values (guideline L2004-2012), by counts alone."""

from __future__ import annotations

import re
from typing import Any

WARNING = {"kind": "unique-values", "table": "retail", "column": "total_201901", "filled": 37_301, "distinct": 30_112,
           "unique": 28_764}  # fmt: skip


def test_columns_with_many_unique_values_are_named_with_their_counts(run: Any) -> None:
    run.result["warnings"] = [WARNING]
    pages = run.write()
    for name, words in (
        ("index.html", "유일값이 많이 남은 항목 1개"),
        ("index.en.html", "1 columns with many unique values"),
    ):
        assert words in pages[name]
        (row,) = re.findall(r"<tr><td><code>total_201901</code></td>(.*?)</tr>", pages[name])
        assert re.findall(r">([\d,]+)<", row) == ["28,764", "37,301", "30,112"]


def test_nothing_is_said_where_there_are_none(run: Any) -> None:
    page = run.write()["index.html"]
    assert "유일값이 많이" not in page
