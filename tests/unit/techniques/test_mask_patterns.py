"""Masking by pattern, and by characters as people count them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
GIVEN = Given(Site("t", "c", 0, "p"))
# Each is one character to a reader: a syllable, a letter with marks, an old syllable in jamo, a family, a flag.
CHARACTERS = ["김", "a", " ", "-", "é", "q\u0323\u0307", "ᄒᆞᆫ", "👩‍👧‍👦", "🇰🇷", "👍🏽", "漢"]


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps({"masking": raw})
    assert isinstance(step, ColumnTechnique)
    return step


def result_of(raw: Any, texts: list[str | None]) -> list[Any]:
    step = step_of(raw)
    result = step.apply(pa.array(texts, pa.string()), GIVEN)
    assert step.image(Anything(), GIVEN).contains(result).all()
    cells: list[Any] = result.to_pylist()
    return cells


@over(st.lists(st.none() | st.lists(st.sampled_from(CHARACTERS), max_size=7)), st.integers(0, 3), st.integers(0, 3))
def test_characters_are_counted_as_people_do(rows: list[list[str] | None], first: int, last: int) -> None:
    texts = [None if row is None else unicodedata.normalize("NFC", "".join(row)) for row in rows]

    def masked(row: list[str]) -> str:
        if len(row) <= first + last:
            return "*" * len(row)
        shown = [*row[:first], *("*" * (len(row) - first - last)), *(row[len(row) - last :])]
        return unicodedata.normalize("NFC", "".join(shown))

    assert result_of({"first": first, "last": last}, texts) == [None if row is None else masked(row) for row in rows]


@over(st.lists(st.lists(st.sampled_from(CHARACTERS), max_size=7)), st.integers(1, 3))
def test_parts_are_counted_so_too(rows: list[list[str]], count: int) -> None:
    texts = pa.array([unicodedata.normalize("NFC", "".join(row)) for row in rows], pa.string())
    for place in ("first", "last"):
        (step,) = parse_steps({"partial-suppression": {place: count}})
        assert isinstance(step, ColumnTechnique)
        result = step.apply(texts, GIVEN)
        parts = [row[:count] if place == "first" else row[-count:] for row in rows]
        assert result.to_pylist() == [unicodedata.normalize("NFC", "".join(part)) for part in parts]
        assert step.image(Anything(), GIVEN).contains(result).all()


@over(st.lists(st.text(max_size=9)))
def test_no_text_passes_uncovered(texts: list[str]) -> None:
    """Whatever stands in a cell, marks alone too: nothing of it shows where all is to be covered."""
    for cell, text in zip(result_of({"width": 3}, list(texts)), texts, strict=True):
        assert cell == ("***" if text else "")
    for cell in result_of({"pattern": "card"}, list(texts)):
        assert set(cell) <= {"*"}


@pytest.mark.parametrize(
    ("pattern", "text", "covered"),
    [
        # L1955-1961
        ("?**", "김철수", "김**"),
        ("?*세", "41세", "4*세"),
        ("***-****-****", "010-6666-8888", "***-****-****"),
        # ours
        ("name", "김철수", "김**"),
        ("name", "남궁민수", "남***"),
        ("name", "Anne-Marie O'Neil", "A********* O*****"),
        ("name", "J Smith", "* S****"),
        ("phone", "010-6666-8888", "***-****-8888"),
        ("phone", "02 123 4567", "** *** 4567"),
        ("phone", "01066668888", "*******8888"),
        ("phone", "call Anna", "*********"),
        ("card", "1234 5678 9012 3456", "**** **** **** 3456"),
        ("card", "1234567890123456", "************3456"),
        ("e-mail", "hong.gildong@example.com", "h***********@example.com"),
        ("e-mail", "a@b.com", "*******"),
        ("e-mail", "anna at home, mail anna@b.com", "*" * 29),
        ("rrn", "900101-1234567", "900101-*******"),
        ("rrn", "9001011234567", "900101*******"),
        ("rrn", "900101-12345678", "*" * 15),
        ("?*+?", "김철수", "김*수"),
        ("?*+?", "남궁민수", "남**수"),
        ("EC-*+", "EC-232578", "EC-******"),
        (r"\?*", "?a", "?*"),
        ("*+\\+*+", "a+b", "*+*"),
    ],
)
def test_patterns(pattern: str, text: str, covered: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert result_of({"pattern": pattern}, [text, None, decomposed, ""]) == [covered, None, covered, ""]


def test_a_width_hides_the_length_of_what_is_covered() -> None:
    names = ["김철수", "남궁민수"]
    assert result_of({"pattern": "?*+", "width": 2}, names) == ["김**", "남**"]
    assert result_of({"pattern": "name", "width": 2}, ["김 철수"]) == ["** 철**"]
    assert result_of({"pattern": "e-mail", "mask": "#", "width": 1}, ["hong@b.kr", "hong"]) == ["h#@b.kr", "#"]


def test_what_does_not_fit_its_pattern() -> None:
    texts = ["010-6666-8888", "없음", None]
    assert result_of({"pattern": "phone"}, texts) == ["***-****-8888", "**", None]
    assert result_of({"pattern": "phone", "unmatched": None}, texts) == ["***-****-8888", None, None]
    with pytest.raises(CellsRefused) as caught:
        result_of({"pattern": "phone", "unmatched": "error"}, texts)
    assert caught.value.count == 1


def test_an_open_value_is_not_in_the_image() -> None:
    image = step_of({"pattern": "phone"}).image(Anything(), GIVEN)
    told = pa.array(["***-****-8888", "010-6666-8888", "********", "*******8888"])
    assert image.contains(told).tolist() == [True, False, True, True]
    names = pa.array(["J*** S****", "John Smith", "김**", "김철수"])
    image = step_of({"pattern": "name"}).image(Anything(), GIVEN)
    assert image.contains(names).tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({"pattern": "fone"}, "covers nothing"),
        ({"pattern": "???"}, "covers nothing"),
        ({"pattern": "+*"}, r"`\+` behind no"),
        ({"pattern": "*\\"}, "backslash at the end"),
        ({"pattern": "phone", "first": 1}, "`pattern` with first"),
        ({"unmatched": "error"}, "`unmatched` without `pattern`"),
        ({"pattern": "name", "unmatched": "error"}, "`unmatched` with names"),
    ],
)
def test_what_does_not_fit_together_is_refused(raw: Any, found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        parse_steps({"masking": raw})


def test_separators_stay_among_clustered_characters() -> None:
    texts = ["q\u0323\u0307-👩‍👧", "a-b"]
    assert result_of({"separators": {"-": "_"}}, list(texts)) == ["*_*", "*_*"]
