"""Are the columns there by which a plan's l, t and their kin are measured? Told before any data is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.pipeline_model import TablePipeline
from transforms.plan import Adequacy, KAnonymity
from transforms.plan_measures import Measure, measures_of
from transforms.sample_checks import persons_told_apart


def quasi_identifiers(table: TablePipeline, asked: KAnonymity | Measure | None) -> list[str]:
    """The delivered columns whose classes are counted: those that `adequacy` names, else all of that kind."""
    if asked is None or asked.columns is None:
        return list(table.quasi_identifiers)
    return [column.name for column in table.columns if column.name in asked.columns]


def sensitive_columns(table: TablePipeline, asked: Measure) -> list[str]:
    """The delivered columns that are measured: those of `of`, else all of kind sensitive."""
    if asked.of is not None:
        return [column.name for column in table.columns if column.name in asked.of]
    return [column.name for column in table.columns if column.rule.kind == "sensitive"]


def class_columns(table: TablePipeline, asked: Measure, k: KAnonymity | None) -> list[str]:
    """The quasi-identifiers of a measure: its own, else those of k-anonymity, never a measured column."""
    chosen = quasi_identifiers(table, asked if asked.columns is not None else k)
    return [name for name in chosen if name not in sensitive_columns(table, asked)]


def measure_problems(adequacy: Adequacy, tables: Mapping[str, TablePipeline]) -> Iterator[Problem]:
    """Every measure that could not be taken of any delivered table, or not of what it names."""
    delivered = [column.name for table in tables.values() for column in table.columns]
    for name, asked in measures_of(adequacy):
        path = f"adequacy.{name}"
        unknown = [*_unknown(path, asked, delivered)]
        yield from unknown
        if unknown:
            continue
        measured = {table.name: table for table in tables.values() if sensitive_columns(table, asked)}
        if not measured and asked.of is None:
            hint = "give a column `kind: sensitive`, or name columns as `of`"
            yield Problem(path, "no delivered column of kind sensitive", "one or more to measure", hint=hint)
        for table in measured.values():
            if not class_columns(table, asked, adequacy.k_anonymity):
                found = f"no quasi-identifier in table {table.name}, which is measured"
                yield Problem(path, found, "delivered columns of kind quasi-identifier, or `columns`")
            if not persons_told_apart(table):
                yield Problem(
                    path,
                    f"classes of persons, where {table.name} may have many rows of one and tells nobody's",
                    "a pseudonym in the subject's column, the same in all rows of a person",
                )


def _unknown(path: str, asked: Measure, delivered: Sequence[str]) -> Iterator[Problem]:
    named = {"of": asked.of or (), "columns": asked.columns or (), "ordered": getattr(asked, "ordered", None) or ()}
    for part, columns in named.items():
        for number, column in enumerate(columns):
            if column not in delivered:
                found = f"column {column!r}, which is not delivered"
                hint = did_you_mean(column, delivered)
                yield Problem(f"{path}.{part}[{number}]", found, "delivered columns", hint=hint)
            elif part == "columns" and column in named["of"]:
                yield Problem(f"{path}.columns[{number}]", f"column {column!r}, which is measured", "other columns")


__all__ = ["class_columns", "measure_problems", "quasi_identifiers", "sensitive_columns"]
