"""Which ids are the same id, and which types are no ids."""

from __future__ import annotations

import unicodedata
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from transforms.errors import CellsRefused, TechniqueError
from transforms.identifiers import encode_ids, stopped_subjects


def test_a_short_id_is_one_block_of_the_cipher() -> None:
    assert encode_ids([pa.array(["EC-1234567"])]).to_pylist() == [b"\x01\x0aEC-1234567"]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.int32(), pa.int64()])
def test_whole_numbers_are_the_same_id_in_any_width(kind: pa.DataType) -> None:
    expected = [b"\x03\x08" + bytes(7) + b"\x07", b"\x03\x08" + b"\xff" * 8, b"\x00\x00"]
    assert encode_ids([pa.array([7, -1, None], kind)]).to_pylist() == expected


def test_a_number_and_its_text_are_different_ids() -> None:
    as_number, as_text, as_decimal, as_bytes = (
        encode_ids([column])[0].as_py()
        for column in (pa.array([7]), pa.array(["7"]), pa.array([Decimal(7)]), pa.array([b"7"]))
    )
    assert len({as_number, as_text, as_decimal, as_bytes}) == 4


def test_parts_do_not_run_into_each_other() -> None:
    left, right = pa.array(["ab", "a", "", "x"]), pa.array(["c", "bc", "abc", None])
    both = encode_ids([left, right]).to_pylist()
    assert len(set(both)) == 4
    assert both[0] == b"\x01\x02ab\x01\x01c"


def test_null_is_an_id_of_its_own_unlike_empty_text() -> None:
    encoded = encode_ids([pa.array([None, "", "\0"])]).to_pylist()
    assert encoded == [b"\x00\x00", b"\x01\x00", b"\x01\x01\x00"]
    assert encode_ids([pa.array([None, None], pa.string())]).to_pylist() == [b"\x00\x00"] * 2


def test_one_hangul_syllable_or_its_letters_are_the_same_id() -> None:
    composed = "홍길동"
    decomposed = unicodedata.normalize("NFD", composed)
    assert len(decomposed) > len(composed)
    encoded = encode_ids([pa.array([composed, decomposed, "ascii"])]).to_pylist()
    assert encoded[0] == encoded[1] == b"\x01\x09" + composed.encode()
    assert encoded[2] == b"\x01\x05ascii"


def test_a_local_time_is_not_the_instant_of_the_same_digits() -> None:
    instant = encode_ids([pa.array([1_000_000], pa.timestamp("us", "UTC"))])
    local = encode_ids([pa.array([1_000_000], pa.timestamp("us"))])
    assert instant != local


def test_long_texts() -> None:
    texts = ["x" * 254, "x" * 255, "x" * 70_000, None]
    encoded = encode_ids([pa.array(texts)]).to_pylist()
    assert encoded == [
        b"\x01\xfe" + b"x" * 254,
        b"\x01\xff\x00\x00\x00\xff" + b"x" * 255,
        b"\x01\xff\x00\x01\x11\x70" + b"x" * 70_000,
        b"\x00\x00",
    ]


def test_no_rows() -> None:
    for kind in (pa.string(), pa.int64(), pa.decimal128(9, 2), pa.bool_()):
        assert encode_ids([pa.array([], kind)]).to_pylist() == []


def test_floats_are_no_ids_even_integral_ones() -> None:
    with pytest.raises(CellsRefused, match=r"floating type.*\(2 cells\)"):
        encode_ids([pa.array([1.0, 2.0])])


def test_bytes_that_are_no_text_are_refused_without_being_shown() -> None:
    broken = pa.array([b"secret-\xff\xfe"]).view(pa.string())
    with pytest.raises(CellsRefused) as raised:
        encode_ids([broken])
    assert "secret" not in str(raised.value)
    assert raised.value.__suppress_context__


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1]]),
        pa.array([{"a": 1}]),
        pa.array([1], pa.uint64()),
        pa.array([1], pa.timestamp("ns")),
        pa.array([1], pa.timestamp("us", "Asia/Seoul")),
        pa.array([None], pa.null()),
    ],
    ids=lambda column: str(column.type),
)
def test_other_types_are_refused(column: pa.Array) -> None:
    with pytest.raises(TechniqueError, match=r"an id of type .*; allowed: string, .*int8"):
        encode_ids([column])


def test_columns_must_have_one_length() -> None:
    with pytest.raises(ValueError, match="2 id columns"):
        encode_ids([pa.array([1]), pa.array([1, 2])])
    with pytest.raises(ValueError, match="0 id columns"):
        encode_ids([])


@pytest.mark.parametrize("before", ["e", "가", "\u1100\u1161"])
def test_every_character_is_composed_as_unicode_says(before: str) -> None:
    # In columns of 256 neighbouring characters, so that those with nothing to compose are seen alone.
    for first in range(0, 0x10000, 256):
        characters = [chr(point) for point in range(first, first + 256)]
        known = [char for char in characters if unicodedata.category(char) not in ("Cn", "Cs")]
        texts = [before + char for char in known]
        expected = [unicodedata.normalize("NFC", text).encode() for text in texts]
        encoded = encode_ids([pa.array(texts, pa.string())]).to_pylist()
        assert encoded == [bytes([1, len(text)]) + text for text in expected]


@pytest.mark.parametrize(
    ("ids", "type_", "found"),
    [
        (pa.array(["124", "127", None]), pa.int64(), [124, 127]),
        (pa.array([124, 124]), pa.string(), ["124"]),
        (pa.array([124.0]), pa.int32(), [124]),
        (pa.array([7]), pa.decimal128(10, 0), [Decimal(7)]),
        (pa.array([b"P1"]), pa.string(), ["P1"]),
        (pa.array([date(2026, 1, 2)]), pa.string(), ["2026-01-02"]),
        (pa.array([" EC-9 ", "ＥＣ-8"]), pa.string(), [" EC-9 ", "ＥＣ-8", "EC-9", "EC-8"]),
    ],
)
def test_who_asked_to_stop_is_found_whatever_type_the_list_has(
    ids: pa.Array, type_: pa.DataType, found: list[object]
) -> None:
    assert stopped_subjects(ids, type_).to_pylist() == found


@pytest.mark.parametrize(
    ("ids", "type_"),
    [(pa.array(["CANARY"]), pa.int64()), (pa.array([date(2026, 1, 2)]), pa.int64()), (pa.array([7.5]), pa.int64())],
)
def test_a_list_that_can_be_no_list_of_subjects_is_refused_without_an_id(ids: pa.Array, type_: pa.DataType) -> None:
    with pytest.raises(CellsRefused, match="stop requests: ids of type") as told:
        stopped_subjects(ids, type_)
    assert "CANARY" not in str(told.value)
