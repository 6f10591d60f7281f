"""Many MACs at once are the MACs one by one, for any lengths, slices and orders."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.cmac import cmac_many

KEYS = st.binary(min_size=32, max_size=32)
MESSAGES = st.lists(st.one_of(st.binary(max_size=17), st.binary(max_size=80)), max_size=40)


def one_by_one(key: bytes, messages: list[bytes]) -> list[bytes]:
    macs = []
    for message in messages:
        mac = CMAC(AES(key))
        mac.update(message)
        macs.append(mac.finalize())
    return macs


def at_once(key: bytes, messages: pa.Array) -> list[bytes]:
    macs = cmac_many(key, messages)
    assert macs.shape == (len(messages), 16)
    assert macs.dtype == np.uint8
    return [bytes(mac) for mac in macs]


@given(KEYS, MESSAGES)
def test_the_same_as_the_library_one_by_one(key: bytes, messages: list[bytes]) -> None:
    assert at_once(key, pa.array(messages, pa.binary())) == one_by_one(key, messages)


@given(KEYS, MESSAGES, st.integers(0, 40), st.integers(0, 40))
def test_a_slice_has_the_macs_of_its_rows(key: bytes, messages: list[bytes], start: int, rows: int) -> None:
    part = pa.array(messages, pa.binary()).slice(min(start, len(messages)), rows)
    assert at_once(key, part) == one_by_one(key, part.to_pylist())


@given(KEYS, MESSAGES, st.randoms())
def test_order_does_not_matter(key: bytes, messages: list[bytes], random: object) -> None:
    order = list(range(len(messages)))
    random.shuffle(order)  # type: ignore[attr-defined]
    macs = at_once(key, pa.array(messages, pa.binary()))
    shuffled = at_once(key, pa.array([messages[row] for row in order], pa.binary()))
    assert shuffled == [macs[row] for row in order]


def test_more_rows_than_are_worked_on_together() -> None:
    # Lengths 0 … 66, mixed and over several chunks of 8,192 rows; the last chunk is short ones only.
    key = bytes(range(32))
    messages = [bytes([row % 251]) * (row * 7 % 67) for row in range(40_000)] + [b"short"] * 10_000
    assert at_once(key, pa.array(messages, pa.binary())) == one_by_one(key, messages)


def test_one_long_message_among_short_ones() -> None:
    key = bytes(32)
    messages = [b"", b"x" * 100_001, b"y" * 16, b"z" * 160]
    assert at_once(key, pa.array(messages, pa.binary())) == one_by_one(key, messages)


def test_texts_are_messages_of_their_utf8_bytes() -> None:
    texts = ["EC-1234567", "고객", ""]
    encoded = [text.encode() for text in texts]
    assert at_once(bytes(32), pa.array(texts)) == one_by_one(bytes(32), encoded)
    assert at_once(bytes(32), pa.array(texts, pa.large_string())) == one_by_one(bytes(32), encoded)


def test_null_messages_are_refused() -> None:
    with pytest.raises(ValueError, match="1 null messages"):
        cmac_many(bytes(32), pa.array([b"a", None]))
