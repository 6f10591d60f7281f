"""The transforming pass (P2): map (read, filter, techniques, split by order), reduce (sort, serials, derive)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import one_chunk
from transforms.given import Given
from transforms.pipeline.alignment import partners
from transforms.pipeline.derived import derive
from transforms.pipeline.feed import FILE, ROW, Unit
from transforms.pipeline.marks import Marked, Marking
from transforms.pipeline.measure import bucket_of
from transforms.pipeline.members import Words
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import Rows, Work, guarded, select, taken
from transforms.pipeline_model import Chain, TablePipeline

DATA, COUNTS, CLASSED, MARKED = 0, 1, 2, 3
BLOB_BYTES = 64 << 20
Tally = dict[tuple[str, int], tuple[int, int, int]]


def all_columns(table: TablePipeline) -> list[str]:
    """Every source column that delivered cells, conditions or keys are made from."""
    return _columns(table, table.chains)


def row_columns(table: TablePipeline, marking: Marking | None = None) -> list[str]:
    """Source columns that conditions, keys and those cells are made from that single rows tell, and that are marked."""
    marked = marking.columns if marking is not None else ()
    return _columns(table, [chain for chain in table.chains if not chain.classed], marked)


def _columns(table: TablePipeline, chains: Sequence[Chain], more: Sequence[str] = ()) -> list[str]:
    named = table.key_columns() | table.condition_columns() | set(more)
    for chain in chains:
        named |= {chain.name, *(column for step in chain.steps for column in step.technique.columns())}
    place = [FILE, ROW] if table.row_key is None else []
    return [name for name in table.source_schema.names if name in named] + place


def order_names(width: int) -> list[str]:
    """Names of the columns that carry a row's order draw through the shuffle."""
    return [f"\x00{number}" for number in range(width)]


def tally(before: pa.Array, after: pa.Array) -> tuple[int, int, int]:
    """Cells changed, unchanged and null after a step."""
    nulls = after.null_count
    if after is before:
        return 0, len(after) - nulls, nulls
    if after.type != before.type:
        return len(after) - nulls, 0, nulls
    same = pc.equal(before, after).true_count
    return len(after) - nulls - same, same, nulls


def add_tally(total: Tally, more: Tally) -> Tally:
    """Adds `more` to `total`, in place."""
    for key, counts in more.items():
        old = total.get(key, (0, 0, 0))
        total[key] = (old[0] + counts[0], old[1] + counts[1], old[2] + counts[2])
    return total


def transform(
    work: Work, rows: Rows, counts: Tally | None = None
) -> tuple[dict[str, pa.Array], npt.NDArray[np.bool_] | None]:
    """Delivered cells that come from single rows (not serials, nor from classes), and which rows outlier rules keep."""
    cells: dict[str, pa.Array] = {}
    for chain in work.table.chains:
        if not chain.by_row:
            continue
        values = rows.column(chain.name)
        for number, step in enumerate(chain.steps):
            after = rows.step(chain, number, step, values)
            if counts is not None:
                add_tally(counts, {(chain.name, number): tally(values, after)})
            values = after
        cells[chain.name] = values
    keep = work.changes.apply(cells, counts) if work.changes is not None else None
    return cells, keep


