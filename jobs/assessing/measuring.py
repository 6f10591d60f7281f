"""What is measured of one source table: counts, columns, classes, sensitive columns, links, earlier releases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.assessing.held import held_risk
from jobs.assessing.releases import Release, released_risk
from jobs.assessing.rows import Counts, Rows
from jobs.errors import BadInput
from jobs.frames import mapped
from jobs.progress import Progress
from jobs.session import watched
from jobs.tables import Snapshot
from transforms.assess.columns import column_risk
from transforms.assess.found import ColumnRisk, PlannedRisk, SensitiveRisk, TableRisk
from transforms.assess.planned import as_planned
from transforms.assess.scan import ScanTask, scanned
from transforms.errors import DataRefused
from transforms.identity.legal import Unmarked
from transforms.measures import risk as risk_of
from transforms.measures.disclosure import disclosure
from transforms.pipeline.apply import apply_frame
from transforms.pipeline.engine import PassFailed
from transforms.pipeline_model import Chain
from transforms.plan import Plan
from transforms.plan_risk import Held, Risk
from transforms.risk.figures import RiskFigures
from transforms.run_keys import RunKeys

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Look:
    """One table to look at, and how."""

    rows: Rows
    risk: Risk
    threshold: int
    plan: Plan
    keys: RunKeys
    held: Sequence[tuple[Held, Snapshot]]
    releases: Sequence[Release]
    unmarked: tuple[Unmarked, ...]
    progress: Progress

    @property
    def name(self) -> str:
        return self.rows.table.name

    @property
    def chains(self) -> tuple[Chain, ...]:
        """The delivered columns that come from source columns."""
        return tuple(one for one in self.rows.table.columns if isinstance(one, Chain))

    @property
    def quasi_identifiers(self) -> tuple[str, ...]:
        """Those that `risk.columns` names, else those of the rules."""
        names = [one.name for one in self.chains]
        if self.risk.columns is not None:
            return tuple(name for name in self.risk.columns if name in names)
        return tuple(one.name for one in self.chains if one.rule.kind == "quasi-identifier")


def table_risk(look: Look) -> TableRisk:
    """Everything about one table, each part in passes over the columns that it needs."""
    rows = look.rows
    with watched(rows.spark, look.progress, f"assess {look.name}: rows"):
        counts = rows.counts()
    with watched(rows.spark, look.progress, f"assess {look.name}: columns"):
        columns = _columns(look)
    with watched(rows.spark, look.progress, f"assess {look.name}: combinations"):
        figures = _figures(look, counts)
        sensitive = _sensitive(look, counts)
    with watched(rows.spark, look.progress, f"assess {look.name}: combinations as planned"):
        planned = _planned(look, figures)
    with watched(rows.spark, look.progress, f"assess {look.name}: links"):
        held = tuple(held_risk(rows, one, snapshot) for one, snapshot in look.held)
    with watched(rows.spark, look.progress, f"assess {look.name}: earlier releases"):
        coming = (planned[1], look.quasi_identifiers) if planned is not None else None
        released = released_risk(rows.spark, look.releases, coming)
    return TableRisk(
        table=look.name,
        source=rows.table.source,
        version=rows.snapshot.version,
        rows=counts.rows,
        outside=counts.outside,
        requests=counts.requests,
        stopped=counts.stopped,
        records=counts.records,
        persons=counts.persons,
        columns=columns,
        unmarked=look.unmarked,
        figures=figures,
        planned=planned[0] if planned is not None else None,
        sensitive=sensitive,
        held=held,
        released=released,
    )


def _columns(look: Look) -> tuple[ColumnRisk, ...]:
    names = tuple(one.name for one in look.chains)
    if not names:
        return ()
    frame = look.rows.kept(*names)
    blobs = mapped(frame, ScanTask(names), "state binary").toArrow()["state"].to_pylist()
    schema = pa.schema([pa.field(one.name, one.source_type) for one in look.chains])
    found = scanned(schema, blobs, look.threshold)
    return tuple(column_risk(one, found[one.name]) for one in look.chains)


def _subject(look: Look) -> str | None:
    """Who a record is, where one person may have several rows."""
    table = look.rows.table
    return None if table.one_row_per_subject or table.subject in look.quasi_identifiers else table.subject


def _wildcards(look: Look) -> tuple[str, ...]:
    return tuple(name for name in look.quasi_identifiers if look.risk.nulls.get(name) == "wildcard")


def _figures(look: Look, counts: Counts) -> RiskFigures | None:
    """Records are rows; people, where the plan names who they are and one person may have several rows."""
    chosen, subject = look.quasi_identifiers, _subject(look)
    if not chosen or not counts.records:
        return None
    counted = counts.persons if subject is not None and counts.persons is not None else counts.records
    population = look.risk.population.persons(counted) if look.risk.population is not None else None
    try:
        return risk_of(
            look.rows.kept(*chosen, *([subject] if subject is not None else [])),
            chosen,
            threshold=look.threshold,
            subject=subject,
            wildcards=_wildcards(look),
            population=population,
            subset_size=min(look.risk.subsets, len(chosen)),
        )
    except ValueError as error:
        raise BadInput(f"table {look.name}: {error}") from None


def _planned(look: Look, before: RiskFigures | None) -> tuple[PlannedRisk, DataFrame] | None:
    """The same of what the plan would deliver, and that; None where only the run itself can tell."""
    asked = as_planned(look.rows.table, look.quasi_identifiers, _subject(look)) if before is not None else None
    if before is None or asked is None:
        return None
    ways = [asked, asked.without_outliers()] if asked.table.outliers else [asked]
    for way in ways:
        try:
            frame = apply_frame(way.table, look.plan, look.rows.kept(*way.table.source_schema.names), look.keys, None)
            figures = risk_of(
                frame,
                look.quasi_identifiers,
                threshold=look.threshold,
                subject=_subject(look),
                wildcards=_wildcards(look),
                population=before.population,
                subset_size=min(look.risk.subsets, len(look.quasi_identifiers)),
            )
            return PlannedRisk(figures, way.sampled, way.left_out), frame
        except (PassFailed, DataRefused):
            continue  # what is wrong with the cells is told by pseudonymize, which fails for it
    return None


def _sensitive(look: Look, counts: Counts) -> tuple[SensitiveRisk, ...]:
    """The columns of kind sensitive in the classes of quasi-identifiers."""
    chosen, subject = look.quasi_identifiers, _subject(look)
    columns = tuple(one.name for one in look.chains if one.rule.kind == "sensitive" and one.name not in chosen)
    if not columns or not chosen or not counts.records:
        return ()
    needed = (*chosen, *columns, *([subject] if subject is not None else []))
    found = disclosure(look.rows.kept(*needed), chosen, columns, subject, _wildcards(look))
    return tuple(
        SensitiveRisk(
            name, one.l, one.entropy_l, _finite(one.c), one.alpha, one.t, _finite(one.beta), _finite(one.enhanced_beta),
            _finite(one.delta),
        )
        for name, one in found.columns.items()
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
