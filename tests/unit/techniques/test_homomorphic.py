"""Homomorphic encryption: sums of what nobody read, and numbers that come back for the key holder alone."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given as over
from hypothesis import settings
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import CellsRefused, PlanError, Site, TechniqueError
from transforms.fingerprint import fingerprint
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Anything
from transforms.kernels.paillier import PrivateKey, PublicKey, generate
from transforms.plan_loader import load
from transforms.technique import ColumnTechnique
from transforms.techniques import parse_steps

# Made anew for each test run, the same each time: no key of anybody.
KEY = generate(2048, random.Random(4).getrandbits)
SITE = Site("t", "c", 0, "p")
DRAWS = Draws(Secret(bytes(range(32))))
NUMBERS = st.integers(-(2**63), 2**63 - 1)


def step(**more: Any) -> ColumnTechnique:
    (one,) = parse_steps({"homomorphic-encryption": {"public_key": KEY.public.to_text(), **more}})
    assert isinstance(one, ColumnTechnique)
    return one


def encrypted(values: pa.Array, rows: list[int] | None = None, draws: Draws = DRAWS) -> pa.Array:
    ids = encode_ids([pa.array(range(len(values)) if rows is None else rows, pa.int64())])
    made = step().apply(values, Given(SITE, draws=draws, rows=ids))
    assert made.type == step().applied_type(values.type) == pa.binary()
    assert step().applied_image(Anything(), Given(SITE)).contains(made).all()
    return made


def read_by_hand(ciphertext: bytes) -> int:
    """Decryption as Paillier 1999 gives it (scheme 1): L(c^λ mod n²) / L(g^λ mod n²) mod n, with g = 1 + n."""
    n = KEY.p * KEY.q
    power = math.lcm(KEY.p - 1, KEY.q - 1)
    whole = (pow(int.from_bytes(ciphertext, "big"), power, n * n) - 1) // n
    message = whole * pow((pow(1 + n, power, n * n) - 1) // n, -1, n) % n
    return message - n if message > n // 2 else message


def encrypt_by_hand(message: int, chance: int) -> bytes:
    """Encryption as Paillier 1999 gives it: g^m · r^n mod n², with any r."""
    n = KEY.p * KEY.q
    return (pow(1 + n, message % n, n * n) * pow(chance, n, n * n) % (n * n)).to_bytes(512, "big")


@settings(max_examples=10)
@over(st.lists(st.none() | NUMBERS, min_size=1, max_size=5))
def test_the_textbooks_decryption_reads_our_ciphertexts(cells: list[int | None]) -> None:
    made = encrypted(pa.array(cells, pa.int64())).to_pylist()
    assert [None if one is None else read_by_hand(one) for one in made] == cells


@settings(max_examples=10)
@over(st.lists(st.tuples(NUMBERS, st.integers(2, 2**2000)), min_size=1, max_size=4))
def test_our_decryption_reads_the_textbooks_ciphertexts(pairs: list[tuple[int, int]]) -> None:
    assert KEY.decrypt(encrypt_by_hand(*pair) for pair in pairs) == [message for message, _ in pairs]


@settings(max_examples=10)
@over(st.lists(NUMBERS, max_size=6))
def test_the_product_is_a_ciphertext_of_the_sum(numbers: list[int]) -> None:
    made = encrypted(pa.array(numbers, pa.int64())).to_pylist()
    assert KEY.decrypt([KEY.public.add(made)]) == [sum(numbers)]
    halves = KEY.public.add(made[2:], KEY.public.add(made[:2]))
    assert KEY.decrypt([halves]) == [sum(numbers)]


def test_decimals_are_encrypted_without_their_point() -> None:
    cells = [
        Decimal("12.30"),
        Decimal("-0.07"),
        None,
        Decimal("0.00"),
        Decimal("99999999999999999999999999999999999.99"),
    ]
    made = encrypted(pa.array(cells, pa.decimal128(38, 2))).to_pylist()
    present = [cell for cell in cells if cell is not None]
    assert KEY.decrypt(one for one in made if one is not None) == [int(str(cell).replace(".", "")) for cell in present]
    assert made[2] is None


def test_equal_numbers_have_different_ciphertexts_and_a_row_always_the_same() -> None:
    """So a retry or verify gets the same bytes, under any partitioning, and equality does not show."""
    cells = pa.array([5, 5, None, 7])
    whole = encrypted(cells).to_pylist()
    assert whole[0] != whole[1]
    assert [encrypted(cells[n : n + 1], [n]).to_pylist()[0] for n in range(4)] == whole
    assert encrypted(cells[::-1], [3, 2, 1, 0]).to_pylist() == whole[::-1]
    assert encrypted(cells, draws=Draws(Secret(bytes(32)))).to_pylist()[0] != whole[0]


def test_unprocessed_cells_are_not_in_the_image() -> None:
    image = step().applied_image(Anything(nullable=False), Given(SITE))
    square = KEY.public.n**2
    cells = [
        b"",
        bytes(512),
        (1).to_bytes(512, "big"),
        square.to_bytes(512, "big"),
        (square - 1).to_bytes(512, "big"),
        b"5",
        None,
    ]
    assert image.contains(pa.array(cells)).tolist() == [False, False, True, False, True, False, False]
    assert image.contains(pa.array([5, 6])).tolist() == [False, False]


def test_messages_beyond_half_of_the_modulus_are_refused() -> None:
    most, chance = KEY.public.largest, [bytes(KEY.public.random_bytes)]
    assert KEY.decrypt(KEY.public.encrypt([-most], chance)) == [-most]
    with pytest.raises(OverflowError):
        KEY.public.encrypt([most + 1], chance)


def test_keys_come_back_from_their_texts_and_show_themselves_to_nobody() -> None:
    assert PublicKey.from_text(KEY.public.to_text()) == KEY.public
    assert PrivateKey.from_text(KEY.to_text()) == KEY
    assert str(KEY.p) not in repr(KEY)
    assert hex(KEY.p) not in repr(KEY)
    assert (KEY.public.bits, KEY.p % 4, KEY.q % 4, math.gcd(KEY.p - 1, KEY.q - 1)) == (2048, 3, 3, 2)
    with pytest.raises(ValueError, match="no paillier private key"):
        PrivateKey.from_text(KEY.public.to_text())
    with pytest.raises(ValueError, match="2048"):
        generate(1024, random.Random(1).getrandbits)


def test_h_is_a_random_power_whose_message_is_zero() -> None:
    assert read_by_hand(KEY.public.h.to_bytes(512, "big")) == 0


@pytest.mark.parametrize("foreign", [b"", bytes(512), b"\xff" * 512])
def test_what_is_no_ciphertext_is_refused(foreign: bytes) -> None:
    with pytest.raises(ValueError, match="no ciphertext"):
        KEY.decrypt([foreign])


@pytest.mark.parametrize("type_", [pa.float64(), pa.string(), pa.date32()])
def test_only_whole_numbers_and_decimals(type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError):
        step().output_type(type_)


def short() -> str:
    body = json.loads(KEY.public.to_text())
    return json.dumps({**body, "n": hex(KEY.p)})


@pytest.mark.parametrize("text", ["", "{}", KEY.to_text(), short()], ids=["empty", "no key", "private", "short"])
def test_a_plan_with_another_key_is_complained_of(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_steps({"homomorphic-encryption": {"public_key": text}})
    assert caught.value.errors()[0]["loc"] == ("homomorphic-encryption", "public_key")
    assert hex(KEY.p) not in str(caught.value.errors()[0]["msg"])


def test_without_keys_nothing_is_made() -> None:
    with pytest.raises(CellsRefused, match="keys"):
        step().apply(pa.array([1]), Given(SITE))


PAID = "paid: {kind: attribute, apply: [{top-coding: {quantile: 0.999}}, {rounding: {unit: 100, direction: half-up}}]}"
ENCRYPTED = "paid: {kind: attribute, apply: {homomorphic-encryption: {public_key: {file: sums.json}}}}"


def test_the_key_is_read_from_the_file_beside_the_plan(valid_plan: str, plan_file: Callable[[str], Path]) -> None:
    """Its text becomes part of the plan: another key, another fingerprint."""
    assert PAID in valid_plan
    path = plan_file(valid_plan.replace(PAID, ENCRYPTED))
    marks = []
    for number in (4, 5):
        key = KEY if number == 4 else generate(2048, random.Random(number).getrandbits)
        (path.parent / "sums.json").write_text(key.public.to_text() + "\n", "utf-8")
        loaded = load(path)
        (one,) = loaded.plan.columns["paid"].apply or ()
        assert one.public_key == key.public.to_text()  # type: ignore[attr-defined]
        marks.append(fingerprint(loaded.plan, loaded.hierarchies))
    assert marks[0] != marks[1]


def test_a_key_file_that_is_not_there_is_named(valid_plan: str, plan_file: Callable[[str], Path]) -> None:
    with pytest.raises(PlanError) as caught:
        load(plan_file(valid_plan.replace(PAID, ENCRYPTED)))
    (problem,) = caught.value.problems
    assert problem.path == "columns.paid.apply.homomorphic-encryption.public_key"
    assert "sums.json" in problem.found
