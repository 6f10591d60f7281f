"""What the pages say of sensitive columns within classes: asked and found, on the plan's page and the result's."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

MEASURES = [
    {"table": "retail", "type": "expect_l_diversity", "column": "grade_2019", "columns": ["age", "sex"],
     "asked": {"l": 2.0, "kind": "recursive", "c": 4.0}, "found": {"l": 1}, "classes": 5000, "classes_below": 12,
     "success": False},
    {"table": "retail", "type": "expect_t_closeness", "column": "grade_2019", "columns": ["age", "sex"],
     "asked": {"t": 0.25}, "found": {"t": 0.1875}, "classes": 5000, "classes_below": 0, "success": True},
]  # fmt: skip


@pytest.fixture
def pages(run: Any) -> dict[str, str]:
    return run.having(result=dict(run.result) | {"measures": MEASURES}).write()


def text_of(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def test_the_result_page_tells_asked_found_and_the_classes_that_miss_it(pages: dict[str, str]) -> None:
    korean, english = text_of(pages["index.html"]), text_of(pages["index.en.html"])
    # the figure of c is infinite there, so it is not told
    assert "grade_2019 l-다양성 (재귀) l ≥ 2, c = 4 l = 1 12 / 5,000" in korean
    assert "grade_2019 t-closeness t ≤ 0.25 t = 0.1875 0 / 5,000" in english
    assert re.search(r'<td class="bad-text">l = 1</td>', pages["index.html"])
    assert re.search(r'<td class="good-text">t = 0.1875</td>', pages["index.html"])


def test_the_plan_page_tells_what_is_asked(pages: dict[str, str]) -> None:
    assert "l-diversity (recursive) l ≥ 2, c = 4 ( grade_2019 )" in text_of(pages["plan.en.html"])


def test_a_plan_without_them_has_no_table_of_them(run: Any) -> None:
    assert "Classes that miss it" not in run.write()["index.en.html"]
