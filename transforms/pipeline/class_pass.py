"""The class pass: steps that need all rows of a class together (permutation, microaggregation), within P2.

Map sends each row's order draws, class and values to its class's bucket; there the step works on whole classes,
and the new cells go on to the order buckets, where they meet the row's other cells by the row's own draw. A class
of very many rows is split into parts of about equal size, by bits of that draw which the order does not use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.classes import Classes, as_keys, classes_of, words_of
from transforms.given import Given
from transforms.pipeline.engine import Inner
from transforms.pipeline.feed import FILE, ROW, Unit, WindowedUnit
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.members import Words
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import (
    BLOB_BYTES,
    CLASSED,
    COUNTS,
    Tally,
    add_tally,
    from_blobs,
    order_names,
    tally,
    to_blob,
)
from transforms.pipeline.work import Rows, Work, guarded, select
from transforms.pipeline_model import Chain, ClassGroup, TablePipeline
from transforms.predicate import Predicate

# Kinds of blobs on the way to the class buckets: the number of their group, from here on.
FIRST_GROUP = 16
# A row's class, its part, source columns that steps read, values: names of columns on that way.
CLASS, PART, READ, VALUE = "\x00class", "\x00part", "=", "@"


def class_columns(table: TablePipeline) -> list[str]:
    """Source columns that the classed chains are made from, and those that select rows."""
    named = table.key_columns() | table.condition_columns()
    for chain in table.chains:
        if chain.classed:
            named |= {chain.name, *(column for step in chain.steps for column in step.technique.columns())}
    place = [FILE, ROW] if table.row_key is None else []
    return [name for name in table.source_schema.names if name in named] + place


def _read(group: ClassGroup) -> list[str]:
    """Source columns that the last steps read besides the class columns."""
    named = {column for chain in group.chains for column in chain.steps[-1].technique.columns()}
    return sorted(named - set(group.by))


def parts_of(work: Work, by: tuple[str, ...], classes: Classes, order: Words) -> npt.NDArray[np.int32]:
    """The part of its class that each row belongs to: 0 but in split classes."""
    split = work.splits.get(by)
    if split is None:
        return np.zeros(len(order), np.int32)
    places, known = split.places(classes)
    counts = np.where(known, split.figure("parts").to_numpy()[places], 1).astype(np.uint64)
    return (((order[:, -1] & np.uint64(0xFFFFFFFF)) * counts) >> np.uint64(32)).astype(np.int32)


@dataclass(frozen=True)
class ClassMap:
    """Rows of a unit to their class's bucket: (bucket, group, Arrow blob); then the tally of the steps before."""

    work: Work
    buckets: int
    window: Predicate | None = None

    def __call__(self, unit: Unit) -> Iterator[tuple[int, int, pa.Buffer]]:
        if isinstance(unit, StagedUnit):
            return
        counts: Tally = {}
        source = unit if self.window is None else WindowedUnit(unit, self.window)
        for batch in source.batches(class_columns(self.work.table)):
            chosen = select(self.work, batch)
            if not len(chosen.rows):
                continue
            rows = Rows.of(self.work, batch, chosen)
            for number, group in enumerate(self.work.table.class_groups):
                for bucket, blob in self._group(rows, group, chosen.order, counts):
                    yield bucket, FIRST_GROUP + number, blob
        if counts:
            yield 0, COUNTS, pa.py_buffer(pack(counts))

    def _group(self, rows: Rows, group: ClassGroup, order: Words, counts: Tally) -> Iterator[tuple[int, pa.Buffer]]:
        classes = rows.classes(group.by)
        parts = parts_of(self.work, group.by, classes, order)
        columns: dict[str, pa.Array] = {
            name: pa.array(np.ascontiguousarray(order[:, word]))
            for word, name in enumerate(order_names(order.shape[1]))
        }
        columns[CLASS] = classes.keys.take(pa.array(classes.codes))
        columns[PART] = pa.array(parts)
        columns |= {READ + name: rows.shared(name) for name in _read(group)}
        columns |= {VALUE + chain.name: self._values(rows, chain, counts) for chain in group.chains}
        places = (bucket_of(words_of(classes.keys)[:, 0], self.buckets)[classes.codes] + parts) % self.buckets
        yield from split_blobs(pa.RecordBatch.from_pydict(columns), places, self.buckets)

    def _values(self, rows: Rows, chain: Chain, counts: Tally) -> pa.Array:
        """What enters the chain's last step."""
        values = rows.column(chain.name)
        for number, step in enumerate(chain.steps[:-1]):
            after = rows.step(chain, number, step, values)
            add_tally(counts, {(chain.name, number): tally(values, after)})
            values = after
        return values


