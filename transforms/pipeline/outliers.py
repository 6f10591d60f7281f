"""Outlier rules (특이정보): rare classes found on the delivered cells, then local or record suppression."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identifiers import encode_ids
from transforms.pipeline.feed import Unit
from transforms.pipeline.measure import add_class_counts, bucket_of, class_counts, narrow_columns
from transforms.pipeline.states import pack, unpack
from transforms.pipeline.work import Rows, Work, select, subject_ids
from transforms.pipeline_model import TablePipeline
from transforms.plan import OutlierRule

Tally = dict[tuple[str, int], tuple[int, int, int]]


@dataclass(frozen=True)
class RuleChange:
    """What one rule does to whole classes, named by the encoded cells that they had before it."""

    columns: tuple[str, ...]
    treated: tuple[str, ...]
    suppressed: pa.Array
    removed: pa.Array
    cells: int = 0
    rows: int = 0


@dataclass(frozen=True)
class Changes:
    """The solved outlier rules of a table, in order."""

    rules: tuple[RuleChange, ...] = ()

    def apply(self, cells: dict[str, pa.Array], counts: Tally | None = None) -> npt.NDArray[np.bool_] | None:
        """Suppress cells in place; returns which rows stay, None where all do."""
        keep: npt.NDArray[np.bool_] | None = None
        for number, rule in enumerate(self.rules):
            keys = encode_ids([cells[name] for name in rule.columns])
            if len(rule.removed):
                gone = pc.is_in(keys, value_set=rule.removed).to_numpy(zero_copy_only=False)
                keep = ~gone if keep is None else keep & ~gone
            if not len(rule.suppressed):
                continue
            chosen = pc.is_in(keys, value_set=rule.suppressed)
            for name in rule.treated:
                before = cells[name]
                cells[name] = pc.if_else(chosen, pa.scalar(None, before.type), before)
                if counts is not None:
                    new = cells[name].null_count - before.null_count
                    _count(
                        counts,
                        (name, -1 - number),
                        (new, len(before) - cells[name].null_count, before.null_count),
                    )
        return keep


def _count(counts: Tally, key: tuple[str, int], more: tuple[int, int, int]) -> None:
    old = counts.get(key, (0, 0, 0))
    counts[key] = (old[0] + more[0], old[1] + more[1], old[2] + more[2])


def class_columns(table: TablePipeline, columns: Sequence[str]) -> list[str]:
    """Source columns that the delivered cells of `columns` need, and those that select rows."""
    named = set(columns)
    for chain in table.chains:
        if chain.name in columns:
            named |= {c for step in chain.steps for c in step.technique.columns()}
    narrow = narrow_columns(table)
    return narrow + [c for c in table.source_schema.names if c in named and c not in narrow]


def delivered(
    work: Work, batch: pa.RecordBatch, columns: Sequence[str]
) -> tuple[dict[str, pa.Array], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Delivered cells of some columns of a batch, the rows that they stand in, and those rows' order draws."""
    chosen = select(work, batch)
    rows = Rows(work, batch, pa.array(chosen.rows))
    cells = {chain.name: rows.run(chain) for chain in work.table.chains if chain.name in columns}
    keep = work.changes.apply(cells) if work.changes is not None else None
    if keep is None:
        return cells, chosen.rows, chosen.order
    mask = pa.array(keep)
    return {name: cell.filter(mask) for name, cell in cells.items()}, chosen.rows[keep], chosen.order[keep]


@dataclass(frozen=True)
class ClassesMap:
    """Counts of a unit by class (or its distinct pairs of class and subject), split by a keyed hash of the class."""

    work: Work
    columns: tuple[str, ...]
    needed: tuple[str, ...]
    by_subject: bool
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        table = self.work.table
        parts: list[pa.Table] = []
        for batch in unit.batches(class_columns(table, self.needed)):
            cells, rows, _ = delivered(self.work, batch, self.needed)
            found = pa.table({name: cells[name] for name in self.columns})
            if self.by_subject:
                ids = subject_ids(table, batch).take(pa.array(rows))
                words = self.work.select.bits(ids)
                found = found.append_column("\x00h", pa.array(np.ascontiguousarray(words[:, 0])))
                found = found.append_column("\x00l", pa.array(np.ascontiguousarray(words[:, 1])))
                parts.append(found.group_by(found.column_names).aggregate([]))
            else:
                parts.append(class_counts(found, self.columns))
        if not parts:
            return
        merged = _merge(pa.concat_tables(parts), self.columns, self.by_subject)
        hashes = self.work.select.bits(encode_ids([merged[c].combine_chunks() for c in self.columns]))
        places = bucket_of(hashes[:, 0], self.buckets)
        for bucket in np.unique(places):
            part = merged.filter(pa.array(places == bucket))
            yield int(bucket), pack(part.combine_chunks())


