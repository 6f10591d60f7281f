"""Format-preserving encryption (형태보존 암호화): digits become digits, letters letters, and the rest stays."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from transforms.complaint import complain, complaint
from transforms.errors import CellsRefused, TechniqueError
from transforms.given import Given, KeyUse
from transforms.images import Image, Matching, Nothing, Union
from transforms.kernels.aes import Bytes
from transforms.kernels.ff1 import CHUNK, FF1, LEAST_DOMAIN
from transforms.kernels.lengths import Collected, Places, by_length
from transforms.technique import Language
from transforms.techniques.parameters import refuse
from transforms.techniques.shape import CellTechnique

_DIGITS, _LOWER = "0123456789", "abcdefghijklmnopqrstuvwxyz"
ALPHABETS = {
    "digits": _DIGITS,
    "lower": _LOWER,
    "upper": _LOWER.upper(),
    "alphanumeric": _DIGITS + _LOWER.upper() + _LOWER,
}


class FormatPreservingEncryption(CellTechnique):
    """Every text becomes one of the same form (010-1234-5678 → 159-6857-6384, L2178-2181); it can be revealed.

    The characters of `alphabet` (`digits`, the default; `lower`, `upper`, `alphanumeric`: 0–9, A–Z, a–z; or those
    that are written out, ASCII) are encrypted by FF1 with AES-256 to others of the alphabet; all other characters
    (separators) stay where they stand, and so do the first `keep_first` and the last `keep_last` of the alphabet's.
    In and out: text. Null stays null. Equal texts give equal texts, different ones different ones. What stays fixed is
    part of the tweak, as are organisation, run and column: 010-1234 and 0101234 have unrelated results. Each column
    of a run has its own key; columns that name the same `domain` share it, with `stable_over` a series of runs does.
    `length`: how many free characters every text has, so that a domain that is too small is seen in the plan already.

    Kept: form, length, separators, the characters that `keep_first` and `keep_last` name; which cells are equal, so
    also how often each occurs. Lost: the rest, to anyone without the key; check digits no longer fit. Attack: the key;
    frequencies (for columns that are no identifiers a reason is asked for: `accept_frequency_leak`); some pairs of text
    and result in a small domain; a result looks like real data, and may be another person's number. What helps:
    longer texts, nothing kept, and keyed-token where no system asks for the form.

    Refused: fewer than 10⁶ texts of a length, counted over the free characters alone (exit 3 by the plan's `length`,
    exit 1 for a cell; SP 800-38G Rev. 1 forbids it), more than 36 free digits (20 alphanumeric: halves are 64-bit
    numbers), other types than text, `when`. Source: guideline L2114-2118 (형태보존 암호화); NIST SP 800-38G Rev. 1.
    """

    name: ClassVar[str] = "format-preserving-encryption"
    korean: ClassVar[str] = "형태보존 암호화"

    alphabet: str = Field(default="digits", min_length=1)
    keep_first: int = Field(default=0, ge=0)
    keep_last: int = Field(default=0, ge=0)
    length: int | None = Field(default=None, ge=1)
    domain: str | None = Field(default=None, min_length=1)
    stable_over: str | None = Field(default=None, min_length=1)
    accept_frequency_leak: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _large_enough(self) -> Self:
        characters = self._characters
        if not (characters.isascii() and characters.isprintable() and 2 <= len(characters) == len(set(characters))):
            named = ", ".join(ALPHABETS)
            refuse("an alphabet of other than 2 or more different ASCII characters", named, None, "alphabet")
        if self.when is not None:
            refuse("`when` with format-preserving-encryption", "all cells of the column", None, "when")
        shortest, longest = self._lengths
        if self.length is not None and self.length < shortest:
            found = f"{len(characters)}^{self.length} texts: fewer than 10^6 (SP 800-38G Rev. 1)"
            allowed = f"{shortest} or more free characters of this alphabet"
            hint = "take keyed-token, or leave less of the text as it is"
            raise complain([complaint(found, allowed, hint, ("length",), refused=True)])
        if self.length is not None and self.length > longest:
            refuse(f"{self.length} free characters", f"{longest} or fewer of this alphabet", None, "length")
        return self

    @property
    def _characters(self) -> str:
        return ALPHABETS.get(self.alphabet, self.alphabet)

    @property
    def _lengths(self) -> tuple[int, int]:
        cipher = FF1(bytes(32), self._characters)
        return cipher.shortest, cipher.longest

    def key_use(self) -> KeyUse:
        return KeyUse("FF1 AES-256", 32, self.domain, self.stable_over)

    def output_type(self, source: pa.DataType) -> pa.DataType:
        if not pa.types.is_string(source):
            raise TechniqueError(f"{self.name} on a column of type {source}", "text", "for numbers: keyed-token")
        return pa.string()

    def effect(self, values: pa.Array, given: Given) -> pa.Array:
        return self._turned(values, given, decrypt=False)

    def inverse(self, values: pa.Array, source: pa.DataType, given: Given) -> pa.Array:
        """See `Reversible`. FF1 has no redundancy: texts of this form that are none of ours decrypt to nonsense."""
        return self._turned(values, given, decrypt=True)

    def _turned(self, values: pa.Array, given: Given, *, decrypt: bool) -> pa.Array:
        if given.key is None:
            raise CellsRefused("encryption needs the run's keys", len(values))
        cipher = FF1(given.key.secret.reveal(), self._characters)
        present = values.drop_null() if values.null_count else values
        done = Collected(len(present))
        for group in by_length(present):
            rows = group.rows.copy()
            for first in range(0, len(rows), CHUNK):
                self._turn(cipher, given.key.context, rows[first : first + CHUNK], decrypt=decrypt)
            done.add(group.places, rows)
        texts = done.array(pa.string())
        if values.null_count == 0:
            return texts
        return pc.replace_with_mask(pa.nulls(len(values), pa.string()), values.is_valid(), texts)

    def _turn(self, cipher: FF1, context: bytes, rows: Bytes, *, decrypt: bool) -> None:
        """Texts of one length, in place."""
        for places, free in self._shapes(cipher, rows):
            part = rows if places is None else rows[places]
            fixed = _Tweaks(context, part, free)
            if len(free) == part.shape[1]:
                part[:] = cipher.letters(cipher.turned(cipher.numerals(part), fixed.tweaks, None, decrypt=decrypt))
            else:
                numerals = cipher.numerals(part[:, free])
                part[:, free] = cipher.letters(cipher.turned(numerals, fixed.tweaks, fixed.which, decrypt=decrypt))
            if places is not None:
                rows[places] = part

    def _shapes(self, cipher: FF1, rows: Bytes) -> list[tuple[Places | None, Places]]:
        """Rows of one length by the places of their free characters: which rows (None: all), which places."""
        free = cipher.numerals(rows) < cipher.radix
        if self.keep_first or self.keep_last:
            turn = np.cumsum(free, axis=1, dtype=np.int32)
            free &= (turn > self.keep_first) & (turn <= turn[:, -1:] - self.keep_last)
        first = free[:1]
        if len(rows) and (free == first).all():
            self._check(cipher, int(first.sum()), len(rows))
            return [(None, np.flatnonzero(first[0]))]
        shapes, which = np.unique(np.packbits(free, axis=1), axis=0, return_inverse=True)
        found: list[tuple[Places | None, Places]] = []
        for number in range(len(shapes)):
            places = np.flatnonzero(which.reshape(-1) == number)
            columns = np.flatnonzero(free[places[0]])
            self._check(cipher, len(columns), len(places))
            found.append((places, columns))
        return found

    def _check(self, cipher: FF1, free: int, count: int) -> None:
        if free < cipher.shortest:
            raise CellsRefused(
                f"texts with {free} free characters: fewer than {LEAST_DOMAIN:,} such texts; allowed: "
                f"{cipher.shortest} to {cipher.longest} of this alphabet",
                count,
            )
        if free > cipher.longest or free != (self.length or free):
            allowed = f"{self.length}, as the plan says" if self.length else f"up to {cipher.longest}"
            raise CellsRefused(f"texts with {free} free characters; allowed: {allowed}", count)

    def image(self, before: Image, given: Given) -> Image:
        if isinstance(before, Union):
            parts = tuple(self.image(part, given) for part in before.parts)
            return Union(nullable=any(part.nullable for part in parts), parts=parts)
        return before if isinstance(before, Nothing) else self.spread(before, given)

    def spread(self, before: Image, given: Given) -> Image:
        letters = "".join(f"\\x{ord(letter):02x}" for letter in self._characters)
        shortest, longest = (self.length, self.length) if self.length else self._lengths
        kept = self.keep_first + self.keep_last
        times = f"{{{shortest + kept},{longest + kept}}}"
        return Matching(nullable=before.nullable, pattern=f"(?:[^{letters}]*[{letters}]){times}[^{letters}]*")

    def level_text(self, language: Language) -> str:
        kept = [(self.keep_first, "앞", "first"), (self.keep_last, "뒤", "last")]
        if language == "ko":
            names = {"digits": "숫자", "lower": "영소문자", "upper": "영대문자", "alphanumeric": "숫자와 영문자"}
            stays = "".join(f", {where} {count}자 유지" for count, where, _ in kept if count)
            return f"{names.get(self.alphabet, '지정 문자')}를 같은 형태로(FF1){stays}"
        stays = "".join(f", the {where} {count} kept" for count, _, where in kept if count)
        return f"{self.alphabet if self.alphabet in ALPHABETS else 'listed characters'} in their form (FF1){stays}"


class _Tweaks:
    """The tweaks of rows whose free characters stand at the same places: 16 bytes for each text of what is fixed."""

    def __init__(self, context: bytes, rows: Bytes, free: Places) -> None:
        self.which: Places | None = None
        stays = np.setdiff1d(np.arange(rows.shape[1]), free)
        kept = rows[:, stays]
        alike = bool((kept == kept[:1]).all())
        fixed = rows[:1].copy() if alike else rows.copy()
        fixed[:, free] = 0
        if alike:
            self.tweaks = [_tweak(context, fixed[0].tobytes())]
            return
        buffers = [None, pa.py_buffer(np.ascontiguousarray(fixed))]
        width = fixed.shape[1]
        encoded = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(fixed), buffers).dictionary_encode()
        self.tweaks = [_tweak(context, one) for one in encoded.dictionary.to_pylist()]
        self.which = encoded.indices.to_numpy(zero_copy_only=False)


def _tweak(context: bytes, fixed: bytes) -> bytes:
    """The context is JSON, which ends at its last brace; free places stand in `fixed` as zero bytes."""
    return sha256(context + fixed).digest()[:16]
