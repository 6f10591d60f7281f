"""The columnar pass of the adequacy review (적정성 검토): every delivered cell against the plan.

Chains are checked by their images, derived columns by making them again from the delivered cells, serial
numbers by the set of them. The pass knows neither source nor keys; a raw value may look plausible to it,
which is why `verify` recomputes every cell besides.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.images import Anything, Finite, Image, Written
from transforms.leftovers import SourceValues
from transforms.pipeline.derived import derive
from transforms.pipeline.engine import SparkEngine
from transforms.pipeline.feed import (
    BATCH_ROWS,
    Damaged,
    FileUnit,
    Piece,
    SourceFile,
    Unit,
    open_parquet,
    pack_units,
)
from transforms.pipeline.leftovers import Left, Look, add_left, beyond_chance, left_in, looks
from transforms.pipeline.serials import Serials
from transforms.pipeline_model import Chain, Derived, TablePipeline
from transforms.run_facts import TableFacts
from transforms.uniqueness import Counter, Sketch, Uniqueness, generalizes, merged, worth_counting

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Found:
    """What some rows showed: by delivered column the cells outside of the plan, and the nulls among these."""

    rows: int
    misfits: Counts
    stray_nulls: Counts
    serials: Serials | None = None
    sketches: Mapping[str, Sketch] = field(default_factory=dict)
    left: Left = field(default_factory=dict)

    def merge(self, other: Found) -> Found:
        serials = self.serials.merge(other.serials) if self.serials and other.serials else self.serials
        return Found(
            self.rows + other.rows,
            self.misfits + other.misfits,
            self.stray_nulls + other.stray_nulls,
            serials,
            merged(self.sketches, other.sketches),
            add_left(self.left, other.left),
        )


@dataclass(frozen=True)
class Columns:
    """How schemas differ from the delivered one: names by kind of difference, and numbers of schemas."""

    missing: frozenset[str] = frozenset()
    extra: frozenset[str] = frozenset()
    other_type: frozenset[str] = frozenset()
    reordered: int = 0
    annotated: int = 0

    def merge(self, other: Columns) -> Columns:
        return Columns(
            self.missing | other.missing,
            self.extra | other.extra,
            self.other_type | other.other_type,
            self.reordered + other.reordered,
            self.annotated + other.annotated,
        )


@dataclass(frozen=True)
class Adequacy:
    """The pass's outcome: counts alone. `misfits` and `stray_nulls` are by column, in the table's order.

    `unique` are the generalized columns whose values may be too many to be shared; the others are known to be few.
    `left` are cells by column and what is left over in them, `looked` the columns where leftovers were looked for,
    `compared` how many identifiers of the source they were held against.
    """

    rows: int
    misfits: Mapping[str, int]
    stray_nulls: Mapping[str, int]
    schema: Columns
    highest_serial: int | None = None
    unique: Mapping[str, Uniqueness] = field(default_factory=dict)
    left: Left = field(default_factory=dict)
    looked: tuple[str, ...] = ()
    compared: int = 0


def image_of(table: TablePipeline, chain: Chain, facts: TableFacts) -> Image:
    """All that a chain can put out: from every value of its source column on, step by step.

    Null is in it where a null of the source may come through, where a step makes one, and where an outlier
    rule suppressed cells of the column; so are the values that outlier rules put in. Behind a rule that makes
    text of the column, cells are texts of the values before it.
    """
    first = chain.steps[0].technique.nulls if chain.steps else "keep"
    image: Image = Anything(nullable=first != "remove")
    for number, step in enumerate(chain.steps):
        known = facts.concluded.get((chain.name, number), {})
        given = Given(site=step.site, facts=known, hierarchy=step.hierarchy)
        image = step.technique.applied_image(image, given)
    type_ = chain.cell_type
    for change in facts.rules:
        if chain.name in change.texts and not pa.types.is_string(type_):
            image, type_ = Written(nullable=image.nullable, inner=image, type=type_), pa.string()
        values = change.new_values(chain.name)
        if values is None or not change.cells:
            continue
        some = values.drop_null().cast(type_)
        if len(some):
            image = image.union(Finite(nullable=False, values=some))
        if values.null_count:
            image = image.with_null()
    return image


@dataclass(frozen=True)
class ReviewTask:
    """Counts over the row groups of a unit, as one pickled Found. It holds measured values: broadcast only."""

    schema: pa.Schema
    images: Mapping[str, Image]
    derived: tuple[Derived, ...]
    serial: str | None
    highest: int
    counted: frozenset[str] = frozenset()
    looks: tuple[Look, ...] = ()
    values: SourceValues | None = None
    places: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", {name: place for place, name in enumerate(self.schema.names)})

    def empty(self) -> Found:
        zeros = np.zeros(len(self.schema), np.int64)
        return Found(0, zeros, zeros.copy(), Serials() if self.serial is not None else None)

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        assert isinstance(unit, FileUnit)
        found = self.empty()
        for piece in unit.pieces:
            for columns, rows in _batches(piece, self.schema):
                found = found.merge(self.of(columns, rows))
        yield pickle.dumps(found)

    def of(self, cells: Mapping[str, pa.Array], rows: int) -> Found:
        """Counts of some rows; a column that `cells` lacks (missing, of another type) is misfits throughout."""
        misfits, nulls = np.full(len(self.schema), rows, np.int64), np.zeros(len(self.schema), np.int64)
        for name, image in self.images.items():
            if name in cells:
                place, array = self.places[name], cells[name]
                misfits[place] = rows - int(np.count_nonzero(image.contains(array)))
                nulls[place] = 0 if image.nullable else array.null_count
        for column in self.derived:
            if column.name in cells and all(name in cells for name in column.inputs):
                misfits[self.places[column.name]] = _differences(column, cells)
        serials = Serials() if self.serial is not None else None
        if self.serial is not None and self.serial in cells:
            place = self.places[self.serial]
            serials, misfits[place] = Serials.of(cells[self.serial], self.highest)
            nulls[place] = cells[self.serial].null_count
        counter = Counter()
        sketches = {name: counter.sketch(cells[name]) for name in sorted(self.counted & cells.keys())}
        return Found(rows, misfits, nulls, serials, sketches, left_in(cells, self.looks, self.values))


def _batches(piece: Piece, schema: pa.Schema) -> Iterator[tuple[dict[str, pa.Array], int]]:
    """A row group's columns as they stand in the file, those alone that have their name and type once."""
    try:
        with open_parquet(piece.file) as file:
            stored = file.schema_arrow
            sound = [f.name for f in schema if _type_of(stored, f.name) == f.type]
            if not sound:
                yield {}, piece.rows
                return
            for batch in file.iter_batches(
                batch_size=BATCH_ROWS, row_groups=[piece.row_group], columns=sound, use_threads=False
            ):
                yield {column: batch.column(column) for column in sound}, batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise Damaged(piece.file.name, type(error).__name__) from None


