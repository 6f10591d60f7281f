"""What a task works with: the compiled table, its draws, what has been measured so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.draws import Draws
from transforms.errors import CellsRefused, Site
from transforms.given import Given, SiteKey
from transforms.identifiers import encode_ids, in_domain
from transforms.pipeline.feed import FILE, ROW
from transforms.pipeline_model import Chain, Step, TablePipeline
from transforms.run_keys import RunKeys

Words = npt.NDArray[np.uint64]
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
    keys: Mapping[tuple[str, int], SiteKey] = field(default_factory=dict)
    stopped: Words | None = None
    threshold: tuple[int, int] | None = None
    register: Words | None = None
    facts: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    changes: Any = None
    buckets: int = 1

    def with_(self, **changes: Any) -> Work:
        return replace(self, **changes)


def make_work(table: TablePipeline, keys: RunKeys) -> Work:
    """The draws of one table: one subkey for each purpose and site."""
    subject = table.subject_domain or f"{table.name}.row"
    steps = {
        (chain.name, number): keys.draws(
            step.technique.name if chain.domain == f"{table.name}.{chain.name}" else "pseudonym",
            chain.domain,
            number if chain.domain == f"{table.name}.{chain.name}" else 0,
            chain.stable_over,
        )
        for chain in table.chains
        for number, step in enumerate(chain.steps)
    }
    return Work(
        table,
        select=keys.draws("select", subject),
        order=keys.draws("order", subject if table.by_subject else f"{table.name}.row"),
        order_rows=keys.draws("order-rows", f"{table.name}.row"),
        steps=steps,
        keys=site_keys(table, keys),
    )


def site_keys(table: TablePipeline, keys: RunKeys) -> dict[tuple[str, int], SiteKey]:
    """The subkeys of the steps that ask for one, by column and number of the step."""
    return {
        (chain.name, number): keys.key(use, step.technique.name, f"{table.name}.{chain.name}", number)
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
    """The rows of a batch that stay (their indices) and their order draws (2 or 4 words each)."""

    rows: npt.NDArray[np.int64]
    order: Words
    seen: int
    stopped: int
    sampled: int


def stopped_mask(work: Work, draws: Words) -> npt.NDArray[np.bool_]:
    """Which draws belong to subjects who asked to stop."""
    if work.stopped is None or not len(work.stopped):
        return np.zeros(len(draws), np.bool_)
    return _member(draws, work.stopped)


def _member(draws: Words, listed: Words) -> npt.NDArray[np.bool_]:
    """128-bit membership; `listed` is sorted by its high words, which almost never collide."""
    places = np.searchsorted(listed[:, 0], draws[:, 0])
    found = np.zeros(len(draws), np.bool_)
    for shift in range(2):
        near = np.minimum(places + shift, len(listed) - 1)
        found |= (listed[near, 0] == draws[:, 0]) & (listed[near, 1] == draws[:, 1])
    return found


def at_most(draws: Words, threshold: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Which 128-bit draws are not above the threshold."""
    high, low = np.uint64(threshold[0]), np.uint64(threshold[1])
    inside: npt.NDArray[np.bool_] = (draws[:, 0] < high) | ((draws[:, 0] == high) & (draws[:, 1] <= low))
    return inside


def select(work: Work, batch: pa.RecordBatch) -> Selected:
    """Stop requests, then the sample, then row rules: which rows of a batch stay."""
    table = work.table
    stays = np.ones(batch.num_rows, np.bool_)
    stopped = 0
    if work.threshold is not None or work.stopped is not None or work.register is not None:
        draws = work.select.bits(subject_ids(table, batch))
        if work.stopped is not None:
            asked = stopped_mask(work, draws)
            stopped = int(asked.sum())
            stays &= ~asked
        if work.threshold is not None:
            stays &= at_most(draws, work.threshold)
        if work.register is not None:
            unknown = int((stays & ~_member(draws, work.register)).sum())
            if unknown:
                raise CellsRefused(f"table {table.source}: rows of subjects whom the register does not list", unknown)
    sampled = int(stays.sum())
    for rule in table.row_rules:
        stays &= _kept(rule.technique, rule.site, batch)
    rows = np.flatnonzero(stays)
    ids = row_ids(table, batch)
    subjects = subject_ids(table, batch) if table.by_subject and not table.one_row_per_subject else None
    if len(rows) < batch.num_rows:
        ids = ids.take(pa.array(rows))
        subjects = subjects.take(pa.array(rows)) if subjects is not None else None
    if subjects is None:
        order = work.order.bits(ids)
    else:
        order = np.concatenate([work.order.bits(subjects), work.order_rows.bits(ids)], axis=1)
    return Selected(rows, order, batch.num_rows, stopped, sampled)


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

    def column(self, name: str) -> pa.Array:
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

    def given(self, chain: Chain, number: int, step: Step) -> Given:
        wants_ids = getattr(step.technique, "draws_by", None)
        return Given(
            site=step.site,
            facts=self.work.facts.get((chain.name, number), {}),
            hierarchy=step.hierarchy,
            draws=self.work.steps[(chain.name, number)],
            rows=self.shared("\x00rows") if wants_ids == "row" else None,
            subjects=self.shared("\x00subjects") if wants_ids == "subject" else None,
            columns={name: self.shared(name) for name in step.technique.columns()},
            key=self.work.keys.get((chain.name, number)),
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
        result = guarded(step.site, lambda: step.technique.apply(values, given))
        return result.cast(step.after) if result.type != step.after else result
