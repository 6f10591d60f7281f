"""64-bit hashes of cells, for counting distinct ones. Unkeyed: they never leave the run's own tasks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Words = npt.NDArray[np.uint64]

_STEP, _FIRST, _SECOND = (np.uint64(one) for one in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_WORD = 8


def hashes(cells: pa.Array) -> Words:
    """The hash of each cell (uint64), equal for equal cells; no nulls. Types: the closed list of `column_types`."""
    type_ = cells.type
    if not len(cells):
        return np.empty(0, np.uint64)
    if pa.types.is_string(type_) or pa.types.is_binary(type_):
        return _of_texts(cells)
    if pa.types.is_decimal(type_):
        width = type_.bit_width // 64
        words = np.frombuffer(cells.buffers()[1], np.uint64).reshape(-1, width)[cells.offset :][: len(cells)]
        mixed = np.zeros(len(cells), np.uint64)
        for place in range(width):
            mixed = _mixed(mixed + words[:, place])
        return mixed
    if pa.types.is_boolean(type_):
        cells = cells.cast(pa.uint8())
    elif pa.types.is_floating(type_):
        # The two zeros are one value.
        cells = pc.add(cells, pa.scalar(0.0, type_))
    width = cells.type.bit_width // 8
    return _mixed(np.frombuffer(cells.buffers()[1], f"<u{width}", len(cells), cells.offset * width).astype(np.uint64))


def _mixed(words: Words) -> Words:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014), on each word."""
    words = words + _STEP
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def _of_texts(cells: pa.Array) -> Words:
    """Word by word of eight bytes: each round takes the texts that are as long."""
    _, offsets_of, bytes_of = cells.buffers()
    offsets = np.frombuffer(offsets_of, np.int32)[cells.offset : cells.offset + len(cells) + 1].astype(np.int64)
    data = np.zeros(int(offsets[-1] - offsets[0]) + _WORD, np.uint8)
    if bytes_of is not None:
        data[:-_WORD] = np.frombuffer(bytes_of, np.uint8)[offsets[0] : offsets[-1]]
    # The eight bytes from every place on.
    words: Words = np.ndarray((len(data) - _WORD + 1,), np.dtype("<u8"), data.data, strides=(1,))
    start, length = offsets[:-1] - offsets[0], np.diff(offsets)
    mixed = _mixed(length.astype(np.uint64))
    rest, here = np.arange(len(cells)), 0
    while len(rest := rest[length[rest] > here]):
        word = words[start[rest] + here]
        missing = np.maximum(_WORD - (length[rest] - here), 0).astype(np.uint64) * np.uint64(8)
        mixed[rest] = _mixed(mixed[rest] ^ ((word << missing) >> missing))
        here += _WORD
    return mixed
