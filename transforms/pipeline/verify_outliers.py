"""Outlier rules proved: the claimed changes are those that the classes ask for, and they suffice."""

from __future__ import annotations

import pyarrow as pa

from transforms.identifiers import encode_ids
from transforms.outlier_changes import Changes, RuleChange
from transforms.pipeline.engine import Engine
from transforms.pipeline.outlier_classes import COUNT, by_subject, count_classes, rare_combinations, touched
from transforms.pipeline.outlier_rules import MOST_ROUNDS, DataRefused, class_change, combination_change
from transforms.pipeline.verify_outlier_numbers import class_ranges_hold, number_rule_holds
from transforms.pipeline.work import Work
from transforms.plan_outliers import (
    Frequency,
    LocalGeneralization,
    LocalSuppression,
    NumberFind,
    OutlierRule,
    RareCombinations,
    RemoveRecords,
)


def wrong_rules(work: Work, engine: Engine) -> list[int]:
    """Numbers (from 0) of the outlier rules whose claimed changes are not proved; none behind a wrong one is tried.

    Rules on classes are solved anew on the classes that the claimed changes before them leave, and must come to the
    same; and behind suppression every class must have as many subjects (or rows) as the rule asks for. Rows of
    classes add up, subjects don't: where a subject may have rows in several classes, they are counted again. Rules
    on numbers are held against their definition, on all values of a class.
    """
    claimed = work.changes.rules if work.changes is not None else ()
    numbers = [change.rule for change in claimed]
    if numbers != sorted(numbers) or not set(numbers) <= set(range(len(work.table.outliers))):
        return [len(work.table.outliers) - 1]
    for number, rule in enumerate(work.table.outliers):
        before = tuple(change for change in claimed if change.rule < number)
        own = tuple(change for change in claimed if change.rule == number)
        if not _holds(_with(work, before), engine, number, rule, own):
            return [number]
    return []


def _with(work: Work, changes: tuple[RuleChange, ...]) -> Work:
    return work.with_(changes=Changes(changes) if changes else None)


def _holds(work: Work, engine: Engine, number: int, rule: OutlierRule, own: tuple[RuleChange, ...]) -> bool:
    find = rule.find.one
    earlier = work.changes.rules if work.changes is not None else ()
    if isinstance(find, NumberFind):
        return len(own) <= 1 and number_rule_holds(work, engine, number, rule, own[0] if own else None)
    if isinstance(find, RareCombinations):
        return _combinations_hold(work, engine, number, rule, find, own)
    if isinstance(rule.treat.one, LocalGeneralization):
        return len(own) == 1 and _generalized(work, engine, number, rule, find, own[0])
    for turn in range(len(own) + 1):
        classes = count_classes(_with(work, (*earlier, *own[:turn])), engine, number, find, _what(number))
        if classes is None:
            return turn == len(own)
        if turn == len(own):
            return turn >= MOST_ROUNDS or _nothing_more(work, number, rule, classes, turn)
        if not _same(_solved(work, number, rule, classes), own[turn]):
            return False
        if turn == len(own) - 1 and not by_subject(work, find) and _suppresses(rule):
            return _suffices(_changed(classes, own[turn]), find)
    return True


def _what(number: int) -> str:
    return f"outlier rule {number + 1}, classes"


def _suppresses(rule: OutlierRule) -> bool:
    return isinstance(rule.treat.one, (LocalSuppression, RemoveRecords))


def _nothing_more(work: Work, number: int, rule: OutlierRule, classes: pa.Table, turns: int) -> bool:
    """Behind all that is claimed: has every class the rule's least number, or may no more be done about it?"""
    find = rule.find.one
    assert isinstance(find, Frequency)
    if _suppresses(rule):
        return _suffices(classes, find)
    if turns:
        return True
    change = _solved(work, number, rule, classes)
    return change is not None and not change.acts and not change.texts


def _solved(work: Work, number: int, rule: OutlierRule, classes: pa.Table) -> RuleChange | None:
    try:
        return class_change(work, number, rule, classes)
    except DataRefused:
        return None


def _changed(classes: pa.Table, change: RuleChange) -> pa.Table:
    """The classes and their rows behind a rule's changes."""
    columns = [name for name in classes.column_names if name != COUNT]
    cells = {name: classes[name].combine_chunks() for name in columns}
    keep = Changes((change,)).apply(cells)
    after = pa.table({**cells, COUNT: classes[COUNT].combine_chunks()})
    after = after if keep is None else after.filter(pa.array(keep))
    summed = after.group_by(columns).aggregate([(COUNT, "sum")])
    return summed.rename_columns([*columns, COUNT])


def _suffices(classes: pa.Table, find: Frequency) -> bool:
    """Has every class the rule's least number? Then there is nothing to change."""
    return all(count >= find.below for count in classes[COUNT].to_pylist())


def _generalized(
    work: Work, engine: Engine, number: int, rule: OutlierRule, find: Frequency, claim: RuleChange
) -> bool:
    classes = count_classes(work, engine, number, find, _what(number))
    rare: list[bytes] = []
    if classes is not None:
        few = classes.filter(pa.array([count < find.below for count in classes[COUNT].to_pylist()], pa.bool_()))
        if few.num_rows:
            rare = encode_ids([few[name].combine_chunks() for name in find.columns]).to_pylist()
    return claim.texts == rule.treated and class_ranges_hold(work, engine, number, rule, claim, frozenset(rare))


def _combinations_hold(
    work: Work, engine: Engine, number: int, rule: OutlierRule, find: RareCombinations, own: tuple[RuleChange, ...]
) -> bool:
    """Each round finds the same combinations; behind the last one there is none, minimal or not."""
    earlier = work.changes.rules if work.changes is not None else ()
    for turn, claim in enumerate(own):
        now = _with(work, (*earlier, *own[:turn]))
        change = combination_change(number, rule, rare_combinations(now, engine, number, find, _what(number)))
        if not _same_acts(change, claim):
            return False
        if touched(now, engine, claim, number, _what(number)) != (claim.cells, claim.rows):
            return False
    if len(own) >= MOST_ROUNDS:
        return True
    last = _with(work, (*earlier, *own))
    return not rare_combinations(last, engine, number, find, _what(number), minimal=False)


def _same(left: RuleChange | None, right: RuleChange) -> bool:
    return left is not None and (left.cells, left.rows) == (right.cells, right.rows) and _same_acts(left, right)


def _same_acts(left: RuleChange, right: RuleChange) -> bool:
    return (left.texts, left.bounds) == (right.texts, right.bounds) and _plain(left) == _plain(right)


def _plain(change: RuleChange) -> list[tuple[str, ...]]:
    """The acts of a change on classes, whatever the order of its classes."""
    found: list[tuple[str, ...]] = []
    for act in change.to_json()["acts"]:
        values = act.get("values")
        listed = values["values"] if values is not None else [None] * len(act["keys"])
        lines = sorted(zip(act["keys"], map(repr, listed), strict=True))
        found.append((repr(act["columns"]), repr(act["column"]), repr(lines), repr("values" in act)))
    return sorted(found)

