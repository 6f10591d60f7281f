"""Ids as bytes (식별자 부호화): what draws and tokens are keyed by.

An id has one part per column. A part is a tag for its type, its length, its bytes; so no two different
ids have the same bytes, whatever their parts hold, and a longer id never begins with a shorter one's
meaning. Lengths to 254 take one byte; longer ones 0xFF and four bytes, big-endian.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import values_and_mask
from transforms.errors import CellsRefused, TechniqueError

_NULL, _TEXT, _BINARY, _INTEGER, _DECIMAL, _BOOL, _DATE, _INSTANT, _LOCAL_TIME = range(9)

_SHORT = 255
# Latin letters, Chinese characters and whole Hangul syllables: NFC quick check "yes", combining class 0
# (Unicode Standard Annex 15, section 9).
_SURELY_COMPOSED = r"^[\x00-\x{2ff}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}]*$"
_ALLOWED = "string, binary, int8 … int64, decimal128, bool, date32, timestamp[us], timestamp[us, UTC]"


def encode_ids(columns: Sequence[pa.Array]) -> pa.Array:
    """The bytes of each row's id: a binary array as long as the columns, without nulls.

    Columns are the parts of the id, in order, of one length. Equal ids have equal bytes on every
    machine: texts are composed (NFC); int8 … int64 are alike; decimals are equal only with the same
    scale, and a number never equals its text, so callers cast to the type of the domain first. A null
    part is a part of its own, unlike an empty text. Nothing is lost but the difference between
    canonically equivalent texts. CellsRefused for floats, also integral ones (NaN, -0.0 and rounding
    make them no ids) and for text that is no UTF-8; TechniqueError for other types; ValueError for no
    column, or for columns of different lengths.
    """
    if not columns or len({len(column) for column in columns}) != 1:
        raise ValueError(f"{len(columns)} id columns; allowed: one or more, of one length")
    parts = [piece for column in columns for piece in _part(column)]
    return pc.binary_join_element_wise(*parts, b"", null_handling="replace", null_replacement=b"")



def whole(values: pa.Array) -> pa.Array:
    """Float ids as int64: 7.0 is 7; null stays null. CellsRefused for fractions, NaN, infinity and above 2^53."""
    wide = pc.cast(values, pa.float64())
    bad = pc.or_(pc.not_equal(pc.floor(wide), wide), pc.greater(pc.abs(wide), 2.0**53))
    if found := pc.sum(pc.or_(bad, pc.invert(pc.is_finite(wide)))).as_py():
        raise CellsRefused("ids that are no whole numbers", found)
    return pc.cast(wide, pa.int64())



def in_domain(ids: pa.Array, type_: pa.DataType) -> pa.Array:
    """Ids in the type of their pseudonym domain: 7.0 and 7 name the same person, 7.5 names nobody.

    Null stays null. CellsRefused for ids that the type can't hold; pyarrow's NotImplemented for types between
    which there is no way at all (dates and numbers), whatever the cells.
    """
    if pa.types.is_floating(ids.type):
        ids = whole(ids)
    if pa.types.is_integer(ids.type) and pa.types.is_decimal(type_):
        ids = ids.cast(pa.decimal128(38, type_.scale))  # by way of the widest: pyarrow looks at the types alone
    try:
        return ids.cast(type_)
    except pa.ArrowInvalid:
        raise CellsRefused(f"ids that don't fit their pseudonym domain's type {type_}", len(ids)) from None


def stopped_subjects(ids: pa.Array, type_: pa.DataType) -> pa.Array:
    """Ids of people who asked to stop (처리정지 요구자), in the type of the subject column, distinct, without null.

    A text is looked for as it stands, and also without the blanks around it and in its compatible form (NFKC: full
    width); upper and lower case are two. CellsRefused, with their number alone, where an id can't be of that type:
    nobody may stay in for a list of another type.
    """
    ids = ids.drop_null()
    try:
        found = ids if ids.type == type_ else in_domain(ids, type_)
    except (CellsRefused, pa.ArrowNotImplementedError):
        refused = f"stop requests: ids of type {ids.type}, not all of which can be subjects of type {type_}"
        raise CellsRefused(f"{refused}; allowed: ids as the source has them", len(ids)) from None
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        trimmed = pc.utf8_trim_whitespace(found)
        found = pa.concat_arrays([found, trimmed, pc.utf8_normalize(trimmed, form="NFKC")])
    return found.unique()


def _part(column: pa.Array) -> tuple[pa.Array, ...]:
    """The pieces, one after another, of a column's part; nulls stand for empty bytes."""
    kind = column.type
    if pa.types.is_floating(kind):
        raise CellsRefused("id of a floating type; cast it to the type of its domain first", len(column))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _of_any_length(_TEXT, _composed(column))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _of_any_length(_BINARY, column.cast(pa.binary()))
    for is_kind, tag, digits in _FIXED:
        if is_kind(kind):
            return (_of_fixed_width(tag, digits(column), column),)
    raise TechniqueError(f"an id of type {kind}", _ALLOWED)


