"""Partial suppression and masking, beyond their examples."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

Run = Callable[..., list[Any]]
GIVEN = Given(Site("t", "c", 0, "p"))


def single(letter: str) -> bool:
    """Is it a character by itself? Marks, jamo, flags and the like are in test_mask_patterns.py."""
    if unicodedata.category(letter) in ("Mn", "Mc", "Me", "Sk", "Cf", "Cn", "Co", "So"):
        return False
    return not "\u1100" <= letter <= "\u11ff" and len(unicodedata.normalize("NFC", letter)) == 1


LETTERS = st.characters(codec="utf-8").filter(single)
TEXTS = st.lists(st.none() | st.text(LETTERS, max_size=12))


def step_of(raw: Any) -> ColumnTechnique:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    return step


def masked(text: str, first: int, last: int) -> str:
    text = unicodedata.normalize("NFC", text)
    if len(text) <= first + last:
        return "*" * len(text)
    return text[:first] + "*" * (len(text) - first - last) + text[len(text) - last :]


@over(TEXTS, st.integers(0, 4), st.integers(0, 4))
def test_masking_covers_all_but_the_ends(values: list[str | None], first: int, last: int) -> None:
    step = step_of({"masking": {"first": first, "last": last}})
    result = step.apply(pa.array(values, pa.string()), GIVEN)
    assert result.to_pylist() == [None if v is None else masked(v, first, last) for v in values]
    assert step.image(Anything(), GIVEN).contains(result).all()


@over(TEXTS, st.integers(1, 4), st.sampled_from(["first", "last"]))
def test_a_part_of_so_many_characters(values: list[str | None], count: int, end: str) -> None:
    step = step_of({"partial-suppression": {end: count}})
    result = step.apply(pa.array(values, pa.string()), GIVEN)
    composed = [None if v is None else unicodedata.normalize("NFC", v) for v in values]
    expected = [v if v is None else (v[:count] if end == "first" else v[-count:]) for v in composed]
    assert result.to_pylist() == expected
    assert step.image(Anything(), GIVEN).contains(result).all()


@over(TEXTS, st.integers(1, 3))
def test_leading_words(values: list[str | None], count: int) -> None:
    # The texts' words, parted by single ASCII spaces.
    texts = [None if v is None else " ".join(v.split()) for v in values]
    step = step_of({"partial-suppression": {"words": count}})
    result = step.apply(pa.array(texts, pa.string()), GIVEN)
    assert result.null_count == texts.count(None)
    assert step.image(Anything(), GIVEN).contains(result).all()


def test_letters_count_in_their_composed_form(run: Run) -> None:
    decomposed = unicodedata.normalize("NFD", "김철수")
    assert run({"masking": {"first": 1}}, [decomposed]) == ["김**"]
    assert run({"partial-suppression": {"first": 1}}, [decomposed]) == ["김"]


def test_a_short_text_is_covered_as_a_whole(run: Run) -> None:
    assert run({"masking": {"first": 1, "last": 1}}, ["김", "김철", "김철수", ""]) == ["*", "**", "김*수", ""]


def test_separators_that_stay(run: Run) -> None:
    raw = {"masking": {"last": 4, "mask": "#", "separators": {"-": "-", "]": "]", "\\": "/"}}}
    assert run(raw, ["010-1234-5678", "a]b\\c5678"]) == ["###-####-5678", "#]#/#5678"]


def test_a_backslash_as_mask(run: Run) -> None:
    assert run({"masking": {"mask": "\\"}}, ["ab\nc"]) == ["\\\\\\\\"]


def test_an_address_whose_words_do_not_end_so(run: Run) -> None:
    raw = {"ending": ["시", "군", "구"]}
    values = ["  경기도 고양시", "고양시  덕양구 1", "울릉도", None]
    with pytest.raises(CellsRefused) as caught:
        run({"partial-suppression": raw}, values)
    assert caught.value.count == 2
    assert run({"partial-suppression": {**raw, "unmatched": None}}, values) == [None, "고양시 덕양구", None, None]


@pytest.mark.parametrize("technique", [{"masking": {}}, {"partial-suppression": {"first": 1}}])
def test_only_text(technique: Any) -> None:
    with pytest.raises(TechniqueError, match="text"):
        step_of(technique).output_type(pa.int64())


def test_an_unprocessed_cell_is_not_in_the_image() -> None:
    phones = pa.array(["010-6666-8888", "***_****_****"])
    masking = step_of({"masking": {"separators": {"-": "_"}}}).image(Anything(), GIVEN)
    assert masking.contains(phones).tolist() == [False, True]
    last = step_of({"partial-suppression": {"last": 4}}).image(Anything(), GIVEN)
    assert last.contains(pa.array(["8888", "010-6666-8888"])).tolist() == [True, False]
    districts = step_of({"partial-suppression": {"ending": ["시", "구"]}}).image(Anything(), GIVEN)
    assert districts.contains(pa.array(["서울시 은평구", "서울시 은평구 연서로"])).tolist() == [True, False]
