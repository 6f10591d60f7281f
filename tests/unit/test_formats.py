"""Text files from outside: where pieces end, bytes of an encoding, cells of a type."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import BadInput
from jobs.formats import delimited, json_lines
from jobs.formats import pieces as pieces_module
from jobs.formats.common import Options, Problems, cast_safely
from jobs.formats.pieces import Piece, Utf8, pieces
from jobs.formats.typed import first_misfit, inferred, typed
from jobs.storage import Location

INSTANT, WALL = pa.timestamp("us", "UTC"), pa.timestamp("us")


def written(folder: Path, content: bytes, name: str = "a.csv") -> Location:
    (folder / name).write_bytes(content)
    return Location.of(folder / name)


def text_of(piece: Piece, encoding: str) -> bytes:
    with Utf8(piece, encoding) as stream:
        return b"".join(iter(lambda: stream.read(7), b""))


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_pieces_end_with_records_and_lose_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr(pieces_module, "BLOCK", 64)  # many blocks in a small file
    rows = [[f"이름{n}", f'말 "{n}"\n둘째 줄, {n}', "뷁똠" * (n % 4)] for n in range(200)]
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    file = written(tmp_path, text.getvalue().encode(encoding))
    found = pieces(file, 300, quote=b'"')
    assert len(found) > 20
    read: list[list[str]] = []
    for piece in found:
        part = text_of(piece, encoding).decode()
        records = list(csv.reader(io.StringIO(part, newline="")))
        assert all(len(record) == 3 for record in records)  # no record is cut
        before = (tmp_path / "a.csv").read_bytes()[: piece.start]
        assert piece.line == before.count(b"\n") + 1
        read += records
    assert read == rows


def test_a_quote_that_is_never_closed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="never closed"):
        pieces(written(tmp_path, b'a,b\n1,"x\n2,y\n'), quote=b'"')


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    file = written(tmp_path, b"\xef\xbb\xbfid\n1\n")
    assert list(delimited.survey([file], Options()).columns) == ["id"]


@pytest.mark.parametrize("block", [3, 5, 64])
def test_a_bad_byte_is_told_by_line_and_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(pieces_module, "BLOCK", block)
    good = "가나\n다라\n".encode()
    file = written(tmp_path, good + b"ab\xff" + "마\n".encode())
    with pytest.raises(Problems) as caught:
        text_of(pieces(file)[0], "utf-8")
    assert caught.value.texts[0].startswith(f"{file}, line 3, byte {len(good) + 2}: no utf-8")


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    (piece,) = pieces(written(tmp_path, b"a\n1\n2\n"))
    written(tmp_path, b"a\n1\n")
    with pytest.raises(Problems) as caught:
        text_of(piece, "utf-8")
    assert caught.value.operational


def test_cp949_read_as_utf8_is_an_error_and_the_other_way_round(tmp_path: Path) -> None:
    korean = "시군구,은평구 똠방\n"
    with pytest.raises(Problems):
        text_of(pieces(written(tmp_path, korean.encode("cp949")))[0], "utf-8")
    with pytest.raises(Problems):
        text_of(pieces(written(tmp_path, (korean * 3).encode()))[0], "cp949")


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("-12", pa.int8(), -12),
        ("9223372036854775807", pa.int64(), 2**63 - 1),
        ("1.50", pa.decimal128(10, 2), Decimal("1.50")),
        ("1.5e3", pa.float64(), 1500.0),
        ("True", pa.bool_(), True),
        ("2024-02-29", pa.date32(), dt.date(2024, 2, 29)),
        ("2024-01-02T03:04:05.123456+09:00", INSTANT, dt.datetime(2024, 1, 1, 18, 4, 5, 123456, dt.UTC)),
        ("9999-12-31 23:59:59", WALL, dt.datetime(9999, 12, 31, 23, 59, 59)),  # noqa: DTZ001
        ("010", pa.string(), "010"),
    ],
)
def test_texts_become_values(text: str, type_: pa.DataType, value: object) -> None:
    assert typed(pa.array([text, None]), type_, None).to_pylist() == [value, None]


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        (" 12", pa.int64()), ("1,000", pa.int64()), ("0x1F", pa.int64()), ("128", pa.int8()),
        ("1.0", pa.int64()), ("1.234", pa.decimal128(10, 2)), ("2023-02-29", pa.date32()), ("20240102", pa.date32()),
        ("2024-01-02T03:04:05", INSTANT), ("2024-01-02T03:04:05Z", WALL), ("", pa.int64()),
        ("yes", pa.bool_()),
    ],
)  # fmt: skip
def test_texts_that_do_not_fit_wholly_are_found(text: str, type_: pa.DataType) -> None:
    column = pa.array([None, text, text])
    assert first_misfit(column, type_, None) == 1


def test_wall_clock_texts_are_instants_in_a_named_zone() -> None:
    found = typed(pa.array(["2024-01-02 09:00:00"]), INSTANT, "Asia/Seoul")
    assert found.to_pylist() == [dt.datetime(2024, 1, 2, tzinfo=dt.UTC)]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1), st.data())
def test_the_first_misfit_is_the_first(numbers: list[int], data: st.DataObject) -> None:
    texts = [str(number) for number in numbers]
    bad = sorted(data.draw(st.sets(st.integers(0, len(texts) - 1))))
    for at in bad:
        texts[at] = "x"
    assert first_misfit(pa.array(texts), pa.int64(), None) == (bad[0] if bad else None)


@pytest.mark.parametrize(
    ("texts", "type_"),
    [
        (["1", None, "-20"], pa.int64()),
        (["1.5", "2"], pa.float64()),
        (["010", "020"], pa.string()),  # a telephone's area code, not 10
        (["12345678901234567890"], pa.string()),  # a float would lose digits
        (["true", "FALSE"], pa.bool_()),
        (["0", "1"], pa.int64()),
        (["2024-01-02"], pa.date32()),
        (["2024-02-30"], pa.string()),
        (["2024-01-02 03:04:05"], WALL),
        (["2024-01-02T03:04:05Z"], INSTANT),
        (["a", "1"], pa.string()),
        ([None, None], pa.string()),
        (["nan"], pa.string()),
    ],
)
def test_inferred_types(texts: list[str | None], type_: pa.DataType) -> None:
    assert inferred(pa.array(texts, pa.string()), None) == type_


def test_values_are_cast_safely_or_refused_without_being_told() -> None:
    assert cast_safely(pa.array([1], pa.uint32()), pa.int64(), "f").to_pylist() == [1]
    with pytest.raises(Problems) as caught:
        cast_safely(pa.array([2**63 + 987], pa.uint64()), pa.int64(), "file, column a")
    assert caught.value.texts[0].startswith("file, column a: uint64")
    assert "987" not in str(caught.value.texts)
    nanoseconds = pa.array([1_000_000_001], pa.timestamp("ns"))
    with pytest.raises(Problems):
        cast_safely(nanoseconds, WALL, "f")


def test_csv_against_pythons_reader(tmp_path: Path) -> None:
    text = 'a,"b ""q"""\r\n1,"x\r\ny"\r\n,""\r\n3,\r\n'
    file = written(tmp_path, text.encode())
    survey = delimited.survey([file], Options())
    schema = pa.schema([(name, type_) for name, type_ in survey.columns.items()])
    rows = [row for unit in survey.units for b in delimited.read(unit, schema, Options()) for row in b.to_pylist()]
    records = list(csv.reader(io.StringIO(text, newline="")))
    assert list(survey.columns) == records[0]
    # an empty cell is null, a quoted empty one is an empty text
    assert rows == [{"a": 1, 'b "q"': "x\r\ny"}, {"a": None, 'b "q"': ""}, {"a": 3, 'b "q"': None}]


