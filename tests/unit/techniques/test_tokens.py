"""Tokenization: tokens of the id's own length, keyed."""

from __future__ import annotations

import re
from collections import Counter
from math import sqrt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps
from transforms.techniques.tokens import ALPHABETS

DRAWS = Draws(Secret(bytes(range(32))))
SITE = Site("t", "c", 0, "p")


def step_of(parameters: Any) -> ColumnTechnique:
    (step,) = parse_steps({"tokenization": parameters})
    assert isinstance(step, ColumnTechnique)
    return step


def tokens(parameters: Any, ids: pa.Array, draws: Draws = DRAWS) -> list[Any]:
    step = step_of(parameters)
    here = Given(SITE, draws=draws)
    result = step.apply(ids, here)
    assert result.type == pa.string()
    assert step.applied_image(Anything(), here).contains(result).all()
    cells: list[Any] = result.to_pylist()
    return cells


def test_the_guidelines_customer_number() -> None:
    """L2176-2181: D1304365 → AD921648: eight letters and digits for eight. Ours is keyed, so it is another one."""
    image = step_of({}).image(Anything(nullable=False), Given(SITE))
    assert image.contains(pa.array(["AD921648", "ad921648", "AD9", "고객", None])).tolist() == [True] + [False] * 4
    (token,) = tokens({}, pa.array(["D1304365"]))
    assert re.fullmatch("[A-Z0-9]{8}", token)
    assert token != "D1304365"


@over(st.lists(st.none() | st.from_regex("[A-Z][0-9]{5,9}", fullmatch=True)))
def test_equal_ids_equal_tokens_of_their_length(ids: list[str | None]) -> None:
    made = tokens({}, pa.array(ids, pa.string()))
    pairs = dict(zip(ids, made, strict=True))
    for value, token in zip(ids, made, strict=True):
        assert token == pairs[value]
        assert (token is None) == (value is None)
        assert value is None or len(token) == len(value)
    assert len(set(pairs.values())) == len(pairs)


def test_a_token_is_made_of_32_bits_of_the_draw_for_each_letter() -> None:
    """A reference in plain Python."""
    ids = pa.array(["D1304365", "EC-232578"])
    expected = []
    for place, text in enumerate(ids.to_pylist()):
        one = encode_ids([ids.slice(place, 1)])
        words = [int(word) for round_ in range(3) for word in DRAWS.bits(one, round_)[0]]
        quarters = [quarter for word in words for quarter in (word >> 32, word & 0xFFFFFFFF)]
        alphabet = ALPHABETS["letters-digits"]
        expected.append("".join(alphabet[quarter * 36 >> 32] for quarter in quarters[: len(text)]))
    assert tokens({}, ids) == expected
    # Ids of one length go another way through the code, to the same tokens.
    assert tokens({}, ids.slice(1)) == expected[1:]


@pytest.mark.parametrize(
    ("alphabet", "pattern"), [("digits", "[0-9]"), ("letters", "[A-Z]"), ("letters-digits", "[A-Z0-9]")]
)
def test_alphabets_and_lengths(alphabet: str, pattern: str) -> None:
    ids = pa.array([f"user{number:04d}" for number in range(500)])
    for length in (None, 12):
        made = tokens({"alphabet": alphabet, "length": length}, ids)
        assert all(re.fullmatch(f"{pattern}{{{length or 8}}}", token) for token in made)
        counts = Counter("".join(made))
        expected = sum(counts.values()) / len(ALPHABETS[alphabet])
        assert all(abs(counts[letter] - expected) < 5 * sqrt(expected) for letter in ALPHABETS[alphabet])


def test_separators_stay() -> None:
    (token,) = tokens({"alphabet": "digits", "separators": "-"}, pa.array(["010-1234-5678"]))
    assert re.fullmatch("[0-9]{3}-[0-9]{4}-[0-9]{4}", token)


def test_numbers_have_tokens_of_as_many_letters() -> None:
    narrow = tokens({}, pa.array([1_234_567, None], pa.int32()))
    assert narrow == tokens({}, pa.array([1_234_567, None], pa.int64()))
    assert len(narrow[0]) == 7


def test_another_key_gives_other_tokens() -> None:
    ids = pa.array([f"A{number:07d}" for number in range(100)])
    assert not set(tokens({}, ids)) & set(tokens({}, ids, Draws(Secret(bytes(32)))))


def test_collisions_are_as_frequent_as_told() -> None:
    """n² / (2 × A^L): 20,000 ids of 4 letters and digits, 119 pairs expected."""
    made = tokens({"length": 4}, pa.array(range(20_000)))
    pairs = sum(count * (count - 1) // 2 for count in Counter(made).values())
    expected = 20_000**2 / (2 * 36**4)
    assert abs(pairs - expected) < 4 * sqrt(expected)


def test_ids_too_short_for_their_own_length_are_refused() -> None:
    with pytest.raises(CellsRefused, match="too short") as caught:
        tokens({}, pa.array(["ABCD", "ABC", "", None]))
    assert caught.value.count == 2
    with pytest.raises(CellsRefused):
        tokens({"separators": "-"}, pa.array(["A-B-C"]))
    assert len(tokens({"length": 6}, pa.array(["A"]))[0]) == 6


@pytest.mark.parametrize(
    "parameters",
    [
        {"length": 3},
        {"alphabet": "digits", "length": 5},
        {"length": 8, "separators": "-"},
        {"separators": "A"},
        {"alphabet": "hex"},
        {"vault": True, "when": {"c": {"above": 1}}},
    ],
)
def test_bad_parameters(parameters: Any) -> None:
    with pytest.raises(ValidationError):
        parse_steps({"tokenization": parameters})


def test_other_types_are_refused() -> None:
    with pytest.raises(TechniqueError):
        step_of({}).output_type(pa.float64())
