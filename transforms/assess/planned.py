"""A table as the plan would deliver its quasi-identifiers: for the risk that the plan's own steps leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from transforms.pipeline_model import Chain, TablePipeline


@dataclass(frozen=True)
class AsPlanned:
    """What of a table a review can run, reading no other columns than it needs; `left_out` of its rules.

    `sampled`: the plan's own sample is drawn. `left_out`: "sample" where another table's people are drawn, "outliers"
    where the rules need columns whose steps need whole classes.
    """

    table: TablePipeline
    sampled: bool
    left_out: tuple[str, ...] = ()

    def without_outliers(self) -> AsPlanned:
        """The same before its outlier rules."""
        return replace(self, table=replace(self.table, outliers=()), left_out=(*self.left_out, "outliers-failed"))


def as_planned(table: TablePipeline, quasi_identifiers: Sequence[str], subject: str | None) -> AsPlanned | None:
    """The table with its sample, row rules and outlier rules, and the steps of these columns (and of the person's).

    Columns that outlier rules read besides come along. None where rows have no key that another pass could tell them
    by, or where a step needs whole classes.
    """
    wanted = {*quasi_identifiers, *([subject] if subject is not None else [])}
    if table.row_key is None or len(_chains(table, wanted)) < len(wanted) or _any_classed(table, wanted):
        return None
    treated = wanted | {name for rule in table.outliers for name in rule.columns()}
    left_out = []
    if table.sample is not None and table.register is not None:
        left_out.append("sample")
    if table.outliers and (len(_chains(table, treated)) < len(treated) or _any_classed(table, treated)):
        left_out.append("outliers")
        treated = wanted
    whole = replace(
        table,
        columns=tuple(one for one in table.columns if isinstance(one, Chain) and one.name in treated),
        hidden=tuple(one for one in table.hidden if one.name in treated),
        outliers=() if "outliers" in left_out else table.outliers,
        sample=None if "sample" in left_out else table.sample,
        register=None,
        whole=None,
        against=(),
    )
    return AsPlanned(_narrow(whole), whole.sample is not None, tuple(left_out))


def _narrow(table: TablePipeline) -> TablePipeline:
    """The same, reading the source columns that its own parts need."""
    named = {one.name for one in table.chains}
    read = named | table.key_columns() | table.condition_columns() | table.step_columns()
    schema = pa.schema([one for one in table.source_schema if one.name in read])
    return replace(table, source_schema=schema, excluded=())


def _chains(table: TablePipeline, names: set[str]) -> list[Chain]:
    return [one for one in table.chains if one.name in names]


def _any_classed(table: TablePipeline, names: set[str]) -> bool:
    return any(one.classed for one in _chains(table, names))
