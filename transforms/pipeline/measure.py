"""The measuring passes: which subjects are drawn (P0), what the facts are (P1). Task functions, free of Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.facts import Fact, NeedsAnotherPass
from transforms.pipeline.feed import FILE, ROW, Unit, row_bytes
from transforms.pipeline.members import Words
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import (
    BINS,
    Rows,
    Work,
    guarded,
    select,
    stopped_mask,
    subject_ids,
)
from transforms.pipeline_model import Chain, TablePipeline

Site = tuple[str, int]
# More classes than this are merged by a shuffle.
MOST_CLASSES = 100_000
Histogram = npt.NDArray[np.int64]


def narrow_columns(table: TablePipeline) -> list[str]:
    """What tells rows and subjects apart, and which rows stay."""
    named = table.key_columns() | table.condition_columns()
    ordered = [name for name in table.source_schema.names if name in named]
    return ordered + ([FILE, ROW] if table.row_key is None else [])


@dataclass(frozen=True)
class Subjects:
    """P0's state: rows seen and stopped, distinct subjects by the top bits of their draw, draws in the window."""

    rows: int
    stopped_rows: int
    histogram: Histogram
    window: Words

    def merge(self, other: Subjects) -> Subjects:
        return Subjects(
            self.rows + other.rows,
            self.stopped_rows + other.stopped_rows,
            self.histogram + other.histogram,
            np.concatenate([self.window, other.window]),
        )

    @property
    def count(self) -> int:
        return int(self.histogram.sum())


@dataclass(frozen=True)
class Window:
    """The draws that P0 brings along: the threshold will lie here, unless the guess of N was far off."""

    low: int
    high: int

    def pick(self, draws: Words) -> Words:
        high_words = draws[:, 0]
        return draws[(high_words >= np.uint64(self.low)) & (high_words <= np.uint64(self.high))]


def count_subjects(work: Work, window: Window, draws: Words, rows: int, stopped: int) -> Subjects:
    """The state of one batch of distinct subjects."""
    top = (draws[:, 0] >> np.uint64(48)).astype(np.int64)
    return Subjects(rows, stopped, np.bincount(top, minlength=BINS), window.pick(draws))


@dataclass(frozen=True)
class SubjectsTask:
    """P0 where each subject has one row: count and window, unit by unit."""

    work: Work
    window: Window

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        state: Subjects | None = None
        for batch in unit.batches(narrow_columns(self.work.table)):
            draws, asked = _subject_draws(self.work, batch)
            found = count_subjects(self.work, self.window, draws[~asked], batch.num_rows, int(asked.sum()))
            state = found if state is None else state.merge(found)
        if state is not None:
            yield pack(state)


def _subject_draws(work: Work, batch: pa.RecordBatch) -> tuple[Words, npt.NDArray[np.bool_]]:
    draws = work.select.bits(subject_ids(work.table, batch))
    return draws, stopped_mask(work, draws)


@dataclass(frozen=True)
class SubjectDrawsTask:
    """The distinct draws of a unit's subjects who did not ask to stop."""

    work: Work

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(narrow_columns(self.work.table)):
            draws, asked = _subject_draws(self.work, batch)
            yield pack(distinct(draws[~asked]))


@dataclass(frozen=True)
class SubjectsMap:
    """P0 where a subject may have many rows: distinct draws of a unit, split by their top bits."""

    work: Work
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        seen: list[Words] = []
        rows = stopped = 0
        for batch in unit.batches(narrow_columns(self.work.table)):
            draws, asked = _subject_draws(self.work, batch)
            seen.append(distinct(draws[~asked]))
            rows, stopped = rows + batch.num_rows, stopped + int(asked.sum())
        draws = distinct(np.concatenate(seen)) if seen else np.empty((0, 2), np.uint64)
        places = bucket_of(draws[:, 0], self.buckets)
        for bucket in range(self.buckets):
            part = draws[places == bucket]
            if len(part) or bucket == 0:
                yield bucket, pack((part, rows if bucket == 0 else 0, stopped if bucket == 0 else 0))


