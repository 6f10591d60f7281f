"""Bytes as text and back: base 64 with the letters that are safe in URLs (RFC 4648, section 5), padded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels.aes import CHUNK, Bytes
from transforms.kernels.lengths import Collected, by_length

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_PAD = ord("=")
_CODES = np.frombuffer(LETTERS.encode(), np.uint8)
# Two letters for every 12 bits.
_PAIRS = np.ascontiguousarray(np.stack([np.repeat(_CODES, 64), np.tile(_CODES, 64)], axis=1)).view(np.uint16)[:, 0]
_NONE = 255
_VALUES = np.full(256, _NONE, np.uint8)
_VALUES[_CODES] = np.arange(64)


def to_text(strings: pa.Array) -> pa.StringArray:
    """Every binary string as text. ValueError for nulls."""
    done = Collected(len(strings))
    for group in by_length(strings):
        count, length = group.rows.shape
        letters = np.empty((count, 4 * -(-length // 3)), np.uint8)
        for first in range(0, count, CHUNK):
            letters[first : first + CHUNK] = _encoded(group.rows[first : first + CHUNK])
        done.add(group.places, letters)
    return done.array(pa.string())


def _encoded(rows: Bytes) -> Bytes:
    count, length = rows.shape
    triples = -(-length // 3)
    if 3 * triples != length:
        whole = np.zeros((count, 3 * triples), np.uint8)
        whole[:, :length] = rows
        rows = whole
    triples_of = rows.reshape(-1, 3)
    bits = triples_of[:, 0].astype(np.intp)
    for place in (1, 2):
        bits <<= 8
        bits |= triples_of[:, place]
    text = np.empty((count * triples, 2), np.uint16)
    # "clip" spares take a check that 12 bits don't need.
    text[:, 0] = _PAIRS.take(bits >> 12, mode="clip")
    bits &= 4095
    text[:, 1] = _PAIRS.take(bits, mode="clip")
    letters = text.view(np.uint8).reshape(count, 4 * triples)
    if missing := 3 * triples - length:
        letters[:, -missing:] = _PAD
    return letters


def from_text(texts: pa.Array) -> tuple[pa.BinaryArray, npt.NDArray[np.bool_]]:
    """The binary strings, and which of the texts were such a one's text: the others are empty.

    ValueError for nulls.
    """
    done = Collected(len(texts))
    right = np.zeros(len(texts), np.bool_)
    for group in by_length(texts):
        count, length = group.rows.shape
        places = np.arange(count) if group.places is None else group.places
        if length % 4:
            done.add(places, np.empty((count, 0), np.uint8))
            continue
        pads = np.zeros(count, np.int64)
        if length:
            pads = (group.rows[:, -2:] == _PAD).sum(axis=1)
        for missing in range(3):
            chosen = np.flatnonzero(pads == missing)
            rows, sound = _decoded(group.rows[chosen], missing)
            right[places[chosen]] = sound
            done.add(places[chosen[sound]], rows[sound])
            done.add(places[chosen[~sound]], rows[~sound][:, :0])
    return done.array(pa.binary()), right


def _decoded(texts: Bytes, missing: int) -> tuple[Bytes, npt.NDArray[np.bool_]]:
    """Rows of one length that end in `missing` padding signs; and which are sound."""
    count, length = texts.shape
    values = _VALUES[texts]
    if missing and length:
        values[:, -missing:] = 0
    sound = (values != _NONE).all(axis=1)
    four = values.reshape(-1, 4).astype(np.uint32)
    bits = four[:, 0] << 18 | four[:, 1] << 12 | four[:, 2] << 6 | four[:, 3]
    whole = np.stack([bits >> 16, bits >> 8 & 255, bits & 255], axis=1).astype(np.uint8)
    rows = whole.reshape(count, 3 * (length // 4))
    if missing and length:
        # One text for one string: the bits that the padding leaves over are zero.
        sound &= (rows[:, -missing:] == 0).all(axis=1) & (texts[:, -missing:] == _PAD).all(axis=1)
        rows = rows[:, :-missing]
    return rows, sound
