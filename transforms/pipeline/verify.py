"""The verifying pass: sums of keyed hashes of every cell and row, recomputed and staged; the facts counted anew.

One pass over source and staged files together. Units of the source send their rows' order draws and
hashes (24 or 40 bytes a row) to the order buckets, where rows get their serials; units of the staged
files send sums alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.distributions import Bins, fine_bins
from transforms.draws import Draws
from transforms.facts import Counts
from transforms.kernels.cell_hash import CellHasher
from transforms.pipeline.class_pass import ToOrder
from transforms.pipeline.feed import Unit, WindowedUnit
from transforms.pipeline.measure import bucket_of, distinct
from transforms.pipeline.members import Words
from transforms.pipeline.recompute import (
    StagedUnit,
    Sums,
    add_counts,
    body_columns,
    ranked_cells,
    ranked_columns,
    recomputed,
    row_body_columns,
    staged_batches,
    total,
)
from transforms.pipeline.sample_lines import line_width, lines_of
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.transform import BLOB_BYTES, all_columns, by_group, cells_of, ordered, serials
from transforms.pipeline.verify_sample import proof_of_clusters, proof_of_subjects
from transforms.pipeline.work import Rows, Work, guarded, select
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan_sample import ClusterSample, Sample, measured_column
from transforms.predicate import Predicate
from transforms.sample_facts import SampleFacts
from transforms.utility import Compared, Side

ROWS, SUBJECTS, SOURCE, STAGED, BUCKET, CLUSTERS, AFTER = range(7)
CLASS_HASHES = 8
SUBJECT_BUCKETS = 8
FactKey = tuple[tuple[str, int], str]


@dataclass
class Seen:
    """What units of the source found: rows by phase, sums of the recomputed cells, counts for the facts.

    `side` is the source's side of the utility figures.
    """

    rows: int = 0
    stopped: int = 0
    sampled: int = 0
    kept: int = 0
    sums: Sums = field(default_factory=Sums)
    facts: dict[FactKey, Counts] = field(default_factory=dict)
    before: dict[str, Bins] = field(default_factory=dict)
    after: dict[str, Bins] = field(default_factory=dict)
    side: Side = field(default_factory=Side)

    def merge(self, other: Seen) -> None:
        """Takes up what another unit found."""
        self.rows += other.rows
        self.stopped += other.stopped
        self.sampled += other.sampled
        self.kept += other.kept
        self.sums.merge(other.sums)
        self.side.merge(other.side)
        for key, counts in other.facts.items():
            add_counts(self.facts.setdefault(key, {}), counts)
        for mine, theirs in ((self.before, other.before), (self.after, other.after)):
            for name, bins in theirs.items():
                mine[name] = mine[name] + bins if name in mine else bins


@dataclass(frozen=True)
class Bucket:
    """One order bucket: its rows, its different serials, and the sums that need them."""

    number: int
    serials: int
    sums: Sums


@dataclass(frozen=True)
class VerifyMap:
    """Source units: rows to their order buckets, subjects to theirs, counts. Staged units: sums.

    `work` holds the run's claimed facts; `seed` keys the hashes; `shown` are the columns whose distribution is
    taken, `window` leaves out source rows of other periods, `compared` are the columns of the utility figures.
    """

    work: Work
    seed: Draws
    shown: tuple[str, ...] = ()
    sample: Sample | None = None
    window: Predicate | None = None
    compared: Compared = field(default_factory=Compared)

    def __call__(self, unit: Unit) -> Iterator[tuple[int, int, bytes]]:
        hasher = CellHasher(self.seed, self.work.table.schema.names)
        if isinstance(unit, StagedUnit):
            side = Side()
            yield 0, STAGED, pack(staged_sums(self.work, hasher, unit, self.compared, side))
            yield 0, AFTER, pack(side)
            return
        seen, subjects, lines = Seen(), [], []
        source = unit if self.window is None else WindowedUnit(unit, self.window)
        for batch in source.batches(self._columns()):
            if self.sample is not None:
                subjects.append(lines_of(self.work, batch))
            lines.append(self._rows(batch, hasher, seen))
        if subjects:
            found = np.concatenate(subjects)
            yield from self._split(SUBJECTS, found, SUBJECT_BUCKETS)
            if isinstance(self.sample, ClusterSample):
                yield from self._split(CLUSTERS, distinct(found[:, 2:4]), SUBJECT_BUCKETS)
        if lines:
            yield from self._split(ROWS, np.concatenate(lines), self.work.buckets)
        yield 0, SOURCE, pack(seen)

    def _columns(self) -> list[str]:
        wanted = all_columns(self.work.table)
        measured = measured_column(self.sample)
        return wanted if measured is None or measured in wanted else [*wanted, measured]

    def _rows(self, batch: pa.RecordBatch, hasher: CellHasher, seen: Seen) -> Words:
        """Order draws and body hash of the delivered rows: uint64 (n, 3) or (n, 5)."""
        chosen = select(self.work, batch)
        seen.rows += chosen.seen
        seen.stopped += chosen.stopped
        seen.sampled += chosen.sampled
        rows = Rows.of(self.work, batch, chosen)
        source: dict[str, pa.Array] = {}
        cells, keep = recomputed(rows, partial(self._visit, seen, source))
        self._compare(seen.side, rows, source, cells, keep)
        order = chosen.order if keep is None else chosen.order[keep]
        bodies = np.zeros(len(order), np.uint64)
        for name in row_body_columns(self.work.table):
            seen.sums.add_column(name, hasher.add(name, cells[name], bodies))
        for name in self.shown:
            _take_up(seen.after, name, cells[name])
        seen.kept += len(order)
        return np.concatenate([order, bodies[:, None]], axis=1)

    def _compare(
        self, side: Side, rows: Rows, source: dict[str, pa.Array], cells: dict[str, pa.Array], keep: Any
    ) -> None:
        """The source's side: all values that went in; by class, those of the rows that stay."""
        asked = self.compared
        source |= {name: rows.column(name) for name in (*asked.numbers, *asked.categories) if name not in source}
        side.observe(asked, source)
        mask = pa.array(keep) if keep is not None else None
        kept = {name: source[name] if mask is None else source[name].filter(mask) for name in asked.numbers}
        side.observe_classes(asked, cells, kept)

    def _visit(self, seen: Seen, source: dict[str, pa.Array], chain: Chain, number: int, values: pa.Array) -> None:
        if number == 0:
            source[chain.name] = values
        if number == 0 and chain.name in self.shown:
            _take_up(seen.before, chain.name, values)
        if number == len(chain.steps):
            return
        site = (chain.name, number)
        for name, fact in chain.steps[number].facts.items():
            claim = self.work.facts[site][name]
            counts = guarded(chain.steps[number].site, partial(fact.audit, values, claim))
            add_counts(seen.facts.setdefault((site, name), {}), counts)

    def _split(self, kind: int, lines: Words, buckets: int) -> Iterator[tuple[int, int, bytes]]:
        places = bucket_of(lines[:, 0], buckets)
        turn = np.argsort(places.astype(np.uint16), kind="stable")
        lines = lines[turn]
        most = max(1, BLOB_BYTES // (8 * lines.shape[1]))
        start = 0
        sizes = np.bincount(places, minlength=buckets)
        for bucket in np.flatnonzero(sizes):
            end = start + int(sizes[bucket])
            for first in range(start, end, most):
                yield int(bucket), kind, lines[first : min(first + most, end)].tobytes()
            start = end


def _take_up(bins: dict[str, Bins], name: str, values: pa.Array) -> None:
    found = fine_bins(values)
    bins[name] = bins[name] + found if name in bins else found


def staged_sums(work: Work, hasher: CellHasher, unit: StagedUnit, asked: Compared, side: Side) -> Sums:
    """The sums of a unit of staged files; `side` takes up their side of the utility figures."""
    table = work.table
    found = Sums()
    for file, first, batch in staged_batches(unit, table.schema.names):
        words = np.zeros(batch.num_rows, np.uint64)
        for name in body_columns(table):
            found.add_column(name, hasher.add(name, batch.column(name), words))
        found.bodies += total(hasher.rows(words))
        for name in ranked_columns(table):
            found.add_column(name, hasher.add(name, batch.column(name), words))
        wholes = hasher.rows(words)
        found.wholes += total(wholes)
        found.rows += batch.num_rows
        found.add_places(file, hasher, wholes, first)
        cells = dict(zip(batch.schema.names, batch.columns, strict=True))
        side.observe(asked, cells)
        side.observe_classes(asked, cells, cells)
    return found


@dataclass(frozen=True)
class VerifyReduce:
    """Order buckets get serials and give sums of whole rows; subject buckets give counts of subjects."""

    work: Work
    seed: Draws
    offsets: tuple[int, ...]
    sample_facts: SampleFacts | None = None

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, Any]]) -> Iterator[tuple[int, bytes]]:
        by_kind: dict[int, list[Any]] = {}
        for kind, blob in blobs:
            by_kind.setdefault(kind, []).append(blob)
        yield from ((STAGED, bytes(blob)) for blob in by_kind.get(STAGED, ()))
        for kind in (SOURCE, AFTER):
            if kind in by_kind:
                yield kind, _merged(by_kind[kind])
        if SUBJECTS in by_kind:
            lines = _lines(by_kind[SUBJECTS], line_width(self.work.table.sample))
            yield SUBJECTS, pack(proof_of_subjects(self.work, [lines], self.sample_facts))
        if CLUSTERS in by_kind:
            yield SUBJECTS, pack(proof_of_clusters(self.work, [_lines(by_kind[CLUSTERS], 2)]))
        if ROWS in by_kind:
            lines = _lines(by_kind[ROWS], order_width(self.work) + 1)
            yield BUCKET, pack(self._finish(bucket, lines, by_group(by_kind.get(CLASS_HASHES, []))))

    def _finish(self, bucket: int, lines: Words, classed: Sequence[pa.Table]) -> Bucket:
        table = self.work.table
        hasher = CellHasher(self.seed, table.schema.names)
        lines, numbers = placed(lines, order_width(self.work), self.offsets[bucket], self.work.table)
        bodies = np.ascontiguousarray(lines[:, -1])
        sums = Sums(rows=len(bodies))
        for name, hashes in class_hashes(classed, lines[:, -3:-1]).items():
            bodies += hashes
            sums.add_column(name, total(hashes))
        sums.bodies = total(hasher.rows(bodies))
        for chain in table.chains:
            if chain.ranked:
                cells = ranked_cells(chain.steps, pa.array(numbers))
                sums.add_column(chain.name, hasher.add(chain.name, cells, bodies))
        wholes = hasher.rows(bodies)
        sums.wholes = total(wholes)
        sums.add_places(str(bucket), hasher, wholes, 0)
        # Without serial numbers a run counts rows.
        last = len(numbers)
        if table.has_serial and last:
            last = int(numbers[-1]) - self.offsets[bucket]
        return Bucket(bucket, last, sums)


