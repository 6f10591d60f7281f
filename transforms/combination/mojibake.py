"""Texts that were read in a wrong encoding (문자 깨짐): what no name or address in any language looks like.

Strict: a cell is told only for signs that don't stand in sound text, so a sound column has none. A column that was
misread has nearly all its cells so; a few that can't be told from sound ones stay, beside those that are told.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.lengths import flat

# What Windows-1252 makes of the bytes 80–9F: signs, and those that stand beside letters in sound text (quotes, dashes).
_SIGNS_1252 = "€ƒ†‡ˆ‰ŠŒŽ•˜™šœžŸ"
_QUOTES = "‚„…‹‘’“”–—›"
# UTF-8's trailing bytes 80–BF as characters; « and » close quotations.
_TRAIL = rf"[\x{{80}}-\x{{aa}}\x{{ac}}-\x{{ba}}\x{{bc}}-\x{{bf}}{_SIGNS_1252}]"
_LOOSE = rf"[\x{{ab}}\x{{bb}}{_QUOTES}]"
_ANY = rf"(?:{_TRAIL}|{_LOOSE})"
_SIGNS = (
    r"[\x{80}-\x{84}\x{86}-\x{9f}]",  # C1 controls; U+0085 alone is a line's end on some machines
    r"[\x{e000}-\x{f8ff}\x{f0000}-\x{10ffff}]",  # private use: means another character on each machine
    rf"[ÃÄÅÎÏÐÑ]{_TRAIL}",  # UTF-8 of two bytes as Latin-1: Ã© for é
    rf"[à-ï](?:{_TRAIL}{_ANY}|{_LOOSE}{_TRAIL})",  # of three: Hangul, kana, Chinese characters
    # CP949 as Latin-1: pairs of A1–FE and nothing else, a sign among them
    r"^(?:[\x{a1}-\x{ff}]{2})*[\x{a1}-\x{ff}]?[¢-©¬-±²³µ¶¸¹¼-¾×÷][\x{a1}-\x{ff}]{3,}$",
    r"^[\x{a1}-\x{ff}]{3,}[¢-©¬-±²³µ¶¸¹¼-¾×÷][\x{a1}-\x{ff}]*$",
)
_BROKEN = "|".join(_SIGNS)
_CHINESE, _HANGUL = r"[\x{4e00}-\x{9fff}\x{f900}-\x{faff}]", r"[\x{ac00}-\x{d7a3}]"
_MIXED = f"{_CHINESE}.*{_HANGUL}|{_HANGUL}.*{_CHINESE}"


def misread(texts: pa.Array) -> npt.NDArray[np.bool_]:
    """Which texts can only come of a wrong encoding. In: text (n). Out: n booleans; null: False.

    Told: UTF-8 read as Latin-1, Windows-1252 or CP949; CP949 read as Latin-1; C1 controls; private use.
    """
    found = np.zeros(len(texts), np.bool_)
    _, data = flat(pc.fill_null(texts, ""))
    # First bytes of UTF-8 tell which characters there are at all: most columns need no more than this.
    if ((data - np.uint8(0xC2) <= np.uint8(1)) | (data >= np.uint8(0xEE))).any():
        found |= _matching(texts, _BROKEN)
    if ((data - np.uint8(0xE4) <= np.uint8(5)) | (data == np.uint8(0xEF))).any():
        # Chinese characters and Hangul in one word are rare enough to be looked at one by one.
        places = np.flatnonzero(_matching(texts, _MIXED))
        found[[place for place in places if _was_utf8(texts[place].as_py())]] = True
    return found


def _matching(texts: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.fill_null(pc.match_substring_regex(texts, pattern), False).to_numpy(
        zero_copy_only=False
    )
    return found


def _was_utf8(text: str) -> bool:
    """True if the text's CP949 bytes are Hangul in UTF-8, two syllables or more."""
    try:
        again = text.encode("cp949").decode("utf-8")
    except UnicodeError:
        return False
    return len(again) > 1 and all("\uac00" <= letter <= "\ud7a3" for letter in again if not letter.isspace())
