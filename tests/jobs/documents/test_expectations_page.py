"""The page of all expectations (what Great Expectations calls data docs), and utility on the result page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from jobs.documents.expectations import MEANINGS

LIMITED = {
    "name": "retail",
    "expectations": [
        {"type": "expect_k_anonymity", "kwargs": {"reviewed": {"$PARAMETER": "reviewed"}, "k": 3,
                                                  "quasi_identifiers": ["age", "address", "sex"]}},
        {"type": "expect_means_kept", "kwargs": {"reviewed": {"$PARAMETER": "reviewed"}, "limit": 0.25}},
    ],
}  # fmt: skip
UTILITY: dict[str, Any] = {
    "numbers": [
        {"column": "age", "cells": [40994, 37301], "nulls": [0, 0], "mean": [38.2, 33.4], "deviation": [12.1, 12.6],
         "quantiles": [[0.1, 22, 20], [0.25, 27, 20], [0.5, 36, 30], [0.75, 48, 40], [0.9, 60, 60]],
         "distance": 0.397, "outliers": [4, 0], "new": 0},
    ],
    "categories": [
        {"column": "address", "cells": [40994, 37301], "nulls": [0, 5210], "distinct": [39000, 229],
         "unique": [38000, 1], "new": 1},
    ],
    "classes": [{"by": "sex", "column": "age", "classes": 2, "compared": 2, "moved": 0.4, "distance": 0.41}],
    "correlations": [["age", "amount_food_201901", 0.31, 0.28], ["age", "amount_food_202101", 0.11, 0.44]],
}  # fmt: skip


def expectation(kind: str, column: str | None, success: bool = True, **counts: Any) -> dict[str, Any]:
    return {"table": "retail", "type": kind, "column": column, "success": success, "counts": counts}


@pytest.fixture
def pages(run: Any) -> dict[str, str]:
    run.folder.suite.write_json(LIMITED)
    told = [
        expectation("expect_k_anonymity", None, k=3, classes=5000, classes_below=0),
        expectation("expect_means_kept", None, False, columns=["amount_food_201901"], judged=12),
        expectation("expect_no_form_of_identifier_left", None, columns=[], kinds=[], left=0, looked=1),
    ]
    verify = dict(run.verify) | {"utility": {"retail": UTILITY}}
    return run.having(result=dict(run.result) | {"expectations": told}, verify=verify).write()


def text_of(page: str) -> str:
    """What a reader sees."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)))


def test_each_expectation_says_what_it_asks_and_what_it_counted(pages: dict[str, str]) -> None:
    text = text_of(pages["expectations.en.html"])
    assert "Of 3 expectations 2 are met" in text
    assert "At least k persons share each combination of quasi-identifiers." in text
    assert "k: 3; quasi_identifiers: age, address, sex" in text
    assert "columns amount_food_201901, judged 12" in text
    assert text.count("✗") == 1
    assert "reviewed" not in text.split("expect_means_kept")[1].split("judged")[0]
    assert "조합마다 k명 이상" in text_of(pages["expectations.html"])


def test_pages_load_nothing_from_elsewhere(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)


def test_utility_stands_on_the_result_page(pages: dict[str, str]) -> None:
    text = text_of(pages["index.en.html"])
    assert "Utility: before and after" in text
    assert "age 38.2 → 33.4 12.1 → 12.6 27 → 20 36 → 30 48 → 40 0.397 4 → 0 0" in text
    assert "address 0 → 5,210 39,000 → 229 38,000 → 1 1" in text
    # the correlation that moved most comes first
    assert text.index("0.11 0.44 +0.33") < text.index("0.31 0.28 -0.03")
    assert "sex age 2 / 2 0.4 0.41" in text


def test_the_recipients_dictionary_has_none_of_it(pages: dict[str, str]) -> None:
    assert "38.2" not in pages["dictionary.html"]
    assert "38.2" not in pages["dictionary.en.html"]


def test_every_class_of_ours_has_its_words() -> None:
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    from transforms.expectations import suite

    assert suite.make_suite  # it registers them all
    shapes = {"column_expectation", "review_expectation", "class_expectation", "utility_expectation"}
    ours = {
        name for name in list_registered_expectation_implementations()
        if _module(name).startswith("transforms.expectations") and not _module(name).endswith(".own")
    }  # fmt: skip
    assert ours - shapes == set(MEANINGS)


def _module(name: str) -> str:
    from great_expectations.expectations.registry import get_expectation_impl

    return str(get_expectation_impl(name).__module__)