def _merge(rows: pa.Table, columns: Sequence[str], by_subject: bool) -> pa.Table:
    if by_subject:
        return rows.group_by(rows.column_names).aggregate([])
    return add_class_counts(rows, columns)


@dataclass(frozen=True)
class ClassesReduce:
    """Counts of whole classes."""

    columns: tuple[str, ...]
    by_subject: bool

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        merged = _merge(pa.concat_tables([unpack(blob) for blob in blobs]), self.columns, self.by_subject)
        if self.by_subject:
            merged = class_counts(merged, self.columns)
        yield pack(merged)


def solve(rule: OutlierRule, classes: pa.Table) -> RuleChange:
    """Local suppression until every class has k: the fewest cells first, then records.

    `classes`: one row a class with its cells and `count_all`. Classes below k lose the treated cells; where what
    they become is still below k, the smallest class that shares their other cells joins them; where there is
    none, their records go.
    """
    find = rule.find.frequency
    treated = rule.treat.local_suppression.columns
    names = list(find.columns)
    listed = classes.select(names).to_pylist()
    counts = classes["count_all"].to_pylist()
    keys = encode_ids([classes[name].combine_chunks() for name in names])
    encoded = keys.to_pylist()
    rest = [tuple(row[name] for name in names if name not in treated) for row in listed]
    blank = [all(row[name] is None for name in treated) for row in listed]
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, key in enumerate(rest):
        groups[key].append(place)
    suppressed: list[int] = []
    removed: list[int] = []
    for members in groups.values():
        taken, gone = _solve_group(members, counts, encoded, blank, find.below)
        suppressed += taken
        removed += gone
    return RuleChange(
        tuple(names),
        tuple(treated),
        keys.take(pa.array(sorted(suppressed), pa.int64())),
        keys.take(pa.array(sorted(removed), pa.int64())),
        sum(counts[place] for place in suppressed) * len(treated),
        sum(counts[place] for place in removed),
    )


def _solve_group(
    members: Sequence[int], counts: Sequence[int], encoded: Sequence[bytes], blank: Sequence[bool], k: int
) -> tuple[list[int], list[int]]:
    """Classes with the same other cells: which lose their treated cells, which their records."""
    small = [m for m in members if counts[m] < k and not blank[m]]
    already = [m for m in members if blank[m]]
    total = sum(counts[m] for m in small + already)
    if not small and (not already or total >= k):
        return [], []
    large = sorted((m for m in members if counts[m] >= k and not blank[m]), key=lambda m: (counts[m], encoded[m]))
    taken = list(small)
    for candidate in large:
        if total >= k:
            break
        taken.append(candidate)
        total += counts[candidate]
    if total >= k:
        return taken, []
    return [], small + already


@dataclass(frozen=True)
class DeliveredTask:
    """Rows by top bits of their order draw, once outlier rules have removed records."""

    work: Work
    needed: tuple[str, ...]

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(class_columns(self.work.table, self.needed)):
            _, rows, order = delivered(self.work, batch, self.needed)
            top = (order[:, 0] >> np.uint64(48)).astype(np.int64)
            yield pack((len(rows), np.bincount(top, minlength=1 << 16)))


@dataclass(frozen=True)
class DeliveredSubjectsMap:
    """Distinct delivered subjects (their order draws), split by their top bits: for serials of many-row subjects."""

    work: Work
    needed: tuple[str, ...]
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        for batch in unit.batches(class_columns(self.work.table, self.needed)):
            _, _, order = delivered(self.work, batch, self.needed)
            words = np.unique(order[:, :2], axis=0)
            places = bucket_of(words[:, 0], self.buckets)
            for bucket in np.unique(places):
                yield int(bucket), pack(words[places == bucket])


@dataclass(frozen=True)
class DeliveredSubjectsReduce:
    """How many subjects a bucket delivers."""

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        words = np.unique(np.concatenate([unpack(blob) for blob in blobs]), axis=0)
        yield pack((bucket, len(words)))