def _composed(texts: pa.Array) -> pa.Array:
    binary = texts.cast(pa.binary())
    # Composed already: seen faster than done, ASCII far faster.
    if _all(pc.string_is_ascii(texts)) or _all(pc.match_substring_regex(texts, _SURELY_COMPOSED)):
        return binary
    try:
        return pc.utf8_normalize(texts, form="NFC").cast(pa.binary())
    except pa.ArrowInvalid:
        raise CellsRefused("id that is no UTF-8 text", len(texts)) from None


def _all(conditions: pa.Array) -> bool:
    return bool(pc.all(conditions, min_count=0).as_py())


def _of_any_length(tag: int, binary: pa.Array) -> tuple[pa.Array, pa.Array]:
    lengths = pc.binary_length(binary)
    longest = pc.max(lengths).as_py() or 0
    heads: list[bytes] = [bytes([tag, length]) for length in range(min(longest + 1, _SHORT))]
    if longest >= _SHORT:
        # As many as there are different lengths, not as there are rows.
        long = pc.unique(pc.filter(lengths, pc.greater_equal(lengths, _SHORT)))
        heads += [bytes([tag, _SHORT]) + length.to_bytes(4, "big") for length in long.to_pylist()]
        lengths = pc.if_else(
            pc.less(lengths, _SHORT), lengths, pc.add(pc.index_in(lengths, value_set=long), _SHORT)
        )
    heads.append(bytes([_NULL, 0]))
    return pa.array(heads, pa.binary()).take(pc.fill_null(lengths, len(heads) - 1)), binary


def _of_fixed_width(tag: int, digits: npt.NDArray[np.uint8], column: pa.Array) -> pa.Array:
    """Parts of one length, as one piece each; `digits` is (rows, bytes)."""
    rows, width = digits.shape
    whole = np.empty((rows, width + 2), np.uint8)
    whole[:, 0], whole[:, 1], whole[:, 2:] = tag, width, digits
    pieces = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width + 2), rows, [None, pa.py_buffer(whole)]
    ).cast(pa.binary())
    if column.null_count == 0:
        return pieces
    return pc.if_else(column.is_valid(), pieces, pa.scalar(bytes([_NULL, 0]), pa.binary()))


def _integers(column: pa.Array) -> npt.NDArray[np.uint8]:
    values, _ = values_and_mask(column)
    return _big_endian(values.astype(np.int64, copy=False))


def _booleans(column: pa.Array) -> npt.NDArray[np.uint8]:
    values, _ = values_and_mask(column.cast(pa.uint8()))
    return values.reshape(-1, 1)


def _decimals(column: pa.Array) -> npt.NDArray[np.uint8]:
    """Scale (one byte, signed) and unscaled value (16 bytes)."""
    # Arrow keeps little-endian 128-bit integers; under nulls lies anything, which is replaced later.
    digits = np.empty((len(column), 17), np.uint8)
    digits[:, 0] = column.type.scale % 256
    if len(column):
        stored = np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, 16)
        digits[:, 1:] = stored[column.offset : column.offset + len(column), ::-1]
    return digits


def _big_endian(values: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    return values.astype(">i8").view(np.uint8).reshape(-1, 8)


_FIXED: tuple[tuple[Callable[[pa.DataType], bool], int, Callable[[pa.Array], npt.NDArray[np.uint8]]], ...] = (
    (pa.types.is_signed_integer, _INTEGER, _integers),
    (pa.types.is_boolean, _BOOL, _booleans),
    (pa.types.is_decimal128, _DECIMAL, _decimals),
    (pa.types.is_date32, _DATE, _integers),
    (lambda kind: kind == pa.timestamp("us", "UTC"), _INSTANT, _integers),
    (lambda kind: kind == pa.timestamp("us"), _LOCAL_TIME, _integers),
)
