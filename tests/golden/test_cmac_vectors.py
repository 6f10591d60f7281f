"""AES-CMAC gives what the standard and Wycheproof say."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from transforms.kernels.cmac import cmac_many

VECTORS = Path(__file__).parent / "vectors" / "aes_cmac.csv"

# NIST SP 800-38B, examples (and their update, which has 20 bytes in place of 40): keys, message, MACs.
MESSAGE = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
KEY_128 = "2b7e151628aed2a6abf7158809cf4f3c"
KEY_192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b"
KEY_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
NIST = {
    KEY_128: {
        0: "bb1d6929e95937287fa37d129b756746",
        16: "070a16b46b4d4144f79bdd9dd04a287c",
        20: "7d85449ea6ea19c823a7bf78837dfade",
        40: "dfa66747de9ae63030ca32611497c827",
        64: "51f0bebf7e3b9d92fc49741779363cfe",
    },
    KEY_192: {
        0: "d17ddf46adaacde531cac483de7a9367",
        16: "9e99a7bf31e710900662f65e617c5184",
        40: "8a1de5be2eb31aad089a82e6ee908b0e",
        64: "a1d5df0eed790f794d77589659f39a11",
    },
    KEY_256: {
        0: "028962f61b7bf89efc6b551f4667d983",
        16: "28a7023f452e8f82bd4bf28d8c37c35c",
        20: "156727dc0878944a023c1fe03bad6d93",
        40: "aaf3d8f1de5640c232f5b169b9c911e6",
        64: "e1992190549f6ed5696a2c056c315410",
    },
}


def macs(key: bytes, messages: list[bytes]) -> list[str]:
    return [bytes(row).hex() for row in cmac_many(key, pa.array(messages, pa.binary()))]


@pytest.mark.parametrize("key", NIST)
def test_examples_of_sp_800_38b(key: str) -> None:
    lengths, expected = zip(*NIST[key].items(), strict=True)
    messages = [MESSAGE[:length] for length in lengths]
    assert macs(bytes.fromhex(key), messages) == list(expected)
    # Alone, a message takes another way (one block) than among longer ones.
    assert [macs(bytes.fromhex(key), [message])[0] for message in messages] == list(expected)


def test_wycheproof() -> None:
    by_key: dict[str, list[tuple[bytes, str]]] = defaultdict(list)
    with VECTORS.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["tag"]:
                by_key[row["key"]].append((bytes.fromhex(row["message"]), row["tag"]))
    assert sum(map(len, by_key.values())) == 63
    for key, cases in by_key.items():
        assert macs(bytes.fromhex(key), [message for message, _ in cases]) == [tag for _, tag in cases]


def test_wycheproof_keys_of_a_wrong_size() -> None:
    with VECTORS.open(encoding="utf-8") as file:
        keys = [bytes.fromhex(row["key"]) for row in csv.DictReader(file) if not row["tag"]]
    assert sorted(map(len, keys)) == [0, 1, 8, 20, 40]
    for key in keys:
        with pytest.raises(ValueError, match="key size"):
            cmac_many(key, pa.array([b"message"]))
