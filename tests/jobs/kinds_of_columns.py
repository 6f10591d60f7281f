"""A column of each kind that Delta tables hold here, each with a null."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa

KINDS = {
    "b": pa.array([True, None]), "i8": pa.array([1, None], pa.int8()),
    "d": pa.array([dt.date(9999, 12, 31), None]),
    "instant": pa.array([dt.datetime(2024, 1, 1, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")),
    "wall": pa.array([dt.datetime(2024, 1, 1), None], pa.timestamp("us")),  # noqa: DTZ001
    "money": pa.array([1, None], pa.decimal128(38, 2)), "한 글": pa.array(["가", None]),
    "bytes": pa.array([b"x", None]), "f": pa.array([1.5, None], pa.float32()),
}  # fmt: skip
