"""The pass of an aggregate table (차분 프라이버시): exact numbers by group, each person's part bounded; no noise here.

Where each row is a person, units give partial sums. Where a person has many rows, rows first go to the bucket of
their person, so that at most so many groups, and rows of each, are counted: the first ones in a keyed order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.aggregates import LARGEST, Aggregate
from transforms.arrow import values_and_mask
from transforms.errors import DataRefused
from transforms.pipeline.engine import Engine
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.run import stopped_draws
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import all_columns
from transforms.pipeline.work import Rows, Work, make_work, select, subject_ids
from transforms.run_keys import RunKeys

PERSON_BUCKETS = 8
# So many 31-bit halves add up exactly in float64.
CHUNK = 1 << 20
HALF = np.int64((1 << 31) - 1)
Sums = dict[str, npt.NDArray[np.int64]]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Part:
    """Some rows that count: their group's number and, by column, scaled cells (null ones not `valid`)."""

    groups: Ints
    cells: Mapping[str, Ints]
    valid: Mapping[str, npt.NDArray[np.bool_]]

    def at(self, places: Any) -> Part:
        return Part(
            self.groups[places],
            {name: one[places] for name, one in self.cells.items()},
            {name: one[places] for name, one in self.valid.items()},
        )


def exact(
    aggregate: Aggregate, keys: RunKeys, engine: Engine, stopped: pa.Array | None
) -> dict[str, list[int]]:
    """The numbers of every measure, group by group, without noise. Errors: PassFailed, DataRefused."""
    technique = aggregate.technique
    used = {*technique.by, *(query.column for query in technique.queries.values())}
    columns = tuple(column for column in aggregate.table.columns if column.name in used)
    table = replace(aggregate.table, columns=columns, sample=None, outliers=(), register=None, whole=None)
    work = make_work(table, keys)
    if stopped is not None:
        work = work.with_(stopped=stopped_draws(table, work, stopped))
    aggregate = replace(aggregate, table=table)
    what = f"aggregates of {aggregate.name}"
    if table.one_row_per_subject:
        blobs = engine.each(SumTask(work, aggregate), what)
    else:
        blobs = engine.shuffle(PersonsMap(work, aggregate), PersonsReduce(aggregate), PERSON_BUCKETS, what)
    total = sums(aggregate, _nothing(aggregate), np.empty(0, np.int64))
    for blob in blobs:
        for name, numbers in unpack(blob).items():
            total[name] += numbers
    found = {name: [int(high) * (1 << 31) + int(low) for low, high in zip(*pair, strict=True)]
             for name, pair in total.items()}  # fmt: skip
    if any(abs(number) >= LARGEST for numbers in found.values() for number in numbers):
        raise DataRefused(f"{aggregate.path}: a sum beyond 2^62; deliver the column in a coarser unit")
    return found


@dataclass(frozen=True)
class SumTask:
    """Sums of a unit whose rows are a person each."""

    work: Work
    aggregate: Aggregate

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(all_columns(self.work.table)):
            part, _, _ = _part(self.work, self.aggregate, batch)
            yield pack(sums(self.aggregate, part, part.groups))


@dataclass(frozen=True)
class PersonsMap:
    """Rows that count, to the bucket of their person: draws of person and row, group, cells."""

    work: Work
    aggregate: Aggregate

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        for batch in unit.batches(all_columns(self.work.table)):
            part, persons, rows = _part(self.work, self.aggregate, batch)
            places = bucket_of(persons[:, 0], PERSON_BUCKETS)
            for bucket in np.unique(places):
                chosen = places == bucket
                yield int(bucket), pack((persons[chosen], rows[chosen], part.at(chosen)))


@dataclass(frozen=True)
class PersonsReduce:
    """Sums over whole persons, each bounded."""

    aggregate: Aggregate

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        found = [unpack(blob) for blob in blobs]
        persons, rows = (np.concatenate([one[place] for one in found]) for place in (0, 1))
        parts: list[Part] = [one[2] for one in found]
        whole = Part(
            np.concatenate([one.groups for one in parts]),
            {name: np.concatenate([one.cells[name] for one in parts]) for name in parts[0].cells},
            {name: np.concatenate([one.valid[name] for one in parts]) for name in parts[0].valid},
        )
        turn = np.lexsort((rows[:, 1], rows[:, 0], persons[:, 1], persons[:, 0]))
        stay, first = bounded(persons[turn], whole.groups[turn], *self.aggregate.contribution)
        yield pack(sums(self.aggregate, whole.at(turn[stay]), whole.groups[turn[first]]))


