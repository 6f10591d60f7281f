"""Arrow arrays to numpy and back without losing digits or nulls."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def values_and_mask(array: pa.Array) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """A fixed-width array's values and its null mask (True = null; None where nothing is null).

    int64 stays int64: `to_numpy()` on an array with nulls would make floats of it and lose digits.
    Under the mask the values are zero. dates and timestamps come as int32 and int64. No copy where
    nothing is null.
    """
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    elif pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    if array.null_count == 0:
        return array.to_numpy(zero_copy_only=False), None
    mask = array.is_null().to_numpy(zero_copy_only=False)
    zero = pa.scalar(False) if pa.types.is_boolean(array.type) else pa.scalar(0, array.type)
    return pc.fill_null(array, zero).to_numpy(zero_copy_only=False), mask


def from_values(values: npt.NDArray[Any], mask: npt.NDArray[np.bool_] | None, type_: pa.DataType) -> pa.Array:
    """The way back: numpy values and null mask (True = null) as an Arrow array of `type_`."""
    if pa.types.is_date32(type_):
        return pa.array(values.astype(np.int32, copy=False), pa.int32(), mask=mask).cast(type_)
    if pa.types.is_timestamp(type_):
        return pa.array(values.astype(np.int64, copy=False), pa.int64(), mask=mask).cast(type_)
    return pa.array(values, type_, mask=mask)


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return column
