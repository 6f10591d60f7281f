"""Texts as their letters (code points) in one flat array, so that each letter can be changed by numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.draws import ROUNDS, Draws
from transforms.errors import CellsRefused

Points = npt.NDArray[np.uint32]
# A draw of 128 bits gives a number of 32 bits for so many letters.
_LETTERS_OF_A_DRAW = 4


@dataclass(frozen=True)
class Letters:
    """Code points of all texts, one behind the other, and how many each text has (none where it is null)."""

    points: Points
    lengths: npt.NDArray[np.int64]

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Where each text begins among the points."""
        return np.cumsum(self.lengths) - self.lengths


def letters_of(texts: pa.Array) -> Letters:
    """The letters of texts (composed, NFC)."""
    filled = pc.fill_null(texts, "")
    # Each letter of ASCII is its own byte, and composed.
    ascii_ = bool(pc.all(pc.string_is_ascii(filled), min_count=0).as_py())
    composed = filled if ascii_ else pc.utf8_normalize(filled, form="NFC")
    data = composed.buffers()[2]
    if data is None or not len(composed):
        return Letters(np.empty(0, np.uint32), np.zeros(len(composed), np.int64))
    ends = np.frombuffer(composed.buffers()[1], np.int32)[composed.offset : composed.offset + len(composed) + 1]
    content = memoryview(data)[ends[0] : ends[-1]]
    if ascii_:
        return Letters(np.frombuffer(content, np.uint8).astype(np.uint32), np.diff(ends).astype(np.int64))
    lengths = pc.utf8_length(composed).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = str(content, "utf-8")
    return Letters(np.frombuffer(flat.encode("utf-32-le"), "<u4").astype(np.uint32), lengths)


def texts_of(letters: Letters, valid: pa.Array | None) -> pa.StringArray:
    """The way back; `valid` says which texts are not null (None: all)."""
    points = letters.points
    if points.max(initial=0) < 0x80:
        ends = np.concatenate([[0], np.cumsum(letters.lengths)]).astype(np.int32)
        return _texts(ends, points.astype(np.uint8).tobytes(), valid)
    data = points.astype("<u4").tobytes().decode("utf-32-le").encode("utf-8")
    widths = 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)
    passed = np.concatenate([[0], np.cumsum(widths)])
    ends = np.concatenate([[0], passed[np.cumsum(letters.lengths)]]).astype(np.int32)
    return _texts(ends, data, valid)


def _texts(ends: npt.NDArray[np.int32], data: bytes, valid: pa.Array | None) -> pa.StringArray:
    made = pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(data))
    return made if valid is None else pc.if_else(valid, made, pa.scalar(None, pa.string()))


def drawn_numbers(letters: Letters, draws: Draws, ids: pa.Array) -> npt.NDArray[np.uint64]:
    """A drawn number from 0 to 2^32 − 1 for each letter, keyed by its text's id and its place in the text."""
    longest = int(letters.lengths.max(initial=0))
    if longest > _LETTERS_OF_A_DRAW * ROUNDS:
        raise CellsRefused("texts of more than 262,144 letters", int((letters.lengths == longest).sum()))
    found, starts = np.empty(len(letters.points), np.uint64), letters.starts
    if longest and int(letters.lengths.min()) == longest:
        return _drawn_evenly(found.reshape(-1, longest), draws, ids).reshape(-1)
    for number in range(-(-longest // _LETTERS_OF_A_DRAW)):
        first = _LETTERS_OF_A_DRAW * number
        rows = np.flatnonzero(letters.lengths > first)
        words = draws.bits(ids.take(pa.array(rows)), number)
        for place in range(_LETTERS_OF_A_DRAW):
            has = letters.lengths[rows] > first + place
            found[starts[rows[has]] + first + place] = _half(words[has], place)
    return found


def _drawn_evenly(found: npt.NDArray[np.uint64], draws: Draws, ids: pa.Array) -> npt.NDArray[np.uint64]:
    """The numbers for texts of one length, a row for each: as `drawn_numbers`, without looking for their ends."""
    for place in range(found.shape[1]):
        if place % _LETTERS_OF_A_DRAW == 0:
            words = draws.bits(ids, place // _LETTERS_OF_A_DRAW)
        found[:, place] = _half(words, place % _LETTERS_OF_A_DRAW)
    return found


def _half(words: npt.NDArray[np.uint64], place: int) -> npt.NDArray[np.uint64]:
    """The 32 bits of 128 at a place from 0 to 3, from the top."""
    word = words[:, place // 2]
    half: npt.NDArray[np.uint64] = word >> np.uint64(32) if place % 2 == 0 else word & np.uint64(0xFFFF_FFFF)
    return half


def scaled(numbers: npt.NDArray[np.uint64], base: int) -> npt.NDArray[np.uint64]:
    """Numbers of 32 bits brought to 0 … `base` − 1; no one is likelier than another by more than base / 2^32."""
    result: npt.NDArray[np.uint64] = (numbers * np.uint64(base)) >> np.uint64(32)
    return result
