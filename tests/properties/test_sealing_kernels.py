"""AES-SIV, AES-GCM and base 64 on many values at once give what a library gives for each."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.base64 import from_text, to_text
from transforms.kernels.gcm import GCM
from transforms.kernels.siv import SIV

KEY = bytes(range(64))
messages = st.lists(st.one_of(st.binary(max_size=100), st.sampled_from([b"", bytes(15), bytes(16), bytes(17)])))


def binary(values: Sequence[bytes]) -> pa.Array:
    return pa.array(values, pa.binary())


def spoiled(sealed: Sequence[bytes], place: int) -> list[bytes]:
    """Every second one with one bit turned."""
    found = []
    for number, one in enumerate(sealed):
        at = place % len(one)
        turned = one[:at] + bytes([one[at] ^ 1 << place % 8]) + one[at + 1 :]
        found.append(turned if number % 2 else one)
    return found


@given(messages, st.sampled_from([32, 48, 64]), st.lists(st.binary(max_size=40), max_size=3), st.integers(0, 10_000))
def test_siv(plain: list[bytes], size: int, associated: list[bytes], place: int) -> None:
    cipher, library = SIV(KEY[:size], associated), AESSIV(KEY[:size])
    expected = [library.encrypt(one, associated or None) for one in plain]
    assert cipher.seal(binary(plain)).to_pylist() == expected
    opened, authentic = cipher.open(binary(spoiled(expected, place)))
    assert authentic.tolist() == [number % 2 == 0 for number in range(len(plain))]
    assert opened.to_pylist() == [b"" if number % 2 else one for number, one in enumerate(plain)]


@given(messages, st.sampled_from([16, 24, 32]), st.binary(max_size=40), st.integers(0, 10_000))
def test_gcm(plain: list[bytes], size: int, associated: bytes, place: int) -> None:
    nonces = np.frombuffer(bytes(number * 37 % 256 for number in range(12 * len(plain))), np.uint8).reshape(-1, 12)
    cipher, library = GCM(KEY[:size], associated), AESGCM(KEY[:size])
    expected = [
        nonce.tobytes() + library.encrypt(nonce.tobytes(), one, associated)
        for nonce, one in zip(nonces, plain, strict=True)
    ]
    assert cipher.seal(binary(plain), nonces).to_pylist() == expected
    opened, authentic = cipher.open(binary(spoiled(expected, place)))
    assert authentic.tolist() == [number % 2 == 0 for number in range(len(plain))]
    assert opened.to_pylist() == [b"" if number % 2 else one for number, one in enumerate(plain)]


@pytest.mark.parametrize("cipher", [SIV(KEY), GCM(KEY[:32])])
def test_what_is_too_short_for_a_ciphertext_is_not_authentic(cipher: SIV | GCM) -> None:
    opened, authentic = cipher.open(binary([b"", bytes(15), bytes(27)]))
    assert authentic.tolist() == [False] * 3
    assert opened.to_pylist() == [b""] * 3


@given(st.lists(st.binary(max_size=50)))
def test_base_64(strings: list[bytes]) -> None:
    """RFC 4648, section 5."""
    texts = to_text(binary(strings))
    assert texts.to_pylist() == [base64.urlsafe_b64encode(one).decode() for one in strings]
    back, right = from_text(texts)
    assert right.all()
    assert back.to_pylist() == strings


@given(st.lists(st.text(st.sampled_from("AB-_+/= 한"), max_size=9)))
def test_one_text_for_one_string(texts: list[str]) -> None:
    """What is no text of ours is told, not guessed at: other letters, padding in the wrong place, stray bits."""
    back, right = from_text(pa.array(texts, pa.string()))
    for text, one, sound in zip(texts, back.to_pylist(), right, strict=True):
        assert sound == (base64.urlsafe_b64encode(one).decode() == text)
        assert sound or one == b""


def test_many_messages_of_many_lengths() -> None:
    plain = [bytes([number % 251]) * (number * 7919 % 300) for number in range(20_000)]
    cipher = SIV(KEY, [b"context"])
    sealed = cipher.seal(binary(plain))
    library = AESSIV(KEY)
    some = range(0, 20_000, 499)
    expected = [library.encrypt(plain[place], [b"context"]) for place in some]
    assert [sealed[place].as_py() for place in some] == expected
    part = sealed.slice(12_345, 700)
    opened, authentic = cipher.open(part)
    assert authentic.all()
    assert opened.to_pylist() == plain[12_345:13_045]
