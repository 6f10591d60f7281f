"""Counts of equal rows as tasks make them and hand them on: distinct combinations, never the rows."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.kernels.cell_hash import CellHasher
from transforms.kernels.codes import Codes, combined, encoded, numbered, summed, unified

# Where equal combinations meet is no secret: the key of these hashes is known to everybody.
_PLACES = bytes(32)
_CODEC = "lz4"


@dataclass(frozen=True)
class Column:
    """Distinct values, and a place among them for each combination."""

    values: pa.Array
    codes: Codes

    def only(self, kept: Codes) -> Column:
        """Of some combinations alone, with the values that these have."""
        codes = self.codes[kept]
        used = np.zeros(len(self.values), np.int64)
        used[codes] = 1
        return Column(self.values.filter(pa.array(used.astype(bool))), (np.cumsum(used) - 1)[codes])


@dataclass(frozen=True)
class Pairs:
    """How often each value of a sensitive column stands in each combination: `group` is the combination's place."""

    value: Column
    group: Codes
    counts: Codes


@dataclass(frozen=True)
class Groups:
    """Distinct combinations of the key columns, how often each stands, and the pairs of each sensitive column."""

    keys: tuple[Column, ...]
    counts: Codes
    pairs: tuple[Pairs, ...]

    @property
    def size(self) -> int:
        """Rows that the state holds: combinations and pairs."""
        return len(self.counts) + sum(len(one.counts) for one in self.pairs)


def groups_of(batch: pa.RecordBatch, keys: int) -> Groups:
    """The groups of a batch's rows: the first `keys` columns are the key, the others are sensitive."""
    rows = batch.num_rows
    columns = [Column(values, codes) for codes, values in (encoded(array) for array in batch.columns)]
    groups, first = _grouped(columns[:keys], rows)
    pairs = tuple(_paired(column, groups, len(first), None) for column in columns[keys:])
    own = tuple(Column(column.values, column.codes[first]) for column in columns[:keys])
    return Groups(own, summed(groups, None, len(first)), pairs)


def joined(states: Sequence[Groups]) -> Groups:
    """States one after another, over the same values: combinations that stand in several stay apart."""
    if len(states) == 1:
        return states[0]
    starts = np.cumsum([0, *(len(one.counts) for one in states[:-1])])
    keys = tuple(_together([one.keys[place] for one in states]) for place in range(len(states[0].keys)))
    pairs = tuple(
        Pairs(
            _together([one.pairs[place].value for one in states]),
            np.concatenate([one.pairs[place].group + start for one, start in zip(states, starts, strict=True)]),
            np.concatenate([one.pairs[place].counts for one in states]),
        )
        for place in range(len(states[0].pairs))
    )
    return Groups(keys, np.concatenate([one.counts for one in states]), pairs)


def merged(states: Sequence[Groups]) -> Groups:
    """The same with equal combinations added up."""
    return regrouped(joined(states), None) if len(states) > 1 else states[0]


def regrouped(state: Groups, keys: Sequence[int] | None) -> Groups:
    """Equal combinations of some of the key columns (all of them: None) added up, their pairs too."""
    columns = state.keys if keys is None else tuple(state.keys[place] for place in keys)
    groups, first = _grouped(columns, len(state.counts))
    pairs = tuple(_paired(one.value, groups[one.group], len(first), one.counts) for one in state.pairs)
    own = tuple(Column(column.values, column.codes[first]) for column in columns)
    return Groups(own, summed(groups, state.counts, len(first)), pairs)


def persons(state: Groups) -> Groups:
    """Counts of distinct persons: the last key column tells them apart, and is left out. A null counts as nobody.

    `state` holds each combination once. A person counts once in each class, and once for each value in it.
    """
    subject = state.keys[-1]
    there = subject.values.is_valid().to_numpy(zero_copy_only=False).astype(np.int64)[subject.codes]
    pairs = tuple(Pairs(one.value, one.group, there[one.group]) for one in state.pairs)
    return regrouped(replace(state, counts=there, pairs=pairs), range(len(state.keys) - 1))


def parted(state: Groups, keys: int, parts: int) -> list[tuple[int, Groups]]:
    """The state cut by a hash of its first `keys` key columns, so that equal combinations of all tasks meet."""
    if parts == 1 or not keys:
        return [(0, state)]
    hasher = CellHasher(Draws(Secret(_PLACES)), [str(place) for place in range(keys)])
    hashes = np.zeros(len(state.counts), np.uint64)
    for place, column in enumerate(state.keys[:keys]):
        hashes += hasher.cells(str(place), column.values)[column.codes]
    part = (hasher.rows(hashes) % np.uint64(parts)).astype(np.int64)
    return [(number, _only(state, np.flatnonzero(part == number))) for number in range(parts)]


def pack(state: Groups) -> bytes:
    """A state as bytes for the shuffle, compressed."""
    plain = pickle.dumps(state, protocol=5)
    small: bytes = pa.compress(plain, codec=_CODEC, asbytes=True)
    return len(plain).to_bytes(8, "big") + small


def unpack(blob: bytes) -> Groups:
    """The way back; blobs come from our own tasks alone."""
    plain = pa.decompress(blob[8:], int.from_bytes(blob[:8], "big"), codec=_CODEC)
    state: Groups = pickle.loads(plain)  # noqa: S301
    return state


def _grouped(columns: Sequence[Column], rows: int) -> tuple[Codes, Codes]:
    whole, bound = combined([one.codes for one in columns], [len(one.values) for one in columns], rows)
    return numbered(whole, bound)


def _paired(value: Column, groups: Codes, count: int, weights: Codes | None) -> Pairs:
    whole, bound = combined([groups, value.codes], [count, len(value.values)], len(groups))
    same, first = numbered(whole, bound)
    return Pairs(Column(value.values, value.codes[first]), groups[first], summed(same, weights, len(first)))


def _together(columns: Sequence[Column]) -> Column:
    values, places = unified([one.values for one in columns])
    return Column(values, np.concatenate([place[one.codes] for place, one in zip(places, columns, strict=True)]))


def _only(state: Groups, kept: Codes) -> Groups:
    new = np.full(len(state.counts), -1, np.int64)
    new[kept] = np.arange(len(kept))
    pairs = []
    for one in state.pairs:
        mine = np.flatnonzero(new[one.group] >= 0)
        pairs.append(Pairs(one.value.only(mine), new[one.group[mine]], one.counts[mine]))
    return Groups(tuple(column.only(kept) for column in state.keys), state.counts[kept], tuple(pairs))


__all__ = ["Column", "Groups", "Pairs", "groups_of", "joined", "merged", "pack", "parted", "persons", "regrouped",
           "unpack"]  # fmt: skip
