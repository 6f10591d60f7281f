"""The closed list of column types at the doors of the source zone."""

from __future__ import annotations

import pyarrow as pa
import pytest

from jobs.columns import brought_in, is_allowed, named_type, type_problems


@pytest.mark.parametrize(
    ("outside", "inside"),
    [
        (pa.uint8(), pa.int16()), (pa.uint32(), pa.int64()), (pa.uint64(), pa.decimal128(20, 0)),
        (pa.float16(), pa.float32()), (pa.date64(), pa.date32()), (pa.large_string(), pa.string()),
        (pa.string_view(), pa.string()), (pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        (pa.timestamp("ns"), pa.timestamp("us")), (pa.timestamp("s", "UTC"), pa.timestamp("us", "UTC")),
        (pa.decimal256(38, 4), pa.decimal128(38, 4)), (pa.int32(), pa.int32()),
    ],
)  # fmt: skip
def test_types_from_outside_find_one_that_holds_them(outside: pa.DataType, inside: pa.DataType) -> None:
    assert brought_in(outside) == inside
    assert is_allowed(inside)


@pytest.mark.parametrize(
    "type_",
    [pa.list_(pa.int64()), pa.struct([("a", pa.int8())]), pa.map_(pa.string(), pa.int8()), pa.time64("us"),
     pa.decimal256(60, 2), pa.duration("s"), pa.null()],
)  # fmt: skip
def test_nested_and_odd_types_are_told(type_: pa.DataType) -> None:
    assert brought_in(type_) is None
    (problem,) = type_problems(pa.schema([("a", pa.int8()), ("b", type_)]), "crm/members")
    assert problem.startswith("crm/members, column b: type ")
    assert ("flatten" in problem) == pa.types.is_nested(type_)


def test_names_of_types() -> None:
    assert named_type("Decimal(12, 2)") == pa.decimal128(12, 2)
    assert named_type("timestamp_ntz") == pa.timestamp("us")
    assert named_type("long") == pa.int64()
    assert named_type("decimal(39, 2)") is None
    assert named_type("varchar") is None
