"""Polymorphic pseudonyms (다형성 암호화): another pseudonym for each recipient, convertible without being seen."""

from __future__ import annotations

from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from transforms.derivation import Secret
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given, KeyUse, SiteKey
from transforms.identifiers import encode_ids, whole
from transforms.images import Image, Matching
from transforms.kernels import blind
from transforms.technique import Language
from transforms.techniques.shape import CellTechnique

ALGORITHM = "edwards25519"


class PolymorphicPseudonym(CellTechnique):
    """Every id becomes its person's pseudonym in `domain` for this plan's recipient; each recipient gets others.

    In: ids of any plain type (integers of any width alike, floats only if whole, text in NFC). Out: 64 hexadecimal
    digits, k · H(id) on the group edwards25519; k comes from the secret of the series `stable_over`, the domain and
    the recipient. Null stays null. About four thousand different ids a second and core; an id that repeats within a
    batch costs nothing more.

    Kept: which cells are equal, within one recipient's data alone. Lost: the id, to anyone without the series'
    secret; which person of one recipient is which of another. With the keys of the series a factor k_B / k_A can be
    made (`gamyeong pseudonyms factor`), by which a converter brings pseudonyms of recipient A to those of B: A seals
    them for B, the converter converts what it can't read, B opens them (`seal`, `convert`, `open`). The converter
    learns how many there are, when, and in which order, nothing else; A learns nothing of B's pseudonyms, nor B of A's.

    Attack: converter and B together turn all of A's pseudonyms that reach them into B's; A and B together join the
    rows of one conversion by their order; the series' secret links everything. Frequencies show, as with every
    pseudonym. What helps: a converter apart from both, a factor for one conversion, destroyed after it.

    Refused: floats that are not whole, `by`. Source: guideline L2126-2129 (다형성 암호화); Verheul, Jacobs, Meijer,
    Hildebrandt, de Ruiter 2016; RFC 9380 (H), RFC 8032 section 5.1 (the group).
    """

    name: ClassVar[str] = "polymorphic-pseudonym"
    korean: ClassVar[str] = "다형성 암호화"

    domain: str = Field(min_length=1)
    stable_over: str = Field(min_length=1)
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    def key_use(self) -> KeyUse:
        return KeyUse(ALGORITHM, blind.SCALAR_SEED_BYTES, self.domain, self.stable_over)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if pa.types.is_nested(source) or pa.types.is_float16(source):
            raise TechniqueError(f"{self.name} on a column of type {source}", "ids of a plain type")
        return pa.string()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.key is None:
            raise CellsRefused("polymorphic pseudonyms need the run's keys", len(values))
        encoded = (whole(values) if pa.types.is_floating(values.type) else values).dictionary_encode()
        ids = encode_ids([encoded.dictionary])
        made = blind.pseudonyms(ids.to_pylist(), domain_key(given.key))
        return pc.take(pa.array([one.hex() for one in made], pa.string()), encoded.indices)

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Matching(nullable=before.nullable, pattern="[0-9a-f]{64}")

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return f"{self.domain} 단위, 제공받는 자마다 다른 가명(edwards25519)"
        return f"for each {self.domain}, another pseudonym for each recipient (edwards25519)"


def domain_key(key: SiteKey) -> Secret:
    """The secret k of a domain, from the step's subkey."""
    return blind.scalar(key.secret.reveal())


def sealed(pseudonyms: pa.Array, receiver: bytes, seeds: pa.Array) -> pa.Array:
    """Pseudonyms (64 hexadecimal digits) encrypted to a receiver: 128 digits. Null stays null.

    `seeds`: 64 fresh random bytes for each row (binary, no nulls). CellsRefused, with their number, for what is no
    pseudonym of this kind.
    """
    return _changed(pseudonyms, lambda points, fresh: blind.seal(points, receiver, fresh), seeds)


def converted(pairs: pa.Array, ratio: Secret, receiver: bytes, seeds: pa.Array) -> pa.Array:
    """Sealed pseudonyms of another domain, sealed anew for the same receiver; as `sealed` otherwise."""
    return _changed(pairs, lambda points, fresh: blind.convert(points, ratio, receiver, fresh), seeds)


def opened(pairs: pa.Array, private: Secret) -> pa.Array:
    """The receiver's pseudonyms: text of 64 hexadecimal digits; null stays null; CellsRefused as `sealed`."""
    return _changed(pairs, lambda points, _: blind.unseal(points, private), None)


def _changed(values: pa.Array, change: blind.Bulk, seeds: pa.Array | None) -> pa.Array:
    valid = values.is_valid()
    present = values.drop_null().to_pylist()
    fresh: list[bytes] = [] if seeds is None else seeds.filter(valid).to_pylist()
    try:
        cells = iter(change([bytes.fromhex(one) for one in present], fresh))
    except blind.NotAPoint as found:
        raise CellsRefused("values that are no polymorphic pseudonyms, nor made from such", found.count) from None
    except (TypeError, ValueError):
        raise CellsRefused("values that are no hexadecimal text", len(present)) from None
    return pa.array([next(cells).hex() if one else None for one in valid.to_pylist()], pa.string())


__all__ = ["ALGORITHM", "PolymorphicPseudonym", "converted", "domain_key", "opened", "sealed"]
