"""Twelve months of three organisations, as they happened: who was with whom when, and what went wrong.

A sells fuel, B lets housing, C checks health. Each writes names, phones and birthdays in its own way and knows people
by its own numbers. `happened` is what the roles' tables and the reference of this folder are both made from.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

PEOPLE = 60
ROUNDS = tuple(f"{2024 + (6 + n) // 12}-{(6 + n) % 12 + 1:02d}" for n in range(12))
# What is special in which round.
DOUBLED, RESENT, LATE_KEYS, WITHDRAWN, TWICE, LATE_ATTRIBUTES = (ROUNDS[n] for n in (1, 2, 4, 6, 8, 9))
LEAVER, LEFT = 3, 4  # leaves A after so many months
NEWCOMER, CAME = 8, 5  # joins A in this month
WITHDRAWER = 10  # asks A to stop, after the keys of WITHDRAWN were sent
WITHOUT_PHONE = 13  # B has no phone of this person
TWIN = 12  # stands in A twice in DOUBLED, under two numbers
FORGOTTEN = 21  # missing in B's first delivery of RESENT, where all rents were wrong too
STOPS = pa.schema([("member", pa.int64())])


@dataclass(frozen=True)
class Row:
    """A row of a party's table in a month. `key`: name, phone, birth as the party writes them."""

    party: str
    month: int
    person: int
    member: int
    key: tuple[str, str | None, str | date]
    group: str
    mark: str


def happened(party: str, round_: str, *, first_delivery: bool = False) -> list[Row]:
    """The party's rows of a round; `first_delivery`: what B sent before it put RESENT right."""
    month = ROUNDS.index(round_)
    wrong = first_delivery and party == "B" and round_ == RESENT
    people = [person for person in range(PEOPLE) if _there(party, person, month)]
    if wrong:
        people.remove(FORGOTTEN)
    rows = [_row(party, month, person, f"{party}{person:02d}m{month:02d}{'x' if wrong else ''}") for person in people]
    if party == "A" and round_ == DOUBLED:
        twin = _row(party, month, TWIN, f"{party}twin")
        rows.append(Row(party, month, TWIN, 9_999, twin.key, twin.group, twin.mark))
    return rows


def _there(party: str, person: int, month: int) -> bool:
    if party == "A":
        came = month >= CAME if person == NEWCOMER else True
        return person % 5 != 4 and came and not (person == LEAVER and month >= LEFT)
    return person % 4 != 3 if party == "B" else person % 3 == 0


def _row(party: str, month: int, person: int, mark: str) -> Row:
    name, phone, born = (
        f"김{chr(0xAC00 + person * 28)}수",
        f"0103333{person:04d}",
        date(1950 + person, 1 + person % 12, 5),
    )
    written: dict[str, tuple[str, str | None, str | date]] = {
        "A": (name, f"010-3333-{person:04d}", born),
        "B": (unicodedata.normalize("NFD", name), None if person == WITHOUT_PHONE else phone, f"{born:%Y%m%d}"),
        "C": (f" {name} ", f"010 3333 {person:04d}", f"{born:%Y-%m-%d}"),
    }
    groups = {"A": "FM"[person % 2], "B": ("자가", "전세", "월세")[person % 3], "C": ("정상", "주의")[person // 3 % 2]}
    member = {"A": 1_000 + person, "B": 7 * person + 1, "C": 5_000 - person}[party]
    return Row(party, month, person, member, written[party], groups[party], mark)


def table(party: str, rows: Iterator[Row] | list[Row]) -> pa.Table:
    """Rows as the party's source has them."""
    born = pa.date32() if party == "A" else pa.string()
    columns: dict[str, Any] = {"member": pa.int64(), "nm": pa.string(), "hp": pa.string(), "born": born}
    columns |= {"month": pa.date32(), "grp": pa.string(), "mark": pa.string()}
    cells = [
        (one.member, *one.key, date(2024 + (6 + one.month) // 12, (6 + one.month) % 12 + 1, 1), one.group, one.mark)
        for one in rows
    ]
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in cells], pa.schema(columns.items()))
