"""Characters as people count them (graphemes): a Hangul syllable, a letter with its marks, a joined emoji."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# Conjoining jamo: leading consonants, vowels, trailing consonants.
_LEADING, _VOWELS = r"\x{1100}-\x{115f}\x{a960}-\x{a97c}", r"\x{1160}-\x{11a7}\x{d7b0}-\x{d7c6}"
_TRAILING, _FLAGS = r"\x{11a8}-\x{11ff}\x{d7cb}-\x{d7fb}", r"\x{1f1e6}-\x{1f1ff}"
# What never begins a character: marks, joiners, skin colours.
_JOINED = r"\p{M}\x{200d}\x{1f3fb}-\x{1f3ff}"
_CLUSTERS = rf"[{_LEADING}]+[{_VOWELS}]*[{_TRAILING}]*|[{_FLAGS}]{{2}}"
# Where no such code point occurs, every code point of a text in NFC is a character.
_CLUSTERED = rf"[{_JOINED}{_LEADING}{_VOWELS}{_TRAILING}{_FLAGS}]"
CODE_POINT = "(?s:.)"


def grapheme(without: str = "") -> str:
    """The regular expression of one character that is none of `without` (as they stand in a class)."""
    base = rf"(?:[^{without}{_JOINED}{_VOWELS}{_TRAILING}{_LEADING}{_FLAGS}]|{_CLUSTERS})"
    return rf"(?:{base}(?:[\p{{M}}\x{{1f3fb}}-\x{{1f3ff}}]|\x{{200d}}{base})*)"


GRAPHEME = grapheme()


def composed(texts: pa.Array) -> pa.Array:
    """The texts in NFC."""
    return pc.utf8_normalize(texts, form="NFC")


def unit_of(texts: pa.Array) -> str:
    """The regular expression of one character in these texts (NFC)."""
    return GRAPHEME if pc.any(pc.match_substring_regex(texts, _CLUSTERED)).as_py() else CODE_POINT


def lengths(texts: pa.Array, unit: str) -> pa.Array:
    """How many characters each text has (int32); what belongs to none counts by code points."""
    if unit == CODE_POINT:
        return pc.utf8_length(texts)
    stray = pc.utf8_length(pc.replace_substring_regex(texts, unit, ""))
    return pc.add(pc.count_substring_regex(texts, unit), stray)


def ends(texts: pa.Array, first: int, last: int, unit: str) -> tuple[pa.Array, pa.Array, pa.Array]:
    """The `first` characters, those between, and the `last`; null where a text has not so many."""
    if unit == CODE_POINT:
        enough = pc.greater_equal(pc.utf8_length(texts), first + last)
        texts = pc.if_else(enough, texts, pa.scalar(None, pa.string()))
        inner = pc.utf8_slice_codeunits(texts, first, -last if last else None)
        tail = pc.utf8_slice_codeunits(texts, -last) if last else pc.utf8_slice_codeunits(texts, 0, 0)
        return pc.utf8_slice_codeunits(texts, 0, first), inner, tail
    pattern = f"^(?P<head>{unit}{{{first}}})(?P<inner>{unit}*)(?P<tail>{unit}{{{last}}})$"
    found = pc.extract_regex(texts, pattern)
    return tuple(pc.struct_field(found, name) for name in ("head", "inner", "tail"))


def start(texts: pa.Array, count: int) -> pa.Array:
    """The first so many characters of each text (NFC)."""
    if unit_of(texts) == CODE_POINT:
        return pc.utf8_slice_codeunits(texts, 0, count)
    return pc.struct_field(pc.extract_regex(texts, f"^(?P<part>{GRAPHEME}{{0,{count}}})"), "part")


def end(texts: pa.Array, count: int) -> pa.Array:
    """The last so many characters of each text (NFC)."""
    if unit_of(texts) == CODE_POINT:
        return pc.utf8_slice_codeunits(texts, -count)
    return pc.struct_field(pc.extract_regex(texts, f"(?P<part>{GRAPHEME}{{0,{count}}})$"), "part")
