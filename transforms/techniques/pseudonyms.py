"""Pseudonyms in place of identifiers (대체): serial numbers and keyed tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.identifiers import encode_ids, whole
from transforms.images import Image, Matching, Numbers, Piece
from transforms.technique import Language
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique

ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
LONGEST = 26
_LETTERS = np.frombuffer(ALPHABET.encode(), np.uint8)
# Two letters for every 10 bits.
_PAIRS = np.ascontiguousarray(np.stack([np.repeat(_LETTERS, 32), np.tile(_LETTERS, 32)], axis=1)).view(np.uint16)[:, 0]
# More rows than elsewhere: each pair of letters is some short steps.
CHUNK = 16_384
# 128 bits are 25 letters of 5 bits and one of 3: the last letter is one of eight.
_LAST = ALPHABET[::4]


class SerialNumber(CellTechnique):
    """Every id becomes the serial number (일련번호) of its subject in the keyed order of the run: 1 … n.

    In: a column of any type. Out: int64, from 1 without a gap, the same for all rows of a subject,
    unrelated to the source's order. It is the row's rank, so a null id is numbered too.

    Kept: whose rows belong together, and how many people there are. Lost: the id, for everyone; numbers
    of two releases do not match. Attack: none by the number itself once the run's secret is destroyed; the
    person is found by the other columns, the more so the more rows share a number. What helps:
    k-anonymity over the quasi-identifiers, destroying the additional information. Refused: `when`.
    Source: guideline L624 (일련번호 대체).
    """

    name: ClassVar[str] = "serial-number"
    korean: ClassVar[str] = "일련번호 대체"

    @model_validator(mode="after")
    def _for_all_rows(self) -> Self:
        if self.when is not None:
            refuse("`when` with serial-number", "serial numbers for all rows", None, "when")
        return self

    def output_type(self, source: pa.DataType) -> pa.DataType:
        return pa.int64()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.ranks is None:
            raise CellsRefused("serial numbers are known only behind the shuffle", len(values))
        return given.ranks

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        return Numbers(nullable=False, pieces=(Piece(low=1, unit=1),))

    def level_text(self, language: Language) -> str:
        return "1부터의 일련번호, 원본 순서와 무관" if language == "ko" else "1 … n, unrelated to the source's order"


class Token(CellTechnique):
    """What keyed tokens and pseudonyms share: the id's keyed draw (AES-256-CMAC) in base 32."""

    length: int = Field(default=LONGEST, ge=13, le=LONGEST)
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    def parts(self) -> tuple[str, ...]:
        """Source columns that make the id together with the column's own value."""
        return ()

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if pa.types.is_nested(source) or pa.types.is_float16(source):
            raise TechniqueError(f"{self.name} on a column of type {source}", "ids of a plain type")
        return pa.string()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        if given.draws is None:
            raise CellsRefused("tokens need the run's keys", len(values))
        parts = [values, *(given.columns[name] for name in self.parts())]
        parts = [whole(one) if pa.types.is_floating(one.type) else one for one in parts]
        tokens = base32(given.draws.bits(encode_ids(parts)), self.length)
        if values.null_count == 0:
            return tokens
        return pc.if_else(values.is_valid(), tokens, pa.scalar(None, pa.string()))

    def image(self, before: Image, given: Given) -> Image:
        return self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        last = f"[{_LAST}]" if self.length == LONGEST else f"[{ALPHABET}]"
        return Matching(nullable=before.nullable, pattern=f"[{ALPHABET}]{{{self.length - 1}}}{last}")


