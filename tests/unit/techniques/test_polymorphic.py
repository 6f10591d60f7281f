"""Polymorphic pseudonyms: another one for each recipient, and the way from one to another that shows nobody any."""

from __future__ import annotations

import hashlib
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.errors import CellsRefused, Site
from transforms.given import Given, SiteKey
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.kernels import blind
from transforms.kernels.edwards import hash_to_point
from transforms.run_keys import RunKeys
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps
from transforms.techniques.polymorphic import converted, domain_key, opened, sealed

SITE = Site("t", "c", 0, "p")
PLAN = {"polymorphic-pseudonym": {"domain": "member", "stable_over": "panel"}}
TAG = b"GAMYEONG-V01-with-edwards25519_XMD:SHA-512_ELL2_RO_"
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def step() -> ColumnTechnique:
    (one,) = parse_steps(PLAN)
    assert isinstance(one, ColumnTechnique)
    return one


def key_of(recipient: str, run: str = "run") -> SiteKey:
    """The step's subkey in a plan for a recipient, as the pipeline derives it."""
    keys = RunKeys(Secret(bytes(32)), "organisation", run, recipient, {"panel": Secret(bytes(range(32)))})
    use = step().key_use()
    assert use is not None
    return keys.key(use, step().name, "t.c", 0)


def pseudonyms(ids: list[Any], recipient: str, type_: Any = None) -> list[Any]:
    made = step().apply(pa.array(ids, type_), Given(SITE, key=key_of(recipient)))
    assert step().applied_image(Anything(), Given(SITE)).contains(made).all()
    cells: list[Any] = made.to_pylist()
    return cells


def seeds(count: int, name: str = "") -> pa.Array:
    """Made-up randomness; `name` makes other ones."""
    return pa.array([hashlib.sha512(f"{name}{number}".encode()).digest() for number in range(count)])


# A plain reference: the curve's affine formulas (RFC 8032, section 5.1.4) and double-and-add.


def decoded(point: bytes) -> tuple[int, int]:
    y = int.from_bytes(point, "little") & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x & 1 != point[31] >> 7 else x), y


def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (a, b), (c, d) = one, other
    shared = D * a * b * c * d % P
    return (a * d + b * c) * pow(1 + shared, -1, P) % P, (b * d + a * c) * pow(1 - shared, -1, P) % P


def times(number: int, point: tuple[int, int]) -> tuple[int, int]:
    result = (0, 1)
    while number:
        if number & 1:
            result = add(result, point)
        point, number = add(point, point), number >> 1
    return result


@settings(max_examples=8)
@over(st.text(max_size=20))
def test_a_pseudonym_is_the_domains_secret_times_the_ids_point(name: str) -> None:
    number = int.from_bytes(key_of("A").secret.reveal(), "little") % ORDER
    encoded = encode_ids([pa.array([name])]).to_pylist()[0]
    x, y = times(number, decoded(hash_to_point(encoded, TAG)))
    assert pseudonyms([name], "A") == [(y | (x & 1) << 255).to_bytes(32, "little").hex()]


def test_equal_ids_have_equal_pseudonyms_and_null_none() -> None:
    made = pseudonyms(["EC-1", None, "EC-2", "EC-1"], "A")
    assert made[0] == made[3] != made[2]
    assert made[1] is None
    assert pseudonyms([7, None], "A", pa.int16()) == pseudonyms([7.0, None], "A", pa.float64())
    assert [pseudonyms([one], "A")[0] for one in ("EC-2", "EC-1")] == [made[2], made[0]]


def test_each_recipient_has_other_pseudonyms_and_each_run_of_the_series_the_same() -> None:
    ids = [f"EC-{number}" for number in range(20)]
    assert not set(pseudonyms(ids, "A")) & set(pseudonyms(ids, "B"))
    assert key_of("A", "run").secret == key_of("A", "later").secret


