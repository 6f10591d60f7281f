"""Serial numbers, keyed tokens and pseudonyms."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps
from transforms.techniques.pseudonyms import Pseudonym, base32

Run = Callable[..., list[Any]]
DRAWS = Draws(Secret(bytes(range(32))))
SITE = Site("t", "c", 0, "p")


def tokens(raw: Any, ids: pa.Array, draws: Draws = DRAWS) -> list[Any]:
    (step,) = parse_steps(raw)
    assert isinstance(step, ColumnTechnique)
    result: list[Any] = step.apply(ids, Given(SITE, draws=draws)).to_pylist()
    return result


@over(st.lists(st.integers(0, 2**128 - 1)), st.integers(13, 26))
def test_base32_is_that_of_the_standard(numbers: list[int], length: int) -> None:
    """RFC 4648 section 6, in lower case, without padding, cut to the length."""
    draws = np.array([[n >> 64, n & (2**64 - 1)] for n in numbers], np.uint64).reshape(-1, 2)
    expected = [base64.b32encode(n.to_bytes(16, "big")).decode().lower().rstrip("=")[:length] for n in numbers]
    assert base32(draws, length).to_pylist() == expected


@pytest.mark.parametrize("length", [13, 20, 26])
def test_a_token_is_the_keyed_draw_of_the_id(run: Run, length: int) -> None:
    ids = [f"EC-{number}" for number in range(500)]
    made = run({"keyed-token": {"length": length}}, [*ids, None], draws=DRAWS)
    assert made[:-1] == base32(DRAWS.bits(encode_ids([pa.array(ids)])), length).to_pylist()
    assert made[-1] is None
    assert len(set(made)) == 501
    assert all(len(token) == length for token in made[:-1])


def test_equal_ids_get_equal_tokens_whatever_their_width_and_order() -> None:
    narrow = tokens("keyed-token", pa.array([7, None, 12], pa.int16()))
    assert tokens("keyed-token", pa.array([12, 7], pa.int64())) == [narrow[2], narrow[0]]
    assert tokens("keyed-token", pa.array([7.0, None, 12.0], pa.float64())) == narrow


def test_another_key_gives_other_tokens() -> None:
    ids = pa.array(["a", "b"])
    assert not set(tokens("keyed-token", ids)) & set(tokens("keyed-token", ids, Draws(Secret(bytes(32)))))


@pytest.mark.parametrize("value", [7.5, float("nan"), float("inf"), 2.0**60])
def test_floats_that_are_no_whole_numbers_are_refused(value: float) -> None:
    with pytest.raises(CellsRefused):
        tokens("keyed-token", pa.array([1.0, value, None], pa.float64()))


def test_without_keys_no_token_is_made() -> None:
    (step,) = parse_steps("keyed-token")
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(CellsRefused, match="keys"):
        step.apply(pa.array(["a"]), Given(SITE))


def test_a_source_id_is_not_in_the_image() -> None:
    (step,) = parse_steps("keyed-token")
    assert isinstance(step, ColumnTechnique)
    image = step.image(Anything(nullable=False), Given(SITE))
    cells = pa.array(["EC-232578", "a" * 26, "a" * 25 + "b", "a" * 25, None])
    assert image.contains(cells).tolist() == [False, True, False, False, False]


def test_a_pseudonym_takes_its_length_from_its_domain() -> None:
    (step,) = parse_steps({"pseudonym": "member"})
    assert isinstance(step, Pseudonym)
    assert step.domain == "member"
    made = step.of_length(16).apply(pa.array(["a", None]), Given(SITE, draws=DRAWS)).to_pylist()
    assert [made[0][:16], made[1]] == [tokens("keyed-token", pa.array(["a"]))[0][:16], None]
    with pytest.raises(ValidationError) as caught:
        parse_steps({"pseudonym": {"domain": "member", "length": 16}})
    assert caught.value.errors()[0]["loc"] == ("pseudonym", "length")


def test_a_serial_number_is_the_rank_of_the_row(run: Run) -> None:
    assert run("serial-number", ["EC-1", None, "EC-3"], ranks=pa.array([3, 1, 2])) == [3, 1, 2]
    (step,) = parse_steps("serial-number")
    assert isinstance(step, ColumnTechnique)
    with pytest.raises(CellsRefused, match="shuffle"):
        step.apply(pa.array(["EC-1"]), Given(SITE))
    inside = step.image(Anything(), Given(SITE)).contains(pa.array([0, 1, 10**12, None]))
    assert inside.tolist() == [False, True, True, False]


def test_an_id_of_several_columns(run: Run) -> None:
    """`with`: the token of the tuple of values; null where the column itself is null."""
    names, phones = ["김철수", "김철수", None, "이영희"], ["1", "2", "3", None]
    columns = {"phone": pa.array(phones)}
    made = run({"keyed-token": {"with": ["phone"]}}, names, draws=DRAWS, columns=columns)
    expected = base32(DRAWS.bits(encode_ids([pa.array(names), pa.array(phones)])), 26).to_pylist()
    assert made == [*expected[:2], None, expected[3]]
    assert len(set(made)) == 4