class KeyedToken(Token):
    """Every id becomes a token of `length` letters and digits (일방향 암호화): equal ids, equal tokens.

    In: ids of any plain type (integers of any width alike, floats only if whole, text in NFC). Out:
    text of a–z and 2–7, 5 bits a letter, 128 bits in 26. `with` names source columns that make the id
    together with the value (소유자명 with 연락처), so that namesakes differ. Null stays null.

    Kept: which cells are equal, so also how often each occurs. Lost: the id, to anyone without the run's
    key; two of n ids share a token with probability about n² / 2^(5 × length + 1). Attack: whoever gets
    the key computes the tokens of all known ids; without it, frequencies tell (the commonest job is the
    commonest token). What helps: key apart or destroyed, a key per run and recipient, ids with many
    values alone (others need `accept_frequency_leak`). Refused: floats that are not whole.
    Source: guideline L2103-2107 (MAC), L670-691 (소유자명, 연락처); NIST SP 800-38B; RFC 4648 section 6
    (letters, no padding).
    """

    name: ClassVar[str] = "keyed-token"
    korean: ClassVar[str] = "일방향 암호화"

    with_: tuple[str, ...] = ()

    def parts(self) -> tuple[str, ...]:
        return self.with_

    def columns(self) -> frozenset[str]:
        return super().columns() | frozenset(self.with_)

    def level_text(self, language: Language) -> str:
        others = ", ".join(self.with_)
        if language == "ko":
            return f"키가 있는 해시(AES-256-CMAC) {self.length}자" + (f", {others}과(와) 함께" if others else "")
        return f"keyed hash (AES-256-CMAC), {self.length} letters" + (f", together with {others}" if others else "")


class Pseudonym(Token):
    """Every id becomes its person's pseudonym in `domain`: the same in all columns and tables of the domain.

    As `keyed-token` in everything, with the key of the domain (`pseudonyms:` in the plan), which also
    sets the length. Null stays null.

    Kept: which rows of all tables belong to one person. Lost: the id, to anyone without the domain's key.
    Attack: as `keyed-token`; linking the tables of a person gives more to recognize them by, and with
    `stable_over` releases can be joined over time. What helps: one domain for each recipient, the end of
    a series when it is not needed. Source: guideline L2126-2129 (다형성 암호화: another pseudonym in each domain).
    """

    name: ClassVar[str] = "pseudonym"
    korean: ClassVar[str] = "가명 대체"
    SHORTHAND: ClassVar[str | None] = "domain"
    SET_ELSEWHERE: ClassVar[Mapping[str, str]] = {
        **CellTechnique.SET_ELSEWHERE,
        "length": "`length` under `pseudonyms`, once for the whole domain",
    }

    domain: str = Field(min_length=1)

    def of_length(self, length: int) -> Self:
        """The same step with the length that its domain sets."""
        return self.model_copy(update={"length": length})

    def level_text(self, language: Language) -> str:
        if language == "ko":
            return f"{self.domain} 단위의 동일 가명(키가 있는 해시)"
        return f"the same pseudonym (keyed hash) for each {self.domain}"


def base32(draws: npt.NDArray[np.uint64], length: int) -> pa.StringArray:
    """The first `length` base-32 letters of 128-bit numbers, (n, 2) high and low: text (n)."""
    text = np.empty((len(draws), length + length % 2), np.uint8)
    for first in range(0, len(draws), CHUNK):
        _letters_of(draws[first : first + CHUNK], text[first : first + CHUNK].view(np.uint16))
    text = np.ascontiguousarray(text[:, :length])
    offsets = np.arange(len(draws) + 1, dtype=np.int64) * length
    if offsets[-1] > np.iinfo(np.int32).max:
        half = len(draws) // 2
        return pa.concat_arrays([base32(draws[:half], length), base32(draws[half:], length)])
    return pa.StringArray.from_buffers(len(draws), pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(text))


def _letters_of(draws: npt.NDArray[np.uint64], pairs: npt.NDArray[np.uint16]) -> None:
    """The letters of some numbers, two at a time, written into `pairs`, (n, pairs of letters)."""
    high, low = np.ascontiguousarray(draws[:, 0]), np.ascontiguousarray(draws[:, 1])
    ten = np.empty(len(draws), np.uint64)
    for place in range(pairs.shape[1]):
        shift = 118 - 10 * place
        if shift >= 64:
            np.right_shift(high, np.uint64(shift - 64), out=ten)
        elif shift >= 0:
            np.right_shift(low, np.uint64(shift), out=ten)
            if shift > 54:
                ten |= high << np.uint64(64 - shift)
        else:
            np.left_shift(low, np.uint64(-shift), out=ten)
        ten &= np.uint64(1023)
        # Below 2^63 the same number with or without a sign, and take wants one; "clip" spares it a check.
        pairs[:, place] = _PAIRS.take(ten.view(np.int64), mode="clip")
