"""Names of columns as patterns, so that one rule speaks of many columns."""

from __future__ import annotations

import pytest

from transforms.column_patterns import Match, capture_names, expand, fill, is_pattern

WIDE = ["id", "amount_travel_201901", "amount_baby_201901", "amount_travel_202112", "total_201901", "in_at", "_at"]


def test_a_plain_name_meets_itself_alone() -> None:
    assert expand("id", WIDE) == [Match("id")]
    assert expand("i", WIDE) == []
    assert not is_pattern("case.id")
    assert expand("case.id", ["case.id", "caseXid"]) == [Match("case.id")]


def test_captures_keep_the_texts_in_the_tables_order() -> None:
    assert expand("amount_{category}_{month}", WIDE) == [
        Match("amount_travel_201901", {"category": "travel", "month": "201901"}),
        Match("amount_baby_201901", {"category": "baby", "month": "201901"}),
        Match("amount_travel_202112", {"category": "travel", "month": "202112"}),
    ]


@pytest.mark.parametrize(
    ("pattern", "columns", "met"),
    [
        ("*_at", ["in_at", "_at", "at"], ["in_at", "_at"]),  # `*` may be empty
        ("{x}_at", ["in_at", "_at"], ["in_at"]),  # a capture may not
        ("{a}_{a}", ["x_x", "x_y"], ["x_x"]),  # the same capture is the same text
        ("a.*", ["a.b", "axb"], ["a.b"]),  # a dot is a dot
        ("{월}월", ["3월", "월"], ["3월"]),
        ("{1}_{2}", ["a_b"], ["a_b"]),
    ],
)
def test_what_patterns_meet(pattern: str, columns: list[str], met: list[str]) -> None:
    assert [match.column for match in expand(pattern, columns)] == met


def test_captures_are_as_short_as_will_do() -> None:
    assert expand("amount_{category}_{month}", ["amount_a_b_c"])[0].captures == {"category": "a", "month": "b_c"}


def test_filling_a_pattern() -> None:
    assert fill("amount_*_{month}", {"month": "201901"}) == "amount_*_201901"
    assert fill("{month}월 {category}", {"month": "3"}) == "3월 {category}"
    assert capture_names("{b}_{a}_{b}*") == ("b", "a")
