"""The passes of one table in order: subjects, facts, outlier rules, counts by order; then the transforming pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.facts import Fact
from transforms.identifiers import encode_ids, in_domain
from transforms.pipeline.engine import Engine
from transforms.pipeline.measure import (
    FactsTask,
    Measured,
    Site,
    SubjectDrawsTask,
    Subjects,
    SubjectsMap,
    SubjectsReduce,
    SubjectsTask,
    Window,
    bucket_of,
    conclude,
    distinct,
    expected_window,
    facts_of_depth,
    threshold_of,
)
from transforms.pipeline.outliers import (
    Changes,
    ClassesMap,
    ClassesReduce,
    DeliveredSubjectsMap,
    DeliveredSubjectsReduce,
    DeliveredTask,
    solve,
)
from transforms.pipeline.states import unpack
from transforms.pipeline.transform import COUNTS, Sink, Tally, TransformMap, TransformReduce, add_tally
from transforms.pipeline.work import BINS, Words, Work, at_most, make_work
from transforms.pipeline_model import TablePipeline
from transforms.plan import OutlierLimits, Sample
from transforms.run_facts import RuleFacts, TableFacts
from transforms.run_keys import RunKeys

BUCKET_BYTES = 256 << 20
SMALL_BUCKET_BYTES = 16 << 20
SHUFFLE_BUCKETS = 8
LARGEST_FACTS_ROUNDS = 8


class DataRefused(Exception):
    """The data does not allow what the plan asks for (exit 1); the text holds counts, never values."""


@dataclass(frozen=True)
class Options:
    """How a table is run: none of it changes the rows that come out."""

    cores: int = 2
    buckets: int | None = None
    rows_hint: int = 1
    limits: OutlierLimits = field(default_factory=OutlierLimits)


@dataclass(frozen=True)
class Prepared:
    """All that is measured before cells are transformed: ready for the transforming pass."""

    work: Work
    subjects: int | None
    drawn: int | None
    seen: int
    stopped_rows: int
    sampled_rows: int
    rows: int
    offsets: tuple[int, ...]
    outliers: tuple[dict[str, Any], ...] = ()
    passes: tuple[str, ...] = ()

    @property
    def facts(self) -> TableFacts:
        """What was measured, for the run's facts file."""
        changes = self.work.changes.rules if self.work.changes is not None else ()
        rules = tuple(
            RuleFacts(
                rule.columns,
                rule.treated,
                tuple(rule.suppressed.to_pylist()),
                tuple(rule.removed.to_pylist()),
                rule.cells,
                rule.rows,
            )
            for rule in changes
        )
        return TableFacts(
            self.work.threshold,
            self.subjects,
            self.drawn,
            self.seen,
            self.stopped_rows,
            self.sampled_rows,
            self.rows,
            self.work.buckets,
            self.offsets,
            self.work.facts,
            rules,
        )


@dataclass(frozen=True)
class Finished:
    """What the transforming pass gave: the sink's answers, and cells changed, unchanged, null by column and step."""

    outputs: tuple[bytes, ...]
    tally: Tally = field(default_factory=dict)


def stopped_draws(table: TablePipeline, work: Work, ids: pa.Array) -> Words:
    """Draws of the subjects who asked to stop, sorted: tasks compare draws, never ids."""
    ids = ids.drop_null()
    if table.subject_type is not None and ids.type != table.subject_type:
        ids = in_domain(ids, table.subject_type)
    draws = work.select.bits(encode_ids([ids]))
    return draws[np.lexsort((draws[:, 1], draws[:, 0]))]


def prepare(
    table: TablePipeline,
    keys: RunKeys,
    engine: Engine,
    options: Options,
    stopped: pa.Array | None = None,
    threshold: tuple[int, int] | None = None,
    register: Words | None = None,
) -> Prepared:
    """Measure everything. `stopped` are ids of subjects to leave out; `threshold` and `register` (the draws of
    its subjects) come from the register's table where this is another one.

    Errors: PassFailed (with sites), DataRefused.
    """
    work = make_work(table, keys)
    if stopped is not None:
        work = work.with_(stopped=stopped_draws(table, work, stopped))
    if register is not None:
        work = work.with_(register=register)
    passes: list[str] = []
    subjects = drawn = None
    if threshold is not None:
        work = work.with_(threshold=threshold)
    elif table.sample is not None:
        work, subjects, drawn = _draw_sample(table, work, engine, options, table.sample, passes)
    measured, work = _measure(work, engine, options, passes)
    solved, outcomes = _solve_outliers(work, engine, options, measured, passes)
    work = solved
    order, rows = measured.order, measured.kept
    if any(outcome["rows"] for outcome in outcomes):
        order, rows = _count_delivered(work, engine, options, passes)
    buckets = options.buckets or _buckets(rows, measured.arrow_bytes, options.cores)
    work = work.with_(buckets=buckets)
    offsets = _offsets(work, engine, options, order, buckets, passes)
    return Prepared(
        work,
        subjects,
        drawn,
        measured.seen,
        measured.stopped,
        measured.sampled,
        rows,
        offsets,
        tuple(outcomes),
        tuple(passes),
    )


