"""What is wrong with a plan's `risk:`, against what the plan knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.plan_risk import QUESTIONS, Held, Risk
from transforms.plan_sections import Sections, TableSection, table_sections
from transforms.yaml_nodes import path_text

_FOLDER = re.compile(r"[^\W_][\w .()\-]*")


def check_risk(sections: Sections) -> Iterator[Problem]:
    """Unknown columns, tables and questions, each with the path of its place."""
    risk: Risk | None = sections.get("risk")
    tables = table_sections(sections)
    if risk is None or not tables:
        return
    named = {f"risk.columns[{number}]": column for number, column in enumerate(risk.columns or ())}
    named |= {path_text(("risk", "nulls", column)): column for column in risk.nulls}
    for path, column in named.items():
        yield from _known(path, column, tables)
    for number, held in enumerate(risk.held):
        yield from _held(number, held, tables)
    for question, one in risk.checklist.items():
        path = path_text(("risk", "checklist", question))
        if question not in QUESTIONS:
            yield Problem(path, f"question {question}", f"{QUESTIONS[0]} to {QUESTIONS[-1]} (guideline L504-546)")
        elif one.answer == "no" and not (one.note or "").strip():
            yield Problem(f"{path}.note", "nothing", "why the answer is no: a reviewer can't ask later")


def _held(number: int, held: Held, tables: list[TableSection]) -> Iterator[Problem]:
    path = path_text(("risk", "held", number))
    if not all(_FOLDER.fullmatch(folder) for folder in held.table.split("/")):
        yield Problem(f"{path}.table", repr(held.table), "a table of the source zone (folder/name)")
    names = [table.name for table in tables]
    if held.of is not None and held.of not in names:
        allowed = f"one of the plan's tables: {', '.join(names)}" if any(names) else "no `of`: there is one table"
        yield Problem(f"{path}.of", repr(held.of), allowed, hint=did_you_mean(held.of, names))
        return
    if held.of is None and len(tables) > 1:
        yield Problem(f"{path}.of", "nothing", f"which of the plan's tables is linked: {', '.join(names)}")
        return
    chosen = [table for table in tables if held.of is None or table.name == held.of]
    for theirs, ours in held.on.items():
        yield from _known(path_text(("risk", "held", number, "on", theirs)), ours, chosen)


def _known(path: str, column: str, tables: list[TableSection]) -> Iterator[Problem]:
    """A column of the source that is processed: what is excluded reaches nobody."""
    if any(expand(pattern, [column]) for table in tables for pattern in table.rules):
        return
    excluded = any(expand(pattern, [column]) for table in tables for pattern in table.excluded)
    found = f"column {column!r}, which is excluded" if excluded else f"column {column!r}, which the plan does not know"
    rules = [name for table in tables for name in table.rules]
    yield Problem(path, found, "a source column that stands under `columns`", hint=did_you_mean(column, rules))
