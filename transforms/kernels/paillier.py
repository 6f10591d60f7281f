"""Paillier's cryptosystem (Paillier 1999): whoever has the public key adds encrypted numbers, without reading them.

A message m modulo n is (1 + n)^m · r mod n², r a random n-th power; the product of ciphertexts is a
ciphertext of the sum. Random n-th powers are h^a with a of half of n's bits, h an n-th power that comes
with the public key (Damgård, Jurik, Nielsen 2010): its powers of two are tabled once, so that an
encryption takes one multiplication for each byte of a. Numbers of n / 2 and more stand for negative ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import gmpy2
from gmpy2 import mpz

LEAST_BITS = 2048
_KIND, _FORMAT = "paillier", 1
_ROUNDS = 64


@dataclass(frozen=True)
class PublicKey:
    """The modulus n, and h: n and h of a key that `generate` made. Anyone may have it."""

    n: int
    h: int

    @cached_property
    def square(self) -> mpz:
        """n², the modulus of ciphertexts."""
        return mpz(self.n) ** 2

    @property
    def bits(self) -> int:
        """Bits of n."""
        return self.n.bit_length()

    @property
    def width(self) -> int:
        """Bytes of a ciphertext."""
        return (2 * self.bits + 7) // 8

    @property
    def random_bytes(self) -> int:
        """Random bytes that one encryption takes."""
        return (self.bits + 15) // 16

    @property
    def largest(self) -> int:
        """Numbers and sums from -largest to largest come back as they were."""
        return (self.n - 1) // 2

    def to_text(self) -> str:
        """One line of JSON."""
        return json.dumps({"format": _FORMAT, "kind": f"{_KIND} public key", "n": hex(self.n), "h": hex(self.h)})

    @classmethod
    def from_text(cls, text: str) -> PublicKey:
        """The way back; ValueError for what is no public key, and for a modulus below 2048 bits."""
        body = _body(text, "public")
        key = cls(_number(body, "n"), _number(body, "h"))
        if key.bits < LEAST_BITS:
            raise ValueError(f"a modulus of {key.bits} bits; allowed: {LEAST_BITS} or more")
        if not 1 < key.h < key.square or gmpy2.gcd(key.h, key.n) != 1:
            raise ValueError("a public key whose parts don't fit each other")
        return key

    def encrypt(self, messages: Iterable[int], random: Sequence[bytes]) -> list[bytes]:
        """A ciphertext of `width` bytes, big-endian, for each message; `random_bytes` of chance for each.

        OverflowError for a message beyond `largest`.
        """
        tables, n, square, width = _tables(self), mpz(self.n), self.square, self.width
        found = []
        for message, chance in zip(messages, random, strict=True):
            if abs(message) > self.largest:
                raise OverflowError("a message beyond half of the modulus")
            result = (1 + n * (message % n)) % square
            for table, byte in zip(tables, chance, strict=True):
                result = result * table[byte] % square
            found.append(int(result).to_bytes(width, "big"))
        return found

    def add(self, ciphertexts: Iterable[bytes], start: bytes | None = None) -> bytes:
        """A ciphertext of the sum; of none, the number 1, a ciphertext of 0."""
        square = self.square
        result = mpz(1) if start is None else mpz(int.from_bytes(start, "big"))
        for one in ciphertexts:
            result = result * int.from_bytes(one, "big") % square
        return int(result).to_bytes(self.width, "big")


@dataclass(frozen=True, repr=False)
class PrivateKey:
    """The primes: whoever has them reads every ciphertext. Its repr shows nothing."""

    p: int
    q: int
    h: int

    @cached_property
    def public(self) -> PublicKey:
        """The public key."""
        return PublicKey(self.p * self.q, self.h)

    def to_text(self) -> str:
        """One line of JSON: for a file that its owner alone may read."""
        body = {"format": _FORMAT, "kind": f"{_KIND} private key", "p": hex(self.p), "q": hex(self.q), "h": hex(self.h)}
        return json.dumps(body)

    @classmethod
    def from_text(cls, text: str) -> PrivateKey:
        """The way back; ValueError for what is no private key."""
        body = _body(text, "private")
        key = cls(_number(body, "p"), _number(body, "q"), _number(body, "h"))
        if key.p == key.q or not all(gmpy2.is_prime(one) for one in (key.p, key.q)):
            raise ValueError("a private key whose parts don't fit each other")
        return key

    def decrypt(self, ciphertexts: Iterable[bytes]) -> list[int]:
        """The numbers; modulo p² and q² apart, then together. ValueError for what is no ciphertext."""
        n = self.public.n
        halves = [(mpz(prime), mpz(prime) ** 2, self._factor(prime)) for prime in (self.p, self.q)]
        inverse = gmpy2.invert(self.p, self.q)
        found = []
        for one in ciphertexts:
            number = mpz(int.from_bytes(one, "big"))
            if not 0 < number < self.public.square or gmpy2.gcd(number, n) != 1:
                raise ValueError("a value that is no ciphertext of this key")
            first, second = (
                (gmpy2.powmod_sec(number, prime - 1, square) - 1) // prime * factor % prime
                for prime, square, factor in halves
            )
            message = int(first + self.p * ((second - first) * inverse % self.q))
            found.append(message - n if message > self.public.largest else message)
        return found

    def _factor(self, prime: int) -> mpz:
        """What undoes the power of 1 + n modulo the square of a prime."""
        square = mpz(prime) ** 2
        return gmpy2.invert((gmpy2.powmod(1 + mpz(self.public.n), prime - 1, square) - 1) // prime, prime)

    def __repr__(self) -> str:
        return "PrivateKey(hidden)"


def generate(bits: int, random: Callable[[int], int]) -> PrivateKey:
    """A new key with a modulus of `bits`; `random(k)` gives k random bits. Both primes are 3 modulo 4.

    ValueError below 2048 bits, or for an odd number of them.
    """
    if bits < LEAST_BITS or bits % 2:
        raise ValueError(f"{bits} bits; allowed: an even number from {LEAST_BITS} on")
    while True:
        p, q = _prime(bits // 2, random), _prime(bits // 2, random)
        if p != q and gmpy2.gcd(p - 1, q - 1) == 2 and (p * q).bit_length() == bits:
            break
    n = p * q
    root = random(bits + 64) % n
    if gmpy2.gcd(root, n) != 1:
        return generate(bits, random)
    return PrivateKey(p, q, int(gmpy2.powmod(-root * root % n, n, mpz(n) ** 2)))


def _prime(bits: int, random: Callable[[int], int]) -> int:
    while True:
        candidate = random(bits) | 3 << (bits - 2) | 3
        if gmpy2.is_prime(candidate, _ROUNDS):
            return candidate


@lru_cache(maxsize=8)
def _tables(key: PublicKey) -> tuple[tuple[mpz, ...], ...]:
    """For each byte of the exponent, h to the power of every value of that byte."""
    base, tables = mpz(key.h), []
    for _ in range(key.random_bytes):
        powers = [mpz(1)]
        for _ in range(256):
            powers.append(powers[-1] * base % key.square)
        base = powers.pop()
        tables.append(tuple(powers))
    return tuple(tables)


def _body(text: str, which: str) -> dict[str, Any]:
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    if not isinstance(body, dict) or body.get("kind") != f"{_KIND} {which} key" or body.get("format") != _FORMAT:
        raise ValueError(f"no {_KIND} {which} key")
    return body


def _number(body: dict[str, Any], name: str) -> int:
    value = body.get(name)
    try:
        return int(value, 16) if isinstance(value, str) else 0
    except ValueError:
        return 0
