"""Ids as points of a group (RFC 9380): edwards25519, suite edwards25519_XMD:SHA-512_ELL2_RO_.

Points lie in the subgroup of prime order, and nobody knows how one is a multiple of another.
"""

from __future__ import annotations

import hashlib

import gmpy2
from gmpy2 import mpz

P = mpz(2) ** 255 - 19
_D = -121665 * gmpy2.invert(121666, P) % P
_J = mpz(486662)
_ROOT_OF_MINUS_1 = gmpy2.powmod(2, (P - 1) // 4, P)
_FIELD_BYTES, _HASH_BLOCK = 48, 128
Extended = tuple[mpz, mpz, mpz, mpz]
_NEUTRAL: Extended = (mpz(0), mpz(1), mpz(1), mpz(0))


def hash_to_point(message: bytes, tag: bytes) -> bytes:
    """The point of a message under a tag that separates domains (16 to 255 bytes): 32 bytes, as in RFC 8032, 5.1.2."""
    first, second = _hash_to_field(message, tag)
    point = _add(_map(first), _map(second))
    for _ in range(3):  # times the cofactor, 8
        point = _add(point, point)
    return _encoded(point)


def _hash_to_field(message: bytes, tag: bytes) -> tuple[mpz, mpz]:
    """RFC 9380, sections 5.2 and 5.3.1: two field elements from 96 uniform bytes."""
    ending = tag + bytes([len(tag)])
    length = (2 * _FIELD_BYTES).to_bytes(2, "big")
    start = hashlib.sha512(bytes(_HASH_BLOCK) + message + length + b"\0" + ending).digest()
    block = hashlib.sha512(start + b"\x01" + ending).digest()
    mixed = bytes(left ^ right for left, right in zip(start, block, strict=True))
    uniform = block + hashlib.sha512(mixed + b"\x02" + ending).digest()
    halves = (uniform[:_FIELD_BYTES], uniform[_FIELD_BYTES : 2 * _FIELD_BYTES])
    return mpz(int.from_bytes(halves[0], "big")) % P, mpz(int.from_bytes(halves[1], "big")) % P


def _map(element: mpz) -> Extended:
    """Elligator 2 (RFC 9380, section 6.7.1) to curve25519, and from there to edwards25519 (appendix D.1)."""
    # 1 + 2 u² is never 0: minus one half is no square.
    s = -_J * gmpy2.invert(1 + 2 * element * element, P) % P
    value = _curve25519(s)
    odd = gmpy2.jacobi(value, P) >= 0
    if not odd:
        s = (-s - _J) % P
        value = _curve25519(s)
    t = _root(value)
    if gmpy2.is_odd(t) != odd:
        t = P - t
    z = t * (s + 1) % P
    if z == 0:
        return _NEUTRAL
    return _SCALE * s * (s + 1) % P, (s - 1) * t % P, z, _SCALE * s * (s - 1) % P


def _curve25519(s: mpz) -> mpz:
    return (s * s * s + _J * s * s + s) % P


def _root(square: mpz) -> mpz:
    root = gmpy2.powmod(square, (P + 3) // 8, P)
    return root if root * root % P == square % P else root * _ROOT_OF_MINUS_1 % P


def _even_root(square: mpz) -> mpz:
    root = _root(square)
    return P - root if gmpy2.is_odd(root) else root


_SCALE = _even_root(-(_J + 2) % P)


def _add(one: Extended, other: Extended) -> Extended:
    """Sum in extended coordinates (RFC 8032, section 5.1.4), complete: also of a point and itself."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = one[3] * 2 * _D * other[3] % P
    d = one[2] * 2 * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _encoded(point: Extended) -> bytes:
    inverse = gmpy2.invert(point[2], P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return int(y + (mpz(1) << 255) * (x & 1)).to_bytes(32, "little")