@dataclass(frozen=True)
class TransformMap:
    """Yields (bucket, kind, Arrow blob): the transformed rows of a unit by order bucket, then the tally, then marks."""

    work: Work
    marking: Marking | None = None

    def __call__(self, unit: Unit) -> Iterator[tuple[int, int, pa.Buffer]]:
        counts: Tally = {}
        marked: list[Marked] = []
        buckets = self.work.buckets
        for batch in unit.batches(row_columns(self.work.table, self.marking)):
            chosen = select(self.work, batch)
            if not len(chosen.rows):
                continue
            places = bucket_of(chosen.order[:, 0], buckets)
            # On 16 bits numpy's stable sort is a radix sort.
            turn = np.argsort(places.astype(np.uint16), kind="stable")
            rows = Rows.of(self.work, batch, chosen, turn)
            cells, keep = transform(self.work, rows, counts)
            order = chosen.order[turn]
            places = places[turn]
            if keep is not None:
                mask = pa.array(keep)
                cells = {name: array.filter(mask) for name, array in cells.items()}
                order, places = order[keep], places[keep]
            if self.marking is not None:
                marked.append(self.marking.mark(rows, cells))
            names = order_names(order.shape[1])
            arrays = [pa.array(np.ascontiguousarray(order[:, word])) for word in range(order.shape[1])]
            out = pa.RecordBatch.from_arrays([*arrays, *cells.values()], names=[*names, *cells])
            yield from self._split(out, np.bincount(places, minlength=buckets))
        yield 0, COUNTS, pa.py_buffer(pack(counts))
        if self.marking is not None:
            yield 0, MARKED, pa.py_buffer(pack(Marked.together(marked)))

    def _split(self, batch: pa.RecordBatch, sizes: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, pa.Buffer]]:
        most = max(1, BLOB_BYTES * batch.num_rows // max(1, batch.nbytes))
        start = 0
        for bucket in np.flatnonzero(sizes):
            end = start + int(sizes[bucket])
            for first in range(start, end, most):
                yield int(bucket), DATA, to_blob(batch.slice(first, min(most, end - first)))
            start = end


def to_blob(batch: pa.RecordBatch) -> pa.Buffer:
    """A batch as a compressed Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def from_blobs(blobs: Sequence[pa.Buffer]) -> pa.Table:
    """The rows of several blobs."""
    return pa.concat_tables([pa.ipc.open_stream(blob).read_all() for blob in blobs])


class DuplicateRowKeys(Exception):
    """So many rows of the source have the row key of another row."""

    def __init__(self, source: str, row_key: tuple[str, ...], count: int) -> None:
        super().__init__(source, row_key, count)
        self.source, self.row_key, self.count = source, row_key, count

    def __str__(self) -> str:
        return (
            f"table {self.source}: rows that have the row key ({', '.join(self.row_key)}) of another row; allowed: "
            "each row key once; deduplicate the source, or name another `row_key` in the plan"
        )


def ordered(words: Sequence[npt.NDArray[np.uint64]], table: TablePipeline) -> npt.NDArray[np.int64]:
    """The order of rows by all bits of their draws; rows with equal draws have equal row keys: refused."""
    first = words[0]
    turn = np.argsort(first, kind="stable") if len(words) == 2 else np.lexsort(tuple(reversed(words)))
    sorted_first = first[turn]
    if len(words) == 2 and (sorted_first[1:] == sorted_first[:-1]).any():
        turn = np.lexsort(tuple(reversed(words)))
    same = np.ones(max(0, len(turn) - 1), np.bool_)
    for word in words:
        line = word[turn]
        same &= line[1:] == line[:-1]
        if not same.any():
            return turn
    raise DuplicateRowKeys(table.source, table.row_key or (FILE, ROW), int(same.sum()))


def serials(words: Sequence[npt.NDArray[np.uint64]], offset: int, by_subject: bool) -> npt.NDArray[np.int64]:
    """Serial numbers of rows in order: dense from offset + 1, one for a subject where rows stand by subject."""
    count = len(words[0])
    if not by_subject:
        return np.arange(offset + 1, offset + 1 + count)
    new = np.ones(count, np.bool_)
    new[1:] = (words[0][1:] != words[0][:-1]) | (words[1][1:] != words[1][:-1])
    return np.cumsum(new) + offset


class Sink(Protocol):
    """What becomes of a bucket's finished rows: a file's description, or the rows themselves."""

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class TransformReduce:
    """One order bucket: sort by draw, serials, derived columns; then the sink. Yields its answers, and tallies."""

    work: Work
    offsets: tuple[int, ...]
    sink: Sink

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Iterator[tuple[int, bytes]]:
        counts: Tally = {}
        for kind, blob in blobs:
            if kind == COUNTS:
                add_tally(counts, unpack(blob))
        data = [blob for kind, blob in blobs if kind == DATA]
        if data:
            classed = [blob for kind, blob in blobs if kind == CLASSED]
            rows = self.finish(bucket, from_blobs(data), counts, by_group(classed))
            for out in self.sink(bucket, rows):
                yield DATA, out
        if counts:
            yield COUNTS, pack(counts)
        yield from ((MARKED, bytes(blob)) for kind, blob in blobs if kind == MARKED)

    def finish(
        self, bucket: int, rows: pa.Table, counts: Tally | None = None, classed: Sequence[pa.Table] = ()
    ) -> pa.Table:
        """The bucket's delivered rows in order, all columns; `classed` are cells that the class pass made."""
        table = self.work.table
        names = [name for name in rows.column_names if name.startswith("\x00")]
        words = [rows.column(name).to_numpy() for name in names]
        turn = ordered(words, table)
        words = [word[turn] for word in words]
        places = pa.array(turn)
        cells: dict[str, pa.Array] = {}
        for name in rows.column_names[len(names) :]:
            cells[name] = taken(rows.column(name).combine_chunks(), places)
        for group in classed:
            cells |= cells_of(group, np.stack(words[-2:], axis=1))
        ranks = pa.array(serials(words, self.offsets[bucket], len(names) > 2))
        for chain in table.chains:
            if chain.ranked:
                cells[chain.name] = _ranked(chain.steps, ranks)
                if counts is not None:
                    add_tally(counts, {(chain.name, 0): (len(ranks), 0, 0)})
        for column in table.derived:
            cells[column.name] = guarded(column.site, lambda c=column: derive(c, cells))
        return pa.Table.from_arrays([cells[c.name] for c in table.columns], schema=table.schema)


def by_group(blobs: Sequence[pa.Buffer]) -> list[pa.Table]:
    """What the class pass sent, each group of columns together."""
    found: dict[tuple[str, ...], list[pa.Table]] = {}
    for blob in blobs:
        rows = pa.ipc.open_stream(blob).read_all()
        found.setdefault(tuple(rows.column_names), []).append(rows)
    return [pa.concat_tables(rows).combine_chunks() for rows in found.values()]


def cells_of(group: pa.Table, own: Words) -> dict[str, pa.Array]:
    """A group's cells in the order of the rows, whose own draws are `own`; other rows' cells are left out."""
    names = order_names(2)
    draws = np.stack([group.column(name).to_numpy() for name in names], axis=1)
    places = pa.array(partners(own, draws))
    return {name: taken(one_chunk(group.column(name)), places) for name in group.column_names[2:]}


def _ranked(steps: Sequence[Any], ranks: pa.Array) -> pa.Array:
    values = ranks
    for step in steps:
        given = Given(step.site, ranks=ranks)
        values = guarded(step.site, lambda s=step, v=values, g=given: s.technique.apply(v, g))
    return values


@dataclass(frozen=True)
class ToBatches:
    """Sink for `Pipeline.apply`: the rows as record batches."""

    def __call__(self, bucket: int, rows: pa.Table) -> Iterator[bytes]:
        out = pa.BufferOutputStream()
        with pa.ipc.new_stream(out, rows.schema) as writer:
            writer.write_table(rows, max_chunksize=16_384)
        yield out.getvalue().to_pybytes()
