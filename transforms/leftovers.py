"""Values of identifiers that are left over (잔여 식별정보) in what is delivered: found by keyed hashes.

A run keeps hashes of the identifiers of those whom it delivers; the review hashes the words of delivered cells and
looks them up. Both are made plain first (case, width, separators, leading zeros of numbers), so `EC-232578` is found
in `고객 ec232578님`. Values too short to be anybody's own are left out, as they would be met by chance.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.derivation import Secret
from transforms.draws import Draws

Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

# A value may stand in a longer text in so many words; whole cells are compared besides.
WORDS = 4
# A number cell is compared from so many digits on: smaller numbers are met by chance.
LEAST_NUMBER = 10**9
# Syllables of Korean names, which particles and titles follow without a blank.
_NAMES = (3, 4)
_LEAST_DIGITS, _LEAST_LATIN, _LEAST_OTHER = 7, 5, 3


def is_compared(type_: pa.DataType) -> bool:
    """Texts and whole numbers: what identifiers are made of."""
    return bool(pa.types.is_string(type_) or pa.types.is_integer(type_))


def words_of(texts: pa.Array) -> pa.Array:
    """Texts as plain words with one blank between them: NFKC, small letters, scripts apart, no signs."""
    if _is_ascii(texts):  # most ids are, and what follows costs the run most of its time for marks
        plain, signs = pc.ascii_lower(texts), "[^0-9a-z]+"
    else:
        plain, signs = pc.utf8_lower(pc.utf8_normalize(texts, "NFKC")), r"[^\pL\pM\pN]+"
        plain = pc.replace_substring_regex(plain, r"(\p{Hangul})([0-9a-z])", r"\1 \2")
        plain = pc.replace_substring_regex(plain, r"([0-9a-z])(\p{Hangul})", r"\1 \2")
    return pc.utf8_trim(pc.replace_substring_regex(plain, signs, " "), " ")


def joined(words: pa.Array) -> pa.Array:
    """Words as one text; a number without its leading zeros (a column of numbers has lost them)."""
    whole = pc.replace_substring(words, " ", "")
    if not pc.any(pc.starts_with(whole, "0")).as_py():
        return whole
    return pc.if_else(pc.ascii_is_decimal(whole), pc.ascii_ltrim(whole, "0"), whole)


def is_own(whole: pa.Array) -> pa.Array:
    """Is a joined text long enough to be somebody's own: 7 digits, 5 Latin letters and digits, 3 other letters?"""
    latin = pc.if_else(pc.string_is_ascii(whole), _LEAST_LATIN, _LEAST_OTHER)
    return pc.greater_equal(pc.utf8_length(whole), pc.if_else(pc.ascii_is_decimal(whole), _LEAST_DIGITS, latin))


def _is_ascii(texts: pa.Array) -> bool:
    return bool(pc.all(pc.string_is_ascii(texts)).as_py())


@dataclass(frozen=True)
class Marker:
    """Hashes identifiers under the run's key for this; of very many, one in 2^`level` alone is kept."""

    key: Secret
    level: int = 0

    def of(self, wholes: pa.Array) -> Hashes:
        """The hash of each joined text (no nulls)."""
        if not len(wholes):
            return np.empty(0, np.uint64)
        return np.ascontiguousarray(Draws(self.key).bits(wholes.cast(pa.binary()))[:, 0])

    def marks(self, values: pa.Array) -> Hashes:
        """Hashes of the distinct values that are kept, in order. Null and too short values have none."""
        return np.unique(self.wholes(_texts(values).unique().drop_null())[0])

    def wholes(self, texts: pa.Array) -> tuple[Hashes, Bools]:
        """Hashes of those texts (no nulls) that are long enough and kept, and which these are."""
        wholes = joined(words_of(texts))
        chosen: Bools = is_own(wholes).to_numpy(zero_copy_only=False).copy()
        hashes = self.of(wholes.filter(pa.array(chosen)))
        if self.level:
            kept = hashes < np.uint64(1 << (64 - self.level))
            chosen[chosen] = kept
            hashes = hashes[kept]
        return hashes, chosen


