"""Outlier rules against the types of the cells that they work on, rule by rule: a treatment may make text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from transforms.errors import TechniqueError
from transforms.hierarchy import Hierarchy
from transforms.ordered import check_ordered
from transforms.pipeline_model import Chain
from transforms.plan_outliers import (
    EndCoding,
    LocalGeneralization,
    Microaggregation,
    NumberFind,
    OutlierRule,
    ParentCategory,
)

# path, found, allowed, hint
Found = tuple[str, str, str, str | None]
_ARITHMETIC = "numbers: integers, floats, decimals of up to 18 digits"


def types_after(
    rules: Sequence[OutlierRule], cells: Mapping[str, Chain], hierarchies: Mapping[str, Hierarchy], prefix: str
) -> tuple[dict[str, pa.DataType], list[Found]]:
    """The columns' types once all rules are applied, where these are others, and every problem of the rules."""
    types = {name: chain.cell_type for name, chain in cells.items()}
    problems: list[Found] = []
    for number, rule in enumerate(rules):
        path = f"{prefix}outliers[{number}]"
        found = [*_columns(path, rule, cells, types)]
        if not found:
            found = [*_find(path, rule, types), *_treat(path, rule, types, hierarchies)]
        problems += found
        if isinstance(rule.treat.one, (ParentCategory, LocalGeneralization)):
            types |= {name: pa.string() for name in rule.treated if name in types}
    changed = {name: type_ for name, type_ in types.items() if type_ != cells[name].cell_type}
    return changed, problems


def _columns(
    path: str, rule: OutlierRule, cells: Mapping[str, Chain], types: Mapping[str, pa.DataType]
) -> Iterator[Found]:
    for column in rule.columns():
        if column not in cells:
            yield path, f"column {column!r}", "delivered columns that are not derived", None
        elif cells[column].ranked:
            yield path, f"column {column!r}, a serial number", "columns that rows can share", None
        elif cells[column].classed:
            found = f"column {column!r}, whose cells are made from all rows of a class"
            yield path, found, "columns whose cells come from their own row", None
    for column in dict.fromkeys((*rule.classes, *rule.by)):
        if column in types and pa.types.is_floating(types[column]):
            yield path, f"column {column!r} of type {types[column]}", "columns with exact values", None


def _find(path: str, rule: OutlierRule, types: Mapping[str, pa.DataType]) -> Iterator[Found]:
    find = rule.find.one
    if isinstance(find, NumberFind):
        yield from _ordered(f"{path}.find.{rule.find.name}.column", find.column, types)


def _ordered(path: str, column: str, types: Mapping[str, pa.DataType]) -> Iterator[Found]:
    try:
        check_ordered(types[column])
    except TechniqueError as error:
        hint = "put this rule before the one that makes text of it" if pa.types.is_string(types[column]) else None
        yield path, f"{column!r}, {error.found}", error.allowed, hint


def _treat(
    path: str, rule: OutlierRule, types: Mapping[str, pa.DataType], hierarchies: Mapping[str, Hierarchy]
) -> Iterator[Found]:
    treat = rule.treat.one
    place = f"{path}.treat.{rule.treat.name}"
    if isinstance(treat, LocalGeneralization) and not isinstance(rule.find.one, NumberFind):
        yield from _ordered(f"{place}.column", rule.treated[0], types)
    elif isinstance(treat, (Microaggregation, EndCoding)):
        (column,) = rule.treated
        if pa.types.is_temporal(types[column]):
            yield place, f"{column!r}, a column of type {types[column]}", _ARITHMETIC, None
    elif isinstance(treat, ParentCategory):
        (column,) = rule.treated
        type_ = types[column]
        if not pa.types.is_string(type_) and not pa.types.is_integer(type_):
            yield place, f"{column!r}, a column of type {type_}", "text or integers", None
        if treat.hierarchy not in hierarchies:
            yield place, f"hierarchy {treat.hierarchy!r} was not read", "a hierarchy file beside the plan", None
