"""Ids as points of edwards25519: the test vectors of RFC 9380, appendix J.5.1 (edwards25519_XMD:SHA-512_ELL2_RO_)."""

from __future__ import annotations

import pytest

from transforms.kernels.edwards import hash_to_point

TAG = b"QUUX-V01-CS02-with-edwards25519_XMD:SHA-512_ELL2_RO_"
# Message, and the x and y of its point.
VECTORS = [
    (
        "",
        0x3C3DA6925A3C3C268448DCABB47CCDE5439559D9599646A8260E47B1E4822FC6,
        0x09A6C8561A0B22BEF63124C588CE4C62EA83A3C899763AF26D795302E115DC21,
    ),
    (
        "abc",
        0x608040B42285CC0D72CBB3985C6B04C935370C7361F4B7FBDB1AE7F8C1A8ECAD,
        0x1A8395B88338F22E435BBD301183E7F20A5F9DE643F11882FB237F88268A5531,
    ),
    (
        "abcdef0123456789",
        0x6D7FABF47A2DC03FE7D47F7DDDD21082C5FB8F86743CD020F3FB147D57161472,
        0x53060A3D140E7FBCDA641ED3CF42C88A75411E648A1ADD71217F70EA8EC561A6,
    ),
    (
        "q128_" + "q" * 128,
        0x5FB0B92ACEDD16F3BCB0EF83F5C7B7A9466B5F1E0D8D217421878EA3686F8524,
        0x2ECA15E355FCFA39D2982F67DDB0EEA138E2994F5956ED37B7F72EEA5E89D2F7,
    ),
    (
        "a512_" + "a" * 512,
        0x0EFCFDE5898A839B00997FBE40D2EBE950BC81181AFBD5CD6B9618AA336C1E8C,
        0x6DC2FC04F266C5C27F236A80B14F92CCD051EF1FF027F26A07F8C0F327D8F995,
    ),
]


@pytest.mark.parametrize(("message", "x", "y"), VECTORS, ids=[one[0][:16] or "empty" for one in VECTORS])
def test_the_points_of_the_standard(message: str, x: int, y: int) -> None:
    """A point is stored as y, with x's lowest bit on top (RFC 8032, section 5.1.2)."""
    assert hash_to_point(message.encode(), TAG) == (y | (x & 1) << 255).to_bytes(32, "little")


def test_another_tag_gives_another_point() -> None:
    assert hash_to_point(b"abc", TAG) != hash_to_point(b"abc", TAG[:-1] + b"-")
