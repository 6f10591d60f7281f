"""Made parties of a combination: the same persons in several of them, each written in the party's own way."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from jobs.party_tables import CHUNK, MOST_STOPS, PartyTable, first_day, stop_requests
from jobs.retail import districts

SUBJECTS = 4_000
REGIONS = districts()


def rows_of(table: PartyTable) -> list[dict[str, Any]]:
    batches = [batch for number in range(table.chunks) for batch in table.chunk(number)]
    rows: list[dict[str, Any]] = pa.Table.from_batches(batches, table.schema()).to_pylist()
    return rows


def persons(party: str, rows: list[dict[str, Any]]) -> list[tuple[str, str, str] | None]:
    """Name, phone, birth as one would compare them by hand; None without a phone."""
    columns = {
        "A": ("cust_nm", "hp", "birth_dt"),
        "B": ("name", "mobile", "birthday"),
        "C": ("person_name", "tel", "born"),
    }
    name, phone, birth = columns[party]
    return [
        (
            unicodedata.normalize("NFC", row[name]),
            re.sub(r"\D", "", row[phone]),
            re.sub(r"\D", "", str(row[birth])),
        )
        if row[phone] is not None
        else None
        for row in rows
    ]


@pytest.fixture(scope="module")
def once() -> dict[str, list[dict[str, Any]]]:
    return {party: rows_of(PartyTable(party, SUBJECTS, 1, REGIONS, overlap=0.25)) for party in "ABC"}


def test_the_same_persons_are_in_both_by_the_declared_share(once: dict[str, list[dict[str, Any]]]) -> None:
    own = {party: [one for one in persons(party, rows) if one] for party, rows in once.items()}
    a, b = set(own["A"]), set(own["B"])
    assert len(a) == SUBJECTS  # nobody twice
    missing = SUBJECTS - len(b)
    assert 0 < missing < SUBJECTS * 0.01  # one phone in 1,000 is not there
    assert SUBJECTS * 0.25 - missing <= len(a & b) <= SUBJECTS * 0.25
    # C lies half way between: more of A than B has, and more of B than A has
    assert len(a & set(own["C"])) > len(a & b)
    assert len(b & set(own["C"])) > len(a & b)


def test_names_and_birthdays_alone_tell_nobody_apart_but_phones_do(once: dict[str, list[dict[str, Any]]]) -> None:
    rows = once["A"]
    assert len({row["hp"] for row in rows}) == SUBJECTS
    assert len({row["cust_nm"] for row in rows}) < SUBJECTS
    assert len({row["birth_dt"] for row in rows}) < SUBJECTS


def test_each_party_writes_keys_in_its_own_way(once: dict[str, list[dict[str, Any]]]) -> None:
    assert all(re.fullmatch(r"010-\d{4}-\d{4}", row["hp"]) for row in once["A"])
    assert all(isinstance(row["birth_dt"], date) for row in once["A"])
    assert all(re.fullmatch(r"\d{8}", row["birthday"]) for row in once["B"])
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", row["born"]) for row in once["C"])
    decomposed = [row for row in once["B"] if not unicodedata.is_normalized("NFC", row["name"])]
    assert 0 < len(decomposed) < SUBJECTS * 0.05


def test_each_party_has_ten_attributes_and_a_number_of_its_own(once: dict[str, list[dict[str, Any]]]) -> None:
    keys = {"A": "member_no", "B": "resident", "C": "examinee"}
    for party, rows in once.items():
        assert len({row[keys[party]] for row in rows}) == SUBJECTS
        assert len(rows[0]) == 4 + 10
        assert all(None not in {v for k, v in row.items() if k not in ("mobile", "tel")} for row in rows)


def test_the_same_arguments_give_the_same_rows_in_any_order_of_chunks() -> None:
    table = PartyTable("A", CHUNK + 10, 7, REGIONS)
    (last,) = table.chunk(1)
    assert last.num_rows == 10
    assert last.equals(next(iter(PartyTable("A", CHUNK + 10, 7, REGIONS).chunk(1))))
    assert not last.equals(next(iter(PartyTable("A", CHUNK + 10, 8, REGIONS).chunk(1))))


def test_skew_gives_many_the_same_name_and_birthday_but_not_the_same_key() -> None:
    rows = rows_of(PartyTable("A", SUBJECTS, 1, REGIONS, skew=0.3))
    ((name, births), often), *_ = Counter((row["cust_nm"], row["birth_dt"]) for row in rows).most_common(1)
    assert (name, births) == ("김민준", date(1970, 1, 1))
    assert SUBJECTS * 0.25 < often < SUBJECTS * 0.35
    assert len(set(persons("A", rows))) == SUBJECTS


def test_duplicates_are_persons_in_two_rows() -> None:
    rows = rows_of(PartyTable("A", SUBJECTS, 1, REGIONS, duplicates=0.01))
    often = Counter(persons("A", rows))
    assert {count for count in often.values() if count > 1} == {2}
    assert sum(count for count in often.values() if count > 1) == SUBJECTS * 0.01


def test_with_months_persons_come_and_leave_and_are_the_same_all_along() -> None:
    rows = rows_of(PartyTable("A", SUBJECTS, 1, REGIONS, months=12))
    months = [first_day(number) for number in range(12)]
    assert months[0] == date(2024, 7, 1)
    assert months[-1] == date(2025, 6, 1)
    there = {month: {row["member_no"]: row for row in rows if row["reference_on"] == month} for month in months}
    first, last = there[months[0]], there[months[-1]]
    assert first.keys() - last.keys()
    assert last.keys() - first.keys()
    stayed = first.keys() & last.keys()
    assert len(stayed) > SUBJECTS / 2
    assert all(first[one]["hp"] == last[one]["hp"] and first[one]["car"] == last[one]["car"] for one in stayed)
    assert any(first[one]["amount"] != last[one]["amount"] for one in stayed)
    # who left does not come back
    for number in first.keys() - last.keys():
        present = [number in there[month] for month in months]
        assert present == sorted(present, reverse=True)


def test_the_list_of_who_asked_to_stop_only_grows_and_names_members_of_a(once: dict[str, list[dict[str, Any]]]) -> None:
    three, five = (stop_requests(SUBJECTS, 0, last).to_pylist() for last in (3, 5))
    assert five[:3] == three
    assert five[3:] == stop_requests(SUBJECTS, 3, 5).to_pylist()
    whole = [row["member_no"] for row in stop_requests(SUBJECTS, 0, MOST_STOPS).to_pylist()]
    assert len(set(whole)) == MOST_STOPS
    assert set(whole) <= {row["member_no"] for row in once["A"]}
