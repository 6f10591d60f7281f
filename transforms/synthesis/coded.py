"""A table as a matrix of numbers, for trees and distances: numbers as they are, all else by its place in order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coded:
    """`cells` (rows x columns) without gaps: null is below every value. `numeric` tells numbers from categories."""

    names: tuple[str, ...]
    cells: Matrix
    numeric: tuple[bool, ...]


def coded(table: pa.Table) -> Coded:
    """The matrix of a table. Two tables are coded alike if they are coded together, one below the other."""
    columns, numeric = [], []
    for column in table.columns:
        values = column.combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], values.type)
        number = _is_number(values.type)
        columns.append(_numbers(values) if number else _places(values))
        numeric.append(number)
    cells = np.column_stack(columns) if columns else np.empty((table.num_rows, 0))
    return Coded(tuple(table.column_names), cells, tuple(numeric))


def _is_number(type_: pa.DataType) -> bool:
    ordered = pa.types.is_date32(type_) or pa.types.is_timestamp(type_)
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_) or ordered)


def _numbers(values: pa.Array) -> Matrix:
    if pa.types.is_date32(values.type):
        values = values.cast(pa.int32())
    elif pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    floats: Matrix = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    known = floats[~np.isnan(floats)]
    low = known.min() if len(known) else 0.0
    return np.where(np.isnan(floats), low - max(1.0, abs(low) * 0.01), floats)


def _places(values: pa.Array) -> Matrix:
    """The place of each value among the distinct ones, in order; -1 for null."""
    distinct = pc.unique(values).drop_null()
    listed = distinct.take(pc.sort_indices(distinct))
    places = pc.fill_null(pc.index_in(values, value_set=listed, skip_nulls=True), -1)
    floats: Matrix = places.to_numpy(zero_copy_only=False).astype(np.float64)
    return floats
