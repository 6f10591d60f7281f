"""What is hashed: the canonical key columns of each row, encoded and put one after another, before the salt.

The guideline's order is name, phone, birth date, salt with nothing between them (L1385). With the forms name, digits
and date that is unambiguous: the date is eight digits, the digits are all that stand before it, the rest is the
name. A name that ends in a digit would break that, so U+001F stands behind it. With any other columns U+001F stands
between all parts; no canonical cell holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.combination.canonical import Cells, Fault, canonical
from transforms.combination.key_spec import Encoding, Form, KeySpec

SEPARATOR = b"\x1f"
GUIDELINE_ORDER: tuple[Form, ...] = ("name", "digits", "date")


@dataclass(frozen=True)
class KeyInputs:
    """The bytes of each row's key columns, null where it has no key.

    `missing` counts, by key column, rows whose part is missing; `faults`, by key column and Fault, cells that must
    be put right first. A row may be counted in several columns.
    """

    messages: pa.Array
    missing: Mapping[str, int]
    faults: Mapping[tuple[str, Fault], int]


def joined_plainly(spec: KeySpec) -> bool:
    """Are the columns those of the guideline's order, which needs nothing between them?"""
    return tuple(column.form for column in spec.columns) == GUIDELINE_ORDER


def key_inputs(spec: KeySpec, columns: Sequence[pa.Array]) -> KeyInputs:
    """What is hashed of each row. In: the key columns in the spec's order, of types that `check_type` allows.

    Null: a row with a missing part, or one at fault, has no message. Guideline L1378-1400.
    """
    plainly = joined_plainly(spec)
    parts: list[pa.Array] = []
    missing: dict[str, int] = {}
    faults: dict[tuple[str, Fault], int] = {}
    for number, (column, values) in enumerate(zip(spec.columns, columns, strict=True)):
        mark = plainly and number == 0

        def encode(texts: pa.Array, mark: bool = mark) -> Cells:
            cells = encoded(texts, spec.encoding)
            return Cells(_marked(cells.values), cells.faults) if mark else cells

        cells = canonical(column, values, encode)
        counts = np.bincount(cells.faults, minlength=len(Fault))
        faults |= {(column.name, fault): int(counts[fault]) for fault in Fault if fault and counts[fault]}
        missing[column.name] = cells.values.null_count - int(counts[1:].sum())
        parts.append(cells.values)
    separator = pa.scalar(b"" if plainly else SEPARATOR, pa.binary())
    messages = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, separator)
    return KeyInputs(messages, missing, faults)


def encoded(texts: pa.Array, encoding: Encoding) -> Cells:
    """Texts as bytes; null stays null, and what the encoding can't hold is null with its Fault."""
    if encoding == "UTF-8" or pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return Cells(texts.cast(pa.binary()), np.zeros(len(texts), np.int8))
    filled = pc.fill_null(texts, "")
    whole = "".join(filled.to_pylist())
    points = np.frombuffer(whole.encode("utf-32-le"), "<u4")
    ends = np.append(0, np.cumsum(pc.utf8_length(filled).to_numpy())).astype(np.int64)
    lacking = np.isin(points, [point for point in np.unique(points) if not _in_cp949(chr(point))])
    bad = np.diff(_passed(lacking)[ends]) > 0
    data = whole.encode("cp949", errors="replace")
    # CP949 has one byte for ASCII (and for the "?" in place of what it lacks), two for all else.
    offsets = _passed(1 + ((points >= 0x80) & ~lacking))[ends].astype(np.int32)
    made = pa.Array.from_buffers(pa.binary(), len(texts), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    stays = pc.and_(texts.is_valid(), pa.array(~bad))
    return Cells(pc.if_else(stays, made, None), np.where(bad, Fault.UNENCODABLE, Fault.NONE).astype(np.int8))


def _in_cp949(letter: str) -> bool:
    try:
        letter.encode("cp949")
    except UnicodeEncodeError:
        return False
    return True


def _passed(counts: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Sums of all before each place, and of all."""
    return np.append(0, np.cumsum(counts)).astype(np.int64)


def _marked(names: pa.Array) -> pa.Array:
    """Names with U+001F behind those that end in a digit."""
    last = pc.fill_null(pc.binary_slice(names, -1), b"")
    ends = pc.is_in(last, value_set=pa.array([bytes([digit]) for digit in b"0123456789"], pa.binary()))
    if not ends.true_count:
        return names
    return pc.if_else(ends, pc.binary_join_element_wise(names, pa.scalar(SEPARATOR, pa.binary()), b""), names)
