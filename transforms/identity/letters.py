"""Kinds that letters and digits tell together: e-mail addresses, vehicles, passports, licences with a region's name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.numbers import Hits
from transforms.identity.runs import Flags, Numbers, Runs

# The syllables of vehicle registration plates (자동차등록번호판 등의 기준에 관한 고시), those of the forces last.
_PLATE = "가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주아바사자허하호배육해공국합"
_REGIONS = "서울|부산|경기|강원|충북|충남|전북|전남|경북|경남|제주|대구|인천|광주|대전|울산"
# Names and hosts may be Korean (RFC 6531); a particle behind a Latin host is no part of it.
_EMAIL = r"[\pL\pN._%+\-]+@(?:[\pL\pN\-]+\.)+(?:[A-Za-z]{2,}|\p{Hangul}{2,})"
_EDGE, _END = r"(?:^|[^0-9A-Za-z])", r"(?:$|[^0-9A-Za-z])"
_NUMBER = rf"[0-9]{{2,3}} ?[{_PLATE}] ?[0-9]{{4}}"
_BOOKLET = r"[MSRODGmsrodg](?:[0-9]{8}|[0-9]{3}[A-Za-z][0-9]{4})"
_LICENCE = rf"(?:{_REGIONS})[ \-]{{0,3}}[0-9]{{2}}-[0-9]{{6}}-[0-9]{{2}}"
# By kind: within a text, and as all of it.
_FORMS = {
    "vehicle": (rf"(?:^|[^0-9\-]){_NUMBER}(?:$|[^0-9])", rf"^(?:{_REGIONS})? ?{_NUMBER}$"),
    "passport": (rf"{_EDGE}{_BOOKLET}{_END}", rf"^{_BOOKLET}$"),
    "licence": (rf"{_LICENCE}(?:$|[^0-9\-])", rf"^{_LICENCE}$"),
}


def letter_hits(texts: pa.Array, runs: Runs) -> Iterator[Hits]:
    """Every kind that letters take part in. Only texts whose digits have the form are matched by expressions."""
    at = np.flatnonzero(_flags(pc.match_substring(texts, "@")))
    if len(at):
        yield _matched("e-mail", texts, at, _EMAIL, f"^{_EMAIL}$", strong=True)
    behind, ahead = runs.length[1:], runs.length[:-1]
    gap = runs.start[1:] - runs.start[:-1] - ahead
    near = (runs.text[1:] == runs.text[:-1]) & (gap <= 5)
    plates = near & (gap >= 3) & (behind == 4) & ((ahead == 2) | (ahead == 3))
    licences = near & (gap == 1) & (behind == 6) & (ahead == 2)
    for kind, chosen in (("vehicle", runs.text[1:][plates]), ("licence", runs.text[:-1][licences])):
        found = np.unique(chosen)
        if len(found):
            yield _matched(kind, texts, found, *_FORMS[kind], strong=True)
    lettered = ~runs.left_open & ((runs.length == 8) | (runs.length == 3))
    passports = np.unique(runs.text[lettered])
    if len(passports):
        # Many other numbers are a letter and eight digits.
        yield _matched("passport", texts, passports, *_FORMS["passport"], strong=False)


def _matched(kind: str, texts: pa.Array, places: Numbers, inside: str, whole: str, *, strong: bool) -> Hits:
    some = texts.take(pa.array(places))
    alone = _flags(pc.match_substring_regex(some, whole))
    found = alone | _flags(pc.match_substring_regex(some, inside))
    return Hits(kind, places[found], alone[found], np.full(int(found.sum()), strong), places)


def _flags(answers: pa.Array) -> Flags:
    return np.asarray(answers.to_numpy(zero_copy_only=False), np.bool_)
