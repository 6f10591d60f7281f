"""The aggregate tables that `further` asks for, checked against the columns that they count and add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

import pyarrow as pa

from transforms.aggregates import LARGEST, Aggregate, declared
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import Plan
from transforms.techniques.privacy import DifferentialPrivacy
from transforms.yaml_nodes import path_text


def aggregates(
    plan: Plan, wholes: Mapping[str, TablePipeline], tables: Mapping[str, TablePipeline]
) -> tuple[dict[str, Aggregate], list[Problem]]:
    """The aggregate tables of `wholes` by name, beside the delivered `tables`; and every problem (without lines)."""
    found: dict[str, Aggregate] = {}
    problems: list[Problem] = []
    for name, whole in wholes.items():
        single = plan.source is not None
        above = () if single else ("tables", name)
        for key, entry in (plan.further if single else plan.tables[name].further).items():
            if not isinstance(entry, DifferentialPrivacy):
                continue
            path = path_text((*above, "further", key, entry.name))
            if key in found or key in tables:
                problems.append(Problem(path, f"a further table {key!r}", "a name that no other table has"))
            wrong = list(_problems(plan, whole, entry, path))
            problems += wrong
            if not wrong:
                found[key] = Aggregate(key, whole, entry, path)
    if plan.output.records == "withheld" and not found and not problems:
        hint = "an entry of `further` with differential-privacy"
        problems.append(Problem("output.records", "withheld, and nothing else to deliver", "an aggregate", hint=hint))
    return found, problems


def _problems(plan: Plan, table: TablePipeline, entry: DifferentialPrivacy, path: str) -> Iterator[Problem]:
    if plan.sample is not None:
        yield Problem(
            path,
            "differential privacy beside a sample: whether one person is drawn depends on others",
            "a plan without `sample`",
            refused=True,
        )
    if table.subject is None:
        allowed = "`subject`, the column that names persons"
        yield Problem(path, "no subject: a person's part can't be bounded", allowed, refused=True)
    columns = {column.name: column for column in table.columns}
    types = {chain.name: chain.cell_type for chain in table.chains}
    for name, values in entry.by.items():
        yield from _usable(columns, name, f"{path}.by.{name}")
        type_ = types.get(name, pa.null())
        if pa.types.is_floating(type_):
            yield Problem(f"{path}.by.{name}", f"groups by a column of type {type_}", "columns with exact values")
        elif name in types and not _fits(values, type_):
            yield Problem(f"{path}.by.{name}", f"values that are no {type_}", f"the delivered values, of type {type_}")
    for name, query in entry.queries.items():
        if query.column is None:
            continue
        place = f"{path}.queries.{name}.{query.kind}"
        yield from _usable(columns, query.column, place)
        type_ = types.get(query.column, pa.int64())
        if not (pa.types.is_signed_integer(type_) or pa.types.is_decimal(type_)):
            hint = "noise is added to whole numbers: deliver the column as decimals or whole numbers"
            yield Problem(place, f"column of type {type_}", "whole numbers or decimals", hint=hint)
            continue
        scale = type_.scale if pa.types.is_decimal(type_) else 0
        ends = (*(query.bounds or ()), *(query.edges or ()))
        if any(abs(Decimal(end).scaleb(scale)) >= LARGEST // 4 for end in ends):
            yield Problem(f"{path}.queries.{name}", "numbers beyond 2^60", "smaller bounds and edges")
    names = [*entry.by, *_output_names(entry)]
    for twice in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(f"{path}.queries", f"two columns {twice!r}", "names that differ")


def _output_names(entry: DifferentialPrivacy) -> Iterator[str]:
    for name, query in entry.queries.items():
        if query.edges is None:
            yield name
        else:
            yield from (f"{name}_{bin_}" for bin_ in range(1, len(query.edges) + 2))


def _usable(columns: Mapping[str, object], name: str, path: str) -> Iterator[Problem]:
    """Cells that depend on one row alone: else one person's row could change another's cell."""
    column = columns.get(name)
    if not isinstance(column, Chain) or column.ranked:
        hint = did_you_mean(name, columns) if column is None else None
        yield Problem(path, f"{name!r}", "a delivered column that is neither derived nor a serial number", hint=hint)
        return
    for step in column.steps:
        if step.facts or step.class_facts or step.technique.whole_classes:
            yield Problem(
                path,
                f"column {name!r}, whose step {step.technique.name} is measured on all rows: it is not private",
                "columns whose steps look at one row alone, such as top-coding with `at`",
                refused=True,
            )


def _fits(values: tuple[object, ...], type_: pa.DataType) -> bool:
    try:
        declared(values, type_)
    except (pa.ArrowException, TypeError, ValueError):
        return False
    return True


__all__ = ["aggregates"]
