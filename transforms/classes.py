"""Classes (동질집합) of rows: those with equal values in some source columns; null is a value of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.draws import Draws
from transforms.identifiers import encode_ids

Codes = npt.NDArray[np.int64]
# Integers whose largest and smallest are no further apart are counted in one array.
NEAR = 1 << 16


@dataclass(frozen=True)
class Classes:
    """The classes of some rows: a number for each row, from 0 on, and a key for each number.

    The numbers are of these rows alone; a key is the same wherever the class occurs. No two numbers have one key.
    """

    codes: Codes
    keys: pa.Array

    @property
    def count(self) -> int:
        return len(self.keys)


def classes_of(columns: Sequence[pa.Array], rows: int, draws: Draws | None = None) -> Classes:
    """Classes of rows with equal parts in all `columns` (as ids are equal: texts are composed, 7 is 7 in any width).

    Without columns all rows are one class, whose key is empty. With `draws` keys are keyed hashes of 16 bytes, which
    tell nothing of the class; without, they are the encoded parts. CellsRefused for floats, which make no classes.
    """
    if not columns:
        return Classes(np.zeros(rows, np.int64), pa.array([b""], pa.binary()))
    codes, parts = _distinct(columns)
    encoded = encode_ids(parts)
    merged = encoded.dictionary_encode()
    if len(merged.dictionary) < len(encoded):  # texts that differ only until they are composed
        codes = merged.indices.to_numpy(zero_copy_only=False).astype(np.int64)[codes]
        encoded = merged.dictionary
    if draws is None:
        return Classes(codes, encoded)
    return Classes(codes, as_keys(draws.bits(encoded)))


def as_keys(words: npt.NDArray[np.uint64]) -> pa.Array:
    """128-bit draws, uint64 (n, 2), as a binary array of 16 bytes each."""
    content = np.ascontiguousarray(words).astype(">u8")
    ends = np.arange(0, 16 * len(words) + 1, 16, dtype=np.int32)
    return pa.Array.from_buffers(pa.binary(), len(words), [None, pa.py_buffer(ends), pa.py_buffer(content)])


def words_of(keys: pa.Array) -> npt.NDArray[np.uint64]:
    """The way back of `as_keys`: uint64 (n, 2). The empty key, of all rows, is zero."""
    if not len(keys) or not keys[0].as_py():
        return np.zeros((len(keys), 2), np.uint64)
    content = keys.cast(pa.binary(16))
    stored = np.frombuffer(content.buffers()[1], ">u8").reshape(-1, 2)
    return stored[content.offset : content.offset + len(content)].astype(np.uint64)


def _distinct(columns: Sequence[pa.Array]) -> tuple[Codes, list[pa.Array]]:
    """A number for each row, and the columns' cells for each number."""
    codes, part = _encoded(columns[0])
    parts = [part]
    for column in columns[1:]:
        own, cells = _encoded(column)
        count = max(1, len(cells))
        # Fits 64 bits: neither factor is above the number of rows.
        paired = pa.array(codes * count + own).dictionary_encode()
        codes = paired.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        before, mine = np.divmod(paired.dictionary.to_numpy(), count)
        parts = [*(part.take(pa.array(before)) for part in parts), cells.take(pa.array(mine))]
    return codes, parts


def _encoded(column: pa.Array) -> tuple[Codes, pa.Array]:
    """A number for each row from 0 on, and the cell for each number."""
    found = _near(column) if pa.types.is_integer(column.type) and not column.null_count else None
    if found is not None:
        return found
    encoded = column.dictionary_encode(null_encoding="encode")
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary


def _near(column: pa.Array) -> tuple[Codes, pa.Array] | None:
    """The same of integers that lie near together, by counting, which is several times as fast; None for others."""
    values = column.to_numpy(zero_copy_only=True)
    if not len(values):
        return None
    low, high = int(values.min()), int(values.max())
    if high - low >= min(NEAR, len(values)):
        return None
    apart = np.subtract(values, low, dtype=np.int64)
    there = np.bincount(apart, minlength=high - low + 1) > 0
    listed = np.flatnonzero(there)
    return (np.cumsum(there) - 1)[apart], pa.array(listed + low, column.type)


def places_in(keys: pa.Array, listed: pa.Array) -> tuple[Codes, npt.NDArray[np.bool_]]:
    """Where each key stands in `listed` (0 where it does not), and whether it does."""
    found = pc.index_in(keys, value_set=listed)
    known = found.is_valid().to_numpy(zero_copy_only=False)
    return pc.fill_null(found, 0).to_numpy(zero_copy_only=False).astype(np.int64), known
