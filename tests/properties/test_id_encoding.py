"""Ids as bytes: one form for each id, and no two ids with the same bytes.

`encoded` writes the format down once more in plain Python; `decoded` reads it back, which shows that no
two different ids share their bytes.
"""

from __future__ import annotations

import datetime
import decimal
import unicodedata
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.identifiers import encode_ids

EPOCH = datetime.date(1970, 1, 1)
# Microseconds from the epoch, from the year 1700 to the end of 9999.
MICROSECONDS = st.integers(-8_520_336_000_000_000, 253_402_300_799_999_999)

# Hypothesis makes its table of all characters on first use, which takes seconds.
generous = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)

# Type, tag, values, bytes of a value.
KINDS: list[tuple[pa.DataType, int, st.SearchStrategy[Any], Any]] = [
    (
        pa.string(),
        1,
        st.one_of(
            st.text(max_size=5),
            st.text(st.sampled_from("가각한ᄀ\u1161\u11a8e\u0301\u0300Åﬁ漢豈"), max_size=6),
            st.integers(253, 257).map(lambda length: "x" * length),
        ),
        lambda value: unicodedata.normalize("NFC", value).encode(),
    ),
    (pa.binary(), 2, st.binary(max_size=5), lambda value: value),
    (pa.int8(), 3, st.integers(-(2**7), 2**7 - 1), lambda value: value.to_bytes(8, "big", signed=True)),
    (pa.int64(), 3, st.integers(-(2**63), 2**63 - 1), lambda value: value.to_bytes(8, "big", signed=True)),
    (
        pa.decimal128(12, 2),
        4,
        st.decimals(-99_999_999, 99_999_999, places=2),
        lambda value: b"\x02" + int(value * 100).to_bytes(16, "big", signed=True),
    ),
    (pa.bool_(), 5, st.booleans(), lambda value: bytes([value])),
    (
        pa.date32(),
        6,
        st.dates(),
        lambda value: (value - EPOCH).days.to_bytes(8, "big", signed=True),
    ),
    (pa.timestamp("us", "UTC"), 7, MICROSECONDS, lambda value: value.to_bytes(8, "big", signed=True)),
    (pa.timestamp("us"), 8, MICROSECONDS, lambda value: value.to_bytes(8, "big", signed=True)),
]


@st.composite
def ids(draw: st.DrawFn) -> tuple[list[pa.Array], list[bytes]]:
    """One to three columns of some types with nulls in them, and the bytes of each row."""
    rows = draw(st.integers(0, 6))
    columns, encoded = [], [b""] * rows
    for kind, tag, values, content in draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3)):
        cells = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
        columns.append(pa.array(cells, kind))
        for row, cell in enumerate(cells):
            encoded[row] += part(0, b"") if cell is None else part(tag, content(cell))
    return columns, encoded


def part(tag: int, content: bytes) -> bytes:
    length = bytes([len(content)]) if len(content) < 255 else b"\xff" + len(content).to_bytes(4, "big")
    return bytes([tag]) + length + content


def decoded(encoded: bytes) -> list[tuple[int, bytes]]:
    parts = []
    while encoded:
        tag, length, encoded = encoded[0], encoded[1], encoded[2:]
        if length == 255:
            length, encoded = int.from_bytes(encoded[:4], "big"), encoded[4:]
        parts.append((tag, encoded[:length]))
        encoded = encoded[length:]
    return parts


@generous
@given(ids())
def test_the_format(example: tuple[list[pa.Array], list[bytes]]) -> None:
    columns, expected = example
    encoded = encode_ids(columns)
    assert encoded.type == pa.binary()
    assert encoded.null_count == 0
    assert encoded.to_pylist() == expected


@generous
@given(ids())
def test_it_can_be_read_back(example: tuple[list[pa.Array], list[bytes]]) -> None:
    columns, _ = example
    for row, encoded in enumerate(encode_ids(columns).to_pylist()):
        parts = decoded(encoded)
        assert len(parts) == len(columns)
        assert [tag == 0 for tag, _ in parts] == [not column[row].is_valid for column in columns]
        assert b"".join(part(tag, content) for tag, content in parts) == encoded


@generous
@given(ids(), st.integers(0, 6), st.integers(0, 6))
def test_a_slice_has_the_ids_of_its_rows(
    example: tuple[list[pa.Array], list[bytes]], start: int, rows: int
) -> None:
    columns, expected = example
    sliced = encode_ids([column.slice(min(start, len(column)), rows) for column in columns])
    assert sliced.to_pylist() == expected[start : start + rows]


@given(st.decimals(-999, 999, places=1))
def test_a_decimal_is_equal_to_itself_in_another_precision(value: decimal.Decimal) -> None:
    narrow, wide = (encode_ids([pa.array([value], pa.decimal128(digits, 1))]) for digits in (5, 38))
    assert narrow == wide
