"""Key columns: one person, however written, gives one key; two never share one; nothing is lost without a count."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.combination.canonical import EXPLAINED, Fault, canonical, check_type
from transforms.combination.join_keys import join_keys
from transforms.combination.key_inputs import key_inputs
from transforms.combination.key_spec import KeyColumn, KeySpec
from transforms.derivation import Secret
from transforms.errors import TechniqueError

SPEC = KeySpec.model_validate({"columns": ["name", "phone", "birth"]})
NAME, PHONE, BIRTH = SPEC.columns
TEXT = KeyColumn(name="address", form="text")
NFD = unicodedata.normalize("NFD", "홍길동")


def cells(column: KeyColumn, values: list[object], type_: pa.DataType | None = None) -> list[object]:
    found: list[object] = canonical(column, pa.array(values, type_)).values.to_pylist()
    return found


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        (NAME, ["홍길동", NFD, " 홍 길동", "홍\u3000길\u00a0동\t", "홍\u200b길동"], "홍길동"),
        (NAME, ["Hong Gildong", "HONG GILDONG", "Ｈｏｎｇ　Ｇｉｌｄｏｎｇ", "hongGILDONG "], "HONGGILDONG"),
        (NAME, ["ﾎﾝﾀﾞ", "ホンダ"], "ホンダ"),
        (PHONE, ["01012345678", "010-1234-5678", "(010) 1234.5678", "０１０－１２３４－５６７８"], "01012345678"),
        (BIRTH, ["19800305", "1980-03-05", "1980.3.5", "1980. 3. 5.", "1980/03/05", "1980년 3월 5일"], "19800305"),
        (BIRTH, [" 1980-03-05 ", "1980-03-05 00:00:00", "1980-03-05T00:00", "１９８００３０５"], "19800305"),
        (
            TEXT,
            ["서울시 은평구", "  서울시 \t 은평구 ", unicodedata.normalize("NFD", "서울시 은평구")],
            "서울시 은평구",
        ),
    ],
)
def test_all_ways_of_writing_have_one_form(column: KeyColumn, written: list[object], expected: str) -> None:
    assert cells(column, written) == [expected] * len(written)


def test_dates_and_numbers_as_types() -> None:
    noon = pa.array(["1980-03-05 12:00:00"]).cast(pa.timestamp("us"))
    day, ends = dt.date(1980, 3, 5), [dt.date(1000, 1, 1), dt.date(9999, 12, 31)]
    assert cells(BIRTH, [day, None, *ends], pa.date32()) == ["19800305", None, "10000101", "99991231"]
    assert canonical(BIRTH, noon).values.to_pylist() == ["19800305"]
    assert cells(BIRTH, [19800305, None], pa.int32()) == ["19800305", None]
    assert cells(PHONE, [1012345678, None], pa.int64()) == ["1012345678", None]


@pytest.mark.parametrize(
    ("column", "type_"),
    [(NAME, pa.int64()), (PHONE, pa.float64()), (BIRTH, pa.timestamp("us", "UTC")), (TEXT, pa.date32())],
)
def test_types_that_have_no_such_form_are_refused(column: KeyColumn, type_: pa.DataType) -> None:
    with pytest.raises(TechniqueError, match=f"key column '{column.name}'"):
        check_type(column, type_)


@pytest.mark.parametrize(
    "text", ["1980-13-01", "1980-02-30", "1900-02-29", "800305", "05/03/1980", "1980-3", "0000-00-00", "어제"]
)
def test_what_is_no_date_is_a_fault_and_never_a_missing_part(text: str) -> None:
    found = canonical(BIRTH, pa.array([text, "2000-02-29", "  ", None]))
    assert found.values.to_pylist() == [None, "20000229", None, None]
    assert found.faults.tolist() == [Fault.UNREADABLE, 0, 0, 0]


# Missing parts, faults


def test_a_missing_part_means_no_key_and_is_counted_by_column() -> None:
    names = pa.array(["홍길동", None, "  ", "권율", "유관순"])
    phones = pa.array(["010", "010", "없음", "-", "011"])
    births = pa.array(["19800101", "19800101", None, "19800101", ""])
    found = key_inputs(SPEC, [names, phones, births])
    assert found.messages.is_valid().to_pylist() == [True, False, False, False, False]
    assert found.missing == {"name": 2, "phone": 2, "birth": 2}
    assert found.faults == {}


def test_lost_characters_are_counted_and_told_without_the_value() -> None:
    names = pa.array(["홍\ufffd동", "권율", "\ufffd"])
    found = key_inputs(SPEC, [names, pa.array(["1"] * 3), pa.array(["19800101", "1980\ufffd0101", "x"])])
    assert found.messages.to_pylist() == [None, None, None]
    assert found.faults == {("name", Fault.REPLACED): 2, ("birth", Fault.REPLACED): 1, ("birth", Fault.UNREADABLE): 1}
    assert all("홍" not in text and "encoding" in EXPLAINED[Fault.REPLACED] for text in EXPLAINED.values())


def test_bytes_that_are_no_utf8_are_counted() -> None:
    damaged = pa.array(["홍길동".encode("cp949"), "권율".encode()], pa.binary()).view(pa.string())
    found = key_inputs(SPEC, [damaged, pa.array(["1", "2"]), pa.array(["19800101"] * 2)])
    assert found.faults == {("name", Fault.NO_TEXT): 1}
    assert found.messages.to_pylist() == [None, "권율219800101".encode()]


def test_cp949_lacks_characters_and_says_so() -> None:
    spec = KeySpec.model_validate({"columns": ["name", "phone", "birth"], "encoding": "CP949"})
    names = ["똠방", "𠮷田", "홍길동", "É", None]
    found = key_inputs(spec, [pa.array(names), pa.array(["1"] * 5), pa.array(["19800101"] * 5)])
    made = [None if message is None else message.decode("cp949") for message in found.messages.to_pylist()]
    assert made == ["똠방119800101", None, "홍길동119800101", None, None]
    assert found.faults == {("name", Fault.UNENCODABLE): 2}
    assert found.missing["name"] == 1


def test_values_that_occur_often_are_counted_as_often_as_they_occur() -> None:
    """Such columns are worked on by their few values; counts and nulls must not change by that."""
    names = ["홍길동", "홍\ufffd동", None, " 권 율 "] * 2000
    few = key_inputs(SPEC, [pa.array(names), pa.array(["1"] * 8000), pa.array(["19800101"] * 8000)])
    assert few.faults == {("name", Fault.REPLACED): 2000}
    assert few.missing == {"name": 2000, "phone": 0, "birth": 0}
    assert few.messages.slice(0, 4).to_pylist() == ["홍길동119800101".encode(), None, None, "권율119800101".encode()]
    assert few.messages.null_count == 4000


# Against plain Python

LETTERS = "홍길동똠李舜AbzÉé09-.'가" + NFD[:3] + " \t\u3000\u00a0\u200bＨｇ１"


def plain_name(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    if any("\uff00" <= letter <= "\uffef" for letter in composed):
        composed = unicodedata.normalize("NFKC", composed)
    seen = [one for one in composed.upper() if unicodedata.category(one) not in ("Zs", "Zl", "Zp", "Cc", "Cf")]
    return unicodedata.normalize("NFC", "".join(seen))


def plain_digits(text: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", text) if one in "0123456789")


@given(st.lists(st.tuples(st.text(LETTERS, max_size=6), st.text("0123456789-() ０", max_size=6), st.dates())))
def test_messages_are_those_of_plain_python(people: list[tuple[str, str, dt.date]]) -> None:
    names, phones, births = ([one[place] for one in people] for place in range(3))
    found = key_inputs(
        SPEC, [pa.array(names, pa.string()), pa.array(phones, pa.string()), pa.array(births, pa.date32())]
    )
    expected = []
    for name, phone, birth in people:
        parts = [plain_name(name), plain_digits(phone), f"{birth:%Y%m%d}".rjust(8, "0")]
        mark = "\x1f" if parts[0][-1:].isdigit() else ""
        real = birth.year >= 1000
        expected.append((parts[0] + mark + parts[1] + parts[2]).encode() if all(parts) and real else None)
    assert found.messages.to_pylist() == expected


Person = tuple[str, str, dt.date]
PARTS = st.tuples(
    st.text("홍A12", min_size=1, max_size=4), st.text("123", min_size=1, max_size=4), st.dates(dt.date(1900, 1, 1))
)


@given(PARTS, PARTS)
def test_two_different_people_never_have_one_message(one: Person, other: Person) -> None:
    """Above all where a name ends in a digit: 홍1 + 23 is not 홍 + 123."""
    columns = [pa.array([a, b]) for a, b in zip(one, other, strict=True)]
    first, second = key_inputs(SPEC, columns).messages.to_pylist()
    assert (first == second) == (one == other)


PAIR = st.lists(st.text("ab\x1f |,", max_size=3), min_size=2, max_size=2)


@given(PAIR, PAIR)
def test_texts_never_run_into_each_other(one: list[str], other: list[str]) -> None:
    spec = KeySpec.model_validate({"columns": [{"name": "x", "form": "text"}, {"name": "y", "form": "text"}]})
    columns = [pa.array(pair) for pair in zip(one, other, strict=True)]
    first, second = key_inputs(spec, columns).messages.to_pylist()
    parts = [[canonical(TEXT, pa.array([part])).values[0].as_py() for part in parts] for parts in (one, other)]
    if first is not None and second is not None:
        assert (first == second) == (parts[0] == parts[1])


@given(st.lists(st.binary(max_size=200)), st.sampled_from(["SHA-256", "SHA3-384", "HMAC-SHA-256", "HMAC-SHA-384"]))
def test_keys_are_those_of_hashlib_and_hmac(messages: list[bytes], algorithm: str) -> None:
    spec = KeySpec.model_validate({"columns": ["name"], "algorithm": algorithm})
    salt = bytes(range(100, 100 + spec.salt_bytes))
    name = algorithm.removeprefix("HMAC-").lower().replace("sha3-", "sha3_").replace("sha-", "sha")
    expected = [
        hmac.new(salt, one, name).digest() if spec.keyed else hashlib.new(name, one + salt).digest() for one in messages
    ]
    assert join_keys(pa.array(messages, pa.binary()), spec, Secret(salt)).to_pylist() == expected


def test_slices_give_the_keys_of_their_own_rows() -> None:
    whole = pa.array([b"a", b"bb", b"ccc", b"d"])
    spec, salt = SPEC, Secret(bytes(32))
    assert join_keys(whole.slice(1, 2), spec, salt).to_pylist() == join_keys(whole, spec, salt).to_pylist()[1:3]
