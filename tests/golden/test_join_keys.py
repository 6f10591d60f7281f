"""Join keys of the guideline (L1375-1400): name, phone, birth date, then the salt; other encodings, other keys.

The expected digests were made with other programs: `sha256sum`, `sha384sum`, `sha512sum` (coreutils 9.1), `openssl
dgst` (3.0) and `iconv`, over the bytes that stand beside them.
"""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.combination.join_keys import join_keys
from transforms.combination.key_inputs import key_inputs
from transforms.combination.key_spec import KeySpec
from transforms.derivation import Secret

PERSON = (["홍길동"], ["010-1234-5678"], ["1980-01-01"])


def spec_of(**fields: object) -> KeySpec:
    return KeySpec.model_validate({"columns": ["name", "phone", "birth"], **fields})


def key_of(spec: KeySpec, person: tuple[list[str], ...] = PERSON) -> str:
    """The join key in hex, under the salt 00 01 02 …"""
    messages = key_inputs(spec, [pa.array(column) for column in person]).messages
    (key,) = join_keys(messages, spec, Secret(bytes(range(spec.salt_bytes)))).to_pylist()
    return str(key.hex())


def test_the_input_is_name_phone_birth_in_the_guidelines_order() -> None:
    """L1385: '홍길동'+'01012345678'+'생년월일'+salt, with nothing between them."""
    messages = key_inputs(spec_of(), [pa.array(column) for column in PERSON]).messages
    assert messages.to_pylist() == ["홍길동0101234567819800101".encode()]


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("SHA-256", "7ebdec09f9bc858af25d89ad4ec79cb4f21de2508c6b467e29abedc120648fdb"),
        (
            "SHA-384",
            "176cba7e11c022db0300ed7fc13effa2380e607b32d73d0408c997da9a129fe45e17d2d1979482d990026b4674c955f8",
        ),
        (
            "SHA-512",
            (
                "d931947cf350f2417332214d2250e9e8f6316660fd19ee935678b062308edafe"
                "fdc38e724aa167c3b1251d11104ffa283ec8ec6bd85e14532d2b0dea0d8fe367"
            ),
        ),
        ("SHA3-256", "fb07da07cf0cb06382e5f26d4a32e6c923e5421c7331a9624d905221e3f48df4"),
        (
            "SHA3-512",
            (
                "2d98495c997de1022a6eb39167f140bf491b772abc79a72d5c14cc7bb1a9ad18"
                "90f975458ac06f05a4d5699708db281ff5983798cd55a530f90d83ef7c9228fd"
            ),
        ),
        ("HMAC-SHA-256", "b51cd51173f45790126ab762d634e17c3f2dc2f53f995152be9b48659e5cc4d2"),
        (
            "HMAC-SHA-512",
            (
                "058b1c528cdc764944752f69da01fafd5fedc88981ad3629db7d94e013f8f481"
                "6c456e9b9a32d962d34e87a83d073ce52487085fd2a49a2e7f9c3cbe1e60fa62"
            ),
        ),
    ],
)
def test_keys_are_those_of_other_programs(algorithm: str, key: str) -> None:
    assert key_of(spec_of(algorithm=algorithm)) == key


def test_another_encoding_gives_another_key() -> None:
    """L1381: the same person in EUC-KR (its superset CP949) and UTF-8 is not recognized as one."""
    cp949 = key_of(spec_of(encoding="CP949"))
    assert cp949 == "343f9beecaa7180c1ad0cc94dbbc0212f50848607c1db6ccf51a6ae5220a713f"
    assert cp949 != key_of(spec_of())


def test_another_order_of_columns_gives_another_key() -> None:
    turned = KeySpec.model_validate({"columns": ["birth", "name", "phone"]})
    name, phone, birth = PERSON
    assert key_of(turned, (birth, name, phone)) != key_of(spec_of())


def test_the_salt_is_as_long_as_the_digest() -> None:
    """L1400: a salt of the size of the hash."""
    messages = pa.array([b"x"])
    with pytest.raises(ValueError, match="16 bytes; allowed: 32"):
        join_keys(messages, spec_of(), Secret(bytes(16)))
    assert [spec_of(algorithm=name).salt_bytes for name in ("SHA-256", "SHA-384", "SHA-512")] == [32, 48, 64]
