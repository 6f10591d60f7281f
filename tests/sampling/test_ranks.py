"""Ranks, parts of an order and lists of members, against plain Python."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.members import Members, bits_of_copies, draws_of_copy, places_in
from transforms.pipeline.sample_lines import order_words, split_of
from transforms.pipeline.sample_ranks import Redrawn, Systematic
from transforms.pipeline.work import make_work

WORDS = st.integers(0, 5) | st.integers(0, 2**64 - 1)
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=40)


@given(st.integers(1, 300), st.data())
def test_a_systematic_choice_is_exact_from_every_start(count: int, data: st.DataObject) -> None:
    """Over all starts each rank is chosen n times of N: the chance n/N, exactly."""
    n = data.draw(st.integers(0, count))
    often = np.zeros(count, np.int64)
    for start in range(count):
        chosen = Systematic(n, count, start).times(0, count)
        assert chosen.sum() == n
        places = np.flatnonzero(chosen)
        if n > 1:
            assert {int(gap) for gap in np.diff(places)} <= {count // n, -(-count // n)}
        often += chosen
    assert (often == n).all()


@given(st.integers(1, 10**6), st.data())
def test_parts_of_an_order_choose_as_the_whole(count: int, data: st.DataObject) -> None:
    n, start = data.draw(st.integers(0, count)), data.draw(st.integers(0, count - 1))
    first = data.draw(st.integers(0, count - 1))
    length = min(50, count - first)
    expected = [int((rank * n + start) % count < n) for rank in range(first, first + length)]
    assert Systematic(n, count, start).times(first, length).tolist() == expected


def test_three_billion_persons_overflow_nothing() -> None:
    count, n, start = 3 * 10**9, 2_999_999_999, 2_999_999_998
    first = count - 5
    expected = [int((rank * n + start) % count < n) for rank in range(first, count)]
    assert Systematic(n, count, start).times(first, 5).tolist() == expected


@given(st.lists(st.integers(0, 30), min_size=1), st.integers(0, 31), st.integers(0, 31))
def test_drawings_by_rank(drawn: list[int], left: int, right: int) -> None:
    first, count = min(left, right), abs(left - right)
    ranks, often = np.unique(drawn, return_counts=True)
    expected = [drawn.count(rank) for rank in range(first, first + count)]
    assert Redrawn(ranks, often).times(first, count).tolist() == expected


def words_of(pairs: list[tuple[int, int]]) -> Any:
    return np.array(pairs, np.uint64).reshape(-1, 2)


@given(PAIRS, PAIRS)
def test_the_part_of_a_pair_is_the_number_of_splits_not_behind_it(
    pairs: list[tuple[int, int]], splits: list[tuple[int, int]]
) -> None:
    ordered = sorted(set(splits))
    assert split_of(words_of(pairs), words_of(ordered)).tolist() == [bisect_right(ordered, pair) for pair in pairs]


@given(PAIRS, PAIRS)
def test_members_are_found_by_all_bits(pairs: list[tuple[int, int]], listed: list[tuple[int, int]]) -> None:
    """As keyed draws are: no two of a list with the same high word."""
    ordered = sorted({high: (high, low) for high, low in listed}.values())
    expected = [ordered.index(pair) if pair in ordered else -1 for pair in pairs]
    assert places_in(words_of(pairs), words_of(ordered)).tolist() == expected
    times = np.arange(len(ordered), dtype=np.uint16)
    assert Members(words_of(ordered), times).times_of(words_of(pairs)).tolist() == expected


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 2), max_size=20))
def test_words_stand_in_the_order_of_whole_numbers_null_last(values: list[int | None]) -> None:
    words = order_words(pa.array(values, pa.int64()))[:, 0].tolist()
    turn = sorted(range(len(values)), key=lambda place: (values[place] is None, values[place] or 0))
    assert [words[place] for place in turn] == sorted(words)
    assert len(set(words)) == len(set(values))


@given(st.lists(st.none() | st.floats(allow_nan=False), max_size=20))
def test_words_stand_in_the_order_of_floats(values: list[float | None]) -> None:
    words = order_words(pa.array(values, pa.float64()))[:, 0].tolist()
    turn = sorted(range(len(values)), key=lambda place: (values[place] is None, values[place] or 0.0))
    assert [words[place] for place in turn] == sorted(words)
    assert len(set(words)) == len(set(values))  # 0.0 and -0.0 are equal in both


def test_copies_have_draws_of_their_own() -> None:
    draws = Draws(Secret(b"d" * 32))
    ids = encode_ids([pa.array(["a", "a", "a", "b"])])
    words = bits_of_copies(draws, ids, np.array([0, 1, 2, 0]))
    assert len({tuple(word) for word in words.tolist()}) == 4
    assert (words[[0, 3]] == draws.bits(ids.take(pa.array([0, 3])))).all()
    assert (bits_of_copies(draws, ids, None) == draws.bits(ids)).all()
    own = [draws_of_copy(draws, number).bits(ids)[0].tolist() for number in range(4)]
    assert own[0] == draws.bits(ids)[0].tolist()
    assert len({tuple(word) for word in own}) == 4


def test_the_sample_tells_nothing_of_the_order(desk: Any, everybody: pa.Table, secret_keys: Any) -> None:
    """Labels for sampling and order differ: their draws of the same persons are not alike (design, section 5)."""
    work = make_work(desk.table("{technique: systematic, n: 5}"), secret_keys(bytes(32)))
    ids = encode_ids([everybody["id"].combine_chunks()])
    drawn = [np.argsort(np.argsort(draws.bits(ids)[:, 0])) for draws in (work.select, work.order, work.ranks)]
    for left, right in ((0, 1), (0, 2), (1, 2)):
        assert abs(np.corrcoef(drawn[left], drawn[right])[0, 1]) < 0.12


def test_nan_has_no_place_in_an_order(desk: Any, everybody: pa.Table) -> None:
    schema = everybody.schema.set(5, pa.field("paid", pa.float64()))
    cells = [float("nan") if number == 3 else float(number) for number in range(900)]
    source = everybody.set_column(5, schema.field("paid"), pa.array(cells))
    with pytest.raises(PassFailed, match="NaN has no place in an order"):
        desk.run("{technique: systematic, order_by: paid, n: 5}", source)
