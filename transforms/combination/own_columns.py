"""Uniqueness of a user's own columns (본인 제공 항목): who holds their source could find such records again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.combination.words import OWN, sorting, word_arrays, words_of
from transforms.draws import Draws
from transforms.identifiers import encode_ids
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import from_blobs, to_blob

SIZES = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class OwnMap:
    """By bucket: the keyed draws of each row's own cells, all columns together; null is a value of its own."""

    columns: tuple[str, ...]
    draws: Draws
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, pa.Buffer]]:
        for batch in unit.batches(self.columns):
            words = self.draws.bits(encode_ids([as_id(batch.column(name)) for name in self.columns]))
            places = bucket_of(words[:, 0], self.buckets)
            for bucket in np.unique(places):
                rows = pa.RecordBatch.from_arrays(word_arrays(words[places == bucket]), names=list(OWN))
                yield int(bucket), to_blob(rows)


@dataclass(frozen=True)
class OwnReduce:
    """One bucket: how many rows stand in classes of at most 1, 2, 3, 5, 10 rows with the same own cells."""

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        words = words_of(from_blobs([pa.py_buffer(blob) for blob in blobs]), OWN)
        words = words[sorting(words)]
        starts = np.flatnonzero(np.concatenate([[True], (words[1:] != words[:-1]).any(axis=1)]))
        sizes = np.diff([*starts, len(words)])
        yield pack((len(words), len(sizes), [int(sizes[sizes <= most].sum()) for most in SIZES]))


@dataclass(frozen=True)
class OwnUniqueness:
    """What a report says: rows, classes of equal own cells, and rows in classes of at most so many."""

    rows: int
    classes: int
    within: dict[int, int]

    @classmethod
    def of(cls, blobs: Sequence[bytes]) -> OwnUniqueness:
        """From the answers of all buckets."""
        found = [unpack(blob) for blob in blobs]
        within = {most: sum(one[2][place] for one in found) for place, most in enumerate(SIZES)}
        return cls(sum(one[0] for one in found), sum(one[1] for one in found), within)


def as_id(cells: pa.Array) -> pa.Array:
    """Cells as a part of an id: floats by their bits (each NaN alike, -0.0 is 0.0), the others as they are."""
    if not pa.types.is_floating(cells.type):
        return cells
    values = cells.cast(pa.float64()).to_numpy(zero_copy_only=False) + 0.0
    bits = np.where(np.isnan(values), np.nan, values).view(np.int64)
    return pa.array(bits, mask=cells.is_null().to_numpy(zero_copy_only=False))
