"""Risk of a large table: its classes in one pass, then each subset of quasi-identifiers in a task of its own."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from pyspark.sql import DataFrame

from transforms.measures.class_table import ClassTable, class_table
from transforms.measures.risk_tasks import Places, RiskTask
from transforms.pipeline.engine import InBand
from transforms.risk.combinations import Combinations
from transforms.risk.figures import RiskFigures
from transforms.risk.keys import narrow
from transforms.risk.review import risk_figures
from transforms.risk.subsets import Surveyed, Surveyor


def risk(
    frame: DataFrame,
    quasi_identifiers: Sequence[str],
    *,
    threshold: int,
    subject: str | None = None,
    wildcards: Collection[str] = (),
    population: int | None = None,
    subset_size: int = 3,
) -> RiskFigures:
    """All risk figures of a table (식별 위험성): `transforms.risk.risk_figures`, for tables of millions.

    One pass makes the classes; the driver holds a code a cell of each distinct combination (a byte for most columns).
    Then tasks look at one subset of quasi-identifiers each, the codes in a broadcast. `subject` names the person
    behind a row: where a person stands in several classes, frequencies count distinct persons, and wildcards are
    refused. Everything else as `risk_figures` says. ValueError for columns that `frame` lacks.
    """
    given = combinations_of(frame, quasi_identifiers, subject)
    with spark_surveyor(frame, given, threshold, wildcards) as surveyor:
        return risk_figures(
            given,
            threshold=threshold,
            unit="rows" if subject is None else "subjects",
            wildcards=wildcards,
            population=population,
            subset_size=subset_size,
            surveyor=surveyor,
        )


def combinations_of(frame: DataFrame, quasi_identifiers: Sequence[str], subject: str | None = None) -> Combinations:
    """The distinct combinations of a frame's quasi-identifiers, as codes. Rows whose subject is null drop out.

    With `subject`, persons who stand in several classes are told apart from those who don't by one more count.
    """
    table = class_table(frame, quasi_identifiers, subject=subject)
    if subject is None:
        return from_class_table(table)
    who = frame["`" + subject.replace("`", "``") + "`"]
    people = frame.select(who).where(who.isNotNull()).distinct().count()
    if int(table.sizes.sum()) == people:
        return from_class_table(table)
    return from_class_table(class_table(frame, [*quasi_identifiers, subject]), person=subject)


def from_class_table(table: ClassTable, person: str | None = None) -> Combinations:
    """The same without the values. `person`: the column of the table that tells persons apart (null is nobody)."""
    names = tuple(name for name in table.columns if name != person)
    kept = table.sizes > 0
    if person is not None and (nobody := table.null_code(person)) is not None:
        kept &= table.codes[person] != nobody
    sizes = tuple(len(table.values[name]) for name in names)
    counts = table.sizes[kept]
    return Combinations(
        names,
        tuple(narrow(table.codes[name][kept], size) for name, size in zip(names, sizes, strict=True)),
        sizes,
        tuple(table.null_code(name) for name in names),
        counts if person is None else np.ones(len(counts), np.int64),
        persons=None if person is None else table.codes[person][kept].astype(np.int64),
    )


@contextmanager
def spark_surveyor(
    frame: DataFrame, given: Combinations, threshold: int, wildcards: Collection[str] = ()
) -> Iterator[Surveyor]:
    """Looks at subsets in Spark's tasks, a subset a task. The broadcast of codes ends with the context."""
    context = frame.sparkSession.sparkContext
    held = context.broadcast(InBand(given))
    task = RiskTask(held, threshold, tuple(wildcards))

    def surveyor(subsets: Sequence[Places]) -> Iterator[Surveyed]:
        # those of most possible combinations take longest: they start first
        order = sorted(subsets, key=lambda places: -float(np.prod([given.sizes[place] for place in places])))
        for places, figures, bits in context.parallelize(order, max(len(order), 1)).map(task).collect():
            yield Surveyed(places, figures, np.frombuffer(zlib.decompress(bits), np.uint8))

    try:
        yield surveyor
    finally:
        held.destroy()


__all__ = ["combinations_of", "from_class_table", "risk", "spark_surveyor"]
