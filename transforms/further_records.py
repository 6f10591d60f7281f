"""The tables of records that `further` asks for, as pipelines: columns dealt out, a record id in front of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from transforms.column_types import check_output_type
from transforms.errors import PlanError, Problem, Site, TechniqueError
from transforms.further import Delivered, FurtherRecords, Steps
from transforms.pipeline_model import Chain, Derived, Step, TablePipeline
from transforms.plan import ColumnRule, Plan
from transforms.techniques.anatomization import RecordId
from transforms.yaml_nodes import path_text

Column = Chain | Derived


def deal(plan: Plan, wholes: Mapping[str, TablePipeline]) -> tuple[dict[str, TablePipeline], list[Problem]]:
    """The delivered tables, each of the plan's own followed by its further ones; and every problem on the way."""
    delivered: dict[str, TablePipeline] = {}
    problems: list[Problem] = []
    for name, whole in wholes.items():
        single = plan.source is not None
        above = () if single else ("tables", name)
        entries = {
            key: (path_text((*above, "further", key, entry.name)), entry)
            for key, entry in (plan.further if single else plan.tables[name].further).items()
            if isinstance(entry, FurtherRecords)
        }
        if entries and getattr(whole.sample, "replacement", False):
            found, allowed = "further tables of a sample with replacement", "a sample without"
            hint = "copies of a record would share its record id"
            problems.append(Problem(path_text((*above, "further")), found, allowed, hint=hint))
        try:
            made = record_tables(whole, entries)
        except PlanError as error:
            problems += error.problems
            continue
        path = path_text((*above, "further"))
        if plan.output.records == "withheld":
            if entries:
                problems.append(Problem(path, "records dealt out, and withheld", "`output.records: delivered`"))
            continue
        for key in sorted(made.keys() & {*delivered, *(wholes.keys() - {name})}):
            problems.append(Problem(path, f"a further table {key!r}", "a name that no other table has"))
        problems += _k_apart(plan, made[name], whole, path)
        delivered |= made
    return delivered, problems


def _k_apart(plan: Plan, main: TablePipeline, whole: TablePipeline, path: str) -> list[Problem]:
    k, left = plan.adequacy.k_anonymity, {column.name for column in main.columns}
    counted = (k.columns or ()) if k is not None else ()
    moved = [column.name for column in whole.columns if column.name in counted and column.name not in left]
    return [Problem(path, f"column {one!r}, by which k is counted", "others: k is of the main table") for one in moved]


def record_tables(
    whole: TablePipeline, entries: Mapping[str, tuple[str, FurtherRecords]]
) -> dict[str, TablePipeline]:
    """The delivered tables by name, the main one first; `entries` are paths and techniques by name, in order.

    Raises PlanError with the problems of the first entry that has any (later ones build upon it); their lines
    are the caller's.
    """
    if not entries:
        return {whole.name: whole}
    main = replace(whole, whole=whole)
    others: dict[str, TablePipeline] = {}
    for name, (path, technique) in entries.items():
        main, more = _dealt(whole, main, name, path, technique)
        taken = [one for one in more if one in others or one == main.name]
        if taken:
            raise PlanError([Problem(path, f"a further table {taken[0]!r}", "a name that no other table has")])
        others |= more
    return {main.name: main, **others}


def _dealt(
    whole: TablePipeline, main: TablePipeline, name: str, path: str, technique: FurtherRecords
) -> tuple[TablePipeline, dict[str, TablePipeline]]:
    """The main table as it is then, and the tables that one entry makes."""
    record_id = _record_id(main, technique.record_id, path)
    columns = {column.name: column for column in main.columns if column.name != record_id.name}
    try:
        layout = technique.layout(name, {one.name: _delivered(main, one) for one in columns.values()})
    except PlanError as error:
        placed = [replace(one, path=f"{path}.{one.path}" if one.path else path) for one in error.problems]
        raise PlanError(placed) from None
    problems: list[Problem] = []
    named = _named_by_outliers(whole)

    def of(table: str, dealt: Mapping[str, Steps], is_main: bool) -> TablePipeline:
        made = [_with_steps(columns[one], steps, main.name, path, named, problems) for one, steps in dealt.items()]
        return _part(whole, table, [record_id, *made], is_main)

    kept = of(main.name, layout.main, True)
    more = {table: of(table, dealt, False) for table, dealt in layout.others.items()}
    if problems:
        raise PlanError(problems)
    return kept, more


def _part(whole: TablePipeline, name: str, columns: Sequence[Column], is_main: bool) -> TablePipeline:
    delivered = {column.name for column in columns}
    named = _named_by_outliers(whole)
    return replace(
        whole,
        name=name,
        columns=tuple(columns),
        hidden=tuple(c for c in whole.chains if c.name in named and c.name not in delivered and not c.ranked),
        quasi_identifiers=tuple(c.name for c in columns if c.rule.kind == "quasi-identifier"),
        of=None if is_main else whole.name,
        whole=whole,
    )


def _delivered(table: TablePipeline, column: Column) -> Delivered:
    operands = column.inputs if isinstance(column, Derived) else ()
    ranked = isinstance(column, Chain) and column.ranked
    return Delivered(column.name, column.rule.kind, column.type, operands, ranked, column.name == table.subject)


def _record_id(main: TablePipeline, name: str, path: str) -> Chain:
    """The column of record ids; one that the main table has already serves further entries too."""
    for column in main.columns:
        if column.name == name and isinstance(column, Chain) and _is_record_id(column):
            return column
    if name in {*main.source_schema.names, *(column.name for column in main.columns)}:
        raise PlanError(
            [Problem(f"{path}.record_id", f"{name!r}, which is a column already", "a name that no column has")]
        )
    rule = ColumnRule.model_validate(
        {"label": "레코드 ID (record id)", "kind": "identifier", "apply": [RecordId()]}
    )
    step = Step(RecordId(), Site(main.name, name, 0, path), pa.null(), pa.string(), None, {}, 0)
    return Chain(name, pa.null(), (step,), rule, {}, f"{main.name}.{name}")


def _is_record_id(chain: Chain) -> bool:
    return any(isinstance(step.technique, RecordId) for step in chain.steps)


def _with_steps(
    column: Column, steps: Steps, table: str, path: str, named: set[str], problems: list[Problem]
) -> Column:
    """A column with the steps that a layout adds behind its chain."""
    if not steps:
        return column
    if isinstance(column, Derived) or column.ranked:
        problems.append(Problem(path, f"steps on {column.name!r}, which is derived or a serial number", "others"))
        return column
    if column.classed:
        problems.append(Problem(path, f"steps on {column.name!r}, whose last step works on classes", "other columns"))
        return column
    if column.name in named:
        problems.append(Problem(path, f"steps on {column.name!r}, which an outlier rule names", "other columns"))
        return column
    made = list(column.steps)
    before, depth = column.cell_type, max((step.depth for step in column.steps), default=0)
    for technique in steps:
        site = Site(table, column.name, len(made), path)
        try:
            after = technique.applied_type(before)
            check_output_type(after)
        except TechniqueError as error:
            problems.append(
                Problem(path, f"{technique.name} on {column.name}: {error.found}", error.allowed, hint=error.hint)
            )
            return column
        made.append(Step(technique, site, before, after, None, {}, depth))
        before = after
    return replace(column, steps=tuple(made))


def _named_by_outliers(table: TablePipeline) -> set[str]:
    """Every column that an outlier rule names: its cells decide which rows and cells change."""
    return {name for rule in table.outliers for name in rule.columns()}


__all__ = ["deal", "record_tables"]
