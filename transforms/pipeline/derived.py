"""Derived columns (파생 항목): made from the final cells, so that they add up in what is delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.arrow import values_and_mask
from transforms.errors import CellsRefused
from transforms.pipeline_model import Derived
from transforms.plan import LargestOf, SumOf


def derive(column: Derived, cells: Mapping[str, pa.Array]) -> pa.Array:
    """The derived cells of some rows from their final cells, of the column's declared type."""
    inputs = [cells[name] for name in column.inputs]
    if isinstance(column.derive, SumOf):
        return sum_of(column.derive, inputs, column.type)
    return largest_of(column.derive, inputs, column.labels)


def sum_of(rule: SumOf, inputs: Sequence[pa.Array], type_: pa.DataType) -> pa.Array:
    """Row-wise sum; a null operand makes null, or counts 0 under `nulls: zero`. Overflow is refused."""
    if rule.nulls == "zero":
        inputs = [pc.fill_null(array, pa.scalar(0).cast(array.type)) for array in inputs]
    if pa.types.is_integer(type_):
        return _sum_of_integers(inputs)
    total = inputs[0].cast(type_)
    for array in inputs[1:]:
        total = pc.add(total, array).cast(type_)
    return total


def _sum_of_integers(inputs: Sequence[pa.Array]) -> pa.Array:
    total: np.ndarray | None = None
    null: np.ndarray | None = None
    bound = 0
    for array in inputs:
        values, mask = values_and_mask(array)
        if len(values):
            bound += max(abs(int(values.min())), abs(int(values.max())))
        total = values.astype(np.int64) if total is None else np.add(total, values, out=total)
        if mask is not None:
            null = mask if null is None else null | mask
    if bound >= 1 << 63:
        raise CellsRefused("a sum that may not fit 64 bits", len(inputs[0]))
    return pa.array(total, pa.int64(), mask=null)


def largest_of(rule: LargestOf, inputs: Sequence[pa.Array], labels: Sequence[str]) -> pa.Array:
    """Row-wise name of the largest input; nulls never win; `none` where all are zero or null."""
    turn = range(len(inputs)) if rule.ties == "first" else range(len(inputs) - 1, -1, -1)
    rows = len(inputs[0])
    best: np.ndarray | None = None
    winner = np.zeros(rows, np.int8 if len(inputs) < 128 else np.int32)
    something = np.zeros(rows, np.bool_)
    found = np.zeros(rows, np.bool_)
    for place in turn:
        values, mask = values_and_mask(_comparable(inputs[place]))
        valid = np.ones(rows, np.bool_) if mask is None else ~mask
        something |= valid & (values != 0)
        if best is None:
            best, winner[:], found = values.copy(), place, valid
            continue
        wins = valid & ((values > best) | ~found)
        np.copyto(best, values, where=wins)
        np.copyto(winner, place, where=wins)
        found = found | valid
    names = pa.DictionaryArray.from_arrays(
        pa.array(winner.astype(np.int32), mask=~something), pa.array(labels, pa.string())
    ).cast(pa.string())
    return names if rule.none is None else pc.fill_null(names, rule.none)


def _comparable(array: pa.Array) -> pa.Array:
    return array.cast(pa.float64()) if pa.types.is_decimal(array.type) else array
