"""The outlier rules of a table in order, each on the cells that the ones before it left; then looked at again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pyarrow as pa

from transforms.errors import DataRefused
from transforms.identifiers import encode_ids
from transforms.outlier_changes import Changes, KeyAct, RuleChange
from transforms.pipeline.engine import Engine, PassFailed
from transforms.pipeline.outlier_classes import COUNT, by_subject, count_classes, rare_combinations, touched
from transforms.pipeline.outlier_numbers import NumberRule
from transforms.pipeline.outlier_suppression import of_rule
from transforms.pipeline.outlier_values import range_text
from transforms.pipeline.work import Work
from transforms.plan_outliers import (
    FindKind,
    Frequency,
    LocalGeneralization,
    LocalSuppression,
    NumberFind,
    OutlierLimits,
    OutlierRule,
    ParentCategory,
    RareCombinations,
)

MOST_ROUNDS = 8


@dataclass(frozen=True)
class Solved:
    """The work with its changes; by rule the cells and rows changed, and classes `left` rare if there are any."""

    work: Work
    outcomes: tuple[dict[str, Any], ...] = ()


@dataclass
class _Rules:
    work: Work
    engine: Engine
    passes: list[str]
    early: pa.Table | None = None
    types: dict[str, pa.DataType] = field(default_factory=dict)

    def count(self, number: int, find: Frequency, what: str) -> pa.Table | None:
        """Counts by class, by the pass that came first where it could."""
        if self.early is not None:
            counted, self.early = self.early, None
            return counted
        self.passes.append(what)
        return count_classes(self.work, self.engine, number, find, what)

    def take(self, change: RuleChange) -> None:
        earlier = self.work.changes.rules if self.work.changes is not None else ()
        self.work = self.work.with_(changes=Changes((*earlier, change)))

    def said(self, text: str) -> str:
        """The name of a pass, noted."""
        self.passes.append(text)
        return text

    def pass_of(self, rule: str, what: str) -> str:
        """The name of one pass of a rule, noted."""
        return self.said(f"{rule}, {what}")


def solve_rules(
    work: Work,
    engine: Engine,
    limits: OutlierLimits,
    rows: int,
    early: pa.Table | None,
    passes: list[str],
) -> Solved:
    """All rules of the work's table. `rows` are the rows that enter the first, `early` the classes of the first
    rule where they are counted already; names of passes are added to `passes`.

    Errors: PassFailed, DataRefused.
    """
    rules = _Rules(work, engine, passes, early, work.table.cell_types())
    outcomes: list[dict[str, Any]] = []
    for number, rule in enumerate(work.table.outliers):
        try:
            done = _solve_one(rules, number, rule)
        except PassFailed as failed:
            raise failed.within(_place(work, number)) from None
        cells, removed = sum(change.cells for change in done), sum(change.rows for change in done)
        outcomes.append({"rule": number + 1, "cells": cells, "rows": removed})
        for name in done[0].texts if done else ():
            rules.types[name] = pa.string()
        _check_limits(limits, _place(work, number), cells, removed, rows, len(rule.treated))
    for number, left in _left(rules):
        if limits.recheck == "stop":
            raise DataRefused(
                f"{_place(work, number)}: {left} classes are rare once all rules are applied; allowed: none, or "
                "`outlier_limits: {recheck: report}`; take a coarser level, or add a rule with local-suppression"
            )
        outcomes[number]["left"] = left
    return Solved(rules.work, tuple(outcomes))


def _solve_one(rules: _Rules, number: int, rule: OutlierRule) -> list[RuleChange]:
    find = rule.find.one
    name = f"outlier rule {number + 1}"
    if isinstance(find, NumberFind):
        type_ = rules.types[find.column]
        change = NumberRule(
            rules.work, rules.engine, number, rule, type_, partial(rules.pass_of, name)
        ).solved()
        if change.acts or change.texts:
            rules.take(change)
        return [change]
    done: list[RuleChange] = []
    for _ in range(MOST_ROUNDS):
        if isinstance(find, RareCombinations):
            change = _combinations(rules, number, rule, find, name)
        else:
            change = _frequency(rules, number, rule, find, name)
        if not change.acts and (done or not change.texts):
            break
        rules.take(change)
        done.append(change)
        if not change.acts or not _again(rules.work, rule, find):
            break
    return done


def _again(work: Work, rule: OutlierRule, find: FindKind) -> bool:
    """May a treatment make something else rare, which another round finds?"""
    treat = rule.treat.one
    if isinstance(treat, (ParentCategory, LocalGeneralization)):
        return False
    if isinstance(find, Frequency):
        return by_subject(work, find) and isinstance(treat, LocalSuppression)
    return True


def _frequency(rules: _Rules, number: int, rule: OutlierRule, find: Frequency, name: str) -> RuleChange:
    treat = rule.treat.one
    texts = rule.treated if isinstance(treat, (ParentCategory, LocalGeneralization)) else ()
    nothing = RuleChange(number, texts=texts)
    classes = rules.count(number, find, f"{name}, classes")
    if classes is None:
        return nothing
    if not isinstance(treat, LocalGeneralization):
        return class_change(rules.work, number, rule, classes)
    few = classes.filter(pa.array([count < find.below for count in classes[COUNT].to_pylist()], pa.bool_()))
    if not few.num_rows:
        return nothing
    _, keys = _in_order(few, find.columns)
    (column,) = rule.treated
    task = NumberRule(rules.work, rules.engine, number, rule, rules.types[column], partial(rules.pass_of, name))
    ranges = task.ranges(column, find.columns, keys)
    listed = [key for key in keys.to_pylist() if key in ranges]
    named = [range_text(*ranges[key][:2], treat, task.type_) for key in listed]
    act = KeyAct(find.columns, pa.array(listed, pa.binary()), column, pa.array(named, pa.string()))
    return replace(nothing, acts=(act,) if listed else (), cells=sum(count for _, _, count in ranges.values()))


def class_change(work: Work, number: int, rule: OutlierRule, classes: pa.Table) -> RuleChange:
    """What becomes of the rare ones of some counted classes: suppression, removal, parent category."""
    find, treat = rule.find.one, rule.treat.one
    assert isinstance(find, Frequency)
    if isinstance(treat, LocalSuppression):
        return of_rule(number, find, treat, classes)
    nothing = RuleChange(number, texts=rule.treated if isinstance(treat, ParentCategory) else ())
    few = classes.filter(pa.array([count < find.below for count in classes[COUNT].to_pylist()], pa.bool_()))
    if not few.num_rows:
        return nothing
    few, keys = _in_order(few, find.columns)
    if isinstance(treat, ParentCategory):
        return _categorized(work, nothing, rule, treat, few, keys)
    return replace(nothing, acts=(KeyAct(find.columns, keys),), rows=sum(few[COUNT].to_pylist()))


def _in_order(few: pa.Table, columns: Sequence[str]) -> tuple[pa.Table, pa.Array]:
    """Classes and their encoded keys in an order of their own."""
    keys = encode_ids([few[name].combine_chunks() for name in columns])
    listed = keys.to_pylist()
    turn = pa.array(sorted(range(len(listed)), key=lambda place: listed[place]), pa.int64())
    return few.take(turn), keys.take(turn)


def _categorized(
    work: Work, nothing: RuleChange, rule: OutlierRule, treat: ParentCategory, few: pa.Table, keys: pa.Array
) -> RuleChange:
    """The parents of the rare values; a null cell stays null, a value without a parent is refused."""
    find = rule.find.one
    assert isinstance(find, Frequency)
    (column,) = rule.treated
    cells = few[column].combine_chunks()
    parents = work.table.hierarchies[treat.hierarchy].lookup(cells, treat.level)
    uncovered = parents.null_count - cells.null_count
    if uncovered:
        raise DataRefused(
            f"{_place(work, nothing.rule)}: {uncovered} rare classes have a value of {column} that {treat.hierarchy} "
            f"does not cover; allowed: values that it has a {treat.level} for"
        )
    valid = cells.is_valid()
    counts = few[COUNT].filter(valid).to_pylist()
    act = KeyAct(find.columns, keys.filter(valid), column, parents.filter(valid))
    return replace(nothing, acts=(act,) if counts else (), cells=sum(counts))


def _combinations(
    rules: _Rules, number: int, rule: OutlierRule, find: RareCombinations, name: str
) -> RuleChange:
    """The least important cell of every rare combination goes, or (none may go) the record."""
    rare = rare_combinations(rules.work, rules.engine, number, find, rules.said(name))
    change = combination_change(number, rule, rare)
    if not change.acts:
        return change
    what = rules.said(f"{name}, cells and rows")
    cells, rows = touched(rules.work, rules.engine, change, number, what)
    return replace(change, cells=cells, rows=rows)


def combination_change(number: int, rule: OutlierRule, rare: Mapping[tuple[str, ...], pa.Array]) -> RuleChange:
    """What becomes of rare combinations, without counts of cells and rows."""
    treat = rule.treat.one
    acts = []
    for subset, keys in rare.items():
        column = None
        if isinstance(treat, LocalSuppression):
            may = [one for one in rule.treated if one in subset]
            # The later in the plan's list goes among equals.
            column = min(reversed(may), key=lambda one: treat.importance.get(one, 1)) if may else None
        acts.append(KeyAct(subset, keys, column))
    return RuleChange(number, tuple(acts))


def _left(rules: _Rules) -> list[tuple[int, int]]:
    """Rules on classes and combinations that once more would find something, and in how many of them."""
    found = []
    table = rules.work.table
    for number, rule in enumerate(table.outliers):
        find = rule.find.one
        if isinstance(find, NumberFind) or not _may_be_left(table.outliers, number):
            continue
        what = rules.said(f"outlier rule {number + 1}, looked at again")
        last = len(table.outliers) - 1
        if isinstance(find, RareCombinations):
            left = sum(len(keys) for keys in rare_combinations(rules.work, rules.engine, last, find, what).values())
        else:
            classes = count_classes(rules.work, rules.engine, last, find, what)
            left = 0 if classes is None else sum(count < find.below for count in classes[COUNT].to_pylist())
        if left:
            found.append((number, left))
    return found


def _may_be_left(rules: Sequence[OutlierRule], number: int) -> bool:
    """Suppression leaves nothing rare; other treatments may, and later rules that touch its columns or remove rows."""
    rule = rules[number]
    settled = isinstance(rule.find.one, Frequency) and rule.treat.name in ("local-suppression", "record-suppression")
    later = any(not one.treated or set(one.treated) & set(rule.find.columns) for one in rules[number + 1 :])
    return later or not settled


def _place(work: Work, number: int) -> str:
    return f"table {work.table.name}, outliers[{number}]"


def _check_limits(limits: OutlierLimits, place: str, cells: int, removed: int, rows: int, columns: int) -> None:
    if rows == 0 or limits.recheck == "report":
        return
    shares = [("rows", removed / rows, limits.rows)]
    if columns:
        shares.insert(0, ("cells", cells / (rows * columns), limits.cells))
    for what, share, limit in shares:
        if share > limit:
            raise DataRefused(
                f"{place}: the rule would change {share:.2%} of the {what}; allowed by "
                f"outlier_limits.{what}: {limit:.2%}; coarsen the columns of the rule, take more than these {rows:,} "
                "rows (among few most are rare), or raise the limit in the plan"
            )


__all__ = ["DataRefused", "Solved", "class_change", "combination_change", "solve_rules"]
