"""What a task works with: the compiled table, its draws, what has been measured so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.class_facts import ClassTable
from transforms.classes import Classes, classes_of
from transforms.draws import Draws
from transforms.errors import CellsRefused, Site
from transforms.given import Given, SiteKey
from transforms.identifiers import encode_ids, in_domain
from transforms.pipeline.feed import FILE, ROW
from transforms.pipeline.members import (
    Copies,
    Members,
    Membership,
    Words,
    at_most,
    bits_of_copies,
    draws_of_copy,
    places_in,
    repeated,
)
from transforms.pipeline_model import Chain, Step, TablePipeline
from transforms.plan_sample import SimpleSample, group_columns, stable_series, with_copies
from transforms.run_keys import RunKeys

TOP_BITS = 16
BINS = 1 << TOP_BITS


class StepFailed(Exception):
    """A technique raised at a site: the site and a reason that holds no value."""

    def __init__(self, site: Site, reason: str) -> None:
        super().__init__(str(site), reason)
        self.site, self.reason = site, reason

    def __str__(self) -> str:
        return f"{self.site}: {self.reason}"

    def __reduce__(self) -> Any:
        return StepFailed, (self.site, self.reason)


@dataclass(frozen=True)
class Work:
    """Handed to tasks as one broadcast: it holds subkeys and measured values."""

    table: TablePipeline
    select: Draws
    order: Draws
    order_rows: Draws
    steps: Mapping[tuple[str, int], Draws]
    classes: Draws
    keys: Mapping[tuple[str, int], SiteKey] = field(default_factory=dict)
    stopped: Words | None = None
    threshold: tuple[int, int] | None = None
    register: Members | None = None
    membership: Membership | None = None
    groups: Draws | None = None
    ranks: Draws | None = None
    facts: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    splits: Mapping[tuple[str, ...], ClassTable] = field(default_factory=dict)
    changes: Any = None
    buckets: int = 1
    class_buckets: int = 1

    def with_(self, **changes: Any) -> Work:
        return replace(self, **changes)


def make_work(table: TablePipeline, keys: RunKeys) -> Work:
    """The draws of one table: one subkey for each purpose and site."""
    subject = table.subject_domain or f"{table.home}.row"
    series = stable_series(table.sample)
    steps = {
        (chain.name, number): _step_draws(table, keys, chain, number, step)
        for chain in table.chains
        for number, step in enumerate(chain.steps)
    }
    return Work(
        table,
        select=keys.draws("select", subject, stable_over=series if isinstance(table.sample, SimpleSample) else None),
        order=keys.draws("order", subject if table.by_subject else f"{table.name}.row"),
        order_rows=keys.draws("order-rows", f"{table.name}.row"),
        steps=steps,
        classes=keys.draws("classes", f"{table.home}.classes"),
        keys=site_keys(table, keys),
        groups=keys.draws("select-group", subject, stable_over=series) if group_columns(table.sample) else None,
        ranks=keys.draws("select-rank", subject) if table.sample is not None else None,
    )


def _step_draws(table: TablePipeline, keys: RunKeys, chain: Chain, number: int, step: Step) -> Draws:
    """A step's own draws, those of a pseudonym's domain, or those that all columns and tables of a person share."""
    name = step.technique.name
    if getattr(step.technique, "shared_draws", False):
        return keys.draws(name, table.subject_domain or f"{table.home}.row", 0, table.subject_stable_over)
    if chain.domain == f"{table.home}.{chain.name}":
        return keys.draws(name, chain.domain, number, chain.stable_over)
    return keys.draws("pseudonym", chain.domain, 0, chain.stable_over)


def site_keys(table: TablePipeline, keys: RunKeys) -> dict[tuple[str, int], SiteKey]:
    """The subkeys of the steps that ask for one, by column and number of the step."""
    return {
        (chain.name, number): keys.key(use, step.technique.name, f"{table.home}.{chain.name}", number)
        for chain in table.chains
        for number, step in enumerate(chain.steps)
        if (use := step.technique.key_use()) is not None
    }


def subject_ids(table: TablePipeline, batch: pa.RecordBatch) -> pa.Array:
    """Encoded ids of the rows' subjects, in their domain's type (the row's own id where there is no subject)."""
    if table.subject is None:
        return row_ids(table, batch)
    array = batch.column(table.subject)
    if array.null_count:
        raise CellsRefused(f"table {table.source}: null in the subject's column {table.subject}", array.null_count)
    if table.subject_type is not None and array.type != table.subject_type:
        array = in_domain(array, table.subject_type)
    return encode_ids([array])


def row_ids(table: TablePipeline, batch: pa.RecordBatch) -> pa.Array:
    """Encoded ids of the rows: the row key, or the place in the pinned version."""
    names = table.row_key if table.row_key is not None else (FILE, ROW)
    if nulls := sum(batch.column(name).null_count for name in names):
        raise CellsRefused(f"table {table.source}: null in the row key ({', '.join(names)})", nulls)
    return encode_ids([batch.column(name) for name in names])


@dataclass(frozen=True)
class Selected:
    """The rows of a batch that stay (their indices) and their order draws (2 or 4 words each).

    Where a person may be drawn again, a row stands there once for each time, and `copies` numbers these from 0.
    """

    rows: npt.NDArray[np.int64]
    order: Words
    seen: int
    stopped: int
    sampled: int
    copies: Copies | None = None


def stopped_mask(work: Work, draws: Words) -> npt.NDArray[np.bool_]:
    """Which draws belong to subjects who asked to stop."""
    if work.stopped is None or not len(work.stopped):
        return np.zeros(len(draws), np.bool_)
    return places_in(draws, work.stopped) >= 0


def select(work: Work, batch: pa.RecordBatch, *, order: bool = True) -> Selected:
    """Stop requests, then the sample, then row rules: which rows of a batch stay; without `order`, no order draws."""
    table = work.table
    stays = np.ones(batch.num_rows, np.bool_)
    stopped = 0
    times: Copies | None = None
    if any(one is not None for one in (work.threshold, work.stopped, work.register, work.membership)):
        draws = work.select.bits(subject_ids(table, batch))
        if work.stopped is not None:
            asked = stopped_mask(work, draws)
            stopped = int(asked.sum())
            stays &= ~asked
        if work.threshold is not None:
            stays &= at_most(draws, work.threshold)
        if work.register is not None:
            times = work.register.times_of(draws)
            if unknown := int((stays & (times < 0)).sum()):
                raise CellsRefused(f"table {table.source}: rows of subjects whom the register does not list", unknown)
            stays &= times > 0
        if work.membership is not None:
            times = work.membership.times(batch, draws)
            stays &= times > 0
    sampled = int(stays.sum()) if times is None else int(times[stays].sum())
    for rule in table.row_rules:
        stays &= _kept(rule.technique, rule.site, batch)
    rows = np.flatnonzero(stays)
    copies: Copies | None = None
    if times is not None and with_copies(table.sample):
        rows, copies = repeated(rows, times[rows])
    if not order:
        return Selected(rows, np.empty((len(rows), 0), np.uint64), batch.num_rows, stopped, sampled, copies)
    ids = row_ids(table, batch)
    subjects = subject_ids(table, batch) if table.by_subject and not table.one_row_per_subject else None
    if copies is not None or len(rows) < batch.num_rows:
        ids = ids.take(pa.array(rows))
        subjects = subjects.take(pa.array(rows)) if subjects is not None else None
    if subjects is None:
        words = bits_of_copies(work.order, ids, copies)
    else:
        of_subjects = bits_of_copies(work.order, subjects, copies)
        words = np.concatenate([of_subjects, bits_of_copies(work.order_rows, ids, copies)], axis=1)
    return Selected(rows, words, batch.num_rows, stopped, sampled, copies)


def _kept(technique: Any, site: Site, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    given = Given(site, columns={name: batch.column(name) for name in technique.columns()})
    mask = guarded(site, lambda: technique.keeps(batch, given))
    return pc.fill_null(mask, False).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def guarded(site: Site, call: Any) -> Any:
    """Call a technique; what it raises becomes the site and a safe reason (pyarrow's texts quote values)."""
    try:
        return call()
    except CellsRefused as refused:
        raise StepFailed(site, str(refused)) from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold a value
        raise StepFailed(site, type(error).__name__) from None


def taken(array: pa.Array, places: pa.Array) -> pa.Array:
    """Cells by place; the places are our own, so they need no check."""
    return pc.take(array, places, boundscheck=False)


@dataclass(frozen=True)
class Rows:
    """The selected rows of a batch, taken column by column."""

    work: Work
    batch: pa.RecordBatch
    indices: pa.Array | None
    cache: dict[str, pa.Array] = field(default_factory=dict)
    grouped: dict[tuple[str, ...], Classes] = field(default_factory=dict)
    copies: Copies | None = None

    @classmethod
    def of(cls, work: Work, batch: pa.RecordBatch, chosen: Selected, turn: npt.NDArray[np.int64] | None = None) -> Rows:
        """The rows that `select` chose, all of them or those at some places (`turn`)."""
        rows = chosen.rows if turn is None else chosen.rows[turn]
        copies = chosen.copies if turn is None or chosen.copies is None else chosen.copies[turn]
        whole = turn is None and copies is None and len(rows) == batch.num_rows
        return cls(work, batch, None if whole else pa.array(rows), copies=copies)

    def column(self, name: str) -> pa.Array:
        """A source column of the rows; of a new column (a record id), which its steps make, nulls."""
        if name not in self.batch.schema.names:
            return pa.nulls(self.batch.num_rows if self.indices is None else len(self.indices))
        array = self.batch.column(name)
        return array if self.indices is None else taken(array, self.indices)

    def shared(self, name: str) -> pa.Array:
        """A column that several steps read (conditions, classes), or the encoded ids, taken once."""
        if name not in self.cache:
            if name in ("\x00rows", "\x00subjects"):
                make = row_ids if name == "\x00rows" else subject_ids
                ids = make(self.work.table, self.batch)
                self.cache[name] = ids if self.indices is None else taken(ids, self.indices)
            else:
                self.cache[name] = self.column(name)
        return self.cache[name]

    def classes(self, by: tuple[str, ...]) -> Classes:
        """The rows' classes by some source columns, found once."""
        if by not in self.grouped:
            count = self.batch.num_rows if self.indices is None else len(self.indices)
            self.grouped[by] = classes_of([self.shared(name) for name in by], count, self.work.classes)
        return self.grouped[by]

    def some_row_ids(self, places: npt.NDArray[np.int64]) -> pa.Array:
        """Encoded ids of a few of the rows; where a person may be drawn again, each copy has an id of its own."""
        chosen = pa.array(places)
        names = list(self.work.table.row_key or (FILE, ROW))
        columns = [taken(self.shared(name), chosen) for name in names]
        ids = row_ids(self.work.table, pa.RecordBatch.from_arrays(columns, names=names))
        if self.copies is None:
            return ids
        return pc.binary_join_element_wise(ids, encode_ids([pa.array(self.copies[places])]), b"")

    def given(self, chain: Chain, number: int, step: Step) -> Given:
        wants_ids = getattr(step.technique, "draws_by", None)
        return Given(
            site=step.site,
            facts=self.work.facts.get((chain.name, number), {}),
            hierarchy=step.hierarchy,
            draws=self.work.steps[(chain.name, number)],
            rows=self.shared("\x00rows") if wants_ids == "row" else None,
            row_ids=self.some_row_ids if wants_ids == "some rows" else None,
            subjects=self.shared("\x00subjects") if wants_ids == "subject" else None,
            columns={name: self.shared(name) for name in step.technique.columns()},
            key=self.work.keys.get((chain.name, number)),
            classes=self.classes(step.technique.by) if step.class_facts else None,
        )

    def run(self, chain: Chain, upto: int | None = None) -> pa.Array:
        """The chain's cells after its first `upto` steps (all, where not said)."""
        values = self.column(chain.name)
        for number, step in enumerate(chain.steps[:upto]):
            values = self.step(chain, number, step, values)
        return values

    def step(self, chain: Chain, number: int, step: Step, values: pa.Array) -> pa.Array:
        given = self.given(chain, number, step)
        if values.type != step.before:  # the first step, a pseudonym of another column's domain
            values = guarded(step.site, lambda: in_domain(values, step.before))
        if self.copies is not None and self.work.table.apart(chain):
            return self._by_copy(step, values, given, self.copies)
        result = guarded(step.site, lambda: step.technique.apply(values, given))
        return result.cast(step.after) if result.type != step.after else result

    def _by_copy(self, step: Step, values: pa.Array, given: Given, copies: Copies) -> pa.Array:
        """A step that gives each further copy of a person a pseudonym of its own."""
        turn = np.argsort(copies, kind="stable")
        parts = []
        for number in np.unique(copies):
            places = pa.array(turn[copies[turn] == number])
            assert given.draws is not None
            own = replace(
                given,
                draws=draws_of_copy(given.draws, int(number)),
                columns={name: taken(column, places) for name, column in given.columns.items()},
            )
            part = guarded(step.site, partial(step.technique.apply, taken(values, places), own))
            parts.append(part.cast(step.after))
        back = np.empty(len(turn), np.int64)
        back[turn] = np.arange(len(turn))
        return taken(pa.concat_arrays(parts), pa.array(back)) if parts else pa.nulls(0, step.after)
