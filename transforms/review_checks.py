"""What the review of a plan asks for, against what the plan knows."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.identity.kinds import KINDS
from transforms.plan_review import Leftovers
from transforms.plan_sections import Sections, part, table_sections
from transforms.yaml_nodes import path_text


def check_review(sections: Sections) -> Iterator[Problem]:
    """What is wrong with these sections of a plan."""
    asked: Leftovers | None = part(sections, "adequacy", "leftovers")
    tables = table_sections(sections)
    if asked is None or not tables:
        return
    rules = [name for table in tables for name in table.rules]
    for number, column in enumerate(asked.against):
        if not any(table.names(column) for table in tables):
            known = [*rules, *(name for table in tables for name in table.excluded)]
            yield Problem(
                f"adequacy.leftovers.against[{number}]",
                f"column {column!r}, which the plan does not know",
                "a column that stands under `columns` or `excluded`",
                hint=did_you_mean(column, known),
            )
    for column, one in asked.allow.items():
        path = path_text(("adequacy", "leftovers", "allow", column))
        if column not in rules and not any(expand(rule, [column]) for rule in rules):
            yield Problem(path, f"column {column!r}, which no rule names", "a delivered column, as `columns` names it",
                          hint=did_you_mean(column, rules))  # fmt: skip
        if not one.reason.strip():
            yield Problem(f"{path}.reason", "nothing", "why such a form may stand there")
        for number, kind in enumerate(one.kinds):
            if kind not in KINDS:
                yield Problem(f"{path}.kinds[{number}]", repr(kind), f"one of: {', '.join(KINDS)}",
                              hint=did_you_mean(kind, KINDS))  # fmt: skip