@dataclass(frozen=True)
class SourceValues:
    """Hashes of the identifiers of a run, in order: additional information (추가정보).

    `chance` are delivered cells by (table, column) that are some identifier by chance, where a technique makes
    identifiers of the same form.
    """

    marker: Marker
    hashes: Hashes = field(repr=False)
    chance: dict[tuple[str, str], int] = field(default_factory=dict)

    def found(self, values: pa.Array, whole: bool = False) -> Bools:
        """For every text or whole number (no nulls): does it hold one of the identifiers, or (`whole`) is it one?"""
        texts = _texts(values)
        if not len(self.hashes) or not len(texts):
            return np.zeros(len(texts), np.bool_)
        if whole or pa.types.is_integer(values.type):
            return self._as_wholes(values, texts)
        candidates, parents = _candidates(words_of(texts))
        encoded = candidates.dictionary_encode()
        distinct = encoded.dictionary
        own = is_own(distinct).to_numpy(zero_copy_only=False)
        known = np.zeros(len(distinct), np.bool_)
        known[own] = self.known(self.marker.of(distinct.filter(pa.array(own))))
        result = np.zeros(len(texts), np.bool_)
        result[parents[known[encoded.indices.to_numpy(zero_copy_only=False)]]] = True
        return result

    def known(self, hashes: Hashes) -> Bools:
        """Which hashes are those of identifiers?"""
        places = np.minimum(np.searchsorted(self.hashes, hashes), max(0, len(self.hashes) - 1))
        found: Bools = self.hashes[places] == hashes if len(self.hashes) else np.zeros(len(hashes), np.bool_)
        return found

    def _as_wholes(self, values: pa.Array, texts: pa.Array) -> Bools:
        hashes, chosen = self.marker.wholes(texts)
        result = chosen.copy()
        result[chosen] = self.known(hashes)
        if pa.types.is_integer(values.type):
            result &= pc.greater_equal(values.cast(pa.int64()), LEAST_NUMBER).to_numpy(zero_copy_only=False)
        return result

    def to_bytes(self) -> bytes:
        """As a file's content: a line of JSON, then the hashes."""
        head = {
            "format": 1,
            "level": self.marker.level,
            "key": self.marker.key.reveal().hex(),
            "chance": [[*place, cells] for place, cells in sorted(self.chance.items())],
        }
        return json.dumps(head, ensure_ascii=False).encode() + b"\n" + self.hashes.astype("<u8").tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> SourceValues:
        """The way back; ValueError (KeyError, TypeError) for other contents."""
        first, _, rest = content.partition(b"\n")
        head = json.loads(first)
        hashes = np.frombuffer(rest, "<u8").astype(np.uint64)
        marker = Marker(Secret(bytes.fromhex(head["key"])), head["level"])
        return cls(marker, hashes, {(table, column): cells for table, column, cells in head["chance"]})


def level_for(count: int, most: int) -> int:
    """The level at which of so many values about `most` are kept at most."""
    level = 0
    while count >> level > most:
        level += 1
    return level


def _texts(values: pa.Array) -> pa.Array:
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _candidates(words: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Every run of up to WORDS words, each whole text, joined, and what particles may follow in Hangul (홍길동은);
    and the place of the text that each is of."""
    lists = pc.split_pattern(words, " ")
    flat, parents = lists.flatten(), pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    found, places = [joined(words)], [np.arange(len(words), dtype=np.int64)]
    for count in range(1, WORDS + 1):
        if len(flat) < count:
            break
        last = len(flat) - count + 1
        within = parents[:last] == parents[count - 1 :]
        parts: Sequence[pa.Array] = [flat.slice(first, last).filter(pa.array(within)) for first in range(count)]
        found.append(joined(pc.binary_join_element_wise(*parts, " ")))
        places.append(parents[:last][within])
    for length in _NAMES:
        longer = pc.match_substring_regex(flat, rf"^\p{{Hangul}}{{{length + 1}}}")
        found.append(pc.utf8_slice_codeunits(flat.filter(longer), 0, length))
        places.append(parents[longer.to_numpy(zero_copy_only=False)])
    return pa.concat_arrays(found), np.concatenate(places)
