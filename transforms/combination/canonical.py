"""Canonical forms of key columns (결합키 생성 항목): what all parties write alike before anything is hashed.

Each form is a function of an Arrow array; where values occur often, each of them is worked on once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import one_chunk
from transforms.combination.key_dates import dates
from transforms.combination.key_spec import Form, KeyColumn
from transforms.combination.mojibake import misread
from transforms.errors import TechniqueError
from transforms.kernels.lengths import flat
from transforms.repeats import repeated

REPLACEMENT = "\ufffd"
# Latin capitals, Chinese characters and whole Hangul syllables: their own canonical form.
_LETTERS = r"\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}"
_PLAIN: Mapping[Form, str] = {"name": rf"^[A-Z{_LETTERS}]*$", "text": rf"^[\x21-\x7e{_LETTERS}]*$"}
_WIDE = r"[\x{ff00}-\x{ffef}]"
_EMPTY = r"^[\s\p{Z}]*$"
_SPACE = r"[\s\p{Z}]+"
# Format and control characters, but for those that are spaces.
_UNSEEN = r"[\p{Cf}\x00-\x08\x0b\x0e-\x1f\x7f-\x{9f}]"
_TYPES: Mapping[Form, str] = {
    "name": "text",
    "digits": "text or integers (text where zeros lead, as in phone numbers)",
    "date": "dates, timestamps without a time zone, text or integers such as 19800101",
    "text": "text",
}


class Fault(IntEnum):
    """Why a cell can't be part of a key, though it is not empty."""

    NONE = 0
    REPLACED = 1
    NO_TEXT = 2
    UNREADABLE = 3
    UNENCODABLE = 4
    MISREAD = 5


EXPLAINED: Mapping[Fault, str] = {
    Fault.REPLACED: "hold U+FFFD: they were read in a wrong encoding, and what stood there is lost; read the source "
    "anew",
    Fault.NO_TEXT: "are no valid UTF-8: the table was written in another encoding; ingest it with its own (--encoding)",
    Fault.UNREADABLE: "are dates in none of the accepted forms (YYYYMMDD, YYYY-MM-DD, YYYY. M. D., YYYY년 M월 D일, a "
    "date type), or no real ones; correct them, or make them null (then: no key)",
    Fault.MISREAD: "were read in a wrong encoding (UTF-8 or CP949 taken for Latin-1, UTF-8 for CP949, or private use "
    "characters): read the source anew in its own (`gamyeong ingest --encoding`), or make them null (then: no key)",
    Fault.UNENCODABLE: "hold characters that CP949 lacks; correct them, or let all parties agree on UTF-8",
}
Faults = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Cells:
    """Canonical cells of a column, null where the part is missing or at fault, and each cell's Fault."""

    values: pa.Array
    faults: Faults


def check_type(column: KeyColumn, type_: pa.DataType) -> None:
    """TechniqueError where a column of this type can't be brought to the form."""
    text = pa.types.is_string(type_) or pa.types.is_large_string(type_)
    whole = column.form in ("digits", "date") and pa.types.is_integer(type_)
    day = column.form == "date" and (pa.types.is_date(type_) or (pa.types.is_timestamp(type_) and type_.tz is None))
    if not (text or whole or day):
        raise TechniqueError(f"key column {column.name!r} ({column.form}) of type {type_}", _TYPES[column.form])


def canonical(column: KeyColumn, values: pa.Array, after: Callable[[pa.Array], Cells] | None = None) -> Cells:
    """The cells in the column's canonical form; `after` (an encoding) works on the result.

    In: a column of a type that `check_type` allows. Out: as many cells, text (or what `after` makes).
    name: NFC (full and half width as NFKC has it), no spaces or unseen characters, capitals. digits: the digits
    0–9 alone, full-width ones too. date: YYYYMMDD. text: NFC, unseen characters left out, spaces trimmed and runs of
    them one. Null: null and what has nothing left (spaces, no digit) is a missing part. Faults are counted, never
    raised. Source: guideline L1378-1400 (practice for all but the encoding).
    """
    encoded = repeated(values)
    if encoded is None:
        return _canonical(column.form, values, after)
    few = _canonical(column.form, encoded.dictionary, after)
    places = encoded.indices
    found = few.faults[pc.fill_null(places, 0).to_numpy(zero_copy_only=False)] if few.faults.any() else None
    if found is None:
        found = np.zeros(len(values), np.int8)
    elif places.null_count:
        found[places.is_null().to_numpy(zero_copy_only=False)] = Fault.NONE
    return Cells(few.values.take(places), found)


