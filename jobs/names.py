"""Names of folders that every reader can open."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from jobs.errors import Refused

DIGEST_DIGITS = 8
# File systems take 255 bytes, and beside a folder lie files whose names go on from its own.
LONGEST = 150
# A release's manifest stands beside its table: no table may have its name.
RELEASE = ".release.json"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(?:_[A-Za-z0-9.-]+)*")
# So end the names of other texts, which a plain one must not take.
_DIGEST = re.compile(r"-[0-9a-f]{8}\Z")
_SYLLABLES, _VOWELS, _FINALS = 0xAC00, 21, 28
# Revised Romanization of Korean (2000), letter by letter; "-" is silent
_FIRST, _MIDDLE, _LAST = (
    tuple(letters.split())
    for letters in (
        "g kk n d tt r m b pp s ss - j jj ch k t p h",
        "a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i",
        "- k k k n n n t l k m l l l p l m p p t t ng t t k t p t",
    )
)


def folder_name(text: str) -> str:
    """A folder's name for a plan's text: ASCII, one for each text; Refused for text without a letter.

    Letters, digits, '.', '-' and single '_' stay as they are. Anything else (Korean, spaces, slashes) is romanized,
    syllable by syllable, cut to 80, and told apart by 8 hex digits of the text's SHA-256: `분석 1팀` →
    `bunseok-1tim-…`. So is a text that ends like such a name already. deltalake gives readers percent-encoded paths,
    which Polars does not decode.
    """
    composed = unicodedata.normalize("NFC", text)
    taken = composed.endswith(RELEASE) or _DIGEST.search(composed)
    if _PLAIN.fullmatch(composed) and len(composed) <= LONGEST and not taken:
        return composed
    romanized = "".join(_syllable(letter) for letter in composed)
    plain = re.sub(r"[^A-Za-z0-9]+", "-", romanized).strip("-")[:80]
    if not plain:
        raise Refused(f"{text!r} can't name a folder; allowed: text with a Korean or Latin letter or a digit")
    digest = hashlib.sha256(composed.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_DIGITS]
    return f"{plain}-{digest}"


def _syllable(letter: str) -> str:
    place = ord(letter) - _SYLLABLES
    if not 0 <= place < len(_FIRST) * _VOWELS * _FINALS:
        return letter
    first, rest = divmod(place, _VOWELS * _FINALS)
    middle, last = divmod(rest, _FINALS)
    return "".join(part for part in (_FIRST[first], _MIDDLE[middle], _LAST[last]) if part != "-")