@dataclass(frozen=True)
class ToHashes:
    """Sink of the class pass: hashes of the cells, with their rows' own draws, to the order buckets."""

    work: Work
    seed: Draws

    def __call__(self, order: Words, cells: dict[str, pa.Array]) -> Iterator[tuple[int, int, Any]]:
        hasher = CellHasher(self.seed, self.work.table.schema.names)
        hashes = {name: pa.array(hasher.cells(name, array)) for name, array in cells.items()}
        return ToOrder(self.work.buckets, CLASS_HASHES)(order, hashes)


def class_hashes(groups: Sequence[pa.Table], own: Words) -> dict[str, Words]:
    """Hashes of the cells that the class pass made, in the order of the rows whose own draws are `own`."""
    return {name: array.to_numpy() for group in groups for name, array in cells_of(group, own).items()}


def order_width(work: Work) -> int:
    """Words of a row's order draw: of its subject and its own where a subject has many rows, else one draw."""
    return 4 if work.table.by_subject and not work.table.one_row_per_subject else 2


def placed(lines: Words, width: int, offset: int, table: TablePipeline) -> tuple[Words, npt.NDArray[np.int64]]:
    """Rows (`width` words of order draw, then others) in their order, and their serials."""
    turn = ordered([np.ascontiguousarray(lines[:, place]) for place in range(width)], table)
    lines = lines[turn]
    return lines, serials([lines[:, place] for place in range(width)], offset, width > 2)


def _merged(blobs: Sequence[Any]) -> bytes:
    """States as one: megabytes of each unit need not all come to the driver."""
    states = map(unpack, blobs)
    whole = next(states)
    for state in states:
        whole.merge(state)
    return pack(whole)


def _lines(blobs: Sequence[Any], width: int) -> Words:
    return np.concatenate([np.frombuffer(blob, np.uint64).reshape(-1, width) for blob in blobs])
