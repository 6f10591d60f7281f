"""Keyed 64-bit hashes of cells and rows: sums of them tell whether two tables hold the same cells.

A sum of hashes says nothing about order; equal sums of tables that differ have a chance of about 2^-64,
for nobody who made the tables knew the seed. Numbers go through a multiply-and-shift mix (as in
SplitMix64) under keys of their column, texts through AES-CMAC of each distinct one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.draws import Draws

Words = npt.NDArray[np.uint64]

# Rows worked on together: all buffers of a block stay in the processor's second cache.
BLOCK = 16_384
_COLUMN_ROUND, _ROW_ROUND = 1, 2
_FIRST_SHIFT, _SECOND_SHIFT = np.uint64(32), np.uint64(29)
_ODD = np.uint64(1)
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class _ColumnKeys:
    flip: np.uint64
    first: np.uint64
    second: np.uint64
    null: np.uint64


class CellHasher:
    """Hashes under a seed that is drawn anew for each use. Two columns never share their keys.

    Equal cells of a column have equal hashes: the same bits for numbers (0.0 and -0.0 differ), the same
    bytes for texts. Null has a hash of its own. Types: the closed list of `column_types`.
    """

    def __init__(self, seed: Draws, columns: Sequence[str]) -> None:
        self._seed = seed
        names = pa.array([name.encode() for name in columns] + [b""], pa.binary())
        words = np.concatenate([seed.bits(names, _COLUMN_ROUND), seed.bits(names, _ROW_ROUND)], axis=1)
        keys = [_ColumnKeys(line[0], line[1] | _ODD, line[2] | _ODD, line[3]) for line in words]
        self._columns = dict(zip(columns, keys[:-1], strict=True))
        self._row = keys[-1]

    def cells(self, column: str, cells: pa.Array) -> Words:
        """The hash of each cell."""
        hashes = np.empty(len(cells), np.uint64)
        self._each_block(column, cells, None, hashes)
        return hashes

    def add(self, column: str, cells: pa.Array, rows: Words) -> int:
        """Adds the hash of each cell to its row's word in `rows`; the sum over the column (modulo 2^64)."""
        return self._each_block(column, cells, rows, None)

    def rows(self, rows: Words) -> Words:
        """The hashes of whole rows from the sums of their cells' hashes: so swapped cells show in a sum."""
        hashes = np.empty_like(rows)
        scratch = np.empty(min(BLOCK, len(rows)), np.uint64)
        for start in range(0, len(rows), BLOCK):
            part = slice(start, start + BLOCK)
            _mix(rows[part], self._row, hashes[part], scratch)
        return hashes

    def _each_block(self, column: str, cells: pa.Array, rows: Words | None, out: Words | None) -> int:
        keys = self._columns[column]
        low, high = self._words(cells)
        valid = cells.is_valid().to_numpy(zero_copy_only=False) if cells.null_count else None
        size = min(BLOCK, len(low))
        hashes, scratch = np.empty(size, np.uint64), np.empty(size, np.uint64)
        total = 0
        for start in range(0, len(low), BLOCK):
            part = slice(start, start + BLOCK)
            block = _mix(low[part], keys, hashes, scratch)
            if high is not None:
                np.add(block, high[part], out=block)
                block = _mix(block, keys, hashes, scratch)
            if valid is not None:
                np.copyto(block, keys.null, where=~valid[part])
            if rows is not None:
                np.add(rows[part], block, out=rows[part])
            if out is not None:
                out[part] = block
            total += int(np.add.reduce(block))
        return total & _MASK

    def _words(self, cells: pa.Array) -> tuple[Words, Words | None]:
        """Cells as 64-bit words (decimals: low and high ones). Under nulls stands anything."""
        kind = cells.type
        if pa.types.is_string(kind) or pa.types.is_binary(kind):
            return self._of_texts(cells), None
        if pa.types.is_decimal128(kind):
            if not len(cells):
                return _NONE, _NONE
            stored = np.frombuffer(cells.buffers()[1], np.uint64).reshape(-1, 2)
            pairs = stored[cells.offset : cells.offset + len(cells)]
            return np.ascontiguousarray(pairs[:, 0]), np.ascontiguousarray(pairs[:, 1])
        if pa.types.is_boolean(kind):
            cells = cells.cast(pa.uint8())
        width = cells.type.bit_width // 8
        if not len(cells):
            return _NONE, None
        words = np.frombuffer(cells.buffers()[1], f"<u{width}", len(cells), cells.offset * width)
        return words.astype(np.uint64, copy=False), None

    def _of_texts(self, cells: pa.Array) -> Words:
        encoded = pc.dictionary_encode(cells)
        hashes = self._seed.bits(encoded.dictionary.cast(pa.binary()))[:, 0]
        if not len(hashes):
            return np.zeros(len(cells), np.uint64)
        places = pc.fill_null(encoded.indices, 0) if encoded.indices.null_count else encoded.indices
        taken: Words = np.ascontiguousarray(hashes).take(places.to_numpy(zero_copy_only=False))
        return taken


_NONE = np.empty(0, np.uint64)


def _mix(words: Words, keys: _ColumnKeys, hashes: Words, scratch: Words) -> Words:
    """Into the front of `hashes`, without a temporary array."""
    out, spare = hashes[: len(words)], scratch[: len(words)]
    np.bitwise_xor(words, keys.flip, out=out)
    np.multiply(out, keys.first, out=out)
    np.right_shift(out, _FIRST_SHIFT, out=spare)
    np.bitwise_xor(out, spare, out=out)
    np.multiply(out, keys.second, out=out)
    np.right_shift(out, _SECOND_SHIFT, out=spare)
    np.bitwise_xor(out, spare, out=out)
    return out
