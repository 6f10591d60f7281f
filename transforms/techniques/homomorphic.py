"""Homomorphic encryption (동형 암호화): numbers that can be added up by whoever can't read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.images import Bools, Image
from transforms.kernels.paillier import PublicKey
from transforms.technique import Language
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique


def _key_text(raw: object) -> str:
    """A key's text; where a mapping still stands, the loader could not read the file that it names."""
    if not isinstance(raw, str):
        named = raw.get("file") if isinstance(raw, Mapping) else None
        found = f"no readable key file {named!r}" if named is not None else "no key file"
        refuse(found, "`{file: NAME}`, a file beside the plan", "`gamyeong keys paillier` makes one")
    return raw


KeyText = Annotated[
    str,
    BeforeValidator(_key_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
                {"type": "string"},
            ],
            "description": "{file: NAME}",
        }
    ),
]


class HomomorphicEncryption(CellTechnique):
    """Every number becomes a Paillier ciphertext: sums can be computed without reading a single number.

    In: integers, or decimals (their unscaled integers: the key holder puts the point back). Out: binary, twice as
    long as the key's modulus (512 bytes at 2048 bits). Null stays null and counts in no sum. `public_key` is
    `{file: NAME}`, the file that `gamyeong keys paillier` writes, beside the plan; it goes into the plan's
    fingerprint. `transforms.measures.encrypted_sums.encrypted_sums` adds up columns by group with the public key;
    `gamyeong decrypt-sums` reads the sums with the private key, which belongs to neither the processor nor the
    analyst. A sum of 64-bit numbers or of decimals can't reach half of a modulus of 2048 bits, whatever the rows.

    Each encryption takes its chance from AES-256-CMAC draws keyed to the run, the column and the row: nobody without
    the run's secret can tell them from randomness, equal numbers get different ciphertexts, and a repeated task or
    verify gets the same ones. It is slow (about a thousand numbers a second and core), so it is for few columns.

    Kept: sums, counts of non-null cells, multiples by known numbers; which cells are null. Lost: everything else, to
    anyone without the private key: order, equality, means of parts too small to be shown. Attack: the holder of the
    private key reads every cell it gets; a "sum" of one row is that row; differences of two sums are the rows between
    them. What helps: the private key apart from the data, and no decryption of sums of few rows. Security rests on
    factoring (2048 bits about as 112, 3072 as 128 bits; not against quantum computers).

    Refused: floats, `when`, `by`, a modulus below 2048 bits. Source: guideline L2120-2124 (동형 암호화); Paillier 1999;
    random powers after Damgård, Jurik, Nielsen 2010; sizes: NIST SP 800-57 part 1, table 2.
    """

    name: ClassVar[str] = "homomorphic-encryption"
    korean: ClassVar[str] = "동형 암호화"
    draws_by: ClassVar[Literal["row"]] = "row"

    public_key: KeyText = Field()

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            public_key(self.public_key)
        except ValueError as error:
            hint = "write `public_key: {file: NAME}` with a file made by `gamyeong keys paillier`"
            refuse(str(error), "a Paillier public key", hint, "public_key")
        if self.when is not None:
            refuse("`when` with homomorphic-encryption", "encryption of all cells", None, "when")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_signed_integer(source) and not pa.types.is_decimal128(source):
            hint = "round a float to a decimal in the source" if pa.types.is_floating(source) else None
            raise TechniqueError(f"{self.name} on a column of type {source}", "integers and decimals", hint)
        return pa.binary()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.draws is None or given.rows is None:
            raise CellsRefused("homomorphic encryption needs the run's keys", len(values))
        key = public_key(self.public_key)
        valid = values.is_valid()
        chance = given.draws.chance(given.rows.filter(valid), key.random_bytes)
        cells = iter(key.encrypt(whole_numbers(values.drop_null()), chance))
        return pa.array([next(cells) if one else None for one in valid.to_pylist()], pa.binary())

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Ciphertexts(nullable=before.nullable, key=public_key(self.public_key))

    def level_text(self, language: Language) -> str:
        bits = public_key(self.public_key).bits
        if language == "ko":
            return f"Paillier {bits}비트 공개키 암호화, 암호화된 상태로 합계 가능"
        return f"Paillier with a public key of {bits} bits; sums without decryption"


@dataclass(frozen=True)
class Ciphertexts(Image):
    """Byte strings of the length of a key's ciphertexts, below the square of its modulus, not 0."""

    key: PublicKey | None = None

    def holds(self, values: pa.Array) -> Bools:
        assert self.key is not None
        if not pa.types.is_binary(values.type):
            return np.zeros(len(values), np.bool_)
        square = int(self.key.square).to_bytes(self.key.width, "big")
        whole = pc.equal(pc.binary_length(values), self.key.width)
        # Of one length and big-endian, so bytes compare as the numbers do.
        inside = pc.and_(pc.less(values, square), pc.greater(values, bytes(self.key.width)))
        found: Bools = pc.and_(whole, inside).to_numpy(zero_copy_only=False)
        return found


@lru_cache(maxsize=8)
def public_key(text: str) -> PublicKey:
    """The key in a text, parsed once in a process; ValueError for what is none."""
    return PublicKey.from_text(text)


def whole_numbers(values: pa.Array) -> list[int]:
    """Integers as they are, decimals unscaled; no nulls."""
    cells: list[Any] = values.to_pylist()
    if not pa.types.is_decimal(values.type):
        return cells
    return [_unscaled(cell, values.type.scale) for cell in cells]


def _unscaled(cell: Decimal, scale: int) -> int:
    sign, digits, exponent = cell.as_tuple()
    assert isinstance(exponent, int)
    number: int = int("".join(map(str, digits))) * 10 ** (exponent + scale)
    return -number if sign else number


__all__ = ["Ciphertexts", "HomomorphicEncryption", "KeyText", "public_key", "whole_numbers"]
