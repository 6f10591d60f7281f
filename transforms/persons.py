"""Who is the same person: names are written in several ways."""

from __future__ import annotations

import unicodedata

KINDS = ("Cf", "Cc", "Cs")
# Fillers, joiners, selectors and a blank of Braille: nobody sees them, and Unicode calls them letters or signs
# (Default_Ignorable_Code_Point of the Unicode Character Database, without what KINDS has).
UNSEEN = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)


def person(name: str) -> str:
    """What tells persons apart: a name's letters and signs, without regard to case, width, blanks and signs unseen.

    Korean names are written with a blank (김 철수) and without. Compatible forms (NFKC) are one.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(one for one in plain if not (one.isspace() or one in UNSEEN or unicodedata.category(one) in KINDS))


__all__ = ["person"]
