"""Cell texts as values of a column's type, and the type that a column's texts seem to have."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

INSTANT, WALL = pa.timestamp("us", "UTC"), pa.timestamp("us")
_INTEGER, _REAL = r"^-?\d+$", r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_ERRORS = (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError)


def typed(texts: pa.Array, type_: pa.DataType, time_zone: str | None) -> pa.Array:
    """Texts as `type_`, null for null; raises pa.ArrowInvalid where a text doesn't fit wholly.

    No trimming, no thousands separators, no lost digits. Dates and times are ISO 8601. An instant needs
    its offset in the text (`Z`, `+09:00`), or `time_zone`, in which the texts then are wall clock time.
    """
    if type_ == texts.type:
        return texts
    if pa.types.is_integer(type_) and _any(texts, "[xX]"):
        raise pa.ArrowInvalid("hexadecimal")
    if type_ == INSTANT and time_zone:
        return pc.assume_timezone(texts.cast(WALL), time_zone).cast(INSTANT)
    return texts.cast(type_)


def first_misfit(texts: pa.Array, type_: pa.DataType, time_zone: str | None) -> int | None:
    """The place of the first text that `typed` refuses, or None."""

    def fits(end: int) -> bool:
        try:
            typed(texts.slice(0, end), type_, time_zone)
        except _ERRORS:
            return False
        return True

    if fits(len(texts)):
        return None
    good, bad = 0, len(texts)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


def inferred(texts: pa.Array, time_zone: str | None, *, numbers: bool = True) -> pa.DataType:
    """The type that all of a sample's texts have: int64, float64, bool, date, timestamp, else string.

    Numbers with a leading zero (010…) and whole numbers of more than 15 digits that int64 can't hold stay
    text: they are names of things. Nothing but nulls: string.
    """
    known = texts.drop_null()
    if len(known) == 0:
        return pa.string()
    if numbers and not _any(known, r"^-?0\d"):
        if _all(known, _INTEGER) and _fits(known, pa.int64(), None):
            return pa.int64()
        if _all(known, _REAL) and not _any(known, r"^-?\d{16,}$"):
            return pa.float64()
    if numbers and _all(known, "^(?i:true|false)$"):
        return pa.bool_()
    if _all(known, r"^\d{4}-\d{2}-\d{2}$") and _fits(known, pa.date32(), None):
        return pa.date32()
    if _all(known, r"^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}"):
        for type_ in (INSTANT, WALL):
            if _fits(known, type_, time_zone):
                return type_
    return pa.string()


def _fits(texts: pa.Array, type_: pa.DataType, time_zone: str | None) -> bool:
    return first_misfit(texts, type_, time_zone) is None


def _any(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())


def _all(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, pattern)).as_py())