def test_records_of_another_length_are_told_and_never_shown(tmp_path: Path) -> None:
    file = written(tmp_path, b"a,b\n1,2\nsecret\n3,4,secret\n")
    schema = pa.schema([("a", pa.int64()), ("b", pa.int64())])
    unit = {"file": str(file), "start": 4, "end": 26, "line": 2, "names": ["a", "b"]}
    with pytest.raises(Problems) as caught:
        list(delimited.read(unit, schema, Options()))
    assert len(caught.value.texts) == 2
    assert "record 2 from line 2: 1 cells; allowed: 2" in caught.value.texts[0]
    assert "record 3 from line 2: 3 cells; allowed: 2" in caught.value.texts[1]
    assert "secret" not in str(caught.value.texts)


@pytest.mark.parametrize("header", ["a,,b", "a,a", "a,A"])
def test_names_must_be_there_and_differ(tmp_path: Path, header: str) -> None:
    with pytest.raises(BadInput):
        delimited.survey([written(tmp_path, f"{header}\n1,2,3\n".encode())], Options())


def test_json_lines_tell_every_line_that_misfits(tmp_path: Path) -> None:
    lines = b'{"id":1,"n":"a"}\n{"id":"secret","n":"a"}\n\n{"id":2,"zz":"secret"}\nsecret\n[1]\n{"id":[1]}\n'
    file = written(tmp_path, lines, "a.jsonl")
    schema = pa.schema([("id", pa.int64()), ("n", pa.string())])
    unit = {"file": str(file), "start": 0, "end": len(lines), "line": 1}
    with pytest.raises(Problems) as caught:
        list(json_lines.read(unit, schema, Options()))
    texts = caught.value.texts
    assert [text.split("line ")[1][0] for text in texts] == ["2", "4", "5", "6", "7"]
    assert "column id: text; allowed: int64" in texts[0]
    assert "secret" not in str(texts)


def test_json_dates_and_missing_keys(tmp_path: Path) -> None:
    lines = b'{"id":1,"d":"2024-01-02","t":"2024-01-02T03:04:05Z"}\n{"id":2,"code":"010"}\n'
    survey = json_lines.survey([written(tmp_path, lines, "a.jsonl")], Options())
    types = {"id": pa.int64(), "d": pa.date32(), "t": INSTANT, "code": pa.string()}
    assert survey.columns == types
    schema = pa.schema(list(types.items()))
    rows = [row for unit in survey.units for b in json_lines.read(unit, schema, Options()) for row in b.to_pylist()]
    instant = dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    assert rows == [
        {"id": 1, "d": dt.date(2024, 1, 2), "t": instant, "code": None},
        {"id": 2, "d": None, "t": None, "code": "010"},
    ]


def test_pyarrow_still_calls_the_handler_of_bad_records() -> None:
    # our words for records of another length hang on it: without it pyarrow's own text quotes the record
    seen = []
    options = pacsv.ParseOptions(invalid_row_handler=lambda row: seen.append(row.actual_columns) or "skip")
    pacsv.read_csv(io.BytesIO(b"a,b\n1\n"), parse_options=options)
    assert seen == [1]


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ("EC-1,홍길동,홍길동", "columns 2 and 3 have one name"),
        ("EC-1,홍길동,", "column 3 has no name"),
        ('EC-1,"홍\x07길동",x', "column 2: a name with control characters"),
    ],
)
def test_a_file_without_a_header_line_is_told_without_its_cells(tmp_path: Path, first: str, told: str) -> None:
    file = written(tmp_path, f"{first}\nEC-2,성춘향,x\n".encode())
    with pytest.raises(BadInput, match=told) as refused:
        delimited.survey([file], Options())
    assert "홍" not in str(refused.value)
    assert "EC-1" not in str(refused.value)
