"""Order-preserving encryption: larger stays larger, the key holder reads it, and it asks for consent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, PlanError, Site, TechniqueError
from transforms.given import Given, SiteKey
from transforms.images import Anything
from transforms.kernels.order_tree import NARROW_BITS, WIDE_BITS, decrypt, encrypt, range_bits
from transforms.plan_loader import load
from transforms.technique import ColumnTechnique, Reversible
from transforms.techniques import parse_steps

KEY = bytes(range(32))
SITE = Site("t", "c", 0, "p")
MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def step_of(**parameters: Any) -> ColumnTechnique:
    (step,) = parse_steps({"order-preserving-encryption": {"accept_leak": "order", **parameters}})
    assert isinstance(step, ColumnTechnique)
    return step


def keyed(key: bytes = KEY) -> Given:
    return Given(SITE, key=SiteKey(Secret(key), b""))


def by_hand(value: int, bits: int) -> int:
    """The tree of one number with Python's integers, one CMAC for each three levels, as order_tree.py's text says."""
    low = size = 1 << (62 if bits <= 42 else 125)
    words: list[int] = []
    fork = 0
    for level in range(bits):
        if level % 3 == 0:
            mac = CMAC(AES(KEY))
            mac.update(bytes([level]) + (value >> (bits - level)).to_bytes(8, "big"))
            drawn = mac.finalize()
            words = [int.from_bytes(drawn[place : place + 2], "big") for place in range(0, 16, 2)]
            fork = 0
        # 3/8 of the range, and as much of the quarter between 3/8 and 5/8 as the fork's word says.
        left = size * (3 * 2**15 + words[fork]) >> 18
        if value >> (bits - 1 - level) & 1:
            low, size, fork = low + left, size - left, 2 * fork + 2
        else:
            size, fork = left, 2 * fork + 1
    return low + (size * words[7] >> 16)


@pytest.mark.parametrize("bits", [1, 2, 7, 31, 42, 43, 64])
def test_the_tree_is_the_one_drawn_by_hand(bits: int) -> None:
    top = (1 << bits) - 1
    values = sorted({0, 1, top // 3, top // 2, top - 1 if top > 1 else top, top})
    found = encrypt(Draws(Secret(KEY)), np.array(values, np.uint64), bits)
    assert [int(one) for one in found] == [by_hand(value, bits) for value in values]


@pytest.mark.parametrize("bits", [NARROW_BITS, WIDE_BITS])
def test_even_the_narrowest_leaf_owns_two_results(bits: int) -> None:
    """The worst luck at every fork: 3/8, rounded down."""
    size = 1 << range_bits(bits)
    for _ in range(bits):
        size = size * 3 // 8
    assert size >= 2


@settings(max_examples=60)
@over(
    st.sets(st.integers(0, 2**64 - 1), min_size=1, max_size=50), st.integers(1, 64), st.binary(min_size=32, max_size=32)
)
def test_larger_stays_larger_and_comes_back(numbers: set[int], bits: int, key: bytes) -> None:
    places = np.array(sorted({number % (1 << bits) for number in numbers}), np.uint64)
    draws = Draws(Secret(key))
    results = encrypt(draws, places, bits)
    assert all(int(a) < int(b) for a, b in pairwise(results))
    again, ours = decrypt(draws, results, bits)
    assert again.tolist() == places.tolist()
    assert ours.all()


TYPES = [
    (pa.int8(), st.integers(-128, 127), pa.int64()),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1), pa.int64()),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1), pa.decimal128(38, 0)),
    (pa.decimal128(9, 2), st.decimals(-9999999, 9999999, places=2), pa.int64()),
    (pa.decimal128(18, 4), st.decimals(-99999999999999, 99999999999999, places=4), pa.decimal128(38, 0)),
    (pa.date32(), st.dates(), pa.int64()),
    (pa.timestamp("us", "UTC"), st.integers(-(10**15), 10**15).map(lambda us: MIDNIGHT + timedelta(microseconds=us)),
     pa.decimal128(38, 0)),
]  # fmt: skip


@settings(max_examples=15)
@pytest.mark.parametrize(("type_", "values", "result"), TYPES, ids=lambda one: str(one)[:20])
@over(data=st.data())
def test_every_type_keeps_its_order_and_its_nulls(type_: Any, values: Any, result: Any, data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.none() | values, min_size=1, max_size=30))
    step, source = step_of(), pa.array(cells, type_)
    made = step.apply(source, keyed())
    assert made.type == step.applied_type(type_) == result
    assert step.applied_image(Anything(), keyed()).contains(made).all()
    ranked = [
        (cell, int(number))
        for cell, number in zip(source.to_pylist(), made.to_pylist(), strict=True)
        if cell is not None
    ]
    for cell, number in ranked:
        assert all((cell < other) == (number < theirs) for other, theirs in ranked)
    assert [cell is None for cell in made.to_pylist()] == [cell is None for cell in cells]
    assert isinstance(step, Reversible)
    assert step.inverse(made, type_, keyed()).equals(source)


def test_a_value_alone_gives_the_same_as_among_others() -> None:
    """So no partitioning matters."""
    cells = pa.array([5, 900, None, 5, 17, 250_000])
    step = step_of(between=[0, 1_000_000])
    whole = step.apply(cells, keyed()).to_pylist()
    assert [step.apply(cells[n : n + 1], keyed()).to_pylist()[0] for n in range(len(cells))] == whole
    assert whole[0] == whole[3]
    assert step.apply(cells.take(pa.array([3, 5, 0])), keyed()).to_pylist() == [whole[3], whole[5], whole[0]]


def test_with_declared_ends_even_long_integers_give_int64() -> None:
    step = step_of(between=[date(2000, 1, 1).isoformat(), date(2030, 12, 31).isoformat()])
    made = step.apply(pa.array([date(2000, 1, 1), date(2030, 12, 31)], pa.date32()), keyed())
    assert made.type == pa.int64()
    assert 2**62 <= made[0].as_py() < made[1].as_py() < 2**63
    assert step_of(between=[0, 10**12]).output_type(pa.int64()) == pa.int64()
    assert step_of(between=[Decimal("0.5"), 10]).output_type(pa.decimal128(18, 4)) == pa.int64()


def test_an_unprocessed_value_is_not_in_the_image() -> None:
    image = step_of().applied_image(Anything(nullable=False), Given(SITE))
    assert image.contains(pa.array([0, 61_000, -5, 2**62, None])).tolist() == [False, False, False, True, False]
    wide = pa.array([Decimal(7), Decimal(2**125)], pa.decimal128(38, 0))
    assert image.contains(wide).tolist() == [False, True]


def test_another_key_gives_other_numbers() -> None:
    cells = pa.array(range(100), pa.int32())
    ours, theirs = (step_of().apply(cells, keyed(key)).to_pylist() for key in (KEY, bytes(32)))
    assert not set(ours) & set(theirs)
    with pytest.raises(CellsRefused, match="did not encrypt"):
        step_of().inverse(pa.array(theirs), pa.int32(), keyed())  # type: ignore[attr-defined]


def test_columns_of_one_domain_share_a_key_and_others_do_not() -> None:
    uses = [step_of(**more).key_use() for more in ({}, {"domain": "stay"}, {"domain": "stay", "stable_over": "years"})]
    assert [(use.domain, use.stable_over) for use in uses if use] == [(None, None), ("stay", None), ("stay", "years")]


@pytest.mark.parametrize("type_", [pa.float64(), pa.string(), pa.decimal128(20, 0), pa.bool_()])
def test_types_without_an_exact_order_are_refused(type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError):
        step_of().output_type(type_)


def test_values_outside_are_refused_with_their_number() -> None:
    with pytest.raises(CellsRefused) as caught:
        step_of(between=[0, 10]).apply(pa.array([3, 11, -1, None, 11]), keyed())
    assert caught.value.count == 2
    with pytest.raises(CellsRefused, match="keys"):
        step_of().apply(pa.array([1]), Given(SITE))


@pytest.mark.parametrize("between", [[5, 5], [5, 1], [1, "2026-01-01"], ["2026-01-01", "2025-01-01"]])
def test_ends_that_do_not_increase_are_complained_of(between: list[Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        step_of(between=between)
    assert caught.value.errors()[0]["loc"] == ("order-preserving-encryption", "between")


def test_raw_cells_among_encrypted_ones_are_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        step_of(when={"age": {"below": 3}})
    assert caught.value.errors()[0]["loc"] == ("order-preserving-encryption", "when")


def test_without_consent_to_the_leak_the_plan_is_refused_by_rule(valid_plan: str, plan_file: Any) -> None:
    age = "age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}"
    assert age in valid_plan

    def problems(parameters: str) -> PlanError | None:
        step = f"{{order-preserving-encryption: {parameters}}}"
        path: Path = plan_file(valid_plan.replace(age, f"age: {{kind: quasi-identifier, apply: {step}}}"))
        try:
            load(path)
        except PlanError as error:
            return error
        return None

    assert problems("{accept_leak: order}") is None
    error = problems("{between: [0, 120]}")
    assert error is not None
    assert error.refused
    assert error.problems[0].path.startswith("columns.age.apply")
    assert "accept_leak: order" in error.problems[0].allowed
