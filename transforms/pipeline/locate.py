"""Where recomputed and staged cells differ: the slow way, taken only once their sums are known to differ.

Rows are joined by their serial; where a table has none, or many rows share one, by the hash of the whole
row. First the rows that differ are found, then the columns of these rows are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import values_and_mask
from transforms.draws import Draws
from transforms.kernels.cell_hash import CellHasher
from transforms.pipeline.class_pass import class_stage
from transforms.pipeline.engine import Engine
from transforms.pipeline.feed import Unit, WindowedUnit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.members import Words
from transforms.pipeline.recompute import (
    StagedUnit,
    body_columns,
    ranked_columns,
    recomputed,
    row_body_columns,
    staged_batches,
)
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import BLOB_BYTES, all_columns, by_group
from transforms.pipeline.verify import CLASS_HASHES, ToHashes, class_hashes, order_width, placed
from transforms.pipeline.work import Rows, Work, select
from transforms.predicate import Predicate

EXPECTED, FOUND = 0, 1
COMPARE_BUCKETS = 8
# Beyond this many rows, columns are named by the first ones alone.
MOST_ROWS = 200_000


@dataclass(frozen=True)
class Located:
    """Rows that are missing in staging, rows that are too many, and differing rows by column.

    `whole`: every differing row was looked at; otherwise the counts by column are lower bounds.
    """

    missing: int = 0
    extra: int = 0
    rows: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    whole: bool = True


@dataclass(frozen=True)
class Sides:
    """What both passes need: the claimed work, the seed of the hashes, the window of source rows."""

    work: Work
    seed: Draws
    window: Predicate | None
    offsets: tuple[int, ...]

    @property
    def by_serial(self) -> bool:
        """Has each row a serial of its own?"""
        table = self.work.table
        return table.has_serial and order_width(self.work) == 2

    def hasher(self) -> CellHasher:
        """Hashes as in the first pass."""
        return CellHasher(self.seed, self.work.table.schema.names)

    def source_batches(self, unit: Unit) -> Iterator[pa.RecordBatch]:
        """Batches of the source with all columns that cells come from."""
        source = unit if self.window is None else WindowedUnit(unit, self.window)
        return source.batches(all_columns(self.work.table))

    def bodies(self, hasher: CellHasher, cells: Mapping[str, pa.Array], rows: int) -> Words:
        """Sums of the hashes of a row's cells but its serial."""
        words = np.zeros(rows, np.uint64)
        for name in body_columns(self.work.table):
            if name in cells:  # what comes from whole classes is added behind the shuffle
                hasher.add(name, cells[name], words)
        return words

    def serials_of(self, batch: pa.RecordBatch) -> npt.NDArray[np.int64]:
        """Staged serials; null counts as 0, which no row has."""
        values, _ = values_and_mask(batch.column(ranked_columns(self.work.table)[0]))
        return values.astype(np.int64, copy=False)


