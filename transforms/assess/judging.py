"""What follows from what was measured: the checklist, the measures that items need, limits that are exceeded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transforms.assess.checklist import answered
from transforms.assess.found import Assessment, Exceeded, TableRisk
from transforms.assess.needs import measures
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.plan_risk import Risk


def judged(
    plan: Plan,
    tables: Mapping[str, TablePipeline],
    found: Sequence[TableRisk],
    run: str,
    fingerprint: str,
    period: str | None,
    threshold: int,
) -> Assessment:
    """The whole assessment: `tables` are the plan's own by name, `found` what was measured of them."""
    checklist = answered(plan, tables, found, threshold)
    return Assessment(
        run=run,
        plan=plan.plan,
        fingerprint=fingerprint,
        period=period,
        threshold=threshold,
        tables=tuple(found),
        checklist=checklist,
        measures=measures(tables, found, checklist, threshold),
        exceeded=tuple(one for table in found for one in _exceeded(plan.risk or Risk(), table)),
    )


def _exceeded(risk: Risk, table: TableRisk) -> list[Exceeded]:
    figures, released = table.figures if table.planned is None else table.planned.figures, table.released
    shares: dict[str, float] = {"held": max((one.alone for one in table.held), default=0.0)}
    if figures is not None and figures.records:
        shares["unique"] = figures.classes.unique / figures.records
        shares["marketer"] = figures.marketer
        shares["population"] = max((one.share or 0.0 for one in figures.population_models), default=0.0)
    if released is not None:
        before = released.alone if released.people_alone is None else released.people_alone
        shares["released"] = max(before, released.coming.alone if released.coming is not None else 0.0)
    return [
        Exceeded(name, table.table, most, shares[name])
        for name, most in risk.limits.limits()
        if shares.get(name, 0.0) > most
    ]
