"""Draws: keyed, repeatable, even, and the same under any order and partitioning."""

from __future__ import annotations

from itertools import count

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids

KEY = bytes(range(32))
DRAWS = Draws(Secret(KEY))
IDS = st.lists(st.binary(max_size=20), max_size=30)


def word(encoded: bytes, round: int = 0, attempt: int = 0) -> int:
    """128 bits of one id, by the library's own CMAC."""
    mac = CMAC(AES(KEY))
    suffix = b"\xff" + round.to_bytes(2, "big") + bytes([attempt]) if round or attempt else b""
    mac.update(encoded + suffix)
    return int.from_bytes(mac.finalize(), "big")


def number_below(encoded: bytes, bound: int, round: int) -> int:
    """The first of an id's 64-bit words, by attempt, that lies in a whole number of `bound`s."""
    for attempt in count():
        high = word(encoded, round, attempt) >> 64
        if high >= 2**64 % bound:
            return high % bound
    raise AssertionError


def many(number: int) -> pa.Array:
    return encode_ids([pa.array([f"EC-{row:07d}" for row in range(number)], pa.string())])


@given(IDS, st.integers(0, 65_535))
def test_bits_are_the_cmac_of_the_id(ids: list[bytes], round: int) -> None:
    bits = DRAWS.bits(pa.array(ids, pa.binary()), round)
    assert bits.shape == (len(ids), 2)
    assert bits.dtype == np.uint64
    assert [(int(high) << 64) + int(low) for high, low in bits] == [word(id_, round) for id_ in ids]


@given(IDS, st.one_of(st.integers(1, 100), st.integers(2**62, 2**63 - 1)), st.integers(0, 3))
def test_below_rejects_what_would_favour_small_numbers(ids: list[bytes], bound: int, round: int) -> None:
    numbers = DRAWS.below(pa.array(ids, pa.binary()), bound, round)
    assert numbers.dtype == np.int64
    assert numbers.tolist() == [number_below(id_, bound, round) for id_ in ids]


@given(st.data(), IDS)
def test_each_id_may_have_its_own_bound(data: st.DataObject, ids: list[bytes]) -> None:
    bound = st.one_of(st.integers(1, 9), st.just(2**62 + 1), st.just(2**63 - 1))
    bounds = data.draw(st.lists(bound, min_size=len(ids), max_size=len(ids)))
    numbers = DRAWS.below(pa.array(ids, pa.binary()), np.array(bounds, np.int64))
    assert numbers.tolist() == [number_below(*pair, 0) for pair in zip(ids, bounds, strict=True)]


def test_rejection_does_happen() -> None:
    # 2^64 mod (2^62 + 1) is 2^62 - 3 …: about a quarter of the words are drawn again, some twice.
    bound = 2**62 + 1
    ids = many(400)
    rejected = [word(id_) >> 64 < 2**64 % bound for id_ in ids.to_pylist()]
    assert 50 < sum(rejected) < 150
    assert DRAWS.below(ids, bound).tolist() == [number_below(id_, bound, 0) for id_ in ids.to_pylist()]


def test_numbers_are_even() -> None:
    counts = np.bincount(DRAWS.below(many(60_000), 6), minlength=6)
    # Chi square, 5 degrees of freedom: 20.5 is passed once in a thousand keys; this key is fixed.
    assert len(counts) == 6
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 20.5


@given(IDS)
def test_uniform_is_the_middle_of_one_of_2_to_the_52_steps(ids: list[bytes]) -> None:
    numbers = DRAWS.uniform(pa.array(ids, pa.binary()))
    assert [number * 2**52 - 0.5 for number in numbers.tolist()] == [word(id_) >> 76 for id_ in ids]


def test_uniform_is_even() -> None:
    numbers = DRAWS.uniform(many(50_000))
    assert 0 < numbers.min() < 0.001
    assert 0.999 < numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 4 / np.sqrt(12 * 50_000)


@given(IDS, st.integers(1, 70))
def test_chance_is_the_draws_of_many_rounds(ids: list[bytes], length: int) -> None:
    found = DRAWS.chance(pa.array(ids, pa.binary()), length)
    assert found == [b"".join(word(id_, round).to_bytes(16, "big") for round in range(5))[:length] for id_ in ids]


def test_order_and_partitioning_change_nothing() -> None:
    ids = many(40_000)
    order = np.random.default_rng(7).permutation(len(ids))
    shuffled = ids.take(pa.array(order))
    parts = [shuffled.slice(start, 7_001) for start in range(0, len(ids), 7_001)]
    for draw in (DRAWS.bits, DRAWS.uniform, lambda some: DRAWS.below(some, 2**62 + 1)):
        whole = draw(ids)
        assert np.array_equal(np.concatenate([draw(part) for part in parts]), whole[order])


def test_rounds_and_keys_are_independent() -> None:
    ids = many(20_000)
    uniform = DRAWS.uniform(ids)
    for other in (DRAWS.uniform(ids, round=1), Draws(Secret(bytes(32))).uniform(ids)):
        # The correlation of independent numbers has a deviation of 1/√20,000 = 0.007.
        assert abs(np.corrcoef(uniform, other)[0, 1]) < 0.03


def test_no_ids_no_draws() -> None:
    none = many(0)
    assert DRAWS.bits(none).shape == (0, 2)
    assert DRAWS.below(none, 6).tolist() == DRAWS.uniform(none).tolist() == []


@pytest.mark.parametrize("bound", [0, -1, np.array([1, 0, 1])])
def test_a_bound_is_at_least_one(bound: int) -> None:
    with pytest.raises(ValueError, match="bound below 1"):
        DRAWS.below(many(3), bound)


def test_bounds_are_as_many_as_ids() -> None:
    with pytest.raises(ValueError, match="another length"):
        DRAWS.below(many(3), np.array([1, 2]))


@pytest.mark.parametrize("round", [-1, 65_536])
def test_rounds_out_of_range(round: int) -> None:
    with pytest.raises(ValueError, match=r"allowed: 0 to 65535"):
        DRAWS.bits(many(1), round)


def test_null_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="1 null ids"):
        DRAWS.bits(pa.array([b"a", None]))