@dataclass(frozen=True)
class RowsMap:
    """Rows of both sides to where their partner comes: the bucket of their serial, or of their hash."""

    sides: Sides

    def __call__(self, unit: Unit) -> Iterator[tuple[int, int, bytes]]:
        hasher = self.sides.hasher()
        if isinstance(unit, StagedUnit):
            for _, _, batch in staged_batches(unit, self.sides.work.table.schema.names):
                cells = dict(zip(batch.schema.names, batch.columns, strict=True))
                bodies = self.sides.bodies(hasher, cells, batch.num_rows)
                if self.sides.by_serial:
                    serial = self.sides.serials_of(batch)
                    yield from _sent(FOUND, self._buckets(serial), np.stack([serial.view(np.uint64), bodies], 1))
                else:
                    yield from self._by_hash(FOUND, hasher.rows(bodies))
            return
        for batch in self.sides.source_batches(unit):
            chosen = select(self.sides.work, batch)
            cells, keep = recomputed(Rows.of(self.sides.work, batch, chosen))
            order = chosen.order if keep is None else chosen.order[keep]
            bodies = self.sides.bodies(hasher, cells, len(order))
            if self.sides.by_serial:
                places = bucket_of(order[:, 0], self.sides.work.buckets)
                yield from _sent(EXPECTED, places, np.concatenate([order, bodies[:, None]], axis=1))
            else:
                yield from self._by_hash(EXPECTED, hasher.rows(bodies))

    def _buckets(self, serial: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        places = np.searchsorted(np.array(self.sides.offsets), serial - 1, side="right") - 1
        return np.clip(places, 0, len(self.sides.offsets) - 1)

    def _by_hash(self, side: int, hashes: Words) -> Iterator[tuple[int, int, bytes]]:
        return _sent(side, bucket_of(hashes, self.sides.work.buckets), hashes[:, None])


def _sent(side: int, places: npt.NDArray[np.int64], lines: Words) -> Iterator[tuple[int, int, bytes]]:
    most = max(1, BLOB_BYTES // (8 * lines.shape[1]))
    for bucket in np.unique(places):
        part = lines[places == bucket]
        for first in range(0, len(part), most):
            yield int(bucket), side, part[first : first + most].tobytes()


def _side(blobs: Sequence[tuple[int, Any]], side: int, width: int) -> Words:
    parts = [np.frombuffer(blob, np.uint64).reshape(-1, width) for kind, blob in blobs if kind == side]
    return np.concatenate(parts) if parts else np.empty((0, width), np.uint64)


@dataclass(frozen=True)
class RowsReduce:
    """Counts of missing, extra and differing rows; the latter's serials and order draws."""

    sides: Sides

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, bytes]]:
        if self.sides.by_serial:
            yield 0, pack(self._by_serial(bucket, blobs))
        else:
            expected, found = _side(blobs, EXPECTED, 1)[:, 0], _side(blobs, FOUND, 1)[:, 0]
            yield 0, pack((_surplus(expected, found), _surplus(found, expected), np.empty((0, 3), np.uint64)))

    def _by_serial(self, bucket: int, blobs: Sequence[tuple[int, Any]]) -> tuple[int, int, Words]:
        lines, numbers = placed(_side(blobs, EXPECTED, 3), 2, self.sides.offsets[bucket], self.sides.work.table)
        classed = by_group([blob for kind, blob in blobs if kind == CLASS_HASHES])
        for hashes in class_hashes(classed, lines[:, :2]).values():
            lines[:, 2] += hashes
        found = _side(blobs, FOUND, 2)
        serial, first = np.unique(found[:, 0].view(np.int64), return_index=True)
        _, mine, theirs = np.intersect1d(numbers, serial, assume_unique=True, return_indices=True)
        differs = lines[mine, 2] != found[first[theirs], 1]
        listed = np.concatenate([lines[mine, :2], numbers[mine].view(np.uint64)[:, None]], axis=1)[differs]
        return len(numbers) - len(mine), len(found) - len(mine), listed


def _surplus(left: Words, right: Words) -> int:
    """How many elements of `left` have no partner in `right`."""
    values, counts = np.unique(left, return_counts=True)
    others, their_counts = np.unique(right, return_counts=True)
    places = np.searchsorted(others, values)
    near = np.minimum(places, max(len(others) - 1, 0))
    matched = np.zeros(len(values), np.int64)
    if len(others):
        matched = np.where(others[near] == values, np.minimum(counts, their_counts[near]), 0)
    return int((counts - matched).sum())


@dataclass(frozen=True)
class CellsMap:
    """Hashes of all cells of the listed rows of both sides. `listed`: order draw (2 words) and serial, sorted."""

    sides: Sides
    listed: Words

    def __call__(self, unit: Unit) -> Iterator[tuple[int, int, bytes]]:
        hasher = self.sides.hasher()
        names = body_columns(self.sides.work.table)
        if isinstance(unit, StagedUnit):
            wanted = np.sort(self.listed[:, 2].view(np.int64))
            for _, _, batch in staged_batches(unit, self.sides.work.table.schema.names):
                serial = self.sides.serials_of(batch)
                rows = np.flatnonzero(np.isin(serial, wanted))
                taken = batch.take(pa.array(rows))
                hashes = [hasher.cells(name, taken.column(name)) for name in names]
                yield from _compared(FOUND, serial[rows].view(np.uint64), hashes)
            return
        for batch in self.sides.source_batches(unit):
            chosen = select(self.sides.work, batch)
            near = np.minimum(np.searchsorted(self.listed[:, 0], chosen.order[:, 0]), len(self.listed) - 1)
            rows = np.flatnonzero((self.listed[near, :2] == chosen.order[:, :2]).all(axis=1))
            cells, keep = recomputed(Rows.of(self.sides.work, batch, chosen, rows))
            serials = self.listed[near[rows], 2]
            serials = serials if keep is None else serials[keep]
            names = row_body_columns(self.sides.work.table)
            yield from _compared(EXPECTED, serials, [hasher.cells(name, cells[name]) for name in names])


