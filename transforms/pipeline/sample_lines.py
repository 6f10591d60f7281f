"""What a sample must know of each subject, as lines of words, and what passes sum up of them. Free of Spark.

A line is the subject's draw (2 words), then its stratum's or cluster's draw (2 words) and its number, where the
technique asks for them. A subject has one line; with many rows, all of these must tell the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import CellsRefused
from transforms.ordered import numbers
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of, distinct, narrow_columns
from transforms.pipeline.members import ByCluster, ByStratum, Copies, Words, group_draws, places_in
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import BLOB_BYTES
from transforms.pipeline.work import Work, stopped_mask, subject_ids
from transforms.pipeline_model import TablePipeline
from transforms.plan_sample import ClusterSample, Sample, SystematicSample, group_columns, measured_column

# More strata than this are no strata; their thresholds travel to every task.
MOST_STRATA = 20_000
# So many products of 16-bit limbs add up exactly in a float.
EXACT_ROWS = 1 << 20
SKETCHED = 256
NULL_LAST = np.uint64((1 << 64) - 1)


def line_columns(table: TablePipeline) -> list[str]:
    """Source columns that lines are made from."""
    narrow = narrow_columns(table)
    column = measured_column(table.sample)
    return narrow if column is None or column in narrow else [*narrow, column]


def line_width(sample: Sample | None) -> int:
    """Words of a line."""
    number = 0 if measured_column(sample) is None else 1 if isinstance(sample, SystematicSample) else 2
    return 2 + (2 if group_columns(sample) else 0) + number


def lines_of(work: Work, batch: pa.RecordBatch) -> Words:
    """The lines of a batch's subjects who did not ask to stop; alike ones once."""
    table, sample = work.table, work.table.sample
    draws = work.select.bits(subject_ids(table, batch))
    asked = stopped_mask(work, draws)
    if asked.any():
        draws, batch = draws[~asked], batch.filter(pa.array(~asked))
    parts = [draws]
    if columns := group_columns(sample):
        if isinstance(sample, ClusterSample) and (missing := batch.column(sample.cluster).null_count):
            raise CellsRefused(f"table {table.source}: null in the cluster's column {sample.cluster}", missing)
        assert work.groups is not None
        parts.append(group_draws(work.groups, batch, columns))
    if (column := measured_column(sample)) is not None:
        words = order_words if isinstance(sample, SystematicSample) else number_words
        parts.append(words(batch.column(column)))
    lines = np.concatenate(parts, axis=1)
    return lines if table.one_row_per_subject else distinct_lines(lines)


def number_words(values: pa.Array) -> Words:
    """Numbers (of decimals their unscaled ones) and whether they are there: uint64 (n, 2)."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    found = np.zeros((len(values), 2), np.uint64)
    found[present, 0] = numbers(values).view(np.uint64)
    found[:, 1] = present
    return found


def order_words(values: pa.Array) -> Words:
    """Unsigned words in the order of the values, null last: uint64 (n, 1)."""
    present = values.is_valid().to_numpy(zero_copy_only=False)
    found = np.full((len(values), 1), NULL_LAST, np.uint64)
    array = numbers(values)
    if array.dtype.kind == "f":
        bits = (array + 0.0).view(np.uint64)
        found[present, 0] = np.where(bits >> np.uint64(63) == 1, ~bits, bits | np.uint64(1 << 63))
    else:
        found[present, 0] = array.view(np.uint64) ^ np.uint64(1 << 63)
    return found


def distinct_lines(lines: Words) -> Words:
    """Each line once, sorted by its words."""
    if not len(lines):
        return lines
    lines = lines[np.lexsort(tuple(lines[:, place] for place in reversed(range(lines.shape[1]))))]
    new = np.ones(len(lines), np.bool_)
    new[1:] = (lines[1:] != lines[:-1]).any(axis=1)
    return lines[new]


def whole_lines(table: TablePipeline, lines: Sequence[Words]) -> Words:
    """One line for each subject of a bucket. Errors: CellsRefused where the rows of a subject differ."""
    found = distinct_lines(np.concatenate(lines))
    if differing := len(found) - len(distinct(found[:, :2])):
        named = [*group_columns(table.sample), measured_column(table.sample)]
        columns = ", ".join(name for name in named if name is not None)
        reason = f"table {table.source}: subjects whose rows differ in {columns}, by which the sample is drawn"
        raise CellsRefused(reason, differing)
    return found


class Summary(Protocol):
    """What a pass sums up of lines; parts are added up on the driver."""

    def __call__(self, lines: Words) -> Any: ...


@dataclass(frozen=True)
class LinesTask:
    """A summary of each batch, where each subject has one row."""

    work: Work
    summary: Summary

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(line_columns(self.work.table)):
            yield pack(self.summary(lines_of(self.work, batch)))


@dataclass(frozen=True)
class LinesMap:
    """Lines to the bucket of their subject's draw."""

    work: Work
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        for batch in unit.batches(line_columns(self.work.table)):
            lines = lines_of(self.work, batch)
            yield from sent(lines, bucket_of(lines[:, 0], self.buckets))