@dataclass(frozen=True)
class SubjectsReduce:
    """Distinct subjects over all units."""

    work: Work
    window: Window

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        parts = [unpack(blob) for blob in blobs]
        draws = distinct(np.concatenate([part[0] for part in parts]))
        rows, stopped = sum(part[1] for part in parts), sum(part[2] for part in parts)
        yield pack(count_subjects(self.work, self.window, draws, rows, stopped))


def distinct(draws: Words) -> Words:
    """Each draw once, sorted."""
    if not len(draws):
        return draws
    ordered = draws[np.lexsort((draws[:, 1], draws[:, 0]))]
    new = np.ones(len(ordered), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    return ordered[new]


def bucket_of(words: npt.NDArray[np.uint64], buckets: int) -> npt.NDArray[np.int64]:
    """The bucket of a draw by its top bits: equal shares of the whole range, in order."""
    return ((words >> np.uint64(48)).astype(np.int64) * buckets) >> 16


def expected_window(share: float, rows: int) -> Window:
    """Where the threshold for this share of `rows` draws lies but for some ten standard deviations."""
    spread = 10 * (max(share * (1 - share), 1e-9) / max(rows, 1)) ** 0.5 + 2 / max(rows, 1)
    top = (1 << 64) - 1
    low = int(max(0.0, share - spread) * top) >> 48 << 48
    high = min(top, int(min(1.0, share + spread) * top)) | ((1 << 48) - 1)
    return Window(low, high)


def threshold_of(subjects: Subjects, n: int, window: Window) -> tuple[int, int] | Window:
    """The n-th smallest draw, or the window in which another pass must look for it."""
    bin_ = int(np.searchsorted(np.cumsum(subjects.histogram), n))
    needed = Window(bin_ << 48, ((bin_ + 1) << 48) - 1)
    if needed.low < window.low or needed.high > window.high:
        return needed
    return _pick(subjects, n, needed)


def _pick(subjects: Subjects, n: int, window: Window) -> tuple[int, int]:
    before = int(np.cumsum(subjects.histogram)[(window.low >> 48) - 1]) if window.low >> 48 else 0
    draws = distinct(window.pick(subjects.window))
    high, low = draws[n - before - 1]
    return int(high), int(low)


@dataclass(frozen=True)
class Measured:
    """P1's state: rows by top bits of their order draw, what row rules removed, states of the facts.

    `classes` are counts by class of the first outlier rule; None where they were not asked for, or are too many
    to be merged in one place.
    """

    seen: int
    stopped: int
    sampled: int
    kept: int
    order: Histogram
    states: Mapping[tuple[Site, str], Any]
    arrow_bytes: int
    classes: pa.Table | None = None

    def merge(self, other: Measured, facts: Mapping[tuple[Site, str], Fact]) -> Measured:
        states = dict(self.states)
        for key, state in other.states.items():
            states[key] = facts[key].merge(states[key], state) if key in states else state
        return Measured(
            self.seen + other.seen,
            self.stopped + other.stopped,
            self.sampled + other.sampled,
            self.kept + other.kept,
            self.order + other.order,
            states,
            max(self.arrow_bytes, other.arrow_bytes),
            _together(self.classes, other.classes),
        )


def class_counts(cells: pa.Table, columns: Sequence[str]) -> pa.Table:
    """One row a class: its cells and `count_all`; null is a value of its own."""
    return cells.group_by(list(columns)).aggregate([([], "count_all")]).select([*columns, "count_all"])


def add_class_counts(counted: pa.Table, columns: Sequence[str]) -> pa.Table:
    """Counts of the same classes added up."""
    summed = counted.group_by(list(columns)).aggregate([("count_all", "sum")])
    return summed.select([*columns, "count_all_sum"]).rename_columns([*columns, "count_all"])


def _together(left: pa.Table | None, right: pa.Table | None) -> pa.Table | None:
    if left is None or right is None:
        return None
    merged = add_class_counts(pa.concat_tables([left, right]), left.column_names[:-1])
    return merged if merged.num_rows <= MOST_CLASSES else None


@dataclass(frozen=True)
class FactsTask:
    """P1: the rows that stay, counted by order bin; the facts of one depth observed on them.

    With `classes`, which must not wait for facts, counts by class of these delivered columns too: that saves the
    first outlier rule a pass of its own.
    """

    work: Work
    facts: Mapping[tuple[Site, str], Fact] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    def columns(self) -> list[str]:
        named = {column for (column, _), _ in self.facts} | set(self.classes)
        table = self.work.table
        for chain in table.chains:
            if chain.name in named:
                named.update(*(step.technique.columns() for step in chain.steps))
        narrow = narrow_columns(table)
        return narrow + [c for c in table.source_schema.names if c in named and c not in narrow]

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        total: Measured | None = None
        pilot = unit.pilot(self.work.table.source_schema.names) if unit.index == 0 else None
        width = pilot.nbytes // pilot.num_rows + 1 if pilot is not None and pilot.num_rows else 0
        for batch in unit.batches(self.columns()):
            found = self.observe(batch, width)
            total = found if total is None else total.merge(found, self.facts)
        if total is not None:
            yield pack(total)

    def _wanted(self) -> Iterator[tuple[Chain, int, list[tuple[str, Fact]]]]:
        by_site: dict[Site, list[tuple[str, Fact]]] = {}
        for (site, name), fact in self.facts.items():
            by_site.setdefault(site, []).append((name, fact))
        for chain in self.work.table.chains:
            for number in range(len(chain.steps)):
                if (chain.name, number) in by_site:
                    yield chain, number, by_site[(chain.name, number)]

    def observe(self, batch: pa.RecordBatch, width: int) -> Measured:
        chosen = select(self.work, batch)
        rows = Rows.of(self.work, batch, chosen)
        states: dict[tuple[Site, str], Any] = {}
        for chain, number, named in self._wanted():
            values = rows.run(chain, number)
            for name, fact in named:
                key = ((chain.name, number), name)
                states[key] = guarded(chain.steps[number].site, partial(fact.observe, values))
        classes: pa.Table | None = None
        if self.classes:
            chains = {chain.name: chain for chain in self.work.table.chains}
            cells = pa.table({name: rows.run(chains[name]) for name in self.classes})
            classes = class_counts(cells, self.classes)
        top = (chosen.order[:, 0] >> np.uint64(48)).astype(np.int64)
        return Measured(
            chosen.seen,
            chosen.stopped,
            chosen.sampled,
            len(chosen.rows),
            np.bincount(top, minlength=BINS),
            states,
            width or row_bytes(self.work.table.source_schema),
            classes,
        )


def facts_of_depth(table: TablePipeline, depth: int) -> dict[tuple[Site, str], Fact]:
    """The facts that one pass can gather: those whose values need facts of earlier passes only."""
    return {
        ((chain.name, number), name): fact
        for chain in table.chains
        for number, step in enumerate(chain.steps)
        if step.facts and step.depth == depth
        for name, fact in step.facts.items()
    }


def conclude(
    facts: Mapping[tuple[Site, str], Fact], states: Mapping[tuple[Site, str], Any]
) -> tuple[dict[tuple[Site, str], Any], dict[tuple[Site, str], Fact]]:
    """What is concluded, and what must be observed once more."""
    done: dict[tuple[Site, str], Any] = {}
    open_: dict[tuple[Site, str], Fact] = {}
    for key, fact in facts.items():
        try:
            done[key] = fact.conclude(states[key])
        except NeedsAnotherPass as again:
            open_[key] = again.fact
    return done, open_
