"""Byte strings as matrices: rows of one length together, so that numpy works on all of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels.aes import Bytes
from transforms.kernels.memory import room

Places = npt.NDArray[np.int64]
_LARGEST = np.iinfo(np.int32).max


def flat(strings: pa.Array) -> tuple[Places, Bytes]:
    """Where each of n strings starts, and the last one ends (n + 1 offsets from 0), and their bytes on end.

    `strings`: string or binary. ValueError for nulls.
    """
    if strings.null_count:
        raise ValueError(f"{strings.null_count} null messages; allowed: none")
    _, offset_buffer, data_buffer = strings.cast(pa.binary()).buffers()
    if offset_buffer is None or len(strings) == 0:
        offsets = np.zeros(1, np.int64)
    else:
        end = strings.offset + len(strings) + 1
        offsets = np.frombuffer(offset_buffer, np.int32)[strings.offset : end].astype(np.int64)
    used = slice(int(offsets[0]), int(offsets[-1]))
    data = np.frombuffer(data_buffer, np.uint8)[used] if data_buffer else np.empty(0, np.uint8)
    offsets -= offsets[0]
    return offsets, data


@dataclass(frozen=True)
class Group:
    """The strings of one length: which they are (None: all, in order), and their bytes, uint8 (n, length)."""

    places: Places | None
    rows: Bytes


def by_length(strings: pa.Array) -> Iterator[Group]:
    """The strings in groups of one length each, shortest first; none where there are no strings."""
    offsets, data = flat(strings)
    starts, lengths = offsets[:-1], np.diff(offsets)
    if len(lengths) == 0:
        return
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest == longest:
        yield Group(None, data.reshape(len(starts), longest))
        return
    # On 16 bits numpy's stable sort is a radix sort.
    turn = np.argsort(lengths.astype(np.uint16) if longest < 1 << 16 else lengths, kind="stable")
    sorted_ = lengths[turn]
    ends = np.append(np.flatnonzero(np.diff(sorted_)) + 1, len(turn))
    first = 0
    for end in ends.tolist():
        places, length = turn[first:end], int(sorted_[first])
        rows = np.empty((len(places), length), np.uint8)
        if length:
            rows = _windows(data, length)[starts[places]].view(np.uint8).reshape(rows.shape)
        yield Group(places, rows)
        first = end


def _windows(data: Bytes, length: int) -> npt.NDArray[np.void]:
    """Every stretch of `length` bytes (1 or more) of the data, as one element each."""
    return np.ndarray((len(data) - length + 1,), f"V{length}", data, strides=(1,))


@dataclass
class Collected:
    """Puts groups of rows back in the order of the `count` strings that they came from."""

    count: int
    groups: list[Group] = field(default_factory=list)

    def add(self, places: Places | None, rows: Bytes) -> None:
        """New bytes of the strings at `places`."""
        self.groups.append(Group(places, rows))

    def array(self, type_: pa.DataType) -> pa.Array:
        """All strings, as string or binary. ValueError where they are too many bytes for one array (2^31)."""
        lengths = np.zeros(self.count, np.int64)
        for group in self.groups:
            lengths[slice(None) if group.places is None else group.places] = group.rows.shape[1]
        offsets = np.zeros(self.count + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        if offsets[-1] > _LARGEST:
            raise ValueError(f"{offsets[-1]} bytes in one array; allowed: {_LARGEST}; smaller batches")
        data = self._data(offsets)
        buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(data)]
        return pa.Array.from_buffers(type_, self.count, buffers)

    def _data(self, offsets: Places) -> Bytes:
        if len(self.groups) == 1 and self.groups[0].places is None:
            return np.ascontiguousarray(self.groups[0].rows).reshape(-1)
        data = room(int(offsets[-1]), np.uint8)
        for group in self.groups:
            length = group.rows.shape[1]
            if group.rows.size:
                at = offsets[:-1] if group.places is None else offsets[group.places]
                _windows(data, length)[at] = np.ascontiguousarray(group.rows).view(f"V{length}").reshape(-1)
        return data
