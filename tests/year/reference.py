"""The same rounds at one go: dictionaries over what happened, without salts, serials, packages or rounds' states."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from .world import LATE_ATTRIBUTES, LATE_KEYS, ROUNDS, WITHDRAWER, WITHDRAWN, Row, happened

Key = tuple[str, str, str]
# sex and mark of A, tenure and mark of B, state and mark of C
Record = tuple[str | None, ...]


def key_of(row: Row) -> Key | None:
    """What tells a person from all others, written one way; None where a part is missing."""
    name, phone, born = row.key
    if phone is None:
        return None
    plain = unicodedata.normalize("NFC", name).replace(" ", "")
    return plain, re.sub(r"\D", "", phone), re.sub(r"\D", "", str(born))


def known(party: str, round_: str) -> dict[Key, Row]:
    """A party's persons of a round who can be joined: with a whole key that nobody else has, not withdrawn."""
    rows = [row for row in happened(party, round_) if not (party == "A" and _withdrawn(row, round_))]
    keys = Counter(key_of(row) for row in rows)
    return {key: row for row in rows if (key := key_of(row)) is not None and keys[key] == 1}


def _withdrawn(row: Row, round_: str) -> bool:
    return row.person == WITHDRAWER and ROUNDS.index(round_) >= ROUNDS.index(WITHDRAWN)


def records(user: str, round_: str) -> dict[Key, Record]:
    """What the user must get: A those whom B has too, with C's cells where C has them; B all of its own."""
    late = round_ in (LATE_KEYS, LATE_ATTRIBUTES)
    a, b = known("A", round_), known("B", round_)
    c = {} if late else known("C", round_)
    chosen = a.keys() & b.keys() if user == "A" else b.keys()
    return {key: tuple(cell for party in (a, b, c) for cell in _cells(party.get(key))) for key in chosen}


def _cells(row: Row | None) -> tuple[str | None, str | None]:
    return (None, None) if row is None else (row.group, row.mark)
