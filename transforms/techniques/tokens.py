"""Tokenization (토큰화): ids become tokens of their own length, keyed; with a vault they can be looked up."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import Field, model_validator

from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.images import Image, Matching
from transforms.kernels.letters import Letters, Points, drawn_numbers, letters_of, scaled, texts_of
from transforms.technique import Language
from transforms.techniques.chance import DrawnTechnique
from transforms.techniques.parameters import refuse

ALPHABETS = {
    "digits": "0123456789",
    "letters": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "letters-digits": "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
}
# Fewer possible tokens than this could be tried through, and many ids would share one.
FEWEST_TOKENS = 10**6
LONGEST = 64


class Tokenization(DrawnTechnique):
    """Every id becomes a token of the same length, drawn from an alphabet: D1304365 → AD921648.

    Equal ids get equal tokens. `alphabet`: `letters-digits` (A–Z, 0–9), `letters` or `digits`. `length` makes
    all tokens that long; else each is as long as its id, and `separators` ("-") stay where they stand. In:
    text (in NFC) or integers. Out: text. Null stays null. The token is the id's keyed draw (AES-256-CMAC), 32
    bits for each letter. `vault: true` also writes the map from token to id, encrypted, into the
    additional-information zone, one entry for each distinct id (only where the plan keeps its additional
    information, 추가정보): `additional-information reveal` looks tokens up in it.

    Kept: which cells are equal, so also how often each occurs, the length and the separators. Lost: the id,
    to anyone without key or vault. Two of n ids share a token with probability about n² / (2 × A^L), A letters
    in the alphabet, L in the token: 0.18 for a million ids of 8 letters and digits, 10⁻⁷ for 12. With a
    vault a shared token stops the run; without, two persons would become one: where that may not be, take
    keyed-token (128 bits) or format-preserving-encryption (no two ids share a ciphertext). Attack: how often
    a token occurs (so for columns that are no identifiers a reason is asked for), the vault, the key.
    Refused: ids so short that fewer than 10⁶ tokens of their length exist, a vault whose plan destroys its
    additional information, floats. Source: guideline L2172-2181 (토큰화).
    """

    name: ClassVar[str] = "tokenization"
    korean: ClassVar[str] = "토큰화"

    alphabet: Literal["letters-digits", "letters", "digits"] = "letters-digits"
    length: int | None = Field(default=None, ge=1, le=LONGEST)
    separators: str = ""
    vault: bool = False
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _enough_tokens(self) -> Self:
        if self.length is not None and self.length < self.least_length:
            refuse(
                f"tokens of {self.length} letters of {self.alphabet}: fewer than {FEWEST_TOKENS:,} tokens",
                f"{self.least_length} or more",
                None,
                "length",
            )
        if self.length is not None and self.separators:
            refuse("`separators` with `length`", "one of them: only tokens as long as their ids keep separators")
        if set(self.separators) & set(self._letters):
            refuse("separators that are letters of the alphabet", "other characters, such as -", None, "separators")
        if self.vault and self.when is not None:
            refuse(
                "`when` with a vault", "tokens for all cells: the vault can't tell a token from a kept id", None, "when"
            )
        return self

    @property
    def _letters(self) -> str:
        return ALPHABETS[self.alphabet]

    @property
    def least_length(self) -> int:
        """The shortest token of which there are enough."""
        return next(length for length in range(1, 64) if len(self._letters) ** length >= FEWEST_TOKENS)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_string(source) and not pa.types.is_signed_integer(source):
            raise TechniqueError(f"tokenization on a column of type {source}", "text and integers")
        return pa.string()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        draws = self.drawn(given, len(values))
        valid = values.is_valid()
        letters = letters_of(values.cast(pa.string()))
        if self.length is not None:
            lengths = np.where(valid.to_numpy(zero_copy_only=False), self.length, 0).astype(np.int64)
            letters = Letters(np.zeros(int(lengths.sum()), np.uint32), lengths)
        kept = np.isin(letters.points, np.array([ord(one) for one in self.separators], np.uint32))
        self._check_lengths(letters, kept, valid)
        numbers = drawn_numbers(letters, draws, encode_ids([values]))
        alphabet = np.frombuffer(self._letters.encode(), np.uint8).astype(np.uint32)
        drawn: Points = alphabet[scaled(numbers, len(alphabet)).astype(np.intp)]
        made = Letters(np.where(kept, letters.points, drawn).astype(np.uint32), letters.lengths)
        return texts_of(made, valid if values.null_count else None)

    def _check_lengths(self, letters: Letters, kept: npt.NDArray[np.bool_], valid: pa.Array) -> None:
        passed = np.concatenate([[0], np.cumsum(~kept)])
        free = passed[letters.starts + letters.lengths] - passed[letters.starts]
        short = (free < self.least_length) & valid.to_numpy(zero_copy_only=False)
        if short.any():
            raise CellsRefused(
                f"ids too short: of fewer than {self.least_length} letters there are less than "
                f"{FEWEST_TOKENS:,} tokens of {self.alphabet}; set a `length`",
                int(short.sum()),
            )

    def spread(self, before: Image, given: Given) -> Image:
        classes = {"letters": "A-Z", "digits": "0-9", "letters-digits": "A-Z0-9"}[self.alphabet]
        if self.length is not None:
            return Matching(nullable=before.nullable, pattern=f"[{classes}]{{{self.length}}}")
        others = "".join(f"\\x{{{ord(one):x}}}" for one in self.separators)
        return Matching(nullable=before.nullable, pattern=f"[{classes}{others}]{{{self.least_length},}}")

    def level_text(self, language: Language) -> str:
        korean = language == "ko"
        letters = {"letters": "영문 대문자", "digits": "숫자", "letters-digits": "영문 대문자·숫자"}[self.alphabet]
        if korean:
            length = f"{self.length}자" if self.length is not None else "원본과 같은 길이"
            return f"{letters} {length}의 키 기반 토큰" + (
                "; 대응표는 암호화하여 추가정보로 보관" if self.vault else ""
            )
        length = f"{self.length} letters long" if self.length is not None else "as long as the id"
        text = f"keyed token of {self.alphabet.replace('-', ' and ')}, {length}"
        return text + ("; the map back is kept encrypted as additional information" if self.vault else "")


def vaulted(technique: object) -> bool:
    """Does this step write a vault?"""
    return isinstance(technique, Tokenization) and technique.vault


__all__ = ["ALPHABETS", "FEWEST_TOKENS", "Tokenization", "vaulted"]
