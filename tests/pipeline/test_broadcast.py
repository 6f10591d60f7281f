"""What tasks are handed goes through Spark's encrypted stream, whatever its size."""

import io
import pickle
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.serializers import ChunkedStream

from transforms.derivation import Secret, for_broadcast
from transforms.pipeline.engine import InBand


class Written(io.BytesIO):
    """Keeps what was written when Spark's stream closes it."""

    content = b""

    def close(self) -> None:
        self.content = self.getvalue()
        super().close()


def sent(content: Any) -> Any:
    """The content as PySpark writes a broadcast with encryption on: protocol 5, in lengths and chunks."""
    under = Written()
    stream = ChunkedStream(under, 8192)
    pickle.dump(content, stream, 5)
    stream.close()
    data, rest = b"", under.content
    while (length := int.from_bytes(rest[:4], "big", signed=True)) > 0:
        data, rest = data + rest[4 : 4 + length], rest[4 + length :]
    return pickle.loads(data)


def test_large_arrays_arrive_as_they_were() -> None:
    words = np.arange(200_000, dtype=np.uint64).reshape(-1, 2)
    cells = pa.array([f"class {number}" for number in range(50_000)])
    with pytest.raises(TypeError):
        sent((words, cells))  # what PySpark can't do by itself
    back = sent(InBand((words, cells)))
    assert np.array_equal(back[0], words)
    assert back[1].equals(cells)


def test_secrets_still_travel_in_a_broadcast_alone() -> None:
    secret = Secret(bytes(range(32)))
    with pytest.raises(Exception, match="broadcast"):
        sent(InBand(secret))
    with for_broadcast():
        assert sent(InBand(secret)).reveal() == bytes(range(32))
