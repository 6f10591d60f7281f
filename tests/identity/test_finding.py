"""Identification numbers are found whole and within text, by form and check digit; what only looks alike is not."""

from __future__ import annotations

import random
from datetime import date

import pyarrow as pa
import pytest

from tests.identity.numbers_by_hand import birthday, business, corporate, dashed, luhn, resident, wrong
from transforms.identity.find import Found, find_identifiers, identifier_cells
from transforms.identity.kinds import KINDS

RANDOM = random.Random(1)
RRN = resident(date(1990, 1, 2), "1", RANDOM)
ALIEN = resident(date(1985, 12, 31), "5", RANDOM, foreign=True)
CARD, AMEX = luhn("411111111111111"), luhn("37828224631000")
BUSINESS, CORPORATE = business("220816251"), corporate("110111000614")

WHOLE = [
    ("rrn", RRN), ("rrn", dashed(RRN, 6, 7)), ("rrn", f"{RRN[:6]} - {RRN[6:]}"), ("rrn", f"  {RRN} "),
    ("rrn", f"{RRN[:6]}\u2013{RRN[6:]}"),
    ("foreigner", ALIEN), ("foreigner", dashed(ALIEN, 6, 7)),
    ("card", CARD), ("card", dashed(CARD, 4, 4, 4, 4)), ("card", dashed(CARD, 4, 4, 4, 4).replace("-", " ")),
    ("card", AMEX), ("card", dashed(AMEX, 4, 6, 5)),
    ("business", BUSINESS), ("business", dashed(BUSINESS, 3, 2, 5)),
    ("corporate", CORPORATE), ("corporate", dashed(CORPORATE, 6, 7)),
    ("phone", "010-2345-6789"), ("phone", "01023456789"), ("phone", "010.2345.6789"), ("phone", "010 2345 6789"),
    ("phone", "+82-10-2345-6789"), ("phone", "(02) 2345-6789"), ("phone", "02-345-6789"), ("phone", "031)234-5678"),
    ("phone", "016-234-5678"), ("phone", "070-1234-5678"), ("phone", "０１０－２３４５－６７８９"),
    ("phone", "공일공 이삼사오 육칠팔구"), ("phone", "공일공이삼사오육칠팔구"),
    ("e-mail", "kim.minsu+shop@mail.example.co.kr"),
    ("licence", "11-12-345678-90"), ("licence", "서울 12-345678-90"),
    ("passport", "M12345678"), ("passport", "M123A4567"),
    ("vehicle", "12가3456"), ("vehicle", "123허 4567"), ("vehicle", "서울 12가 3456"),
    ("account", "110-234-567890"), ("account", "123456-01-234567"),
]  # fmt: skip


def kinds_of(text: str | None) -> dict[str, Found]:
    """The kinds that one cell holds."""
    found = find_identifiers(pa.array([text], pa.string()))
    return {kind: one for kind, one in found.items() if one.whole + one.inside}


@pytest.mark.parametrize(("kind", "text"), WHOLE)
def test_a_cell_that_is_one(kind: str, text: str) -> None:
    found = kinds_of(text)[kind]
    assert (found.whole, found.inside) == (1, 0)


@pytest.mark.parametrize(("kind", "text"), WHOLE)
def test_one_within_a_longer_text(kind: str, text: str) -> None:
    for around in ("고객 {} 확인함", "문의: {}.", "({})", "{}\n"):
        cell = around.format(text)
        found = kinds_of(cell).get(kind)
        assert found is not None, around
        assert found.whole + found.inside == 1
    assert kinds_of(f"고객 {text} 확인함")[kind].inside == 1


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("rrn", f"1{RRN}"),  # fourteen digits
        ("rrn", RRN[:2] + "13" + RRN[4:]),  # a thirteenth month
        ("rrn", "990231" + RRN[6:]),  # the 31st of February
        ("rrn", "880229" + "3" + RRN[7:]),  # born in 2088
        ("rrn", f"a{RRN}f"),  # part of a token
        ("rrn", f"0.{RRN}"),  # digits behind a point
        ("rrn", f"12-{dashed(RRN, 6, 7)}-34"),  # part of a longer number
        ("card", wrong(CARD)),
        ("card", luhn("111111111111111")),  # the check digit holds, but nobody issues such
        ("business", wrong(BUSINESS)),
        ("corporate", wrong(CORPORATE)),
        ("phone", "010-0345-6789"),
        ("phone", "2024-01-15"),
        ("phone", "1,234,567,890"),
        ("e-mail", "kim at example.com"),
        ("e-mail", "@handle"),
        ("licence", "55-12-345678-90"),  # no such region
        ("passport", "X12345678"),
        ("vehicle", "12월3456"),
        ("vehicle", "2024년 1234"),
        ("account", "010-234-567890"),
    ],
)
def test_what_only_looks_alike(kind: str, text: str) -> None:
    assert kind not in kinds_of(text)


def test_a_leap_day_needs_a_leap_year() -> None:
    """2000 was one, 1900 was not (Gregorian calendar)."""
    in_2000 = resident(date(2000, 2, 29), "3", RANDOM)
    assert "rrn" in kinds_of(in_2000)
    assert "rrn" not in kinds_of(in_2000[:6] + "1" + in_2000[7:])