def sent(lines: Words, places: npt.NDArray[np.int64]) -> Iterator[tuple[int, bytes]]:
    """Lines by bucket, in blobs of bounded size."""
    most = max(1, BLOB_BYTES // (8 * lines.shape[1]))
    for bucket in np.unique(places):
        part = lines[places == bucket]
        for first in range(0, len(part), most):
            yield int(bucket), pack(part[first : first + most])


@dataclass(frozen=True)
class LinesReduce:
    """A summary of whole subjects."""

    work: Work
    summary: Summary

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        yield pack(self.summary(whole_lines(self.work.table, received(blobs))))


def received(blobs: Sequence[bytes]) -> list[Words]:
    """The way back of `sent`."""
    return [unpack(blob) for blob in blobs]


def grouped(words: Words) -> tuple[Words, npt.NDArray[np.int64]]:
    """Different pairs of words, sorted, and the place of each row's pair among them."""
    turn = np.lexsort((words[:, 1], words[:, 0]))
    ordered = words[turn]
    new = np.ones(len(words), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    places = np.empty(len(words), np.int64)
    places[turn] = np.cumsum(new) - 1
    return ordered[new], places


StrataSums = dict[tuple[int, int], list[int]]


@dataclass(frozen=True)
class CountStrata:
    """By stratum: persons, numbers that are there, their sum, the sum of their squares; all exact."""

    def __call__(self, lines: Words) -> StrataSums:
        strata, group = grouped(lines[:, 2:4])
        if len(strata) > MOST_STRATA:
            raise CellsRefused(f"more than {MOST_STRATA:,} strata; coarsen the columns of `by`", len(strata))
        table = np.zeros((len(strata), 4), object)
        table[:, 0] = np.bincount(group, minlength=len(strata))
        if lines.shape[1] > 4:
            there = lines[:, 5] == 1
            table[:, 1:] = exact_sums(lines[there, 4].view(np.int64), group[there], len(strata))
        return {(int(high), int(low)): list(map(int, row)) for (high, low), row in zip(strata, table, strict=True)}


def add_strata(total: StrataSums, more: StrataSums) -> None:
    """Adds `more` to `total`, in place."""
    for stratum, sums in more.items():
        old = total.get(stratum)
        total[stratum] = sums if old is None else [left + right for left, right in zip(old, sums, strict=True)]


def exact_sums(values: npt.NDArray[np.int64], group: npt.NDArray[np.int64], groups: int) -> npt.NDArray[Any]:
    """By group: count, sum and sum of squares of whole numbers, without rounding or overflow: object (groups, 3)."""
    found = np.zeros((groups, 3), object)
    for first in range(0, len(values), EXACT_ROWS):
        part, places = values[first : first + EXACT_ROWS], group[first : first + EXACT_ROWS]
        negative = part < 0
        size = np.where(negative, ~part, part).view(np.uint64) + negative.astype(np.uint64)
        limbs = [((size >> np.uint64(16 * place)) & np.uint64(0xFFFF)).astype(np.float64) for place in range(4)]
        sign = np.where(negative, -1.0, 1.0)
        found[:, 0] += _added(places, None, groups)
        for low, limb in enumerate(limbs):
            found[:, 1] += _added(places, limb * sign, groups) << 16 * low
            for high in range(low, 4):
                product = _added(places, limb * limbs[high], groups) << 16 * (low + high)
                found[:, 2] += product if high == low else 2 * product
    return found


def _added(places: npt.NDArray[np.int64], weights: npt.NDArray[np.float64] | None, groups: int) -> npt.NDArray[Any]:
    return np.bincount(places, weights, groups).astype(np.int64).astype(object)


@dataclass(frozen=True)
class StrataWindows:
    """By stratum: how many draws lie below its window, and the draws within it."""

    strata: Words
    low: Words
    high: Words

    def __call__(self, lines: Words) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Words]:
        places = places_in(lines[:, 2:4], self.strata)
        lines, places = lines[places >= 0], places[places >= 0]
        below = lines[:, 0] < self.low[places]
        inside = ~below & (lines[:, 0] <= self.high[places])
        return np.bincount(places[below], minlength=len(self.strata)), places[inside], lines[inside, :2]


@dataclass(frozen=True)
class CountMembers:
    """Persons, and persons drawn: of clusters, or of strata."""

    membership: ByCluster | ByStratum

    def __call__(self, lines: Words) -> tuple[int, int]:
        return len(lines), int((self.membership.of(lines[:, 2:4], lines[:, :2]) > 0).sum())


def order_pairs(lines: Words) -> Words:
    """What lines are ranked by first: their draw, or their number and the draw's high word."""
    return lines[:, :2] if lines.shape[1] == 2 else lines[:, [2, 0]]


def ranked(lines: Words) -> Words:
    """Lines in their order."""
    keys = (lines[:, 1], lines[:, 0]) if lines.shape[1] == 2 else (lines[:, 1], lines[:, 0], lines[:, 2])
    return lines[np.lexsort(keys)]


def split_of(pairs: Words, splits: Words) -> npt.NDArray[np.int64]:
    """How many of the sorted splits are not behind each pair: the number of its part."""
    first = np.searchsorted(splits[:, 0], pairs[:, 0], side="left")
    last = np.searchsorted(splits[:, 0], pairs[:, 0], side="right")
    found = first.astype(np.int64)
    for place in np.unique(first[first < last]):
        even = (first == place) & (first < last)
        end = int(np.searchsorted(splits[:, 0], splits[place, 0], side="right"))
        found[even] = place + np.searchsorted(splits[place:end, 1], pairs[even, 1], side="right")
    return found


@dataclass(frozen=True)
class CountSplits:
    """Persons in each part of the order."""

    splits: Words

    def __call__(self, lines: Words) -> npt.NDArray[np.int64]:
        return np.bincount(split_of(order_pairs(lines), self.splits), minlength=len(self.splits) + 1)


@dataclass(frozen=True)
class SketchTask:
    """Pairs at even distances in the order of each batch: where to split, so that parts are about as large."""

    work: Work

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(line_columns(self.work.table)):
            pairs = order_pairs(ranked(lines_of(self.work, batch)))
            if len(pairs):
                yield pack(pairs[np.linspace(0, len(pairs) - 1, min(SKETCHED, len(pairs))).astype(np.int64)])


class Chooser(Protocol):
    """How often the persons of so many ranks, from one on, are drawn."""

    def times(self, first: int, count: int) -> Copies: ...


@dataclass(frozen=True)
class RanksMap:
    """Lines to their part of the order."""

    work: Work
    splits: Words

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        for batch in unit.batches(line_columns(self.work.table)):
            lines = lines_of(self.work, batch)
            yield from sent(lines, split_of(order_pairs(lines), self.splits))


@dataclass(frozen=True)
class RanksReduce:
    """The drawn subjects of a part of the order: their draws, and how often."""

    work: Work
    offsets: tuple[int, ...]
    chooser: Chooser

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        lines = ranked(distinct_lines(np.concatenate(received(blobs))))
        times = self.chooser.times(self.offsets[bucket], len(lines))
        yield pack((lines[times > 0, :2], times[times > 0]))
