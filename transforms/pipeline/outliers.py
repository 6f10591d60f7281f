"""What outlier rules leave: delivered rows and subjects, counted by their keyed order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.outlier_gather import class_columns, delivered
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import Work


@dataclass(frozen=True)
class DeliveredTask:
    """Rows by top bits of their order draw, once outlier rules have removed records."""

    work: Work
    needed: tuple[str, ...]

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(class_columns(self.work.table, self.needed)):
            _, rows, order = delivered(self.work, batch, self.needed)
            top = (order[:, 0] >> np.uint64(48)).astype(np.int64)
            yield pack((len(rows), np.bincount(top, minlength=1 << 16)))


@dataclass(frozen=True)
class DeliveredSubjectsMap:
    """Distinct delivered subjects (their order draws), split by their top bits: for serials of many-row subjects."""

    work: Work
    needed: tuple[str, ...]
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        for batch in unit.batches(class_columns(self.work.table, self.needed)):
            _, _, order = delivered(self.work, batch, self.needed)
            words = np.unique(order[:, :2], axis=0)
            places = bucket_of(words[:, 0], self.buckets)
            for bucket in np.unique(places):
                yield int(bucket), pack(words[places == bucket])


@dataclass(frozen=True)
class DeliveredSubjectsReduce:
    """How many subjects a bucket delivers."""

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        words = np.unique(np.concatenate([unpack(blob) for blob in blobs]), axis=0)
        yield pack((bucket, len(words)))
