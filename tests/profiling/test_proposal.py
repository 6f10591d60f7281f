"""The kind that is proposed for a column: by its name in Korean or English, by forms, by how its values repeat."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from tests.identity.numbers_by_hand import birthday, dashed, resident
from transforms.pipeline.feed import TableUnit
from transforms.profiling.columns import ProfileTask, facts_of
from transforms.profiling.names import meaning_of, names_a_number
from transforms.profiling.proposal import Proposal, Proposed, proposal

ROWS = 200
RANDOM = random.Random(11)


def proposed(columns: dict[str, list[Any] | pa.Array], labels: dict[str, str] | None = None) -> Proposal:
    """The proposal for a made table."""
    table = pa.table(columns)
    blobs = list(ProfileTask(tuple(table.column_names))(TableUnit(0, table, table.schema)))
    return proposal(facts_of(table.schema, blobs), labels)


def one(name: str, values: list[Any], label: str = "") -> Proposed:
    """The proposal for a single column."""
    (column,) = proposed({name: values}, {name: label}).columns
    return column


@pytest.mark.parametrize(
    ("name", "kind", "legal"),
    [
        ("주민등록번호", "identifier", "rrn"), ("RRN", "identifier", "rrn"), ("cust_rrn", "identifier", "rrn"),
        ("여권번호", "identifier", "unique-24"), ("passport_no", "identifier", "unique-24"),
        ("운전면허번호", "identifier", "unique-24"), ("외국인등록번호", "identifier", "unique-24"),
        ("성명", "identifier", None), ("customer_name", "identifier", None), ("fullName", "identifier", None),
        ("휴대폰번호", "identifier", None), ("mobile", "identifier", None), ("homePhone", "identifier", None),
        ("이메일", "identifier", None), ("e_mail", "identifier", None), ("고객ID", "identifier", None),
        ("customer_id", "identifier", None), ("patientId", "identifier", None), ("ip_address", "identifier", None),
        ("나이", "quasi-identifier", None), ("age", "quasi-identifier", None), ("생년월일", "quasi-identifier", None),
        ("birth_date", "quasi-identifier", None), ("성별", "quasi-identifier", None), ("sex", "quasi-identifier", None),
        ("거주지역", "quasi-identifier", None), ("zip_code", "quasi-identifier", None),
        ("직업", "quasi-identifier", None), ("국적", "quasi-identifier", None),
        ("visit_date", "quasi-identifier", None),
        ("진단명", "sensitive", "sensitive-23"), ("diagnosis", "sensitive", "sensitive-23"),
        ("종교", "sensitive", "sensitive-23"), ("노동조합가입", "sensitive", "sensitive-23"),
        ("연소득", "sensitive", None), ("credit_score", "sensitive", None),
    ],
)  # fmt: skip
def test_names_of_columns(name: str, kind: str, legal: str | None) -> None:
    found = meaning_of(name)
    assert found is not None
    assert (found.kind, found.legal) == (kind, legal)


@pytest.mark.parametrize(
    "name",
    ["amount", "average", "usage", "message", "product_name", "상품명", "page", "telemetry",
     "구매액", "essex", "manager", "total_201901", "bipartisan", "점포이름"],
)  # fmt: skip
def test_names_that_say_nothing_of_a_person(name: str) -> None:
    assert meaning_of(name) is None


def test_names_of_numbers() -> None:
    assert all(map(names_a_number, ["order_id", "orderId", "접수번호", "uuid", "invoice_no"]))
    assert not any(map(names_a_number, ["amount", "nose", "idea", "금액"]))


def test_cells_weigh_more_than_names() -> None:
    """A column called `memo` is still one of resident registration numbers."""
    numbers = [resident(birthday(RANDOM), "2", RANDOM) for _ in range(ROWS)]
    found = one("memo", numbers)
    assert (found.kind, found.legal, found.excluded) == ("identifier", "rrn", True)
    assert not any(number in reason for number in numbers for reason in found.reasons)
    mixed = one("memo", ["감사합니다"] * (ROWS - 1) + [f"번호 {dashed(numbers[0], 6, 7)}"])
    assert (mixed.kind, mixed.legal, mixed.excluded) == ("identifier", None, True)


def test_a_label_helps_where_the_name_says_nothing() -> None:
    assert one("col7", [30, 40, 50], label="나이").kind == "quasi-identifier"
    assert one("col7", [30, 40, 50]).kind == "attribute"


@pytest.mark.parametrize(
    ("values", "kind", "excluded"),
    [
        ([f"{'김이박최정'[number % 5]}민{chr(0xAC00 + number)}" for number in range(ROWS)], "identifier", True),
        ([f"서울시 은평구 연서로 {number}" for number in range(ROWS)], "quasi-identifier", False),
        ([f"10.0.0.{number}" for number in range(ROWS)], "identifier", True),
        (["상담 내용이 길게 적혀 있습니다. " * 3 + str(n) for n in range(ROWS)], "identifier", True),
        ([f"K{number * 7919 % 100003}" for number in range(ROWS)], "identifier", False),
        ([date(2024, 1, 1 + number % 28) for number in range(ROWS)], "quasi-identifier", False),
        (["A", "B", "C", None] * 50, "attribute", False),
        ([number * 1000 for number in range(ROWS)], "attribute", False),
        ([None] * ROWS, "attribute", True),
        (["M12345678"] * ROWS, "attribute", False),
    ],
    ids=["names", "addresses", "ip", "free text", "key", "dates", "codes", "amounts", "nulls", "product codes"],
)  # fmt: skip
def test_values_where_the_name_says_nothing(values: list[Any], kind: str, excluded: bool) -> None:
    found = one("x", values)
    assert (found.kind, found.excluded) == (kind, excluded), found.reasons


def test_whole_numbers_that_all_differ_in_many_rows_are_ids() -> None:
    """Of few rows they may be amounts; and fractions may differ in any number of rows."""
    many = list(range(7_000, 8_200))
    assert one("seq", many).kind == "identifier"
    assert one("seq", many[:200]).kind == "attribute"
    assert one("seq", [number / 7 for number in many]).kind == "attribute"
    assert one("seq", [*many[:-1], many[0]]).kind == "attribute"


def test_the_rows_key_and_the_person() -> None:
    orders = [f"O-{number}" for number in range(ROWS)]
    people = [f"P-{number % 40}" for number in range(ROWS)]
    found = proposed({"order_no": orders, "customer_id": people, "amount": list(range(ROWS))})
    assert (found.row_key, found.subject) == ("order_no", "customer_id")
    assert (lone := proposed({"customer_id": orders, "order_no": orders})).row_key == lone.subject == "customer_id"
    nothing = proposed({"amount": [1, 1, 2], "sex": ["M", "F", "M"]})
    assert (nothing.row_key, nothing.subject) == (None, None)


def test_a_table_without_rows_or_columns() -> None:
    assert [column.kind for column in proposed({"age": pa.array([], pa.int64())}).columns] == ["quasi-identifier"]
    assert proposal([]) == Proposal((), None, None)
