"""What is wrong with outlier rules that the plan alone tells: columns, and finds and treatments that don't fit."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.column_patterns import expand
from transforms.complaint import did_you_mean
from transforms.errors import Problem
from transforms.plan_outliers import (
    EndCoding,
    Frequency,
    LocalGeneralization,
    LocalSuppression,
    NumberFind,
    OutlierRule,
    ParentCategory,
    RareCombinations,
)
from transforms.plan_sections import TableSection

_NUMBERS = (
    "local-suppression, record-suppression, local-generalization, microaggregation, top-coding, bottom-coding"
)
_TREATMENTS = {
    "frequency": "local-suppression, record-suppression, categorization, local-generalization",
    "rare-combinations": "local-suppression, record-suppression",
    "three-sigma": _NUMBERS,
    "iqr": _NUMBERS,
    "quantile": _NUMBERS,
}
_SIDES = {"top-coding": "upper", "bottom-coding": "lower"}


def check_outliers(table: TableSection) -> Iterator[Problem]:
    """Every problem of a table's outlier rules."""
    for number, rule in enumerate(table.outliers):
        path = f"{table.prefix}outliers[{number}]"
        yield from _columns(path, rule, table)
        if rule.treat.name not in _TREATMENTS[rule.find.name].split(", "):
            yield Problem(
                f"{path}.treat.{rule.treat.name}",
                f"{rule.treat.name} of what {rule.find.name} finds",
                f"for {rule.find.name}: {_TREATMENTS[rule.find.name]}",
            )
            continue
        yield from _treatment(f"{path}.treat.{rule.treat.name}", rule)


def _columns(path: str, rule: OutlierRule, table: TableSection) -> Iterator[Problem]:
    for place, column in rule.named():
        patterns = [pattern for pattern in table.rules if expand(pattern, [column])]
        if not patterns:
            yield Problem(
                f"{path}.{place}",
                f"column {column!r}",
                "delivered columns, by their names",
                hint=did_you_mean(column, table.rules),
            )
        elif all(table.rules[pattern].derive is not None for pattern in patterns):
            yield Problem(
                f"{path}.{place}",
                f"the derived column {column!r}",
                "columns that come from the source: derived ones are made once outliers are treated",
                hint="treat the columns that it is derived from",
            )
    for place, column in rule.named():
        if [one for _, one in rule.named()].count(column) > 1 and place.endswith("]") and place.split(".")[0] == "find":
            first = next(other for other, one in rule.named() if one == column)
            if first != place:
                yield Problem(f"{path}.{place}", f"column {column!r} again", "each column once")


def _treatment(path: str, rule: OutlierRule) -> Iterator[Problem]:
    find, treat = rule.find.one, rule.treat.one
    found = rule.find.columns
    if isinstance(treat, LocalSuppression):
        for place, column in enumerate(treat.columns):
            if column not in found:
                yield Problem(
                    f"{path}.columns[{place}]",
                    f"column {column!r}",
                    f"columns of the classes found: {', '.join(found)}",
                    hint=did_you_mean(column, found),
                )
        may = treat.columns or found
        if treat.importance and set(treat.importance) != set(may):
            listed = ", ".join(treat.importance)
            yield Problem(f"{path}.importance", f"the importance of {listed}", f"that of each of: {', '.join(may)}")
        if treat.importance and isinstance(find, NumberFind):
            yield Problem(f"{path}.importance", "importance where one column is treated", "no `importance`")
    elif isinstance(treat, ParentCategory):
        yield from _one_column(path, treat.column, found)
    elif isinstance(treat, LocalGeneralization):
        yield from _generalization(path, rule, treat)
    elif isinstance(treat, EndCoding):
        side = _SIDES[rule.treat.name]
        looked = find.side if isinstance(find, NumberFind) else None
        if looked != side:
            yield Problem(path, f"{rule.treat.name} of outliers on side {looked}", f"`side: {side}` in `find`")
        if treat.replace == "cut" and treat.unit is None:
            yield Problem(
                f"{path}.replace",
                "a measured cut-off that would be published",
                "`unit` with it, to whose multiple the cut-off is brought, or `replace: mean`",
                refused=True,
            )


def _one_column(path: str, column: str | None, found: tuple[str, ...]) -> Iterator[Problem]:
    if column is None and len(found) > 1:
        yield Problem(path, f"no `column`, where {len(found)} are looked at", f"`column`, one of: {', '.join(found)}")
    elif column is not None and column not in found:
        hint = did_you_mean(column, found)
        yield Problem(f"{path}.column", f"column {column!r}", f"one of: {', '.join(found)}", hint=hint)


def _generalization(path: str, rule: OutlierRule, treat: LocalGeneralization) -> Iterator[Problem]:
    find = rule.find.one
    if isinstance(find, (Frequency, RareCombinations)):
        if treat.column is None or treat.column in find.columns:
            yield Problem(
                f"{path}.column",
                "no column" if treat.column is None else f"column {treat.column!r}, which makes the classes",
                "a column of numbers whose values the rare classes have a range of",
                hint="to generalize a number that is rare itself, find it by quantile, iqr or three-sigma",
            )
        for name in ("by", "scope", "as_"):
            wanted = {"by": None, "scope": "class", "as_": "range"}[name]
            if getattr(treat, name) != wanted:
                key = name.rstrip("_")
                yield Problem(f"{path}.{key}", f"`{key}` where classes are found", "the classes found, their range")
    elif treat.column not in (None, find.column):
        yield Problem(f"{path}.column", f"column {treat.column!r}", f"the column that is looked at: {find.column}")
    elif find.column in (treat.by or ()):
        yield Problem(f"{path}.by", f"column {find.column!r} among its own classes", "other columns")
