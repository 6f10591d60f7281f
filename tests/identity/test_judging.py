"""What the numbers say of a column: is it one, does it hold some, or is it what chance gives?"""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from tests.identity.numbers_by_hand import birthday, corporate, dashed, luhn, resident
from transforms.identity.find import Found, added, find_identifiers, weighted
from transforms.identity.judging import judged
from transforms.identity.legal import unmarked
from transforms.plan import ColumnRule

RANDOM = random.Random(3)
NUMBERS = [resident(birthday(RANDOM), "1", RANDOM) for _ in range(500)]


def verdicts(values: list[str] | pa.Array) -> dict[str, str]:
    """The verdict of each kind on a column."""
    column = pa.array(values)
    return {one.kind.name: one.verdict for one in judged(find_identifiers(column), len(column) - column.null_count)}


def test_a_column_of_resident_numbers() -> None:
    assert verdicts(NUMBERS)["rrn"] == "is"
    assert next(iter(verdicts([dashed(one, 6, 7) for one in NUMBERS]))) == "rrn"


def test_a_few_in_a_large_text_column() -> None:
    texts = ["배송이 늦었어요"] * 5000 + [f"제 번호는 {dashed(NUMBERS[0], 6, 7)} 입니다"]
    assert verdicts(texts) == {"rrn": "contains"}


@pytest.mark.parametrize("digits", [10, 12, 13, 16])
def test_random_numbers_are_none_of_these(digits: int) -> None:
    """One in eleven resident check digits holds by chance, one in ten of the others."""
    low, high = 10 ** (digits - 1), 10**digits
    column = pa.array(np.random.default_rng(digits).integers(low, high, 20_000))
    assert verdicts(column) == {}
    assert verdicts(column.cast(pa.string())) == {}


def test_moments_in_milliseconds_are_no_resident_numbers() -> None:
    """1483228800000 to 1704067200000 (2017 to 2024): some are dates with a fitting sex digit."""
    column = pa.array(np.random.default_rng(1).integers(1483228800000, 1704067200000, 50_000))
    assert find_identifiers(column)["rrn"].whole > 0
    assert verdicts(column) == {}


@pytest.mark.parametrize("form", ["{:%y%m%d}-{:07d}", "{:%y%m%d}{:07d}", "No. {:%y%m%d}-{:07d}"])
def test_numbers_of_orders_are_at_most_likely_and_not_refused(form: str) -> None:
    """A day and a count: four of ten have a resident's seventh digit, four a foreigner's; every eleventh of these has a
    fitting last one, and foreigners' newer numbers need none."""
    random_ = random.Random(5)
    days = [date(2015, 1, 1) + timedelta(random_.randrange(1800)) for _ in range(400)]
    orders = [form.format(day, random_.randrange(10**7)) for day in days]
    found = find_identifiers(pa.array(orders))["rrn"]
    assert found.strong > 5
    assert verdicts(orders).get("rrn") == "may-contain"
    assert verdicts(orders).get("foreigner") in (None, "may-contain")
    assert refusals({}, orders) == []
    # forty residents among them are far more than chance
    foreigners = [resident(birthday(RANDOM), "5", RANDOM, foreign=True) for _ in range(100)]
    assert len(refusals({}, [*orders, *(dashed(one, 6, 7) for one in foreigners)])) == 1
    told = refusals({}, [*orders, *(dashed(one, 6, 7) for one in NUMBERS[:40])])
    assert any("주민등록번호" in one for one in told), "what then looks like foreigners is told, too"


def test_one_fitting_number_among_hundreds_of_that_length_is_chance() -> None:
    """Gross domestic products (R's dslabs::gapminder): 210 have 13 digits, one is a foreigner's number by chance."""
    numbers = [str(7_000_000_000_000 + 9_999_991 * n) for n in range(210)]  # no month, so none fits
    foreigner = resident(date(1985, 12, 31), "5", RANDOM, foreign=True)
    column = pa.array([float(one) for one in (*numbers, foreigner)])
    assert find_identifiers(column)["foreigner"].strong == 1
    assert "foreigner" not in verdicts(column)
    assert verdicts(pa.array([*map(str, range(500)), foreigner])) == {"foreigner": "contains"}


