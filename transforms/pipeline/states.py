"""States of passes as bytes, between tasks of one run."""

from __future__ import annotations

import pickle
from typing import Any


def pack(state: Any) -> bytes:
    """A state as bytes; secrets refuse."""
    return pickle.dumps(state, protocol=5)


def unpack(blob: Any) -> Any:
    """The way back. Blobs come from our own tasks, through Spark's (encrypted) shuffle, from nowhere else."""
    return pickle.loads(blob)  # noqa: S301
