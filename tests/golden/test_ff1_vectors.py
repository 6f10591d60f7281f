"""FF1 gives what NIST's samples and Wycheproof say."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest

from transforms.kernels.ff1 import FF1

VECTORS = Path(__file__).parent / "vectors" / "aes_ff1_base10.csv"
DIGITS = "0123456789"
BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"

# NIST, "Cryptographic Standards and Guidelines: examples with intermediate values", FF1 samples 1 to 9.
KEYS = [
    "2B7E151628AED2A6ABF7158809CF4F3C",
    "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F",
    "2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94",
]
ZERO_TO_NINE, TEXT = "39383736353433323130", "3737373770717273373737"
NIST = [
    (KEYS[0], DIGITS, "", "0123456789", "2433477484"),
    (KEYS[0], DIGITS, ZERO_TO_NINE, "0123456789", "6124200773"),
    (KEYS[0], BASE_36, TEXT, "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
    (KEYS[1], DIGITS, "", "0123456789", "2830668132"),
    (KEYS[1], DIGITS, ZERO_TO_NINE, "0123456789", "2496655549"),
    (KEYS[1], BASE_36, TEXT, "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
    (KEYS[2], DIGITS, "", "0123456789", "6657667009"),
    (KEYS[2], DIGITS, ZERO_TO_NINE, "0123456789", "1001623463"),
    (KEYS[2], BASE_36, TEXT, "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]


@pytest.mark.parametrize(("key", "alphabet", "tweak", "plain", "sealed"), NIST, ids=range(1, 10))
def test_samples_of_nist(key: str, alphabet: str, tweak: str, plain: str, sealed: str) -> None:
    cipher = FF1(bytes.fromhex(key), alphabet)
    assert cipher.encrypt(pa.array([plain, None, plain]), bytes.fromhex(tweak)).to_pylist() == [sealed, None, sealed]
    assert cipher.decrypt(pa.array([sealed]), bytes.fromhex(tweak)).to_pylist() == [plain]


def test_wycheproof() -> None:
    found = 0
    with VECTORS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["ciphertext"]:
                continue
            cipher, tweak = FF1(bytes.fromhex(row["key"]), DIGITS), bytes.fromhex(row["tweak"])
            assert cipher.encrypt(pa.array([row["message"]]), tweak).to_pylist() == [row["ciphertext"]], row["case"]
            assert cipher.decrypt(pa.array([row["ciphertext"]]), tweak).to_pylist() == [row["message"]], row["case"]
            found += 1
    assert found == 247


def test_wycheproof_what_the_standard_refuses() -> None:
    """Keys of a wrong size, characters outside of the alphabet, fewer than 10^6 messages of a length."""
    found = 0
    with VECTORS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["ciphertext"]:
                continue
            with pytest.raises(ValueError, match=r"key|alphabet|length"):
                FF1(bytes.fromhex(row["key"]), DIGITS).encrypt(pa.array([row["message"]]), bytes.fromhex(row["tweak"]))
            found += 1
    assert found == 107