def test_numbers_of_goods_are_no_resident_numbers() -> None:
    """EAN-13 of Korea begin with 880: 88 and a month."""
    random_ = random.Random(6)
    goods = [f"880{random_.randrange(10**9):09d}" for _ in range(2000)]
    checked = [one + str(-sum(int(d) * (1, 3)[n % 2] for n, d in enumerate(one)) % 10) for one in goods]
    assert find_identifiers(pa.array(checked))["rrn"].strong > 0
    assert refusals({}, checked) == []


def test_corporate_numbers_are_not_taken_for_resident_ones() -> None:
    """Both are six and seven digits; those of a registry such as 110111 even begin with a date."""
    firms = [dashed(corporate(f"110111{RANDOM.randrange(10**6):06d}"), 6, 7) for _ in range(500)]
    found = verdicts(firms)
    assert next(iter(found)) == "corporate"
    assert found.get("rrn") != "is" or find_identifiers(pa.array(firms))["rrn"].strong < 100


def test_a_card_without_hyphens_may_be_one() -> None:
    assert verdicts([f"카드 {luhn('411111111111111')} 결제", "현금"]) == {"card": "may-contain"}


def test_counts_add_up_over_parts_and_over_repeated_values() -> None:
    column = pa.array([*NUMBERS[:10], *NUMBERS[:10], "010-2345-6789"])
    whole = find_identifiers(column)
    assert added([find_identifiers(column.slice(0, 5)), find_identifiers(column.slice(5))]) == whole
    assert weighted(pa.array([*NUMBERS[:10], "010-2345-6789"]), np.array([2] * 10 + [1])) == whole


RULE = {"kind": "attribute", "apply": "keep"}


def refusals(rule: dict[str, str], values: list[str]) -> list[str]:
    """What is refused of a column with this rule."""
    held = judged(find_identifiers(pa.array(values)), len(values))
    rules = {"memo": ("columns.memo", ColumnRule.model_validate(RULE | rule))}
    problems = [one.problem() for one in unmarked(rules, {"memo": held})]
    assert all(one.refused and one.path == "columns.memo" for one in problems)
    assert not any(value in str(one) for value in values for one in problems)
    return [one.found for one in problems]


def test_resident_numbers_without_a_mark_are_refused() -> None:
    """L316, §24-2: only a statute allows them; the plan's own checks ask for it where `legal: rrn` stands."""
    (found,) = refusals({}, [*NUMBERS[:5], f"메모 {NUMBERS[0]}"])
    assert "주민등록번호" in found
    assert "5 cells are one, 1 hold one within text" in found
    assert len(refusals({"legal": "unique-24"}, NUMBERS)) == 1
    assert refusals({"legal": "rrn", "act": "의료법", "article": "제21조"}, NUMBERS) == []


def test_other_unique_identification_numbers_need_their_mark() -> None:
    """L314, §24: allowed, but as what they are."""
    licences = ["11-12-345678-90", "13-05-123456-11"]
    assert len(refusals({}, licences)) == 1
    assert refusals({"legal": "unique-24"}, licences) == []


def test_a_form_that_many_numbers_have_needs_a_telling_name() -> None:
    passports = ["M12345678", "S00000001"]
    held = {"passport_no": judged(find_identifiers(pa.array(passports)), 2)}
    rule = ColumnRule.model_validate(RULE)
    assert refusals({}, passports) == []
    assert len(unmarked({"passport_no": ("columns.passport_no", rule)}, held)) == 1
    assert len(refusals({"label": "여권번호"}, passports)) == 1


def test_a_telling_name_is_enough_where_less_than_half_of_the_cells_are_such_numbers() -> None:
    """Passports have no check digit: two among eight other texts are no more than likely, until the name says so."""
    cells = ["M12345678", "S00000001", *["없음"] * 8]
    (found,) = judged(find_identifiers(pa.array(cells)), 10)
    assert found.verdict == "may-contain"
    assert refusals({}, cells) == []
    (told,) = refusals({"label": "여권번호"}, cells)
    assert "2 cells are one" in told
    assert refusals({"label": "여권번호", "legal": "unique-24"}, cells) == []
    assert refusals({"label": "전화번호"}, cells) == [], "another kind's name tells nothing of passports"


def test_what_is_not_sure_is_not_refused() -> None:
    orders = ["190115-1000001", "190116-2000002", "190117-3000003"]
    assert find_identifiers(pa.array(orders))["rrn"].whole > 0
    assert refusals({}, orders) == []
    assert judged({"rrn": Found(whole=1, shaped=1)}, 1)[0].verdict == "is"
    assert refusals({}, ["없음"]) == []
