"""Exact quantiles by class on tables of any size: the coarse place of each, then the values that lie there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.outlier_changes import as_numbers, class_keys
from transforms.pipeline.engine import Engine
from transforms.pipeline.members import Words
from transforms.pipeline.outlier_gather import KEY, Cells, gathered, summed
from transforms.pipeline.work import Work

PLACE, VALUE, COUNT = "place", "value", "count"
# Of a double's 64 bits in order, these tell its coarse place: 4,096 places between a number and its double.
_COARSE_BITS = np.uint64(40)
Number = int | float
Wanted = Mapping[bytes, Sequence[tuple[int, int]]]


def coarse_places(found: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Where numbers lie, coarsely: a greater number never has a lower place, whatever its type."""
    bits = (found.astype(np.float64) + 0.0).view(np.uint64)
    ordered = np.where(bits >> np.uint64(63) == 1, ~bits, bits | np.uint64(1 << 63))
    return (ordered >> _COARSE_BITS).astype(np.int64)


def rank_of(q: Fraction, count: int) -> int:
    """Rank (from 1) of the smallest value whose cumulative share is at least q."""
    return max(1, ceil(q * count))


def quantiles(
    work: Work,
    engine: Engine,
    place: tuple[str, tuple[str, ...]],
    shares: Sequence[Fraction],
    needed: Sequence[str],
    what: str,
    only: pa.Array | None = None,
) -> dict[bytes, tuple[Number, ...]]:
    """The quantiles of a column by class, `place` being (column, classes): {class: one number for each share}.

    Nulls are left out; a class without a value is not told. Two passes, each with a shuffle of classes.
    """
    column, within = place
    coarse = CoarseGather(column, within, tuple(shares), only)
    wanted: dict[bytes, list[tuple[int, int]]] = {}
    for answer in gathered(work, engine, coarse, needed, f"{what}, coarse quantiles"):
        wanted |= answer
    if not wanted:
        return {}
    found: dict[bytes, tuple[Number, ...]] = {}
    for answer in gathered(work, engine, FineGather(column, within, wanted), needed, f"{what}, exact quantiles"):
        found |= answer
    return found


@dataclass(frozen=True)
class CoarseGather:
    """In which coarse place each quantile lies, and its rank there: {class: [(place, rank), …]}."""

    column: str
    within: tuple[str, ...]
    shares: tuple[Fraction, ...]
    only: pa.Array | None = None

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        keys, plain = _numbers(cells, self.column, self.within, self.only)
        rows = pa.table({KEY: keys, PLACE: coarse_places(plain), COUNT: np.ones(len(plain), np.int64)})
        return self.merge(rows)

    def merge(self, rows: pa.Table) -> pa.Table:
        return summed(rows, (KEY, PLACE), (COUNT,))

    def finish(self, rows: pa.Table) -> dict[bytes, list[tuple[int, int]]]:
        found = {}
        for key, (places, counts) in by_class(rows, PLACE):
            ends = np.cumsum(counts)
            ranks = [rank_of(share, int(ends[-1])) for share in self.shares]
            at = [int(np.searchsorted(ends, rank)) for rank in ranks]
            found[key] = [
                (int(places[one]), rank - int(ends[one] - counts[one])) for one, rank in zip(at, ranks, strict=True)
            ]
        return found


@dataclass(frozen=True)
class FineGather:
    """The quantiles, from the values that lie in the wanted coarse places."""

    column: str
    within: tuple[str, ...]
    wanted: Wanted

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        classes = pa.array(list(self.wanted), pa.binary())
        keys, plain = _numbers(cells, self.column, self.within, None)
        places = coarse_places(plain)
        known = pc.index_in(keys, value_set=classes)
        at = pc.fill_null(known, 0).to_numpy(zero_copy_only=False)
        chosen = np.zeros(len(plain), np.bool_)
        for turn in range(max(len(one) for one in self.wanted.values())):
            ends = np.array([one[turn][0] for one in self.wanted.values()], np.int64)
            chosen |= places == ends[at]
        chosen &= known.is_valid().to_numpy(zero_copy_only=False)
        rows = {
            KEY: keys.filter(pa.array(chosen)),
            PLACE: places[chosen],
            VALUE: plain[chosen],
            COUNT: np.ones(int(chosen.sum()), np.int64),
        }
        return self.merge(pa.table(rows))

    def merge(self, rows: pa.Table) -> pa.Table:
        return summed(rows, (KEY, PLACE, VALUE), (COUNT,))

    def finish(self, rows: pa.Table) -> dict[bytes, tuple[Number, ...]]:
        lines = rows["place"].to_numpy()
        found = {}
        for key, (values, counts, places) in by_class(rows, VALUE, lines):
            answer = []
            for place, rank in self.wanted[key]:
                here = places == place
                ends = np.cumsum(counts[here])
                answer.append(values[here][int(np.searchsorted(ends, rank))].item())
            found[key] = tuple(answer)
        return found


def _numbers(
    cells: Cells, column: str, within: tuple[str, ...], only: pa.Array | None
) -> tuple[pa.Array, npt.NDArray[np.int64] | npt.NDArray[np.float64]]:
    """The classes and numbers of the rows whose cell is not null."""
    found = as_numbers(cells[column])
    keys = class_keys(cells, within, len(found))
    valid = found.is_valid()
    if only is not None:
        valid = pc.and_(valid, pc.is_in(keys, value_set=only))
    return keys.filter(valid), found.filter(valid).to_numpy(zero_copy_only=False)


def by_class(rows: pa.Table, order: str, *more: npt.NDArray[np.int64]) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    """Class by class: its key, its lines' `order` (sorted) and counts, and further columns of them."""
    encoded = rows[KEY].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    values = rows[order].to_numpy()
    turn = np.lexsort((values, codes))
    codes = codes[turn]
    columns = [one[turn] for one in (values, rows[COUNT].to_numpy(), *more)]
    starts = np.flatnonzero(np.r_[True, codes[1:] != codes[:-1]]) if len(codes) else np.empty(0, np.int64)
    names: Iterable[bytes] = encoded.dictionary.take(pa.array(codes[starts])).to_pylist()
    for key, start, end in zip(names, starts, np.r_[starts[1:], len(codes)], strict=True):
        yield key, tuple(one[start:end] for one in columns)
