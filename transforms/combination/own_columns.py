"""Uniqueness of a user's own columns (본인 제공 항목): who holds their source could find such records again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.draws import Draws
from transforms.kernels.cell_hash import CellHasher
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.states import pack, unpack

SIZES = (1, 2, 3, 5, 10)


@dataclass(frozen=True)
class OwnMap:
    """By bucket: a keyed hash (64 bits) of each row's own cells, all columns together; null is a value of its own."""

    columns: tuple[str, ...]
    draws: Draws
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, pa.Buffer]]:
        hasher = CellHasher(self.draws, self.columns)
        for batch in unit.batches(self.columns):
            sums = np.zeros(batch.num_rows, np.uint64)
            for name in self.columns:
                hasher.add(name, batch.column(name), sums)
            hashes = np.sort(hasher.rows(sums))
            ends = np.searchsorted(bucket_of(hashes, self.buckets), np.arange(self.buckets + 1))
            for bucket in range(self.buckets):
                if ends[bucket] < ends[bucket + 1]:
                    yield bucket, pa.py_buffer(hashes[ends[bucket] : ends[bucket + 1]])


@dataclass(frozen=True)
class OwnReduce:
    """One bucket: how many rows stand in classes of at most 1, 2, 3, 5, 10 rows with the same own cells.

    That two of n classes share a hash has a chance of about n² / 2^65: one in a million for 10 M classes.
    """

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        hashes = np.sort(np.concatenate([np.frombuffer(blob, np.uint64) for blob in blobs]))
        starts = np.flatnonzero(np.concatenate([[True], hashes[1:] != hashes[:-1]]))
        sizes = np.diff([*starts, len(hashes)])
        yield pack((len(hashes), len(sizes), [int(sizes[sizes <= most].sum()) for most in SIZES]))


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