def _draw_sample(
    table: TablePipeline, work: Work, engine: Engine, options: Options, sample: Sample, passes: list[str]
) -> tuple[Work, int, int]:
    share = sample.fraction if sample.fraction is not None else (sample.n or 0) / max(1, options.rows_hint)
    window = expected_window(min(1.0, share), options.rows_hint)
    found = _subjects(work, engine, options, window, passes)
    n = sample.n if sample.n is not None else math.floor(found.count * Decimal(str(sample.fraction)))
    if n > found.count:
        raise DataRefused(f"table {table.source}: a sample of {n} subjects is asked for, there are {found.count}")
    if n == 0:
        return work.with_(threshold=(0, 0)), found.count, 0
    place = threshold_of(found, n, window)
    if isinstance(place, Window):
        found = _subjects(work, engine, options, place, passes)
        place = threshold_of(found, n, place)
    if isinstance(place, Window):
        raise DataRefused(f"table {table.source}: the source changed between two passes")
    return work.with_(threshold=place), found.count, n


def register_draws(work: Work, engine: Engine) -> Words:
    """The sorted draws of a register's sampled subjects, for the other tables of the same subject."""
    top = (1 << 64) - 1
    blobs = engine.each(SubjectDrawsTask(work), "the register's subjects")
    draws = distinct(np.concatenate([unpack(blob) for blob in blobs])) if blobs else np.empty((0, 2), np.uint64)
    return draws[at_most(draws, work.threshold or (top, top))]


def _subjects(work: Work, engine: Engine, options: Options, window: Window, passes: list[str]) -> Subjects:
    what = f"subjects, pass {len(passes) + 1}"
    passes.append(what)
    if work.table.one_row_per_subject:
        blobs = engine.each(SubjectsTask(work, window), what)
    else:
        blobs = engine.shuffle(SubjectsMap(work, SHUFFLE_BUCKETS), SubjectsReduce(work, window), SHUFFLE_BUCKETS, what)
    empty = Subjects(0, 0, np.zeros(BINS, np.int64), np.empty((0, 2), np.uint64))
    return reduce(Subjects.merge, (unpack(blob) for blob in blobs), empty)


def _measure(work: Work, engine: Engine, options: Options, passes: list[str]) -> tuple[Measured, Work]:
    """The facts, depth by depth; the counts come with the first pass."""
    table = work.table
    depths = table.fact_depth()
    first: Measured | None = None
    for depth in range(1, max(1, depths) + 1):
        facts: dict[tuple[Site, str], Fact] = facts_of_depth(table, depth)
        wanted = dict(facts)
        for round_ in range(LARGEST_FACTS_ROUNDS):
            if first is not None and not wanted:
                break
            what = f"facts, pass {depth} of {max(1, depths)}" + (f", refined {round_}" if round_ else "")
            passes.append(what)
            classes = _early_classes(table) if first is None else ()
            found = _gather(FactsTask(work, wanted, classes), engine, what)
            first = first or found
            states = _filled(wanted, found, table)
            done, wanted = conclude(wanted, states)
            known = {site: dict(named) for site, named in work.facts.items()}
            for (site, name), value in done.items():
                known.setdefault(site, {})[name] = value
            work = work.with_(facts=known)
            if not wanted:
                break
    assert first is not None
    return first, work


def _early_classes(table: TablePipeline) -> tuple[str, ...]:
    """Class columns of the first outlier rule, if the first pass can count them: no facts, no second count."""
    if not table.outliers:
        return ()
    find = table.outliers[0].find.frequency
    waits = any(step.depth for chain in table.chains if chain.name in find.columns for step in chain.steps)
    many = find.count == "subject" and not table.one_row_per_subject
    return () if waits or many else find.columns


def _gather(task: FactsTask, engine: Engine, what: str) -> Measured:
    found: Measured | None = None
    for blob in engine.each(task, what):
        state = unpack(blob)
        found = state if found is None else found.merge(state, task.facts)
    return found or Measured(0, 0, 0, 0, np.zeros(BINS, np.int64), {}, 1)


def _filled(facts: dict[tuple[Site, str], Fact], found: Measured, table: TablePipeline) -> dict[tuple[Site, str], Any]:
    """States, with the state of no value at all where no row was seen."""
    types = {(chain.name, number): step.before for chain in table.chains for number, step in enumerate(chain.steps)}
    return {
        key: found.states[key] if key in found.states else fact.observe(pa.array([], types[key[0]]))
        for key, fact in facts.items()
    }


