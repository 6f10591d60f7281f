"""Linkage of two tables by equal cells: how many of our records a recipient's own table meets, how many it names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.kernels.codes import combined, numbered, summed
from transforms.measures.class_table import ClassTable


def linked(ours: ClassTable, theirs: ClassTable, on: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Shares of our records that are met, and that are alone on both sides (so linked to one record of theirs).

    `on` are pairs of their column and ours; cells are held against one another as text, null meets nothing. Both
    shares are 0 where we have no record.
    """
    records = int(ours.sizes.sum())
    if not records or not len(theirs):
        return 0.0, 0.0
    mine, others, sizes = [], [], []
    known, there = np.ones(len(ours), bool), np.ones(len(theirs), bool)
    for their, our in on:
        values, turn = _texts(theirs.values[their])
        places = _places(ours.values[our], values)[ours.codes[our]]
        codes = turn[theirs.codes[their]]
        known &= places >= 0
        there &= codes >= 0
        mine.append(places)
        others.append(codes)
        sizes.append(max(1, len(values)))
    columns = [np.concatenate([one[known], two[there]]) for one, two in zip(mine, others, strict=True)]
    first = int(known.sum())
    keys, bound = combined(columns, sizes, first + int(there.sum()))
    groups, members = numbered(keys, bound)
    weight = np.concatenate([ours.sizes[known], np.zeros(int(there.sum()), np.int64)])
    met = np.concatenate([np.zeros(first, np.int64), theirs.sizes[there]])
    own, held = summed(groups, weight, len(members)), summed(groups, met, len(members))
    return int(own[held > 0].sum()) / records, int(own[(held == 1) & (own == 1)].sum()) / records


def _texts(values: pa.Array) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The distinct texts of values (no null), and the place of each value's text among them; -1 for null."""
    texts = _text(values)
    distinct = texts.drop_null().unique()
    return distinct, _index(texts, distinct)


def _places(values: pa.Array, texts: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each value the place of its text; -1 where it stands nowhere."""
    return _index(_text(values), texts)


def _index(values: pa.Array, texts: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found = pc.index_in(values, value_set=texts, skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


def _text(values: pa.Array) -> pa.Array:
    """Values as text: whole floats and decimals as whole numbers, so that 36 meets 36.0."""
    if pa.types.is_floating(values.type) or pa.types.is_decimal(values.type):
        texts = pc.cast(values, pa.string())
        return pc.replace_substring_regex(texts, r"^(-?[0-9]+)\.0*$", r"\1")
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.string())
    return pc.cast(values, pa.string())
