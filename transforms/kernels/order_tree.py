"""A keyed strictly increasing map of whole numbers: a binary tree whose every fork splits its range by a keyed draw.

A number is a leaf of the tree, its bits the way down from the root. The root owns the whole range of
results; at each fork the left branch gets between 3/8 and 5/8 of the range, as a draw of that fork
says, the right branch the rest. What a leaf owns lies wholly before what the next leaf owns, so the
map keeps the order, and it depends on the key and the number alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.draws import Draws

Places = npt.NDArray[np.uint64]
# Results: uint64, or Python's integers (object) where the range is longer than 62 bits.
Results = npt.NDArray[Any]
Turn = Callable[[int, Results], npt.NDArray[np.bool_]]

# A draw of 128 bits has a word of 16 for each of the 7 forks of three levels, and one for the leaf.
_LEVELS, _WORDS, _WORD_BITS = 3, 8, 16
_SHARE_BITS = 18
_LEAST_SHARE = 3 << (_SHARE_BITS - 3)
NARROW_BITS, NARROW_RANGE = 42, 62
WIDE_BITS, WIDE_RANGE = 64, 125


def range_bits(bits: int) -> int:
    """Results of numbers of `bits` bits lie from 2^r to 2^(r+1) - 1: r is 62 up to 42 bits, else 125.

    A leaf owns at least (3/8)^bits of the range less 2, so with these ranges always two results or more.
    """
    if not 1 <= bits <= WIDE_BITS:
        raise ValueError(f"{bits} bits; allowed: 1 to {WIDE_BITS}")
    return NARROW_RANGE if bits <= NARROW_BITS else WIDE_RANGE


def encrypt(draws: Draws, places: Places, bits: int) -> Results:
    """The result of each number below 2^bits; `places` increase strictly, and so do the results."""

    def turn(level: int, edges: Results) -> npt.NDArray[np.bool_]:
        return ((places >> np.uint64(bits - 1 - level)) & np.uint64(1)).astype(np.bool_)

    return _walk(draws, bits, len(places), turn)[1]


def decrypt(draws: Draws, results: Results, bits: int) -> tuple[Places, npt.NDArray[np.bool_]]:
    """The numbers again, and which of `results` (increasing) are results at all."""
    places, again = _walk(draws, bits, len(results), lambda level, edges: np.asarray(results >= edges, np.bool_))
    return places, np.asarray(again == results, np.bool_)


def _walk(draws: Draws, bits: int, count: int, turn: Turn) -> tuple[Places, Results]:
    """All numbers' ways down at once; `turn` says who goes right, given where the right branch begins."""
    exponent = range_bits(bits)
    kind: type = np.uint64 if exponent == NARROW_RANGE else object
    low: Results = np.full(count, 1 << exponent, kind)
    size: Results = np.full(count, 1 << exponent, kind)
    places = np.zeros(count, np.uint64)
    words = np.zeros((count, _WORDS), np.uint64)
    fork = np.zeros(count, np.intp)
    rows = np.arange(count)
    for level in range(bits):
        if level % _LEVELS == 0:
            words, fork = _words(draws, level, places), np.zeros(count, np.intp)
        share: Results = (words[rows, fork] + np.uint64(_LEAST_SHARE)).astype(kind)
        left = _part(size, share, _SHARE_BITS)
        right = turn(level, low + left)
        low = np.where(right, low + left, low)
        size = np.where(right, size - left, left)
        places = (places << np.uint64(1)) | right
        fork = 2 * fork + 1 + right
    return places, low + _part(size, words[:, _WORDS - 1].astype(kind), _WORD_BITS)


def _part(size: Results, numerator: Results, bits: int) -> Results:
    """size × numerator / 2^bits, rounded down, without a product above 62 bits where sizes have at most 62."""
    shift = size.dtype.type(bits) if size.dtype != object else bits
    mask = size.dtype.type((1 << bits) - 1) if size.dtype != object else (1 << bits) - 1
    part: Results = (size >> shift) * numerator + (((size & mask) * numerator) >> shift)
    return part


def _words(draws: Draws, level: int, places: Places) -> Places:
    """The eight words of each number's subtree at this level: (n, 8). Neighbours share subtrees: one draw for each."""
    new = np.ones(len(places), np.bool_)
    new[1:] = places[1:] != places[:-1]
    ids = np.empty((int(new.sum()), 9), np.uint8)
    ids[:, 0] = level
    ids[:, 1:] = places[new].astype(">u8").view(np.uint8).reshape(-1, 8)
    stored = [None, pa.py_buffer(ids)]
    drawn = draws.bits(pa.FixedSizeBinaryArray.from_buffers(pa.binary(9), len(ids), stored).cast(pa.binary()))
    shifts = np.arange(48, -1, -_WORD_BITS, dtype=np.uint64)
    words: Places = (drawn[:, :, None] >> shifts) & np.uint64((1 << _WORD_BITS) - 1)
    spread: Places = words.reshape(-1, _WORDS)[np.cumsum(new) - 1]
    return spread
