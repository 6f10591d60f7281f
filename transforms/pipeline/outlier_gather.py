"""Figures by class (동질 집합) for outlier rules: observed unit by unit, merged by a shuffle of classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.pipeline.engine import Engine
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import bucket_of, narrow_columns
from transforms.pipeline.members import Words
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import Rows, Work, select, subject_ids
from transforms.pipeline_model import TablePipeline

BUCKETS = 8
KEY = "\x00key"
HIGH, LOW = "\x00h", "\x00l"
# Rows of figures that a task holds before it merges them.
MOST_ROWS = 1 << 21
Cells = dict[str, pa.Array]


def class_columns(table: TablePipeline, columns: Sequence[str]) -> list[str]:
    """Source columns that the delivered cells of `columns` need, and those that select rows."""
    named = set(columns)
    for chain in table.chains:
        if chain.name in columns:
            named |= {c for step in chain.steps for c in step.technique.columns()}
    narrow = narrow_columns(table)
    return narrow + [c for c in table.source_schema.names if c in named and c not in narrow]


def delivered(work: Work, batch: pa.RecordBatch, columns: Sequence[str]) -> tuple[Cells, npt.NDArray[np.int64], Words]:
    """Delivered cells of some columns of a batch, the rows that they stand in, and those rows' order draws."""
    chosen = select(work, batch)
    rows = Rows.of(work, batch, chosen)
    cells = {chain.name: rows.run(chain) for chain in work.table.chains if chain.name in columns}
    keep = work.changes.apply(cells) if work.changes is not None else None
    if keep is None:
        return cells, chosen.rows, chosen.order
    mask = pa.array(keep)
    return {name: cell.filter(mask) for name, cell in cells.items()}, chosen.rows[keep], chosen.order[keep]


class Gather(Protocol):
    """What is counted. Tables of figures have a column KEY (binary), the class, by which they are shuffled."""

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        """Figures of the classes of some rows; `draws` are the draws of the rows' subjects."""

    def merge(self, rows: pa.Table) -> pa.Table:
        """One line for each class (and whatever else tells figures apart): associative and commutative."""

    def finish(self, rows: pa.Table) -> Any:
        """What is told of some whole classes."""


@dataclass(frozen=True)
class GatherMap:
    """A unit's figures, split by a keyed hash of the class. `needed` are the delivered columns that they need."""

    work: Work
    gather: Gather
    needed: tuple[str, ...]

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        table = self.work.table
        parts: list[pa.Table] = []
        held = 0
        for batch in unit.batches(class_columns(table, self.needed)):
            cells, rows, _ = delivered(self.work, batch, self.needed)

            def draws(batch: pa.RecordBatch = batch, rows: npt.NDArray[np.int64] = rows) -> Words:
                return self.work.select.bits(subject_ids(table, batch).take(pa.array(rows)))

            parts.append(self.gather.observe(cells, draws))
            held += parts[-1].num_rows
            if held > MOST_ROWS:
                parts = [self.gather.merge(pa.concat_tables(parts))]
                # What does not shrink by merging is not merged again and again.
                held = parts[0].num_rows // 2
        if not parts:
            return
        merged = self.gather.merge(pa.concat_tables(parts)).combine_chunks()
        if not merged.num_rows:
            return
        hashes = self.work.select.bits(merged[KEY].combine_chunks())
        places = bucket_of(hashes[:, 0], BUCKETS)
        for bucket in np.unique(places):
            yield int(bucket), pack(merged.filter(pa.array(places == bucket)).combine_chunks())


@dataclass(frozen=True)
class GatherReduce:
    """Figures of whole classes, finished."""

    gather: Gather

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        merged = self.gather.merge(pa.concat_tables([unpack(blob) for blob in blobs]))
        yield pack(self.gather.finish(merged.combine_chunks()))


def gathered(work: Work, engine: Engine, gather: Gather, needed: Sequence[str], what: str) -> list[Any]:
    """What is told of all classes: one answer for each bucket that has any. One pass over the data, one shuffle.

    Errors: PassFailed.
    """
    task = GatherMap(work, gather, tuple(needed))
    return [unpack(blob) for blob in engine.shuffle(task, GatherReduce(gather), BUCKETS, what)]


def summed(rows: pa.Table, by: Sequence[str], figures: Sequence[str]) -> pa.Table:
    """Figures added up by the other columns."""
    found = rows.group_by(list(by)).aggregate([(name, "sum") for name in figures])
    return found.select([*by, *(f"{name}_sum" for name in figures)]).rename_columns([*by, *figures])


def needed_columns(work: Work, upto: int) -> tuple[str, ...]:
    """The delivered columns that the first `upto` outlier rules name."""
    return tuple(sorted({name for rule in work.table.outliers[:upto] for name in rule.columns()}))


__all__ = [
    "BUCKETS",
    "HIGH",
    "KEY",
    "LOW",
    "Cells",
    "Gather",
    "class_columns",
    "delivered",
    "gathered",
    "needed_columns",
    "summed",
]
