"""Pseudonyms that can be brought from one domain to another by someone who sees neither (Verheul and others 2016).

A pseudonym is k · H(id) on edwards25519, k the secret of its domain. To bring it from domain A to B,
its holder encrypts it to B (ElGamal: r·G, pseudonym + r·Y), the converter multiplies both parts by
k_B / k_A and encrypts them anew, and B decrypts what now is k_B · H(id). The converter sees nothing
but ciphertexts; A never sees B's pseudonym, nor B A's. Multiplication is libsodium's, in constant time,
and refuses points outside of the subgroup of prime order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nacl import bindings as sodium
from nacl.exceptions import CryptoError

from transforms.derivation import Secret
from transforms.kernels.edwards import hash_to_point

POINT_BYTES = 32
SEALED_BYTES = 2 * POINT_BYTES
SCALAR_SEED_BYTES = 64
_TAG = b"GAMYEONG-V01-with-edwards25519_XMD:SHA-512_ELL2_RO_"
_ZERO = bytes(32)
Points = list[bytes]
_Change = Callable[[bytes, bytes], bytes]
Bulk = Callable[[Points, Points], Points]


class NotAPoint(ValueError):
    """A value that is no point of the group; says how many."""

    def __init__(self, count: int) -> None:
        super().__init__(f"values that are no pseudonyms of this kind, nor made from such ({count})")
        self.count = count


def scalar(seed: bytes) -> Secret:
    """A number from 1 below the group's order from 64 uniform bytes (bias below 2^-250)."""
    reduced = sodium.crypto_core_ed25519_scalar_reduce(seed)
    if reduced == _ZERO:
        raise ValueError("a seed that gives 0")
    return Secret(reduced)


def pseudonyms(ids: Iterable[bytes], domain: Secret) -> Points:
    """k · H(id) for each id."""
    key = domain.reveal()
    return [sodium.crypto_scalarmult_ed25519_noclamp(key, hash_to_point(one, _TAG)) for one in ids]


def factor(source: Secret, target: Secret) -> Secret:
    """k_target / k_source: what the converter gets. It tells neither of them."""
    inverse = sodium.crypto_core_ed25519_scalar_invert(source.reveal())
    return Secret(sodium.crypto_core_ed25519_scalar_mul(target.reveal(), inverse))


def public(private: Secret) -> bytes:
    """The public key of a receiver: y · G, 32 bytes."""
    return sodium.crypto_scalarmult_ed25519_base_noclamp(private.reveal())


def seal(points: Iterable[bytes], receiver: bytes, seeds: Iterable[bytes]) -> Points:
    """Pseudonyms encrypted to a receiver: 64 bytes each, from 64 fresh random bytes each. NotAPoint."""

    def one(point: bytes, fresh: bytes) -> bytes:
        if not sodium.crypto_core_ed25519_is_valid_point(point):
            raise ValueError("no point of the group")
        return _with(fresh, receiver, None, point)

    return _each(points, seeds, one)


def convert(sealed: Iterable[bytes], ratio: Secret, receiver: bytes, seeds: Iterable[bytes]) -> Points:
    """Sealed pseudonyms of one domain as sealed pseudonyms of another, encrypted anew. NotAPoint."""
    by = ratio.reveal()

    def one(pair: bytes, fresh: bytes) -> bytes:
        left, right = _halves(pair)
        times = sodium.crypto_scalarmult_ed25519_noclamp
        return _with(fresh, receiver, times(by, left), times(by, right))

    return _each(sealed, seeds, one)


def unseal(sealed: Iterable[bytes], private: Secret) -> Points:
    """The receiver's pseudonyms. NotAPoint."""
    key = private.reveal()

    def one(pair: bytes, _: bytes) -> bytes:
        left, right = _halves(pair)
        point = sodium.crypto_core_ed25519_sub(right, sodium.crypto_scalarmult_ed25519_noclamp(key, left))
        if not sodium.crypto_core_ed25519_is_valid_point(point):
            raise ValueError("no point of the group")
        return point

    pairs = list(sealed)
    return _each(pairs, [b""] * len(pairs), one)


def _with(seed: bytes, receiver: bytes, left: bytes | None, right: bytes) -> bytes:
    """(left + r·G, right + r·Y) for a fresh r; without `left`, r·G alone."""
    fresh = scalar(seed).reveal()
    base = sodium.crypto_scalarmult_ed25519_base_noclamp(fresh)
    mask = sodium.crypto_scalarmult_ed25519_noclamp(fresh, receiver)
    first = base if left is None else sodium.crypto_core_ed25519_add(left, base)
    return first + sodium.crypto_core_ed25519_add(right, mask)


def _halves(pair: bytes) -> tuple[bytes, bytes]:
    if len(pair) != SEALED_BYTES:
        raise ValueError("a sealed pseudonym of another length")
    return pair[:POINT_BYTES], pair[POINT_BYTES:]


def _each(values: Iterable[bytes], seeds: Iterable[bytes], change: _Change) -> Points:
    found, bad = [], 0
    for value, seed in zip(values, seeds, strict=True):
        try:
            found.append(change(value, seed))
        except (CryptoError, ValueError, TypeError):
            bad += 1
    if bad:
        raise NotAPoint(bad)
    return found
