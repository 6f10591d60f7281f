"""The rules of a party's plan (`combination:`): one serial for the subject, no key column delivered."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.plan import ColumnRule, Contribution
from transforms.plan_sections import Sections, TableSection, part, subjects_of, table_sections

SERIAL = "serial"
STEP = "combination-serial"


def check_contribution(sections: Sections) -> Iterator[Problem]:
    """Every problem of a plan's `combination`, and serials of combinations where there is none."""
    contribution: Contribution | None = sections.get("combination")
    tables = table_sections(sections)
    if contribution is None:
        for table in tables:
            for path, _, step, _ in table.steps():
                if step.name == STEP:
                    yield Problem(path, f"{STEP} in a plan without `combination`", "it in a party's plan alone")
        return
    if sections.get("internal_combination") is not None:
        yield Problem("internal_combination", "it beside `combination`", "one of them")
    for path, name in (("combination.name", contribution.name), ("combination.party", contribution.party)):
        if not name.strip():
            yield Problem(path, "nothing", "the name in the combination file")
    yield from _subject(contribution, sections)
    yield from _register(contribution, sections, tables)
    yield from _cleared(contribution)
    for table in tables:
        yield from _serials(contribution, table)
        yield from _keys(contribution, table)
    yield from _one_table(contribution, sections, tables)


def _subject(contribution: Contribution, sections: Sections) -> Iterator[Problem]:
    subjects = subjects_of(sections)
    if subjects:
        if contribution.subject not in subjects:
            hint = did_you_mean(contribution.subject, subjects)
            allowed = f"one of: {', '.join(subjects)}"
            yield Problem("combination.subject", repr(contribution.subject), allowed, hint=hint)
        return
    own = part(sections, "source", "subject")
    if own != contribution.subject:
        found = f"{contribution.subject!r}, where source.subject is {'missing' if own is None else repr(own)}"
        yield Problem("combination.subject", found, "the column that source.subject names")


def _register(
    contribution: Contribution, sections: Sections, tables: list[TableSection]
) -> Iterator[Problem]:
    """Key columns stand in the register, so its table must know them."""
    subject = subjects_of(sections).get(contribution.subject)
    for table in tables:
        if table.name and (subject is None or table.table != subject.register_):
            continue
        for key, column in contribution.key.items():
            if not table.names(column):
                yield Problem(
                    f"combination.key.{key}",
                    f"column {column!r}, which the plan does not know",
                    "a column of the register, under its `excluded`",
                    hint=did_you_mean(column, (*table.excluded, *table.rules)),
                )


def _cleared(contribution: Contribution) -> Iterator[Problem]:
    for name, reason in contribution.cleared.items():
        if name not in contribution.key:
            hint = did_you_mean(name, contribution.key)
            allowed = f"key columns: {', '.join(contribution.key)}"
            yield Problem(f"combination.cleared.{name}", repr(name), allowed, hint=hint)
        if not reason.strip():
            yield Problem(f"combination.cleared.{name}", "nothing", "why nobody is recognized by it (guideline L1553)")


def _serials(contribution: Contribution, table: TableSection) -> Iterator[Problem]:
    column = subject_column(contribution, table)
    allowed = f"`{STEP}` in the subject's column" + (f" {column!r}" if column else "")
    found = [(name, rule) for name, rule in table.rules.items() if _serial(rule)]
    if column is None:
        yield Problem(f"{table.prefix}subject", f"no {contribution.subject!r}", "the subject of the combination")
    elif column not in [name for name, _ in found]:
        yield Problem(table.rule_path(column), f"no `{STEP}`", allowed)
    for name, rule in found:
        path = f"{table.rule_path(name)}.apply"
        if column is not None and name != column:
            yield Problem(path, f"{STEP} of another column than the subject's", allowed)
        if len(rule.apply or ()) > 1:
            yield Problem(path, f"{STEP} beside other steps", f"`{STEP}` alone")
    for name, rule in table.rules.items():
        if expand(name, [SERIAL]) and not _serial(rule):
            allowed = "another name: the serial has this one"
            yield Problem(table.rule_path(name), f"a column {SERIAL!r}", allowed, hint="rename it in the source")


def _keys(contribution: Contribution, table: TableSection) -> Iterator[Problem]:
    """No rule may meet a key column that is not cleared (a column under `excluded` is not delivered)."""
    for key, column in contribution.key.items():
        if key in contribution.cleared:
            continue
        for name, rule in table.rules.items():
            if expand(name, [column]) and not _serial(rule):
                yield Problem(
                    table.rule_path(name),
                    f"the key column {column!r} among what is delivered",
                    f"it under `excluded`, or `combination: {{cleared: {{{key}: REASON}}}}` (guideline L1553)",
                    refused=True,
                )


def _one_table(
    contribution: Contribution, sections: Sections, tables: list[TableSection]
) -> Iterator[Problem]:
    """What a party sends is one table; a register may stand beside it with nothing but the serial."""
    full = [table for table in tables if any(not _serial(rule) for rule in table.rules.values())]
    if tables and len(full) != 1:
        names = ", ".join(table.name for table in full) or "none"
        yield Problem("tables", f"tables with attributes: {names}", "one table with attributes for each party")
    if sections.get("further") or any(
        getattr(one, "further", None) for one in (sections.get("tables") or {}).values()
    ):
        yield Problem("further", "further tables in a party's plan", "the table of attributes alone")


def subject_column(contribution: Contribution, table: TableSection) -> str | None:
    """The column of a table that names the subject of the combination."""
    if not table.name:
        return contribution.subject
    marker = f"{table.prefix}subject.{contribution.subject}"
    return table.used.get(marker)


def _serial(rule: ColumnRule) -> bool:
    return any(step.name == STEP for step in rule.apply or ())