@dataclass(frozen=True)
class ToListed:
    """Sink of the class pass: of the listed rows, (serial, number of the column, hash of the cell)."""

    sides: Sides
    listed: Words

    def __call__(self, order: Words, cells: dict[str, pa.Array]) -> Iterator[tuple[int, int, Any]]:
        near = np.minimum(np.searchsorted(self.listed[:, 0], order[:, 0]), len(self.listed) - 1)
        rows = np.flatnonzero((self.listed[near, :2] == order[:, :2]).all(axis=1))
        names = body_columns(self.sides.work.table)
        serial = self.listed[near[rows], 2]
        hasher = self.sides.hasher()
        for name, array in cells.items():
            number = np.full(len(rows), names.index(name), np.uint64)
            yield from _compared(CLASS_HASHES, serial, [number, hasher.cells(name, array.take(pa.array(rows)))])


def _compared(side: int, serial: Words, hashes: Sequence[Words]) -> Iterator[tuple[int, int, bytes]]:
    if not len(serial):
        return iter(())
    places = (serial % np.uint64(COMPARE_BUCKETS)).astype(np.int64)
    return _sent(side, places, np.stack([serial, *hashes], axis=1))


@dataclass(frozen=True)
class CellsReduce:
    """Differing rows by column, of `width` columns; single rows tell those at the places `by_row`."""

    width: int
    by_row: tuple[int, ...]

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, bytes]]:
        expected, found = _side(blobs, EXPECTED, len(self.by_row) + 1), _side(blobs, FOUND, self.width + 1)
        serial, first = np.unique(found[:, 0], return_index=True)
        differ = np.zeros(self.width, np.int64)
        _, mine, theirs = np.intersect1d(expected[:, 0], serial, assume_unique=True, return_indices=True)
        places = np.array(self.by_row, np.int64)
        differ[places] = (expected[mine, 1:] != found[first[theirs]][:, places + 1]).sum(axis=0)
        classed = _side(blobs, CLASS_HASHES, 3)
        for column in np.unique(classed[:, 1]).astype(np.int64):
            lines = classed[classed[:, 1] == np.uint64(column)]
            _, mine, theirs = np.intersect1d(lines[:, 0], serial, return_indices=True)
            differ[column] = (lines[mine, 2] != found[first[theirs], column + 1]).sum()
        yield 0, pack(differ)


def locate(sides: Sides, engine: Engine, serials_alone: bool) -> Located:
    """Names what differs. `serials_alone`: the rows are the same but for their serials.

    Cells that come from whole classes meet their row by its order draw: without serials nothing is located there.
    """
    buckets = sides.work.buckets
    if sides.work.table.class_groups and not sides.by_serial:
        return Located()
    hashes = class_stage(sides.work, ToHashes(sides.work, sides.seed), sides.window, tallied=False)
    found = engine.shuffle(RowsMap(sides), RowsReduce(sides), buckets, "rows that differ", kinds=True, inner=hashes)
    parts = [unpack(blob) for _, blob in found]
    missing, extra = sum(part[0] for part in parts), sum(part[1] for part in parts)
    listed = np.concatenate([part[2] for part in parts]) if parts else np.empty((0, 3), np.uint64)
    if serials_alone:
        rows = len(listed) + max(missing, extra)
        named = dict.fromkeys(ranked_columns(sides.work.table), rows)
        return Located(rows=rows, columns=named)
    if not len(listed):
        return Located(missing, extra)
    looked_at = listed[np.argsort(listed[:, 0], kind="stable")][:MOST_ROWS]
    names = body_columns(sides.work.table)
    by_row = tuple(names.index(name) for name in row_body_columns(sides.work.table))
    compared = engine.shuffle(
        CellsMap(sides, looked_at),
        CellsReduce(len(names), by_row),
        COMPARE_BUCKETS,
        "cells that differ",
        kinds=True,
        inner=class_stage(sides.work, ToListed(sides, looked_at), sides.window, tallied=False),
    )
    counts = sum((unpack(blob) for _, blob in compared), np.zeros(len(names), np.int64))
    columns = {name: int(count) for name, count in zip(names, counts, strict=True) if count}
    return Located(missing, extra, len(listed), columns, len(looked_at) == len(listed))