def test_numbers_since_october_2020_have_no_check_digit() -> None:
    """With a hyphen they are sure; without one they are told, but weigh less; so does no corporate number."""
    new = wrong(resident(date(2021, 3, 4), "4", random.Random(5)))
    assert corporate(new[:12]) != new
    assert kinds_of(dashed(new, 6, 7))["rrn"] == Found(whole=1, strong=1, shaped=1)
    assert kinds_of(new)["rrn"] == Found(whole=1, strong=0, shaped=1)
    assert "rrn" not in {kind for kind, one in kinds_of(dashed(CORPORATE, 6, 7)).items() if one.strong}


def test_numeric_columns_lose_leading_zeros() -> None:
    born_2003 = resident(date(2003, 5, 6), "3", RANDOM)
    assert born_2003.startswith("0")
    for type_ in (pa.int64(), pa.float64(), pa.decimal128(20, 0), pa.uint64()):
        column = pa.array([int(born_2003), 1023456789, 7, None]).cast(type_)
        found = find_identifiers(column)
        assert (found["rrn"].whole, found["rrn"].strong) == (1, 1), type_
        assert found["phone"].whole == 1, type_
    assert find_identifiers(pa.array([1.5, 2e9 + 0.5, float("nan"), float("inf")])) == {}


def test_thousands_against_the_rules_written_out() -> None:
    """Numbers made digit by digit are all found; of as many with another last digit, none is sure."""
    random_ = random.Random(7)
    numbers = [resident(day := birthday(random_), "12"[random_.randrange(2)] if day.year < 2000 else "3", random_)
               for _ in range(3000)]  # fmt: skip
    assert find_identifiers(pa.array(numbers))["rrn"] == Found(whole=3000, strong=3000, shaped=3000)
    others = find_identifiers(pa.array([wrong(one) for one in numbers]))["rrn"]
    assert (others.whole, others.strong) == (3000, 0)
    aliens = [resident(birthday(random_, last=date(1999, 12, 31)), "5", random_, foreign=True) for _ in range(500)]
    assert find_identifiers(pa.array(aliens))["foreigner"] == Found(whole=500, strong=500, shaped=500)
    cards = [luhn("4" + "".join(random_.choices("0123456789", k=14))) for _ in range(3000)]
    assert find_identifiers(pa.array(cards))["card"].whole == 3000
    assert find_identifiers(pa.array([wrong(one) for one in cards]))["card"].whole == 0
    firms = [business("".join(random_.choices("123456789", k=9))) for _ in range(3000)]
    assert find_identifiers(pa.array(firms))["business"].whole == 3000
    assert find_identifiers(pa.array([wrong(one) for one in firms]))["business"].whole == 0


def test_several_in_one_cell_and_where_each_stands() -> None:
    column = pa.array(["없음", f"{dashed(RRN, 6, 7)} / 010-2345-6789", None, "010-2345-6789"])
    cells = identifier_cells(column)
    assert cells["rrn"].inside.tolist() == [False, True, False, False]
    assert cells["phone"].inside.tolist() == [False, True, False, False]
    assert cells["phone"].whole.tolist() == [False, False, False, True]


def test_a_cell_is_one_or_holds_one_never_both() -> None:
    """`whole + inside` is a number of cells, by which columns are judged. Numbers are put together of such parts as
    numbers have, so that parts of one number often have the form of another."""
    random_ = random.Random(7)
    parts = ["02", "010", "031", "82", "+82", "1234", "123", "5678", "345678", "1234567", "900101", "4111", "220", "81"]
    joins = ["-", " ", ".", "", "(", ")", ") ", "--", "/", ","]
    cells = [
        random_.choice(["", "(", "+", "서울 "]) + "".join(
            random_.choice(parts) + random_.choice(joins) for _ in range(random_.randrange(1, 7))
        )
        for _ in range(20_000)
    ]  # fmt: skip
    found = identifier_cells(
        pa.array([*cells, *(text for _, text in WHOLE), *(f"{a} {b}" for _, a in WHOLE for _, b in WHOLE)])
    )
    assert set(found) == set(KINDS)
    for kind, masks in found.items():
        assert masks.whole.any() or masks.inside.any(), kind
        assert not (masks.whole & masks.inside).any(), kind


def test_any_form_of_the_column_gives_the_same() -> None:
    """Slices, chunks and dictionaries."""
    column = pa.array([None, "x", RRN, f"tel 010-2345-6789 {RRN}", "안녕하세요 여러분", "", RRN])
    expected = find_identifiers(column)
    assert expected["rrn"] == Found(whole=2, inside=1, strong=3, shaped=3)
    padded = pa.concat_arrays([pa.array(["앞", RRN]), column, pa.array([RRN])]).slice(2, len(column))
    assert find_identifiers(padded) == expected
    assert find_identifiers(pa.chunked_array([column.slice(0, 3), column.slice(3)])) == expected
    assert find_identifiers(column.dictionary_encode()) == expected
    assert find_identifiers(column.cast(pa.large_string())) == expected


@pytest.mark.parametrize(
    "column",
    [pa.array([], pa.string()), pa.array([None, None], pa.string()), pa.array([None], pa.int64()), pa.array([True]),
     pa.array([date(1990, 1, 2)]), pa.array([""]), pa.array([1, 2, 3]), pa.nulls(3)],
)  # fmt: skip
def test_nothing_in_columns_that_can_hold_none(column: pa.Array) -> None:
    assert find_identifiers(column) == {}


def test_every_kind_has_a_case_here() -> None:
    assert {kind for kind, _ in WHOLE} == set(KINDS)
