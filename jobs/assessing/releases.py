"""The cumulative union of what the same recipient was given of the same source before (반복 제공, L418)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from jobs.environment import Environment
from jobs.frames import quoted, read
from jobs.run_plan import load_compiled
from jobs.runs import PERIOD_COLUMN, RunFolder, list_runs
from jobs.storage import Location
from jobs.tables import exists, pinned
from transforms.assess.found import ComingRisk, ReleasedRisk
from transforms.measures.class_table import class_table
from transforms.pipeline_model import Chain, TablePipeline

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession


@dataclass(frozen=True)
class Release:
    """One published table of an earlier run: where it stands, its period, its columns that tell people apart."""

    run: str
    place: Location
    period: str | None
    quasi_identifiers: tuple[str, ...]
    pseudonyms: tuple[tuple[str, str], ...]


def earlier_releases(environment: Environment, source: str, recipient: str, run: str) -> list[Release]:
    """The published tables that came from `source` and went to `recipient`, the oldest first; without `run`'s own."""
    found = []
    for name in list_runs(environment):
        folder = RunFolder(environment, name)
        if name == run or not folder.release.exists() or folder.read("release.json").get("state") != "published":
            continue
        record = folder.load_record()
        if record.recipient != recipient or source not in {one.table for one in record.sources.values()}:
            continue
        pipeline = load_compiled(folder)
        for staged in record.tables:
            table = pipeline.tables.get(staged.name)
            place = folder.published(record, staged.name)
            if table is not None and table.source == source and exists(place):
                stable = tuple(sorted(_stable(table)))
                found.append(Release(name, place, record.period, table.quasi_identifiers, stable))
    return found


def _stable(table: TablePipeline) -> list[tuple[str, str]]:
    """Columns whose pseudonyms stay the same from run to run, each with what it is the same over."""
    found = []
    for column in table.columns:
        if isinstance(column, Chain) and column.name == table.subject:
            uses = [(column.domain, column.stable_over)]
            keys = [step.technique.key_use() for step in column.steps]
            uses += [(key.domain or column.domain, key.stable_over) for key in keys if key is not None]
            found += [(column.name, f"{domain}/{over}") for domain, over in uses if over is not None]
    return found


def released_risk(
    spark: SparkSession, releases: Sequence[Release], coming: tuple[DataFrame, Sequence[str]] | None = None
) -> ReleasedRisk | None:
    """How the union of releases tells people apart; None where there is none, or no quasi-identifier in all of them.

    `coming`: what the plan would deliver now, and its quasi-identifiers.
    """
    if not releases:
        return None
    first = releases[0]
    shared = [name for name in first.quasi_identifiers if all(name in one.quasi_identifiers for one in releases)]
    if not shared:
        return None
    links = [name for name, over in first.pseudonyms if all((name, over) in one.pseudonyms for one in releases)]
    linked = links[0] if links else None
    union = reduce(_together, [_rows(spark, one, shared, linked) for one in releases])
    rows, k, alone = _classes(union, shared)
    return ReleasedRisk(
        runs=tuple(dict.fromkeys(one.run for one in releases)),
        columns=tuple(shared),
        rows=rows,
        k=k,
        alone=alone,
        linked=linked,
        people_alone=None if linked is None else _people_alone(union, shared, linked),
        coming=None if coming is None else _with_coming(union, shared, *coming),
    )


def _with_coming(
    union: DataFrame, shared: Sequence[str], frame: DataFrame, quasi_identifiers: Sequence[str]
) -> ComingRisk | None:
    """Releases and the coming one, by the columns that all of them have."""
    both = [name for name in shared if name in quasi_identifiers]
    if not both:
        return None
    rows, k, alone = _classes(union.select(*map(quoted, both)).unionByName(frame.select(_texts(both))), both)
    return ComingRisk(tuple(both), rows, k, alone)


def _classes(frame: DataFrame, columns: Sequence[str]) -> tuple[int, int, float]:
    """Rows, the smallest class, and the share of rows alone in theirs."""
    classes = class_table(frame, columns)
    alone = int(classes.sizes[classes.sizes == 1].sum())
    return classes.rows, int(classes.sizes.min(initial=classes.rows)), alone / classes.rows if classes.rows else 0.0


def _rows(spark: SparkSession, release: Release, shared: Sequence[str], linked: str | None) -> DataFrame:
    """A release's rows as texts, with the release's name: the same value in two releases is the same text."""
    from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it

    snapshot = pinned(release.place)
    wanted = [*shared, *([linked] if linked is not None else [])]
    period = release.period if PERIOD_COLUMN in snapshot.schema.names else None
    needed = list(dict.fromkeys([*wanted, *([PERIOD_COLUMN] if period is not None else [])]))
    frame = read(spark, snapshot.location, snapshot.version, needed)
    if period is not None:
        frame = frame.where(F.col(PERIOD_COLUMN) == period)
    return frame.select(_texts(wanted)).withColumn("release of", F.lit(release.run))


def _texts(names: Sequence[str]) -> list[Column]:
    """Columns as texts."""
    from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it

    return [F.col(quoted(name)).cast("string").alias(name) for name in names]


def _together(one: DataFrame, other: DataFrame) -> DataFrame:
    return one.unionByName(other)


def _people_alone(union: DataFrame, shared: Sequence[str], linked: str) -> float:
    """The share of persons whose rows in all releases together nobody else has."""
    from pyspark.sql import functions as F  # noqa: N812 - as everyone calls it

    row = F.struct("`release of`", *map(quoted, shared))
    people = union.where(F.col(quoted(linked)).isNotNull()).groupBy(F.col(quoted(linked)))
    seen = people.agg(F.sort_array(F.collect_list(row)).alias("seen"))
    sizes = seen.groupBy("seen").count()
    told = sizes.agg(F.sum("count").alias("all"), F.sum(F.when(F.col("count") == 1, 1).otherwise(0)).alias("alone"))
    (one,) = told.collect()
    return (one["alone"] or 0) / one["all"] if one["all"] else 0.0