def split_blobs(batch: pa.RecordBatch, places: npt.NDArray[np.int64], buckets: int) -> Iterator[tuple[int, pa.Buffer]]:
    """Rows by bucket, as blobs that are not too long."""
    batch = batch.take(pa.array(np.argsort(places.astype(np.uint16), kind="stable")))
    most = max(1, BLOB_BYTES * batch.num_rows // max(1, batch.nbytes))
    sizes = np.bincount(places, minlength=buckets)
    start = 0
    for bucket in np.flatnonzero(sizes):
        end = start + int(sizes[bucket])
        for first in range(start, end, most):
            yield int(bucket), to_blob(batch.slice(first, min(most, end - first)))
        start = end


class ClassSink(Protocol):
    """Where a group's new cells go: (bucket, kind, blob) for the shuffle behind. `order` are whole order draws."""

    def __call__(self, order: Words, cells: dict[str, pa.Array]) -> Iterator[tuple[int, int, Any]]: ...


@dataclass(frozen=True)
class ToOrder:
    """The cells themselves, with their rows' own draws, to the order buckets."""

    buckets: int
    kind: int = CLASSED

    def __call__(self, order: Words, cells: dict[str, pa.Array]) -> Iterator[tuple[int, int, Any]]:
        own = np.ascontiguousarray(order[:, -2:])
        names = order_names(2)
        arrays = [pa.array(np.ascontiguousarray(own[:, word])) for word in range(2)]
        batch = pa.RecordBatch.from_arrays([*arrays, *cells.values()], names=[*names, *cells])
        for bucket, blob in split_blobs(batch, bucket_of(order[:, 0], self.buckets), self.buckets):
            yield bucket, self.kind, blob


@dataclass(frozen=True)
class ClassReduce:
    """One class bucket: the last steps on whole classes (or parts of them), then the sink; and, if asked, the tally."""

    work: Work
    sink: ClassSink
    tallied: bool = True

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, int, Any]]:
        counts: Tally = {}
        groups: dict[int, list[Any]] = defaultdict(list)
        for kind, blob in blobs:
            if kind == COUNTS:
                add_tally(counts, unpack(blob))
            else:
                groups[kind - FIRST_GROUP].append(blob)
        for number in sorted(groups):
            rows = from_blobs(groups.pop(number)).combine_chunks()
            order, cells = self._computed(self.work.table.class_groups[number], rows, counts)
            yield from self.sink(order, cells)
        if counts and self.tallied:
            yield 0, COUNTS, pa.py_buffer(pack(counts))

    def _computed(self, group: ClassGroup, rows: pa.Table, counts: Tally) -> tuple[Words, dict[str, pa.Array]]:
        column = {name: one.combine_chunks() for name, one in zip(rows.column_names, rows.columns, strict=True)}
        width = sum(name.startswith("\x00") and name not in (CLASS, PART) for name in rows.column_names)
        order = np.stack([column[name].to_numpy() for name in order_names(width)], axis=1)
        classes = classes_of([column[CLASS], column[PART]], rows.num_rows)
        ids = as_keys(order[:, -2:])
        cells: dict[str, pa.Array] = {}
        shared: dict[Any, Any] = {}
        for chain in group.chains:
            number, step = len(chain.steps) - 1, chain.steps[-1]
            given = Given(
                site=step.site,
                facts=self.work.facts.get((chain.name, number), {}),
                hierarchy=step.hierarchy,
                draws=self.work.steps[(chain.name, number)],
                rows=ids,
                columns={name: column[READ + name] for name in _read(group)},
                key=self.work.keys.get((chain.name, number)),
                classes=classes,
                shared=shared,
            )
            values = column[VALUE + chain.name]
            after = guarded(step.site, lambda s=step, v=values, g=given: s.technique.apply(v, g))
            after = after.cast(step.after) if after.type != step.after else after
            add_tally(counts, {(chain.name, number): tally(values, after)})
            cells[chain.name] = after
        return order, cells


def class_stage(work: Work, sink: ClassSink, window: Predicate | None = None, *, tallied: bool = True) -> Inner | None:
    """The class pass as a shuffle before the one by order; None where no step needs whole classes."""
    if not work.table.class_groups:
        return None
    buckets = work.class_buckets
    return Inner(ClassMap(work, buckets, window), ClassReduce(work, sink, tallied), buckets)