@settings(max_examples=5)
@over(st.lists(st.none() | st.integers(0, 10**9), max_size=6))
def test_a_blind_conversion_gives_what_the_other_recipient_has(ids: list[int | None]) -> None:
    """A seals for B, the converter converts, B opens: the pseudonyms that B's own plan gives."""
    ours, theirs = domain_key(key_of("A")), domain_key(key_of("B"))
    private = blind.scalar(hashlib.sha512(b"receiver").digest())
    receiver = blind.public(private)
    values = pa.array(pseudonyms(ids, "A", pa.int64()), pa.string())
    pairs = sealed(values, receiver, seeds(len(ids), "A"))
    passed = converted(pairs, blind.factor(ours, theirs), receiver, seeds(len(ids), "converter"))
    assert opened(passed, private).to_pylist() == pseudonyms(ids, "B", pa.int64())


def test_the_converter_sees_neither_pseudonyms_nor_which_are_equal() -> None:
    """One person twice: four ciphertext parts that are all different, none of them a pseudonym of either side."""
    private = blind.scalar(hashlib.sha512(b"receiver").digest())
    receiver = blind.public(private)
    a, b = pseudonyms(["EC-1", "EC-1"], "A"), pseudonyms(["EC-1"], "B")
    pairs = sealed(pa.array(a), receiver, seeds(2, "A"))
    ratio = blind.factor(domain_key(key_of("A")), domain_key(key_of("B")))
    passed = converted(pairs, ratio, receiver, seeds(2, "converter"))
    seen = [one[place : place + 64] for one in [*pairs.to_pylist(), *passed.to_pylist()] for place in (0, 64)]
    assert len({*seen, *a, *b}) == 8 + 1 + 1
    # The wrong receiver, or the ratio alone, leads to no pseudonym of B.
    other = blind.scalar(hashlib.sha512(b"other").digest())
    assert opened(passed, other).to_pylist()[0] not in {*a, *b}


@pytest.mark.parametrize("value", ["", "00" * 32, "zz" * 32, "01" + "00" * 31, "ff" * 32])
def test_what_is_no_pseudonym_is_refused_and_not_told(value: str) -> None:
    receiver = blind.public(blind.scalar(hashlib.sha512(b"receiver").digest()))
    with pytest.raises(CellsRefused) as caught:
        sealed(pa.array([value, None]), receiver, seeds(2))
    assert caught.value.count == 1
    assert not value or value not in str(caught.value)


def test_a_pair_that_somebody_shifted_out_of_the_group_is_refused() -> None:
    """Right half plus the point of order 4 (y = 0): on the curve, but no pseudonym."""
    private = blind.scalar(hashlib.sha512(b"receiver").digest())
    (pair,) = sealed(pa.array(pseudonyms(["EC-1"], "A")), blind.public(private), seeds(1)).to_pylist()
    x, y = add(decoded(bytes.fromhex(pair[64:])), decoded(bytes(32)))
    shifted = pair[:64] + (y | (x & 1) << 255).to_bytes(32, "little").hex()
    assert opened(pa.array([pair]), private).to_pylist() == pseudonyms(["EC-1"], "A")
    with pytest.raises(CellsRefused):
        opened(pa.array([shifted]), private)


def test_without_keys_nothing_is_made() -> None:
    with pytest.raises(CellsRefused, match="keys"):
        step().apply(pa.array(["a"]), Given(SITE))


def test_a_domain_and_a_series_are_needed() -> None:
    with pytest.raises(ValidationError) as caught:
        parse_steps("polymorphic-pseudonym")
    assert {one["loc"][-1] for one in caught.value.errors()} == {"domain", "stable_over"}


def test_a_source_id_is_not_in_the_image() -> None:
    image = step().applied_image(Anything(nullable=False), Given(SITE))
    cells = pa.array(["EC-232578", "0f" * 32, "0F" * 32, None])
    assert image.contains(cells).tolist() == [False, True, False, False]
