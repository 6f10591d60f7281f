"""Subkeys are HKDF-SHA-256 (RFC 5869) of exactly the names that the design lists.

`reference` is RFC 5869, section 2, written out with the standard library; the vectors prove it right,
then it proves our derivation right.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from pathlib import Path

import pytest

from transforms.derivation import Secret, hkdf_sha256, subkey

VECTORS = Path(__file__).parent / "vectors" / "hkdf_sha256.csv"


def reference(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    key = hmac.digest(salt or bytes(32), secret, hashlib.sha256)
    output, block = b"", b""
    for number in range(1, -(-length // 32) + 1):
        block = hmac.digest(key, block + info + bytes([number]), hashlib.sha256)
        output += block
    return output[:length]


# RFC 5869, appendix A.1 and A.3: SHA-256, with and without salt and info.
A_SECRET = b"\x0b" * 22
A1 = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
A3 = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


def test_appendix_a_of_rfc_5869() -> None:
    salt, info = bytes(range(13)), bytes(range(0xF0, 0xFA))
    assert reference(A_SECRET, salt, info, 42).hex() == A1
    assert reference(A_SECRET, b"", b"", 42).hex() == A3
    assert hkdf_sha256(Secret(A_SECRET), b"", 42).reveal().hex() == A3


def test_wycheproof() -> None:
    unsalted = 0
    with VECTORS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            case = {name: bytes.fromhex(row[name]) for name in ("secret", "salt", "info", "output")}
            length = len(case["output"])
            assert reference(case["secret"], case["salt"], case["info"], length) == case["output"]
            if not case["salt"] and length >= 16:
                unsalted += 1
                derived = hkdf_sha256(Secret(case["secret"]), case["info"], length)
                assert derived.reveal() == case["output"]
    assert unsalted == 23


@pytest.mark.parametrize("length", [15, 255 * 32 + 1])
def test_lengths_out_of_range(length: int) -> None:
    with pytest.raises(ValueError, match=r"bytes|derive"):
        hkdf_sha256(Secret(A_SECRET), b"", length)


def test_a_subkey_is_made_of_its_names() -> None:
    secret = bytes(range(32))
    derived = subkey(
        Secret(secret),
        organisation="소비자연구소",
        run_or_series="2f1c",
        recipient=None,
        algorithm="AES-256-CMAC",
        domain="customers.age",
        step=2,
        purpose="noise",
        length=64,
    )
    info = (
        b"gamyeong/1\0"
        + (
            '{"algorithm":"AES-256-CMAC","domain":"customers.age","organisation":"소비자연구소",'
            '"purpose":"noise","recipient":null,"run_or_series":"2f1c","step":2}'
        ).encode()
    )
    assert derived.reveal() == reference(secret, b"", info, 64)
