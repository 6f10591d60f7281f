"""Room for results from Arrow's memory pool.

numpy takes large arrays from the system and gives them back each time; every page of a new array is then
faulted in again, which costs several times the arithmetic on it. Arrow's pool keeps its pages.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


def room(length: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An uninitialised, writable array of `length` numbers."""
    type_ = np.dtype(dtype)
    if length == 0:
        return np.empty(0, type_)
    return np.frombuffer(pa.allocate_buffer(length * type_.itemsize), type_)
