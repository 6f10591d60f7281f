"""The items that a purpose needs (처리 목적 달성에 필요한 항목): is every delivered column listed, and why (L325)?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transforms.column_patterns import expand, is_pattern
from transforms.pipeline_model import Pipeline


@dataclass(frozen=True)
class ItemGaps:
    """`unreasoned`: delivered columns that the purpose gives no reason for; `unmet`: items that no such column has."""

    unreasoned: tuple[str, ...]
    unmet: tuple[str, ...]


def delivered_columns(pipeline: Pipeline) -> dict[str, tuple[str, ...]]:
    """The names of all delivered columns of records by the plan's table."""
    names: dict[str, list[str]] = {}
    for table in pipeline.tables.values():
        names.setdefault(table.home, []).extend(column.name for column in table.columns)
    return {table: tuple(dict.fromkeys(columns)) for table, columns in names.items()}


def item_gaps(items: Mapping[str, str], delivered: Mapping[str, Sequence[str]]) -> ItemGaps:
    """What the list and the delivered columns (by table) don't have in common.

    An item is a column's name or pattern, of any table, or `TABLE.COLUMN`. Columns of several tables are told so.
    """
    unreasoned = [
        name if len(delivered) == 1 else f"{table}.{name}"
        for table, names in delivered.items()
        for name in names
        if reason_of(items, name, table) is None
    ]
    met = {
        item for item in items for table, names in delivered.items() if any(_meets(item, name, table) for name in names)
    }
    return ItemGaps(tuple(unreasoned), tuple(item for item in items if item not in met))


def reason_of(items: Mapping[str, str], column: str, table: str = "") -> str | None:
    """Why the purpose needs a column: by its own name before a pattern, the first pattern before later ones."""
    for pattern in sorted(items, key=is_pattern):
        if _meets(pattern, column, table):
            return items[pattern]
    return None


def item_warnings(pipeline: Pipeline) -> Iterator[tuple[list[str], bool]]:
    """The columns without a reason (True) and the items without a column (False), where a plan has a list."""
    items = pipeline.plan.purpose.items
    if items is None:
        return
    gaps = item_gaps(items, delivered_columns(pipeline))
    for names, missing in ((gaps.unreasoned, True), (gaps.unmet, False)):
        if names:
            yield list(names), missing


def _meets(item: str, column: str, table: str) -> bool:
    return bool(expand(item, [column, f"{table}.{column}"]))
