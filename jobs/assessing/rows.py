"""The rows that a review looks at: those of the period, without people who asked to stop; columns read as needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.frames import mapped, quoted, read
from jobs.sources import Stops
from jobs.tables import Snapshot
from transforms.identifiers import stopped_subjects
from transforms.pipeline_model import TablePipeline
from transforms.predicate import Predicate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Rows:
    """A pinned source table. Each look reads the columns that it needs, besides subject and period."""

    spark: SparkSession
    snapshot: Snapshot
    table: TablePipeline
    window: Predicate | None
    stops: Stops | None

    def of_period(self, *columns: str) -> DataFrame:
        """These columns of the period's rows."""
        kept = tuple(dict.fromkeys((*columns, *sorted(self.window.columns() if self.window is not None else ()))))
        chosen = read(self.spark, self.snapshot.location, self.snapshot.version, kept)
        if self.window is None:
            return chosen
        return mapped(chosen, _Within(self.window), chosen.schema).select(*map(quoted, columns))

    def kept(self, *columns: str) -> DataFrame:
        """These columns of the rows looked at. A row without a subject stays: nobody asked for it."""
        subject = self.table.subject
        if self.stops is None or subject is None or not len(self.stops.ids):
            return self.of_period(*columns)
        frame = self.of_period(*dict.fromkeys((*columns, subject)))
        asked = stopped_subjects(self.stops.ids, self.snapshot.schema.field(subject).type)
        ids = self.spark.createDataFrame(pa.table({"stopped": asked}))
        left = frame.join(ids, frame[quoted(subject)] == ids["stopped"], "left_anti")
        return left.select(*map(quoted, columns))

    def _all(self) -> int:
        one = self.snapshot.schema.names[:1]
        return read(self.spark, self.snapshot.location, self.snapshot.version, one).count()

    def counts(self) -> Counts:
        """How many rows are looked at, and why others are not."""
        rows = self.snapshot.rows if self.snapshot.rows is not None else self._all()
        inside = rows if self.window is None else self.of_period(*self.window.columns()).count()
        subject = self.table.subject
        if self.stops is None or subject is None or not len(self.stops.ids):
            kept = inside
        else:
            kept = self.kept(subject).count()
        requests = None if self.stops is None else len(self.stops.ids)
        persons = kept if self.table.one_row_per_subject else None
        if subject is not None and persons is None:
            who = self.kept(subject)
            persons = who.where(who[quoted(subject)].isNotNull()).distinct().count()
        return Counts(rows, rows - inside, requests, inside - kept, kept, persons if subject is not None else None)


@dataclass(frozen=True)
class Counts:
    """`rows` of the table; of these `outside` the period, `stopped` of people who asked to stop (`requests` people);
    `records` are looked at, of `persons` people (None: the plan names no subject)."""

    rows: int
    outside: int
    requests: int | None
    stopped: int
    records: int
    persons: int | None


@dataclass(frozen=True)
class _Within:
    window: Predicate

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = {name: batch.column(name) for name in self.window.columns()}
            yield batch.filter(self.window.evaluate(columns))
