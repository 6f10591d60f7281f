"""A plan's parts as the checks walk them: its tables, their rules, the steps of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.column_patterns import expand
from transforms.plan import ColumnRule, Subject, TablePlan
from transforms.plan_outliers import OutlierRule, ParentCategory
from transforms.technique import RowTechnique, Technique
from transforms.yaml_nodes import path_text

Sections = Mapping[str, Any]  # fields of Plan by name; what is not valid is not there


@dataclass(frozen=True)
class TableSection:
    """One table of a plan: `name` is "" and `prefix` empty where the plan has a single source.

    `used` are the source columns that the plan names outside of rules, by the path that names them.
    """

    name: str
    prefix: str
    table: str
    rules: Mapping[str, ColumnRule]
    excluded: tuple[str, ...]
    rows: tuple[RowTechnique, ...]
    outliers: tuple[OutlierRule, ...]
    used: Mapping[str, str]

    def steps(self) -> Iterator[tuple[str, int, Technique, ColumnRule]]:
        """Every step of every rule: its path, its number in the chain, itself and its rule."""
        for column, rule in self.rules.items():
            for number, step in enumerate(rule.apply or ()):
                path = f"{self.rule_path(column)}.apply[{number}].{step.name}"
                yield path, number, step, rule

    def outlier_categories(self) -> Iterator[tuple[str, ParentCategory]]:
        """Outlier treatments that use a hierarchy, each with its path."""
        for number, rule in enumerate(self.outliers):
            if isinstance(rule.treat.one, ParentCategory):
                yield f"{self.prefix}outliers[{number}].treat.{rule.treat.name}", rule.treat.one

    def rule_path(self, column: str) -> str:
        return self.prefix + path_text(("columns", column))

    def names(self, column: str) -> bool:
        """Is the column met by a rule or by `excluded`?"""
        return any(expand(pattern, [column]) for pattern in (*self.rules, *self.excluded))


def table_sections(sections: Sections) -> list[TableSection]:
    """The tables of a plan, whichever of its two forms it has."""
    found: list[TableSection] = []
    if sections.get("source") is not None or sections.get("columns"):
        found.append(
            TableSection(
                "",
                "",
                part(sections, "source", "table") or "",
                sections.get("columns") or {},
                sections.get("excluded") or (),
                sections.get("rows") or (),
                sections.get("outliers") or (),
                _used(sections),
            )
        )
    tables: Mapping[str, TablePlan] = sections.get("tables") or {}
    for name, table in tables.items():
        prefix = path_text(("tables", name)) + "."
        used = {f"{prefix}row_key[{number}]": key for number, key in enumerate(_keys(table.row_key))}
        used |= {f"{prefix}subject.{subject}": column for subject, column in table.subject.items()}
        if table.period is not None:
            used[f"{prefix}period.column"] = table.period.column
        found.append(
            TableSection(
                name,
                prefix,
                table.source,
                table.columns,
                table.excluded,
                table.rows,
                table.outliers,
                used,
            )
        )
    return found


def further_names(sections: Sections) -> Iterator[tuple[str, str]]:
    """Paths and names of all further tables."""
    tables: Mapping[str, TablePlan] = sections.get("tables") or {}
    yield from ((path_text(("further", name)), name) for name in sections.get("further") or {})
    for table, plan in tables.items():
        yield from ((path_text(("tables", table, "further", name)), name) for name in getattr(plan, "further", {}))


def part(sections: Sections, *names: str) -> Any:
    """A part of a section, or None where it is not there or not valid."""
    value: Any = sections
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def subjects_of(sections: Sections) -> Mapping[str, Subject]:
    """The subjects of a plan with several tables."""
    return sections.get("subjects") or {}


def _used(sections: Sections) -> dict[str, str]:
    used = {f"source.row_key[{number}]": key for number, key in enumerate(_keys(part(sections, "source", "row_key")))}
    for names in (("source", "subject"), ("source", "period", "column")):
        column = part(sections, *names)
        if column is not None:
            used[".".join(names)] = column
    return used


def _keys(row_key: tuple[str, ...] | str | None) -> tuple[str, ...]:
    return row_key if isinstance(row_key, tuple) else ()
