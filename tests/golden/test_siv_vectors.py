"""AES-SIV gives what RFC 5297 and Wycheproof say; AES-GCM what the GCM specification says."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from transforms.kernels.gcm import GCM
from transforms.kernels.siv import SIV

VECTORS = Path(__file__).parent / "vectors" / "aes_siv.csv"


def binary(*values: str) -> pa.Array:
    return pa.array([bytes.fromhex(value) for value in values], pa.binary())


def test_deterministic_example_of_rfc_5297() -> None:
    """Appendix A.1."""
    cipher = SIV(
        bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
        [bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")],
    )
    sealed = cipher.seal(binary("112233445566778899aabbccddee"))
    assert sealed[0].as_py().hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"


def test_nonce_based_example_of_rfc_5297() -> None:
    """Appendix A.2: the nonce is the last component."""
    first = "00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100"
    cipher = SIV(
        bytes.fromhex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f"),
        [bytes.fromhex(one) for one in (first, "102030405060708090a0", "09f911029d74e35bd84156c5635688c0")],
    )
    plain = "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553"
    sealed = (
        "7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17"
        "dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d"
    )
    assert cipher.seal(binary(plain))[0].as_py().hex() == sealed


@pytest.mark.parametrize("together", [False, True])
def test_wycheproof(together: bool) -> None:
    """Alone, and among messages of other lengths."""
    found = {"valid": 0, "invalid": 0}
    with VECTORS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            associated = [bytes.fromhex(row["associated"])]
            if row["nonce"]:
                associated.append(bytes.fromhex(row["nonce"]))
            cipher = SIV(bytes.fromhex(row["key"]), associated)
            others = ["", "00" * 40] if together else []
            opened, authentic = cipher.open(binary(row["sealed"], *others))
            found[row["result"]] += 1
            assert authentic[0] == (row["result"] == "valid"), row["case"]
            if authentic[0]:
                assert opened[0].as_py().hex() == row["message"]
                assert cipher.seal(binary(row["message"], *others))[0].as_py().hex() == row["sealed"]
            else:
                assert opened[0].as_py() == b""
    assert found == {"valid": 39, "invalid": 12}


def test_gcm_of_its_specification() -> None:
    """McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16: AES-256, 60 bytes, associated data."""
    key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
    cipher = GCM(bytes.fromhex(key), bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"))
    plain = (
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    sealed = cipher.seal(binary(plain), np.frombuffer(nonce, np.uint8).reshape(1, 12))
    assert sealed[0].as_py().hex() == nonce.hex() + (
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
        "76fc6ece0f4e1768cddf8853bb2d551b"
    )
