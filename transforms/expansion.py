"""Rules of a plan against the columns of a table: every column gets exactly one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from transforms.column_patterns import Match, capture_names, expand, fill
from transforms.complaint import did_you_mean
from transforms.errors import PlanError, Problem
from transforms.plan import ColumnRule, LargestOf, SumOf
from transforms.yaml_nodes import path_text


@dataclass(frozen=True)
class BoundColumn:
    """A delivered column and its rule; `captures` are the texts of the rule's captures in its name.

    `in_source` is False for a derived column that the source table does not have.
    """

    name: str
    rule: ColumnRule
    captures: Mapping[str, str]
    path: str
    in_source: bool
    line: int | None = None


def operands(derive: SumOf | LargestOf, captures: Mapping[str, str], names: Sequence[str]) -> list[Match]:
    """The columns that a derivation reads, in the order of `names`, with the captures of its own pattern."""
    met: dict[str, Match] = {}
    for pattern in operand_patterns(derive):
        for match in expand(fill(pattern, captures), names):
            met.setdefault(match.column, Match(match.column, {**captures, **match.captures}))
    return [met[name] for name in names if name in met]


def operand_patterns(derive: SumOf | LargestOf) -> tuple[str, ...]:
    """The patterns of the columns that a derivation reads."""
    named = derive.sum if isinstance(derive, SumOf) else derive.largest
    return (named,) if isinstance(named, str) else named


def expand_columns(
    rules: Mapping[str, ColumnRule],
    excluded: Sequence[str],
    schema: pa.Schema,
    table: str,
    lines: Mapping[str, int] | None = None,
    prefix: str = "",
) -> list[BoundColumn]:
    """Each column of the table with its rule: source columns in the table's order, then new derived ones.

    `prefix` is the place of the table in the plan (`tables.members.`, or empty). Raises PlanError with
    every problem: a column that no rule and no `excluded` names, a rule or exclusion that meets no
    column, a column met twice, a derivation without operands or from derived columns.
    """
    expansion = _Expansion(rules, excluded, schema.names, table, lines or {}, prefix)
    bound = expansion.bound()
    if expansion.problems:
        raise PlanError(expansion.problems)
    return bound


class _Expansion:
    def __init__(
        self,
        rules: Mapping[str, ColumnRule],
        excluded: Sequence[str],
        names: Sequence[str],
        table: str,
        lines: Mapping[str, int],
        prefix: str,
    ) -> None:
        self.rules, self.excluded, self.names, self.table = rules, excluded, names, table
        self.lines, self.prefix = lines, prefix
        self.problems: list[Problem] = []

    def bound(self) -> list[BoundColumn]:
        owners: dict[str, list[str]] = {}
        found: dict[str, BoundColumn] = {}
        new: list[BoundColumn] = []
        for number, pattern in enumerate(self.excluded):
            path = f"{self.prefix}excluded[{number}]"
            for match in self._met(pattern, path, None):
                owners.setdefault(match.column, []).append(path)
        for pattern, rule in self.rules.items():
            path = self.prefix + path_text(("columns", pattern))
            matches = self._met(pattern, path, rule)
            for match in matches:
                owners.setdefault(match.column, []).append(path)
                found[match.column] = self._column(match, rule, path, in_source=True)
            if not matches and rule.derive is not None:
                new += [self._column(match, rule, path, in_source=False) for match in self._derived(pattern, rule)]
        self._check_owners(owners)
        columns = [found[name] for name in self.names if name in found] + new
        self._check_derivations(columns)
        return columns

    def _column(self, match: Match, rule: ColumnRule, path: str, *, in_source: bool) -> BoundColumn:
        return BoundColumn(match.column, rule, match.captures, path, in_source, self.lines.get(path))

    def _problem(self, path: str, found: str, allowed: str, hint: str | None = None) -> None:
        self.problems.append(Problem(path, found, allowed, self.lines.get(path), hint))

    def _met(self, pattern: str, path: str, rule: ColumnRule | None) -> list[Match]:
        matches = expand(pattern, self.names)
        if not matches and (rule is None or rule.derive is None):
            self._problem(
                path,
                f"{pattern!r}, but no column of table {self.table} is called so",
                "names of the table's columns",
                did_you_mean(pattern, self.names),
            )
        return matches

    def _derived(self, pattern: str, rule: ColumnRule) -> Iterable[Match]:
        """Names of new columns: one for each set of captures that the derivation's operands have."""
        assert rule.derive is not None
        wanted = capture_names(pattern)
        sets: dict[tuple[str, ...], Match] = {}
        for operand in operand_patterns(rule.derive):
            for match in expand(operand, self.names):
                if all(name in match.captures for name in wanted):
                    captures = {name: match.captures[name] for name in wanted}
                    sets.setdefault(tuple(captures.values()), Match(fill(pattern, captures), captures))
        if not sets:
            path = self.prefix + path_text(("columns", pattern))
            self._problem(path, "a derivation whose operands meet no column", "names of delivered columns")
        return sets.values()

    def _check_owners(self, owners: Mapping[str, list[str]]) -> None:
        for column, paths in owners.items():
            for path in paths[1:]:
                self._problem(
                    path,
                    f"column {column!r}, which has a rule already ({paths[0]})",
                    "one rule for each column",
                    "make the pattern narrower" if "*" in path or "{" in path else None,
                )
        for column in self.names:
            if column not in owners:
                self._problem(
                    f"{self.prefix}columns",
                    f"column {column!r} of table {self.table} has no rule",
                    "a rule for it, or its name under `excluded`",
                    did_you_mean(column, self.rules),
                )

    def _check_derivations(self, columns: list[BoundColumn]) -> None:
        plain = [one.name for one in columns if one.rule.derive is None]
        derived = [one.name for one in columns if one.rule.derive is not None]
        told: set[tuple[str, str]] = set()
        for column in columns:
            if column.rule.derive is None:
                continue
            from_derived = [one.column for one in operands(column.rule.derive, column.captures, derived)]
            if from_derived:
                found = f"derived from {from_derived[0]!r}, which is derived itself"
            elif not operands(column.rule.derive, column.captures, plain):
                found = "a derivation whose operands meet no delivered column"
            else:
                continue
            if (column.path, found) not in told:
                told.add((column.path, found))
                hint = None if from_derived else did_you_mean(operand_patterns(column.rule.derive)[0], plain)
                self._problem(f"{column.path}.derive", found, "names of delivered columns with `apply`", hint)
