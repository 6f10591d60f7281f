"""The classes of a table (동질집합): the one grouping on which all measures of disclosure risk are computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels.codes import Codes, combined, numbered, ranked, summed
from transforms.measures.groups import (
    Column,
    Groups,
    Pairs,
    groups_of,
    joined,
    merged,
    pack,
    parted,
    persons,
    unpack,
)
from transforms.pipeline.quiet import quietly

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

Places = npt.NDArray[np.int32]

# A task groups so many rows at a time, and adds up what it has when that has doubled.
TOGETHER = 1 << 18
ENOUGH = 1 << 20
# Each task hands a piece to each part, so their number must not grow with a large cluster.
MOST_PARTS = 128


@dataclass(frozen=True)
class Values:
    """A sensitive column by class: the pairs of a class and a value that stand in the table, in ascending order.

    `values` are the column's distinct values, ascending, null last (Arrow); `classes` and `places` (n int64, n int32)
    name each pair's class and value; `counts` (n int64) how often it stands; `totals` how often each value does in
    the whole table.
    """

    values: pa.Array
    classes: Codes
    places: Places
    counts: Codes
    totals: Codes


@dataclass(frozen=True)
class ClassTable:
    """All classes of equal quasi-identifiers, in ascending order of their values.

    `values` are each column's distinct values, ascending, null last (Arrow); `codes` a place among them for each
    class (n int32); `sizes` (n int64) rows of each class, or distinct persons where these were counted; `rows` all
    rows. `sensitive` are the sensitive columns. Held in memory: some 30 bytes a class and 20 a pair.
    """

    columns: tuple[str, ...]
    values: Mapping[str, pa.Array]
    codes: Mapping[str, Places]
    sizes: Codes
    sensitive: Mapping[str, Values]
    rows: int
    by_person: bool = False

    def __len__(self) -> int:
        """Number of classes."""
        return len(self.sizes)

    def null_code(self, column: str) -> int | None:
        """The place of null among a column's values; None where it has none."""
        values = self.values[column]
        return len(values) - 1 if values.null_count else None

    def numbered(self, columns: Sequence[str]) -> tuple[Codes, int]:
        """Each class's group (0 … n - 1) among those that are equal in some of the columns, and n."""
        chosen = [self.codes[name].astype(np.int64) for name in columns]
        whole, bound = combined(chosen, [len(self.values[name]) for name in columns], len(self))
        groups, first = numbered(whole, bound)
        return groups, len(first)

    def sizes_over(self, columns: Sequence[str]) -> Codes:
        """Sizes of the coarser classes over some of the columns. ValueError where persons were counted: one may
        stand in several classes."""
        if self.by_person and set(columns) != set(self.columns):
            raise ValueError("sizes in persons over fewer columns; allowed: a class table of these columns")
        groups, count = self.numbered(columns)
        return summed(groups, self.sizes, count)