def _solve_outliers(
    work: Work, engine: Engine, options: Options, measured: Measured, passes: list[str]
) -> tuple[Work, list[dict[str, Any]]]:
    """The outlier rules in order, each on what the ones before it left."""
    outcomes: list[dict[str, Any]] = []
    table = work.table
    for number, rule in enumerate(table.outliers):
        cells = removed = 0
        for _ in range(LARGEST_FACTS_ROUNDS):
            find = rule.find.frequency
            by_subject = find.count == "subject" and not table.one_row_per_subject
            classes = measured.classes if number == 0 and measured.classes is not None else None
            if classes is None:
                classes = _count_classes(work, engine, options, number, by_subject, passes)
            if classes is None:
                break
            change = solve(rule, classes)
            if not len(change.suppressed) and not len(change.removed):
                break
            earlier = work.changes.rules if work.changes is not None else ()
            work = work.with_(changes=Changes((*earlier, change)))
            cells, removed = cells + change.cells, removed + change.rows
            if not by_subject:
                break
        outcomes.append({"rule": number + 1, "cells": cells, "rows": removed})
        _check_limits(options.limits, number, cells, removed, measured.kept, len(rule.treat.local_suppression.columns))
    return work, outcomes


def _count_classes(
    work: Work, engine: Engine, options: Options, number: int, by_subject: bool, passes: list[str]
) -> pa.Table | None:
    """Counts by class for one outlier rule, by a shuffle of classes; None where there is no row."""
    rules = work.table.outliers
    columns = rules[number].find.frequency.columns
    needed = tuple(sorted({name for earlier in rules[: number + 1] for name in _named(earlier)}))
    what = f"outlier rule {number + 1}, classes"
    passes.append(what)
    map_ = ClassesMap(work, columns, needed, by_subject, SHUFFLE_BUCKETS)
    blobs = engine.shuffle(map_, ClassesReduce(columns, by_subject), SHUFFLE_BUCKETS, what)
    return pa.concat_tables([unpack(blob) for blob in blobs]) if blobs else None


def _named(rule: Any) -> tuple[str, ...]:
    return (*rule.find.frequency.columns, *rule.treat.local_suppression.columns)


def _check_limits(limits: OutlierLimits, number: int, cells: int, removed: int, rows: int, columns: int) -> None:
    if rows == 0 or limits.recheck == "report":
        return
    for what, share, limit in (
        ("cells", cells / (rows * columns), limits.cells),
        ("rows", removed / rows, limits.rows),
    ):
        if share > limit:
            raise DataRefused(
                f"outliers[{number}]: the rule would change {share:.2%} of the {what}; allowed by "
                f"outlier_limits.{what}: {limit:.2%}; coarsen the columns of the rule, or raise the limit with a reason"
            )


def _count_delivered(
    work: Work, engine: Engine, options: Options, passes: list[str]
) -> tuple[npt.NDArray[np.int64], int]:
    what = "rows by order, after removals"
    passes.append(what)
    order, rows = np.zeros(BINS, np.int64), 0
    for blob in engine.each(DeliveredTask(work, _outlier_columns(work.table)), what):
        found, histogram = unpack(blob)
        order, rows = order + histogram, rows + found
    return order, rows


def _outlier_columns(table: TablePipeline) -> tuple[str, ...]:
    return tuple(sorted({name for rule in table.outliers for name in _named(rule)}))


def _buckets(rows: int, row_bytes: int, cores: int) -> int:
    size = rows * row_bytes
    return max(1, -(-size // BUCKET_BYTES), min(cores, -(-size // SMALL_BUCKET_BYTES)))


def _offsets(
    work: Work,
    engine: Engine,
    options: Options,
    order: npt.NDArray[np.int64],
    buckets: int,
    passes: list[str],
) -> tuple[int, ...]:
    """How many serials lie before each bucket."""
    table = work.table
    if table.has_serial and table.by_subject and not table.one_row_per_subject:
        what = "delivered subjects by order"
        passes.append(what)
        counts = np.zeros(buckets, np.int64)
        map_ = DeliveredSubjectsMap(work, _outlier_columns(table), buckets)
        for blob in engine.shuffle(map_, DeliveredSubjectsReduce(), buckets, what):
            bucket, count = unpack(blob)
            counts[bucket] += count
    else:
        bins = bucket_of(np.arange(BINS, dtype=np.uint64) << np.uint64(48), buckets)
        counts = np.bincount(bins, weights=order, minlength=buckets).astype(np.int64)
    return tuple(int(before) for before in np.concatenate([[0], np.cumsum(counts)[:-1]]))


def finish(prepared: Prepared, engine: Engine, sink: Sink, options: Options) -> Finished:
    """The transforming pass: every delivered row goes through `sink`, bucket by bucket."""
    what = "transform"
    work = prepared.work
    found = engine.shuffle(
        TransformMap(work), TransformReduce(work, prepared.offsets, sink), work.buckets, what, kinds=True
    )
    outputs: list[bytes] = []
    tally: Tally = {}
    for kind, blob in found:
        if kind == COUNTS:
            add_tally(tally, unpack(blob))
        else:
            outputs.append(blob)
    return Finished(tuple(outputs), tally)