def bounded(persons: Words, groups: Ints, most_groups: int, most_rows: int) -> tuple[Ints, Ints]:
    """Places of the rows that count, and of the first row of each person in each group that counts.

    Rows stand by person; of each person count the first `most_groups` groups that appear, and the first `most_rows`
    rows of each.
    """
    new = np.ones(len(groups), np.bool_)
    new[1:] = (persons[1:] != persons[:-1]).any(axis=1)
    person = np.cumsum(new) - 1
    turn = np.lexsort((np.arange(len(groups)), groups, person))
    pair_new = np.ones(len(turn), np.bool_)
    pair_new[1:] = (person[turn][1:] != person[turn][:-1]) | (groups[turn][1:] != groups[turn][:-1])
    starts = np.flatnonzero(pair_new)
    number = np.cumsum(pair_new) - 1
    row_rank = np.arange(len(turn)) - starts[number] if len(turn) else number
    firsts = turn[starts]
    # Pairs of a person by where they appear first: the place among them is the pair's rank.
    by_place = np.argsort(firsts, kind="stable")
    owner = person[firsts[by_place]]
    begin = np.ones(len(owner), np.bool_)
    begin[1:] = owner[1:] != owner[:-1]
    rank = np.arange(len(owner)) - np.flatnonzero(begin)[np.cumsum(begin) - 1] if len(owner) else owner
    pair_rank = np.empty(len(firsts), np.int64)
    pair_rank[by_place] = rank
    stays = (pair_rank[number] < most_groups) & (row_rank < most_rows)
    return np.sort(turn[stays]), np.sort(firsts[pair_rank < most_groups])


def sums(aggregate: Aggregate, part: Part, persons: Ints) -> Sums:
    """Every measure over some rows, as pairs (low 31 bits, the rest) by place; `persons` are groups, one a person."""
    found: Sums = {}
    for measure in aggregate.measures:
        size = aggregate.technique.groups * measure.width
        if measure.what == "persons":
            found[measure.name] = _added(persons, np.ones(len(persons), np.int64), size)
            continue
        groups, cells = part.groups, np.ones(len(part.groups), np.int64)
        if measure.column is not None:
            chosen = part.valid[measure.column]
            groups, cells = groups[chosen], part.cells[measure.column][chosen]
        if measure.what == "bins":
            bins = np.searchsorted(np.array(measure.edges, np.int64), cells, side="right")
            found[measure.name] = _added(groups * measure.width + bins, np.ones(len(groups), np.int64), size)
        elif measure.what == "rows":
            found[measure.name] = _added(groups, np.ones(len(groups), np.int64), size)
        else:
            clipped = np.clip(cells, measure.low, measure.high)
            found[measure.name] = _added(groups, measure.factor * clipped - measure.shift, size)
    return found


def _added(places: Ints, values: Ints, size: int) -> Ints:
    """Sums by place without rounding and without overflow: int64 (2, size), low halves and the rest."""
    total = np.zeros((2, size), np.int64)
    for start in range(0, len(places), CHUNK):
        at, some = places[start : start + CHUNK], values[start : start + CHUNK]
        for half, number in ((some & HALF, 0), (some >> np.int64(31), 1)):
            total[number] += np.bincount(at, half.astype(np.float64), size).astype(np.int64)
    return total


def _part(work: Work, aggregate: Aggregate, batch: pa.RecordBatch) -> tuple[Part, Words, Words]:
    """The rows of a batch that count, draws of their persons and of the rows (none where each row is a person)."""
    alone = work.table.one_row_per_subject
    chosen = select(work, batch, order=not alone)
    rows = Rows.of(work, batch, chosen)
    chains = {chain.name: chain for chain in work.table.chains}
    groups = np.zeros(len(chosen.rows), np.int64)
    inside = np.ones(len(groups), np.bool_)
    for name, values in aggregate.groups.items():
        numbers = pc.index_in(rows.run(chains[name]), value_set=values)
        place, missing = values_and_mask(numbers)
        if missing is not None:
            inside &= ~missing
        groups = groups * len(values) + place
    cells: dict[str, Ints] = {}
    valid: dict[str, npt.NDArray[np.bool_]] = {}
    for measure in aggregate.measures:
        if measure.column is not None and measure.column not in cells:
            chain = chains[measure.column]
            cells[measure.column], valid[measure.column] = scaled(rows.run(chain))
    part = Part(groups, cells, valid).at(inside)
    if alone:
        return part, chosen.order, chosen.order
    persons = work.select.bits(subject_ids(work.table, batch).take(pa.array(chosen.rows[inside])))
    return part, persons, chosen.order[inside][:, -2:]


def scaled(cells: pa.Array) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Cells in units of 10^-scale as int64, and which are not null; what int64 can't hold becomes its nearest end."""
    valid = cells.is_valid().to_numpy(zero_copy_only=False)
    if not pa.types.is_decimal(cells.type):
        values, _ = values_and_mask(cells)
        return values.astype(np.int64, copy=False), valid
    # A decimal128 is its unscaled number, 64 low bits before 64 high ones.
    halves = np.frombuffer(cells.buffers()[1], np.int64).reshape(-1, 2)[cells.offset : cells.offset + len(cells)]
    low, high = halves[:, 0], halves[:, 1]
    ends = np.iinfo(np.int64)
    scaled = np.where(high == low >> np.int64(63), low, np.where(high < 0, ends.min, ends.max))
    return np.where(valid, scaled, 0), valid


def _nothing(aggregate: Aggregate) -> Part:
    named = {one.column for one in aggregate.measures if one.column is not None}
    none = np.empty(0, np.int64)
    return Part(none, dict.fromkeys(named, none), {name: none.astype(np.bool_) for name in named})


__all__ = ["Part", "bounded", "exact", "scaled", "sums"]
