"""The passes of one table in order: subjects, facts, outlier rules, counts by order; then the transforming pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.facts import Fact
from transforms.identifiers import encode_ids, stopped_subjects
from transforms.pipeline.class_measure import measure_classes, splits_of
from transforms.pipeline.class_pass import ToOrder, class_stage
from transforms.pipeline.engine import Engine
from transforms.pipeline.marks import Marked, Marking
from transforms.pipeline.measure import (
    FactsTask,
    Measured,
    Site,
    bucket_of,
    conclude,
    facts_of_depth,
)
from transforms.pipeline.members import Members, Words
from transforms.pipeline.outlier_gather import needed_columns
from transforms.pipeline.outlier_rules import solve_rules
from transforms.pipeline.outliers import DeliveredSubjectsMap, DeliveredSubjectsReduce, DeliveredTask
from transforms.pipeline.sample_run import Sampled
from transforms.pipeline.sampling import draw_sample
from transforms.pipeline.states import unpack
from transforms.pipeline.transform import COUNTS, MARKED, Sink, Tally, TransformMap, TransformReduce, add_tally
from transforms.pipeline.work import BINS, Work, make_work
from transforms.pipeline_model import TablePipeline
from transforms.plan_outliers import Frequency, OutlierLimits
from transforms.run_facts import TableFacts
from transforms.run_keys import RunKeys
from transforms.sample_facts import SampleFacts

BUCKET_BYTES = 256 << 20
SMALL_BUCKET_BYTES = 16 << 20
LARGEST_FACTS_ROUNDS = 8


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
    sample: SampleFacts | None = None

    @property
    def facts(self) -> TableFacts:
        """What was measured, for the run's facts file."""
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
            self.work.changes.rules if self.work.changes is not None else (),
            self.work.splits,
            self.sample,
        )


@dataclass(frozen=True)
class Finished:
    """What the transforming pass gave: the sink's answers, cells changed, unchanged, null by column and step, marks."""

    outputs: tuple[bytes, ...]
    tally: Tally = field(default_factory=dict)
    marked: Marked = field(default_factory=Marked)


def stopped_draws(table: TablePipeline, work: Work, ids: pa.Array) -> Words:
    """Draws of the subjects who asked to stop, sorted: tasks compare draws, never ids."""
    assert table.subject is not None
    type_ = table.subject_type or table.source_schema.field(table.subject).type
    draws = work.select.bits(encode_ids([stopped_subjects(ids, type_)]))
    return draws[np.lexsort((draws[:, 1], draws[:, 0]))]


def prepare(
    table: TablePipeline,
    keys: RunKeys,
    engine: Engine,
    options: Options,
    stopped: pa.Array | None = None,
    threshold: tuple[int, int] | None = None,
    register: Members | None = None,
) -> Prepared:
    """Measure everything. `stopped` are ids of subjects to leave out; `threshold` and `register` (who is in
    it) come from the register's table where this is another one.

    Errors: PassFailed (with sites), DataRefused.
    """
    work = make_work(table, keys)
    if stopped is not None:
        work = work.with_(stopped=stopped_draws(table, work, stopped))
    if register is not None:
        work = work.with_(register=register)
    passes: list[str] = []
    sampled: Sampled | None = None
    if threshold is not None:
        work = work.with_(threshold=threshold)
    elif register is None and table.sample is not None:
        sampled = draw_sample(work, engine, options.rows_hint, passes)
        work = sampled.work
    measured, work = _measure(work, engine, options, passes)
    splits = splits_of(work, engine, measured.kept, passes)
    work = work.with_(splits=splits, class_buckets=_class_buckets(measured, options.cores))
    solved = solve_rules(work, engine, options.limits, measured.kept, measured.classes, passes)
    work, outcomes = solved.work, solved.outcomes
    order, rows = measured.order, measured.kept
    if any(outcome["rows"] for outcome in outcomes):
        order, rows = _count_delivered(work, engine, options, passes)
    buckets = options.buckets or _buckets(rows, measured.arrow_bytes, options.cores)
    work = work.with_(buckets=buckets)
    offsets = _offsets(work, engine, options, order, buckets, passes)
    return Prepared(
        work,
        sampled.subjects if sampled is not None else None,
        sampled.drawn if sampled is not None else None,
        measured.seen,
        measured.stopped,
        measured.sampled,
        rows,
        offsets,
        outcomes,
        tuple(passes),
        sampled.facts if sampled is not None else None,
    )


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
        work = measure_classes(work, engine, depth, passes, options.cores)
    assert first is not None
    return first, work


def _early_classes(table: TablePipeline) -> tuple[str, ...]:
    """Class columns of the first outlier rule, if the first pass can count them: no facts, no second count."""
    if not table.outliers:
        return ()
    find = table.outliers[0].find.one
    if not isinstance(find, Frequency):
        return ()
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


def _count_delivered(
    work: Work, engine: Engine, options: Options, passes: list[str]
) -> tuple[npt.NDArray[np.int64], int]:
    what = "rows by order, after removals"
    passes.append(what)
    order, rows = np.zeros(BINS, np.int64), 0
    for blob in engine.each(DeliveredTask(work, needed_columns(work, len(work.table.outliers))), what):
        found, histogram = unpack(blob)
        order, rows = order + histogram, rows + found
    return order, rows


def _buckets(rows: int, row_bytes: int, cores: int) -> int:
    size = rows * row_bytes
    return max(1, -(-size // BUCKET_BYTES), min(cores, -(-size // SMALL_BUCKET_BYTES)))


def _class_buckets(measured: Measured, cores: int) -> int:
    return max(-(-measured.kept * measured.arrow_bytes // BUCKET_BYTES), cores)


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
        map_ = DeliveredSubjectsMap(work, needed_columns(work, len(table.outliers)), buckets)
        for blob in engine.shuffle(map_, DeliveredSubjectsReduce(), buckets, what):
            bucket, count = unpack(blob)
            counts[bucket] += count
    else:
        bins = bucket_of(np.arange(BINS, dtype=np.uint64) << np.uint64(48), buckets)
        counts = np.bincount(bins, weights=order, minlength=buckets).astype(np.int64)
    return tuple(int(before) for before in np.concatenate([[0], np.cumsum(counts)[:-1]]))


def finish(
    prepared: Prepared, engine: Engine, sink: Sink, options: Options, marking: Marking | None = None
) -> Finished:
    """The transforming pass: every delivered row goes through `sink`, bucket by bucket."""
    what = "transform"
    work = prepared.work
    found = engine.shuffle(
        TransformMap(work, marking),
        TransformReduce(work, prepared.offsets, sink),
        work.buckets,
        what,
        kinds=True,
        inner=class_stage(work, ToOrder(work.buckets)),
    )
    outputs: list[bytes] = []
    tally: Tally = {}
    marked: list[Marked] = []
    for kind, blob in found:
        if kind == COUNTS:
            add_tally(tally, unpack(blob))
        elif kind == MARKED:
            marked.append(unpack(blob))
        else:
            outputs.append(blob)
    return Finished(tuple(outputs), tally, Marked.together(marked))