def _type_of(stored: pa.Schema, name: str) -> pa.DataType | None:
    """A column's type in a file; None where the file has it not, or more than once."""
    place = stored.get_field_index(name)
    return stored.field(place).type if place >= 0 else None


def _differences(column: Derived, cells: Mapping[str, pa.Array]) -> int:
    """Cells of a derived column that its inputs do not give."""
    stored = cells[column.name]
    try:
        made = derive(column, cells)
    except CellsRefused:
        return len(stored)
    same = pc.fill_null(pc.equal(made, stored), False)
    right: int = pc.or_(same, pc.and_(made.is_null(), stored.is_null())).true_count
    return len(stored) - right


def file_columns(files: Sequence[SourceFile], schema: pa.Schema) -> Columns:
    """Every file's own schema against the delivered one. Errors: Damaged."""

    def of(file: SourceFile) -> Columns:
        try:
            with open_parquet(file) as parquet:
                return compare(parquet.schema_arrow, schema, bool(parquet.metadata.metadata))
        except (pa.ArrowException, OSError) as error:
            raise Damaged(file.name, type(error).__name__) from None

    with ThreadPoolExecutor(8) as pool:
        return reduce(Columns.merge, pool.map(of, files), Columns())


def frame_schema(frame: Any) -> pa.Schema:
    """A Spark DataFrame's schema in Arrow's types; a type that Arrow has not counts as null."""
    from pyspark.errors import PySparkTypeError
    from pyspark.sql.pandas.types import to_arrow_type

    fields = []
    for field_ in frame.schema:
        try:
            fields.append(pa.field(field_.name, to_arrow_type(field_.dataType, timezone="UTC")))
        except PySparkTypeError:
            fields.append(pa.field(field_.name, pa.null()))
    return pa.schema(fields)