def class_table(
    frame: DataFrame, quasi_identifiers: Sequence[str], sensitive: Sequence[str] = (), subject: str | None = None
) -> ClassTable:
    """The classes of equal quasi-identifiers with their sizes, and the values of sensitive columns in them.

    One pass over the frame: tasks count combinations columnar, which then meet by a hash of the class; the driver
    holds each distinct one once. Sizes are rows, or, with `subject`, distinct values of that column: a person counts
    once in each class and once for each value in it. Null is a value of its own (a null subject is nobody); NaN equals
    NaN, -0.0 is 0.0. No quasi-identifier: all rows are one class. ValueError for columns that `frame` lacks, that are
    named twice, or that hold lists, maps or structs.
    """
    columns = _columns(frame, quasi_identifiers, sensitive, subject)
    parts = min(MOST_PARTS, max(1, frame.sparkSession.sparkContext.defaultParallelism))
    keys, with_subject = len(quasi_identifiers), subject is not None

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        state = _counted(batches, keys + with_subject)
        if state is not None:
            for part, mine in parted(state, keys, parts):
                if len(mine.counts):
                    yield _row(part, int(mine.counts.sum()), mine)

    def meet(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        boxes: dict[int, list[Groups]] = {}
        for batch in batches:
            for part, blob in zip(batch.column(0).to_pylist(), batch.column("state").to_pylist(), strict=True):
                boxes.setdefault(part, []).append(unpack(blob))
        for part in sorted(boxes):
            state = merged(boxes.pop(part))
            yield _row(part, int(state.counts.sum()), persons(state) if with_subject else state)

    chosen = frame.select(*columns).toDF(*(f"c{place}" for place in range(len(columns))))
    counted = chosen.mapInArrow(quietly(count), _ROW).repartitionById(parts, "part")
    found = counted.mapInArrow(quietly(meet), _ROW).toArrow()
    states = [unpack(blob) for blob in found["state"].to_pylist()]
    rows = sum(found["rows"].to_pylist())
    return _table(tuple(quasi_identifiers), tuple(sensitive), states, rows, with_subject)


def class_table_of(
    table: pa.Table, quasi_identifiers: Sequence[str], sensitive: Sequence[str] = (), subject: str | None = None
) -> ClassTable:
    """The same of an Arrow table, in this process and without Spark: for small data."""
    names = [*quasi_identifiers, *([subject] if subject is not None else []), *sensitive]
    _check(names, table.column_names)
    batches = table.select(names).combine_chunks().to_batches() if names else []
    if not names and table.num_rows:
        batches = [pa.record_batch([pa.nulls(table.num_rows)], names=["rows"])]
    state = _counted(iter(batches), len(quasi_identifiers) + (subject is not None))
    states = [] if state is None else [persons(state) if subject is not None else state]
    return _table(tuple(quasi_identifiers), tuple(sensitive), states, table.num_rows, subject is not None)


_ROW = "part int, rows long, state binary"
_ROW_SCHEMA = pa.schema([("part", pa.int32()), ("rows", pa.int64()), ("state", pa.binary())])


def _row(part: int, rows: int, state: Groups) -> pa.RecordBatch:
    arrays = [pa.array([part], pa.int32()), pa.array([rows]), pa.array([pack(state)], pa.binary())]
    return pa.RecordBatch.from_arrays(arrays, schema=_ROW_SCHEMA)


def _columns(
    frame: DataFrame, quasi_identifiers: Sequence[str], sensitive: Sequence[str], subject: str | None
) -> list[SparkColumn]:
    from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it
    from pyspark.sql.types import ArrayType, MapType, NullType, StructType, VariantType

    names = [*quasi_identifiers, *([subject] if subject is not None else []), *sensitive]
    _check(names, frame.columns)
    types = {name: frame.schema[name].dataType for name in names}
    nested = [name for name, type_ in types.items() if isinstance(type_, (ArrayType, MapType, StructType, VariantType))]
    if nested:
        raise ValueError(f"nested columns {', '.join(nested)}; allowed: columns of single values")
    if not names:
        return [F.lit(None).cast("string")]
    # a column of nothing but null has a type that Spark can't hand on
    return [
        F.lit(None).cast("string") if isinstance(types[name], NullType) else frame["`" + name.replace("`", "``") + "`"]
        for name in names
    ]


def _check(names: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in names if name not in columns]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1 or columns.count(name) > 1]
    if missing:
        raise ValueError(f"columns {', '.join(missing)}; allowed: columns of the frame: {', '.join(columns)}")
    if twice:
        raise ValueError(f"columns {', '.join(twice)} twice; allowed: each column once, in one role")


def _counted(batches: Iterator[pa.RecordBatch], keys: int) -> Groups | None:
    """The groups of all rows. Columns behind the first `keys` are sensitive, unless there is no key at all."""
    state: list[Groups] = []
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        if batch.num_rows:
            waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= TOGETHER:
            state = _added(state, waiting, keys)
            waiting = []
    if waiting:
        state = _added(state, waiting, keys)
    return merged(state) if state else None


def _added(state: list[Groups], waiting: list[pa.RecordBatch], keys: int) -> list[Groups]:
    whole = pa.Table.from_batches(waiting).combine_chunks().to_batches()
    state = [*state, *(groups_of(batch, keys) for batch in whole)]
    if sum(one.size for one in state[1:]) > max(ENOUGH, state[0].size):
        return [merged(state)]
    return state


def _table(
    quasi_identifiers: tuple[str, ...], sensitive: tuple[str, ...], states: list[Groups], rows: int, by_person: bool
) -> ClassTable:
    """States of disjoint classes as one table in a fixed order, whatever the partitioning was."""
    none = Column(pa.nulls(0), np.zeros(0, np.int64))
    empty = Groups(
        tuple(none for _ in quasi_identifiers),
        none.codes,
        tuple(Pairs(none, none.codes, none.codes) for _ in sensitive),
    )
    whole = joined(states) if states else empty
    keys = [_ascending(column) for column in whole.keys]
    number, bound = combined([one.codes for one in keys], [len(one.values) for one in keys], len(whole.counts))
    order = np.argsort(number, kind="stable") if bound > 1 else np.arange(len(whole.counts))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return ClassTable(
        quasi_identifiers,
        {name: one.values for name, one in zip(quasi_identifiers, keys, strict=True)},
        {name: one.codes[order].astype(np.int32) for name, one in zip(quasi_identifiers, keys, strict=True)},
        whole.counts[order],
        {name: _values(one, place) for name, one in zip(sensitive, whole.pairs[: len(sensitive)], strict=True)},
        rows,
        by_person,
    )


def _values(pairs: Pairs, place: Codes) -> Values:
    value = _ascending(pairs.value)
    there = np.flatnonzero(pairs.counts)
    classes, places, counts = place[pairs.group[there]], value.codes[there], pairs.counts[there]
    order = np.lexsort((places, classes))
    totals = summed(places, counts, len(value.values))
    held = totals > 0  # a value that nobody has (its rows' subjects are null) is no value of the table
    places = (np.cumsum(held) - 1)[places]
    values = value.values.filter(pa.array(held))
    return Values(values, classes[order], places[order].astype(np.int32), counts[order], totals[held])


def _ascending(column: Column) -> Column:
    values, ranks = ranked(column.values)
    return Column(values, ranks[column.codes])


__all__ = ["ClassTable", "Values", "class_table", "class_table_of"]
