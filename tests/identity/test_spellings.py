"""Numbers and addresses as people type them: other dashes, blanks, groups, country codes, Korean addresses."""

from __future__ import annotations

import random
from datetime import date

import pyarrow as pa
import pytest

from tests.identity.numbers_by_hand import luhn, resident, wrong
from transforms.identity.find import find_identifiers

RESIDENT = resident(date(1985, 3, 15), "1", random.Random(7))
FRONT, BACK = RESIDENT[:6], RESIDENT[6:]
BETWEEN = ("- ", " -", "--", "  ", "\t", "\u00a0", "\u3000", "\u00ad", "−", "﹣", "ー", "ㅡ", "·")


@pytest.mark.parametrize("between", BETWEEN, ids=[f"U+{ord(one[0]):04X}-{len(one)}" for one in BETWEEN])
def test_whatever_is_typed_for_a_hyphen(between: str) -> None:
    found = find_identifiers(pa.array([f"{FRONT}{between}{BACK}", f"번호 {FRONT}{between}{BACK}, 확인"]))["rrn"]
    assert (found.whole, found.inside, found.strong) == (1, 1, 2)


@pytest.mark.parametrize(
    "phone",
    [
        "+82 10-1234-5678", "+82-010-1234-5678", "+82-2-345-6789", "+82 2 3456 7890", "+82-31-345-6789", "010-12345678",
        "0502-1234-5678", "0505-123-4567", "010−1234−5678", "010ㅡ1234ㅡ5678", "101동 - 010-1234-5678",
    ],
)  # fmt: skip
def test_groups_of_telephone_numbers(phone: str) -> None:
    assert "phone" in find_identifiers(pa.array([phone]))
    found = find_identifiers(pa.array([phone]))["phone"]
    assert found.whole + found.inside == 1


@pytest.mark.parametrize("number", ["1234-5678-9012", "505-1234-5678-1", "+82-9-345-6789", "123-12345678"])
def test_other_groups_are_no_telephone_number(number: str) -> None:
    found = find_identifiers(pa.array([number])).get("phone")
    assert found is None or found.whole + found.inside == 0


def test_korean_addresses_of_mail() -> None:
    cells = ["홍길동@회사.한국", "hong@회사.한국", "홍길동@example.com", "메일 hong@example.com로", "사과@1.5kg"]
    found = find_identifiers(pa.array(cells))["e-mail"]
    assert (found.whole, found.inside) == (3, 1)


def test_small_letters_of_passports_and_long_cards() -> None:
    assert find_identifiers(pa.array(["m12345678", "m123a4567"]))["passport"].whole == 2
    cards = [luhn("620123456789012345"), luhn("62012345678901234"), luhn("6201234567890123")]
    assert [len(one) for one in cards] == [19, 18, 17]
    found = find_identifiers(pa.array([*cards, *map(wrong, cards), luhn("110123456789012345")]))["card"]
    assert found.whole == 3
