"""Outlier rules proved: the claimed changes are those that the classes ask for, and they suffice."""

from __future__ import annotations

import pyarrow as pa

from transforms.pipeline.engine import Engine
from transforms.pipeline.outliers import Changes, ClassesMap, ClassesReduce, RuleChange, solve
from transforms.pipeline.states import unpack
from transforms.pipeline.work import Work
from transforms.plan import OutlierRule
from transforms.run_facts import RuleFacts, binary

BUCKETS = 8
MOST_ROUNDS = 8


def claimed_changes(rules: tuple[RuleFacts, ...]) -> Changes | None:
    """What a run's facts say of its outlier rules, as the tasks apply it."""
    found = tuple(
        RuleChange(rule.columns, rule.treated, binary(rule.suppressed), binary(rule.removed), rule.cells, rule.rows)
        for rule in rules
    )
    return Changes(found) if found else None


def wrong_rules(work: Work, engine: Engine) -> list[int]:
    """Numbers (from 0) of the outlier rules whose claimed changes are not proved; none behind a wrong one is tried.

    Each rule is solved anew on the classes that the claimed changes before it leave, and must come to the
    same; and behind its changes every class must have as many subjects (or rows) as the rule asks for. Rows
    of classes add up, subjects don't: where a subject may have rows in several classes, they are counted again.
    """
    claimed = work.changes.rules if work.changes is not None else ()
    used = 0
    for number, rule in enumerate(work.table.outliers):
        for _ in range(MOST_ROUNDS + 1):
            classes = _classes(work.with_(changes=Changes(claimed[:used]) if used else None), engine, number)
            if classes is None or _suffices(classes, rule):
                break
            if used == len(claimed) or not _same(solve(rule, classes), claimed[used]):
                return [number]
            used += 1
            if not by_subject(work, rule):
                if not _suffices(_changed(classes, claimed[used - 1]), rule):
                    return [number]
                break
        else:
            return [number]
    return [len(work.table.outliers) - 1] if used < len(claimed) else []


def _changed(classes: pa.Table, change: RuleChange) -> pa.Table:
    """The classes and their rows behind a rule's changes."""
    cells = {name: classes[name].combine_chunks() for name in change.columns}
    keep = Changes((change,)).apply(cells)
    after = pa.table({**cells, "count_all": classes["count_all"].combine_chunks()})
    after = after if keep is None else after.filter(pa.array(keep))
    summed = after.group_by(list(change.columns)).aggregate([("count_all", "sum")])
    return summed.rename_columns([*change.columns, "count_all"])


def by_subject(work: Work, rule: OutlierRule) -> bool:
    """Are distinct subjects counted, which rows alone don't tell?"""
    return rule.find.frequency.count == "subject" and not work.table.one_row_per_subject


def _suffices(classes: pa.Table, rule: OutlierRule) -> bool:
    """Has every class the rule's least number? Then there is nothing to change."""
    least = rule.find.frequency.below
    return all(count >= least for count in classes["count_all"].to_pylist())


def _classes(work: Work, engine: Engine, number: int) -> pa.Table | None:
    rule = work.table.outliers[number]
    columns = rule.find.frequency.columns
    named = {
        column
        for one in work.table.outliers
        for column in (*one.find.frequency.columns, *one.treat.local_suppression.columns)
    }
    distinct = by_subject(work, rule)
    blobs = engine.shuffle(
        ClassesMap(work, columns, tuple(sorted(named)), distinct, BUCKETS),
        ClassesReduce(columns, distinct),
        BUCKETS,
        f"outlier rule {number + 1}, classes",
    )
    return pa.concat_tables([unpack(blob) for blob in blobs]) if blobs else None


def _same(left: RuleChange, right: RuleChange) -> bool:
    return (left.columns, left.treated, left.cells, left.rows) == (
        right.columns,
        right.treated,
        right.cells,
        right.rows,
    ) and all(
        sorted(mine.to_pylist()) == sorted(theirs.to_pylist())
        for mine, theirs in ((left.suppressed, right.suppressed), (left.removed, right.removed))
    )