def compare(stored: pa.Schema, schema: pa.Schema, annotated: bool = False) -> Columns:
    """How a stored schema differs from the delivered one; `annotated`: it carries metadata."""
    names = set(stored.names)
    twice = {name for name in names if stored.names.count(name) > 1}
    return Columns(
        missing=frozenset(set(schema.names) - names),
        extra=frozenset((names - set(schema.names)) | twice),
        other_type=frozenset(f.name for f in schema if _type_of(stored, f.name) not in (None, f.type)),
        reordered=int(names == set(schema.names) and stored.names != schema.names),
        annotated=int(annotated),
    )


def make_task(table: TablePipeline, facts: TableFacts, values: SourceValues | None = None) -> ReviewTask:
    """The pass over one staged table."""
    delivered = [chain for chain in table.columns if isinstance(chain, Chain)]
    ranked = [chain.name for chain in delivered if chain.ranked]
    images = {chain.name: image_of(table, chain, facts) for chain in delivered if not chain.ranked}
    return ReviewTask(
        table.schema,
        images,
        table.derived,
        ranked[0] if ranked else None,
        facts.delivered,
        frozenset(
            chain.name
            for chain in delivered
            if generalizes(chain) and worth_counting(images[chain.name], facts.delivered, table.unique_values)
        ),
        looks(table, images),
        values,
    )


def one_serial_a_row(table: TablePipeline) -> bool:
    """Does each row have a serial number of its own, or all rows of a subject the same?"""
    return table.one_row_per_subject or not table.by_subject


def adequacy(
    table: TablePipeline,
    facts: TableFacts,
    spark: Any,
    files: Sequence[SourceFile],
    label: str,
    values: SourceValues | None = None,
) -> Adequacy:
    """One columnar pass over the staged files of a table: `files` as their log lists them.

    Errors: Damaged, PassFailed (with sites), PermissionError without Spark's encryption.
    """
    task = make_task(table, facts, values)
    columns = file_columns(files, table.schema)
    units = pack_units(files, table.schema, spark.sparkContext.defaultParallelism)
    blobs = SparkEngine(spark, units, label=label).each(task, "adequacy of every cell")
    found = reduce(Found.merge, (pickle.loads(blob) for blob in blobs), task.empty())  # noqa: S301 - our own tasks
    return conclude(table, task, found, columns)


def conclude(table: TablePipeline, task: ReviewTask, found: Found, columns: Columns) -> Adequacy:
    """What the counts of all units say together: serials are judged as one set."""
    misfits = dict(zip(task.schema.names, found.misfits.tolist(), strict=True))
    nulls = dict(zip(task.schema.names, found.stray_nulls.tolist(), strict=True))
    highest = None
    if task.serial is not None and found.serials is not None:
        highest = found.serials.highest
        end = task.highest if one_serial_a_row(table) else highest
        misfits[task.serial] += found.serials.missing(end)
        if one_serial_a_row(table):
            misfits[task.serial] += found.serials.repeated
    unique = {name: sketch.conclude() for name, sketch in found.sketches.items()}
    return Adequacy(
        found.rows,
        misfits,
        nulls,
        columns,
        highest,
        unique,
        beyond_chance(found.left, table.name, task.values),
        tuple(look.column for look in task.looks),
        len(task.values.hashes) if task.values is not None else 0,
    )


__all__ = [
    "Adequacy",
    "Columns",
    "Found",
    "ReviewTask",
    "adequacy",
    "compare",
    "conclude",
    "frame_schema",
    "image_of",
    "make_task",
    "one_serial_a_row",
]
