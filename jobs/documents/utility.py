"""Utility before and after, for the pages: what verify measured, in rounded figures of many persons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.documents.words import counted
from transforms.utility_figures import CategoryFigures, NumberFigures, Utility

# Of class means and correlations those are shown that moved furthest.
SHOWN = 10


@dataclass(frozen=True)
class UtilityView:
    """One table's figures as texts; `numbers` and `categories` by column, the others those that moved furthest."""

    numbers: tuple[tuple[str, ...], ...]
    categories: tuple[tuple[str, ...], ...]
    correlations: tuple[tuple[str, str, str, str, str], ...]
    classes: tuple[tuple[str, str, str, str, str], ...]


def utility_view(verify: Mapping[str, Any] | None, table: str) -> UtilityView | None:
    """The figures of a table; None where verify has not run, or nothing of the table is measured."""
    raw = (verify or {}).get("utility", {}).get(table)
    if raw is None:
        return None
    told = Utility.from_json(raw)
    if not told.numbers and not told.categories:
        return None
    return UtilityView(
        tuple(tuple(_number(one)) for one in told.numbers),
        tuple(tuple(_category(one)) for one in told.categories),
        _correlations(told),
        _classes(told),
    )


def _number(one: NumberFigures) -> Iterator[str]:
    middle = {share: (before, after) for share, before, after in one.quantiles}
    yield one.column
    for pair in (one.mean, one.deviation, *(middle[share] for share in (0.25, 0.5, 0.75))):
        yield f"{_figure(pair[0])} → {_figure(pair[1])}"
    yield _figure(one.distance)
    yield "–" if one.outliers is None else f"{counted(one.outliers[0])} → {counted(one.outliers[1])}"
    yield counted(one.new)


def _category(one: CategoryFigures) -> Iterator[str]:
    yield one.column
    for pair in (one.nulls, one.distinct, one.unique):
        yield f"{counted(pair[0])} → {counted(pair[1])}"
    yield counted(one.new)


def _correlations(told: Utility) -> tuple[tuple[str, str, str, str, str], ...]:
    moved = sorted(told.correlations, key=lambda one: -abs(one[3] - one[2]))[:SHOWN]
    return tuple((a, b, f"{before:.2f}", f"{after:.2f}", f"{after - before:+.2f}") for a, b, before, after in moved)


def _classes(told: Utility) -> tuple[tuple[str, str, str, str, str], ...]:
    known = sorted((one for one in told.classes if one.moved is not None), key=lambda one: -(one.moved or 0.0))
    return tuple(
        (one.by, one.column, f"{counted(one.compared)} / {counted(one.classes)}", _figure(one.moved),
         _figure(one.distance))
        for one in known[:SHOWN]
    )  # fmt: skip


def _figure(value: float | None) -> str:
    """A rounded figure as it is read: 1230000 as 1,230,000."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.10g}"
