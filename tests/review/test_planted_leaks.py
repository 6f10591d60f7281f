"""One leak of each kind is planted in what a run delivered; the review finds it, and names the column.

Each leak is one that a set of possible cells alone would not show: the cell looks like others of its column.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from .checkups import CHECKUPS, checkups, member_of, name_of, phone_of
from .conftest import Made, made
from .local_review import failed, results

VALUES, FORMS = "expect_no_source_value_left", "expect_no_form_of_identifier_left"
IMAGE = "expect_cells_in_image_of_chain"


@pytest.fixture(scope="module")
def run(plans_folder: Path) -> Made:
    return made(CHECKUPS, plans_folder)


def with_cells(table: pa.Table, column: str, new: dict[int, object]) -> pa.Table:
    """The table with other cells in some rows."""
    field = table.schema.field(column)
    cells = table[column].to_pylist()
    assert all(cells[row] != cell for row, cell in new.items())
    for row, cell in new.items():
        cells[row] = cell
    return table.set_column(table.schema.get_field_index(column), field, pa.array(cells, field.type))


def test_what_the_plan_made_has_nothing_left_over(run: Made, tmp_path: Path) -> None:
    told = results(run, [run.table], tmp_path)
    assert {key for key, one in told.items() if not one["success"]} == set()
    # at least five of patient, member, phone, card, name and e-mail of everyone delivered
    people = run.facts.delivered
    assert told[VALUES, None]["compared"] >= 5 * people
    # what is a category or a rounded number by the plan is not looked into
    looked = told[VALUES, None]["looked"]
    assert looked == len(["member", "phone", "card", "sex", "address", "visits", "memo"])


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        pytest.param("memo", name_of(17), id="a name, excluded and compared, alone in the memo"),
        pytest.param("memo", f"{name_of(17)}님 재검 요망", id="a name with what follows it"),
        pytest.param("memo", "고객 ec232590의 요청", id="a customer number in small letters without its sign"),
        pytest.param("memo", f"카드 9410 1234 {17 * 17 % 10_000:04d} 0017", id="a card number with blanks"),
        pytest.param("sex", "EC-232590", id="a customer number in a column of sexes"),
        pytest.param("address", f"서울시 {name_of(23)}", id="a name where a district should stand"),
        pytest.param("member", member_of(17), id="a token that equals its source"),
        pytest.param("memo", f"회원 {member_of(21)}", id="a raw number whose own column holds tokens"),
        pytest.param("phone", phone_of(31), id="a number that format-preserving encryption left as it was"),
    ],
)
def test_a_source_value_in_another_column(run: Made, tmp_path: Path, column: str, cell: str) -> None:
    told = results(run, [with_cells(run.table, column, {7: cell})], tmp_path)
    assert not told[VALUES, None]["success"]
    assert (told[VALUES, None]["columns"], told[VALUES, None]["left"]) == ([column], 1)


def test_a_source_value_in_a_column_of_numbers(run: Made, tmp_path: Path) -> None:
    number = int(phone_of(33).replace("-", ""))  # a column of numbers has no leading zero
    told = results(run, [with_cells(run.table, "visits", {7: number})], tmp_path)
    assert told[VALUES, None]["columns"] == ["visits"]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        pytest.param("보호자 연락처 010-9999-1234로", "phone", id="telephone"),
        pytest.param("문의 nobody@example.org", "e-mail", id="e-mail"),
        # a resident number is right where its weighted sum (2 3 4 5 6 7 8 9 2 3 4 5) says its last digit
        pytest.param("주민번호 900101-1234568 확인", "rrn", id="resident number"),
    ],
)
def test_a_number_of_nobody_we_know_inside_a_free_text(run: Made, tmp_path: Path, cell: str, kind: str) -> None:
    if kind == "rrn":
        digits = [int(one) for one in "900101123456"]
        check = (11 - sum(d * w for d, w in zip(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), strict=True)) % 11) % 10
        cell = f"주민번호 900101-123456{check} 확인"
    told = results(run, [with_cells(run.table, "memo", {7: cell})], tmp_path)
    assert not told[FORMS, None]["success"]
    assert (told[FORMS, None]["columns"], told[FORMS, None]["kinds"]) == (["memo"], [kind])
    assert told[VALUES, None]["success"]


def test_what_the_plan_allows_may_stand_there(plans_folder: Path, tmp_path: Path) -> None:
    allowed = "leftovers: {allow: {memo: {kinds: [phone], reason: 대표 전화}}, against: [name, e_mail]}"
    run = made(CHECKUPS.replace("leftovers: {against: [name, e_mail]}", allowed), plans_folder)
    table = with_cells(run.table, "memo", {7: "대표 전화 02-2123-4567", 8: "nobody@example.org"})
    told = results(run, [table], tmp_path)
    assert (told[FORMS, None]["kinds"], told[FORMS, None]["left"]) == (["e-mail"], 1)
    strict = results(made(CHECKUPS, plans_folder), [table], tmp_path)
    assert (strict[FORMS, None]["kinds"], strict[FORMS, None]["left"]) == (["e-mail", "phone"], 2)


def test_one_unprocessed_partition(run: Made, tmp_path: Path) -> None:
    """Its telephone numbers look encrypted, its member numbers look like tokens; nothing else is wrong with it."""
    half = len(run.table) // 2
    rest = run.table.slice(half)
    raw = checkups().filter(pc.greater_equal(checkups()["age"], 20)).slice(0, len(rest))
    for name in ("phone", "member"):
        rest = rest.set_column(rest.schema.get_field_index(name), name, raw[name])
    told = results(run, [run.table.slice(0, half), rest], tmp_path)
    assert told[IMAGE, "phone"]["success"]
    assert told[IMAGE, "member"]["success"]
    assert told[VALUES, None]["columns"] == ["member", "phone"]
    # of those people who are in the sample, both numbers are known
    assert told[VALUES, None]["left"] > len(rest)


@pytest.mark.parametrize(
    ("column", "cell"), [("years", 41), ("age", 90), ("spend_drugs", "one unit more than the cut-off")]
)
def test_an_off_by_one_cut_off(run: Made, tmp_path: Path, column: str, cell: Any) -> None:
    if column == "spend_drugs":
        cell = max(one for one in run.table[column].to_pylist() if one is not None) + 1000
    assert (IMAGE, column) in failed(run, [with_cells(run.table, column, {7: cell})], tmp_path)


def test_chance_is_no_leak(run: Made) -> None:
    """Encrypted in their own form, some numbers become others' numbers: as many as the run itself counted."""
    encrypted, numbers = run.table["phone"].to_pylist(), set(checkups()["phone"].to_pylist())
    assert run.values.chance["checkups", "phone"] <= sum(one in numbers for one in encrypted)


def test_no_value_is_kept(run: Made) -> None:
    content = run.values.to_bytes()
    assert phone_of(17).encode() not in content
    assert len(content) < 8 * len(run.values.hashes) + 500