def _canonical(form: Form, values: pa.Array, after: Callable[[pa.Array], Cells] | None) -> Cells:
    texts, faults = _sound(values)
    if form == "date":
        written = values if texts is None else texts
        texts = dates(written)
        faults[_null(texts) & ~_blank(written) & (faults == Fault.NONE)] = Fault.UNREADABLE
    else:
        texts = values.cast(pa.string()) if texts is None else texts
        texts = {"name": _name, "digits": _digits, "text": _text}[form](texts)
        texts = pc.if_else(pc.equal(pc.binary_length(texts), 0), None, texts)
    if after is None:
        return Cells(texts, faults)
    done = after(texts)
    return Cells(done.values, np.where(faults == Fault.NONE, done.faults, faults))


def _sound(values: pa.Array) -> tuple[pa.Array | None, Faults]:
    """Texts without those at fault (None where the values are no texts), and the faults."""
    faults = np.zeros(len(values), np.int8)
    if not pa.types.is_string(values.type) and not pa.types.is_large_string(values.type):
        return None, faults
    texts = values.cast(pa.string())
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return texts, faults
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        faults[_no_text(texts)] = Fault.NO_TEXT
        texts = pc.if_else(pa.array(faults == Fault.NONE), texts, None)
    lost = pc.fill_null(pc.match_substring(texts, REPLACEMENT), False)
    if lost.true_count:
        faults[lost.to_numpy(zero_copy_only=False)] = Fault.REPLACED
        texts = pc.if_else(lost, None, texts)
    wrong = misread(texts)
    if wrong.any():
        faults[wrong] = Fault.MISREAD
        texts = pc.if_else(pa.array(wrong), None, texts)
    return texts, faults


def _no_text(texts: pa.Array) -> list[int]:
    """The places of texts that are no UTF-8, one by one: a damaged source is the exception."""

    def fails(content: bytes | None) -> bool:
        try:
            (content or b"").decode("utf-8")
        except UnicodeDecodeError:
            return True
        return False

    return [place for place, content in enumerate(texts.cast(pa.binary()).to_pylist()) if fails(content)]


def _null(values: pa.Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return found


def _blank(values: pa.Array) -> npt.NDArray[np.bool_]:
    """Null, or text of nothing but spaces."""
    if not pa.types.is_string(values.type):
        return _null(values)
    found: npt.NDArray[np.bool_] = pc.fill_null(pc.match_substring_regex(values, _EMPTY), True).to_numpy(
        zero_copy_only=False
    )
    return found


def _name(texts: pa.Array) -> pa.Array:
    return _others("name", texts, lambda some: _without(_UNSEEN, _without(_SPACE, pc.utf8_upper(_composed(some)))))


def _text(texts: pa.Array) -> pa.Array:
    def changed(some: pa.Array) -> pa.Array:
        seen = _without(_UNSEEN, pc.utf8_normalize(some, "NFC"))
        return pc.utf8_trim(pc.replace_substring_regex(seen, _SPACE, " "), " ")

    return _others("text", texts, changed)


def _others(form: Form, texts: pa.Array, changed: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Texts of which those are changed that are not in the form already."""
    other = pc.invert(pc.fill_null(pc.match_substring_regex(texts, _PLAIN[form]), True))
    if not other.true_count:
        return texts
    made = pc.utf8_normalize(changed(texts.filter(other)), "NFC")
    return one_chunk(pc.replace_with_mask(texts, other, made))


def _composed(texts: pa.Array) -> pa.Array:
    """NFC; texts with full-width or half-width forms in NFKC, which gives them their usual width."""
    composed = pc.utf8_normalize(texts, "NFC")
    wide = pc.match_substring_regex(composed, _WIDE)
    return pc.if_else(wide, pc.utf8_normalize(composed, "NFKC"), composed) if wide.true_count else composed


def _without(pattern: str, texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, pattern, "")


def _digits(texts: pa.Array) -> pa.Array:
    if not pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        texts = pc.utf8_normalize(texts, "NFKC")
    offsets, data = flat(pc.fill_null(texts, ""))
    digit = data - np.uint8(ord("0")) <= np.uint8(9)
    ends = offsets.astype(np.int32)
    if not digit.all():
        before = np.zeros(len(data) + 1, np.int32)
        np.cumsum(digit, out=before[1:])
        data, ends = data[digit], before[offsets]
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(data)))
