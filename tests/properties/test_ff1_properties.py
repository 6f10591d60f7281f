"""FF1 on many values at once gives what a plain reading of the standard gives for each of them."""

from __future__ import annotations

from functools import reduce

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from transforms.kernels.ff1 import FF1

PRINTABLE = "".join(map(chr, range(33, 127)))
KEY = bytes(range(32))


def prf(key: bytes, blocks: bytes) -> bytes:
    """SP 800-38G Rev. 1, algorithm 6: the last block of CBC from zero."""
    return Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor().update(blocks)[-16:]


def reference(key: bytes, alphabet: str, tweak: bytes, text: str, *, decrypt: bool = False) -> str:
    """Algorithms 7 and 8, step by step, on Python's integers."""
    radix, n = len(alphabet), len(text)
    u = n // 2
    v = n - u

    def number(numerals: str) -> int:
        return reduce(lambda sum_, letter: sum_ * radix + alphabet.index(letter), numerals, 0)

    def written(value: int, length: int) -> str:
        letters = ""
        for _ in range(length):
            value, rest = divmod(value, radix)
            letters = alphabet[rest] + letters
        return letters

    left, right = text[:u], text[u:]
    b = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * ((b + 3) // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    p += n.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    for i in reversed(range(10)) if decrypt else range(10):
        known = number(left if decrypt else right)
        q = tweak + bytes((-len(tweak) - b - 1) % 16) + bytes([i]) + known.to_bytes(b, "big")
        y = int.from_bytes(prf(key, p + q)[:d], "big")
        m = u if i % 2 == 0 else v
        if decrypt:
            left, right = written((number(right) - y) % radix**m, m), left
        else:
            left, right = right, written((number(left) + y) % radix**m, m)
    return left + right


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, list[str], bytes]:
    """An alphabet, values of one to four lengths that FF1 allows for it, a tweak."""
    size = draw(st.sampled_from([2, 3, 10, 16, 26, 36, 62, 64, 94]))
    alphabet = "".join(draw(st.permutations(PRINTABLE))[:size]) if draw(st.booleans()) else PRINTABLE[15 : 15 + size]
    alphabet = alphabet if len(alphabet) == size else PRINTABLE[:size]
    cipher = FF1(KEY, alphabet)
    lengths = draw(st.lists(st.integers(cipher.shortest, cipher.longest), min_size=1, max_size=4))
    letters = st.sampled_from(alphabet)
    values = [draw(st.text(letters, min_size=length, max_size=length)) for length in lengths for _ in range(3)]
    return alphabet, draw(st.permutations(values)), draw(st.binary(max_size=40))


@given(cases(), st.sampled_from([16, 24, 32]))
def test_each_value_as_the_standard_says_and_back(case: tuple[str, list[str], bytes], size: int) -> None:
    alphabet, values, tweak = case
    cipher = FF1(KEY[:size], alphabet)
    sealed = cipher.encrypt(pa.array([*values, None], pa.string()), tweak)
    assert sealed.to_pylist() == [*(reference(KEY[:size], alphabet, tweak, value) for value in values), None]
    assert cipher.decrypt(sealed, tweak).to_pylist() == [*values, None]
    assert [reference(KEY[:size], alphabet, tweak, one, decrypt=True) for one in sealed.to_pylist()[:-1]] == values


def test_more_values_than_are_worked_on_together() -> None:
    values = [f"{number * 7919 % 10**8:08d}" for number in range(40_000)]
    cipher = FF1(KEY, "0123456789")
    sealed = cipher.encrypt(pa.array(values))
    assert cipher.decrypt(sealed).to_pylist() == values
    assert len(set(sealed.to_pylist())) == 40_000, "different values stay different"
    some = range(0, 40_000, 997)
    assert [sealed[place].as_py() for place in some] == [
        reference(KEY, "0123456789", b"", values[place]) for place in some
    ]


def test_longest_values_reach_all_64_bits() -> None:
    """The largest halves, where a sum or a product might overflow."""
    for size in (2, 7, 10, 62, 94):
        alphabet = PRINTABLE[:size]
        cipher = FF1(KEY, alphabet)
        for length in (cipher.longest, cipher.longest - 1):
            values = [alphabet[0] * length, alphabet[-1] * length]
            expected = [reference(KEY, alphabet, b"t", value) for value in values]
            assert cipher.encrypt(pa.array(values), b"t").to_pylist() == expected


@pytest.mark.parametrize("alphabet", ["", "0", "00", "0123456780", "가나다", "é" * 2])
def test_alphabets_of_other_than_different_ascii_characters_are_refused(alphabet: str) -> None:
    with pytest.raises(ValueError, match="alphabet"):
        FF1(KEY, alphabet)


@pytest.mark.parametrize("value", ["12345", "1" * 37, "12345a", "12345 ", "１２３４５６", ""])
def test_values_that_are_refused_are_not_quoted(value: str) -> None:
    with pytest.raises(ValueError, match=r"^1 values") as caught:
        FF1(KEY, "0123456789").encrypt(pa.array(["123456", value]))
    assert not value or value not in str(caught.value)
