"""Twelve monthly rounds of three organisations in separate environments, by the roles' own commands.

Somebody leaves, somebody comes, one stands there twice, one withdraws, one party sends again, one is late twice, one
round's commands are all called twice. What the users get equals the same rounds computed at one go by reference.py.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.errors import JobError

from .holdings import found, held, inbox_kinds, join_keys, salts, written
from .reference import known, records
from .world import (
    CAME,
    DOUBLED,
    LATE_ATTRIBUTES,
    LATE_KEYS,
    LEAVER,
    LEFT,
    NEWCOMER,
    RESENT,
    ROUNDS,
    TWIN,
    WITHDRAWER,
    WITHDRAWN,
    happened,
)  # fmt: skip
from .year import HANDED, USERS, Year

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.year, pytest.mark.timeout(1800)]
MARKS = re.compile(rb"[ABC][0-9]{2}m[0-9]{2}x?")
CELLS = ("A_grp", "A_mark", "B_grp", "B_mark", "C_grp", "C_mark")


@dataclass
class Findings:
    """What was searched for at the fullest moment of each round, and how often it was found."""

    secrets: Counter[str] = field(default_factory=Counter)
    kinds: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    def look(self, year: Year, round_: str, moment: str) -> None:
        secret = salts(year)
        if moment == HANDED:
            if round_ == ROUNDS[0]:
                self.secrets["salt at A before its keys"] = found(held(year, "A", round_), written(secret[0]))
            return
        keys = [one for key in join_keys(secret[0]) for one in written(key)]
        hidden = [one for salt in secret for one in written(salt)]
        for role in year.roles:
            everything = held(year, role, round_)
            self.secrets[f"join keys at {role}"] += found(everything, keys)
            self.secrets[f"salts at {role}"] += found(everything, hidden)
            self.secrets[f"attributes at {role}"] += len(MARKS.findall(everything))
            self.kinds[role, round_] = inbox_kinds(year, role, round_)


@pytest.fixture(scope="module")
def findings() -> Findings:
    return Findings()


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, findings: Findings) -> Year:
    played = Year.begin(tmp_path_factory.mktemp("year"), findings.look)
    played.play()
    return played


def table(year: Year, user: str) -> DeltaTable:
    return DeltaTable(str(year.roles[user].zone("published") / "year" / "year"))


@pytest.fixture(scope="module")
def released(year: Year) -> dict[str, list[dict[str, Any]]]:
    return {user: table(year, user).to_pyarrow_table().to_pylist() for user in USERS}


@pytest.mark.parametrize("user", USERS)
def test_every_round_holds_what_the_reference_holds(released: dict[str, list[dict[str, Any]]], user: str) -> None:
    for name in ROUNDS:
        got = Counter(tuple(row[cell] for cell in CELLS) for row in released[user] if row["period"] == name)
        assert got == Counter(records(user, name).values()), name


@pytest.mark.parametrize("user", USERS)
def test_the_rounds_are_periods_of_one_table_with_one_commit_each(year: Year, user: str) -> None:
    delta = table(year, user)
    assert len(delta.history()) == len(ROUNDS)
    assert delta.metadata().partition_columns == ["period"]
    assert sorted(
        {row["partition.period"] for row in pa.table(delta.get_add_actions(flatten=True)).to_pylist()}
    ) == list(ROUNDS)


def test_the_year_was_as_eventful_as_it_says() -> None:
    """The reference itself: without these events the comparison would show little."""

    def people(party: str, name: str) -> set[int]:
        return {row.person for row in known(party, name).values()}

    assert LEAVER in people("A", ROUNDS[LEFT - 1]) - people("A", ROUNDS[LEFT])
    assert NEWCOMER in people("A", ROUNDS[CAME]) - people("A", ROUNDS[CAME - 1])
    assert TWIN in people("A", ROUNDS[0]) - people("A", DOUBLED)
    before = ROUNDS[ROUNDS.index(WITHDRAWN) - 1]
    assert WITHDRAWER in people("A", before) - people("A", WITHDRAWN)
    assert {row.mark for row in happened("B", RESENT)} & {
        row.mark for row in happened("B", RESENT, first_delivery=True)
    } == set()
    for late in (LATE_KEYS, LATE_ATTRIBUTES):
        assert {record[-1] for record in records("A", late).values()} == {None}
    assert any(record[-1] for record in records("A", ROUNDS[0]).values())


def test_a_round_that_was_sent_again_replaces_and_never_doubles(released: dict[str, list[dict[str, Any]]]) -> None:
    marks = [row["B_mark"] for row in released["B"] if row["period"] == RESENT]
    assert len(marks) == len(set(marks))
    assert not [mark for mark in marks if mark.endswith("x")]


def persons(rows: list[dict[str, Any]], column: str) -> dict[str, set[str]]:
    """Link ids by person, as the marks of a party tell (A07m03: person 07)."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row[column] is not None:
            found[row[column][1:3]].add(row["link"])
    return found


@pytest.mark.parametrize(("user", "column"), [("A", "A_mark"), ("A", "B_mark"), ("B", "B_mark")])
def test_a_link_id_is_one_person_in_all_rounds(
    released: dict[str, list[dict[str, Any]]], user: str, column: str
) -> None:
    links = persons(released[user], column)
    assert {len(one) for one in links.values()} == {1}
    assert len(set.union(*links.values())) == len(links)
    often = Counter(row["link"] for row in released[user])
    assert often.most_common(1)[0][1] == len(ROUNDS)


def test_two_users_can_not_join_their_exports_by_ids(released: dict[str, list[dict[str, Any]]]) -> None:
    a, b = ({row["link"] for row in released[user]} for user in USERS)
    assert a
    assert b
    assert not a & b
    whole = {user: {str(cell) for row in rows for cell in row.values()} for user, rows in released.items()}
    shared = {cell for cell in whole["A"] & whole["B"] if not MARKS.fullmatch(cell.encode())}
    assert shared <= {"F", "M", "자가", "전세", "월세", "정상", "주의", "None", *ROUNDS}


def test_who_holds_what(year: Year, findings: Findings) -> None:
    """Of join keys, salts and attributes, each role could read what its part needs, in no round more.

    The key agency's salts are wrapped by its root key. A could read the salt until its keys were sent.
    """
    held_by = {what: count for what, count in findings.secrets.items() if count}
    attributes = {f"attributes at {role}" for role in ("A", "B", "C", "CA")}
    assert set(held_by) == {"salt at A before its keys", "join keys at KMA"} | attributes, held_by


def test_no_salt_stays_with_a_party_once_its_keys_are_sent(year: Year, findings: Findings) -> None:
    for (role, _), kinds in findings.kinds.items():
        assert "salt" not in kinds
        assert ("keys" in kinds) == (role == "KMA")
        assert not {"linking", "attributes"} & kinds or role == "CA"


def test_who_was_late_is_told_and_the_round_went_on(year: Year) -> None:
    assert year.said["KMA", "link", LATE_KEYS]["left_out"].keys() == {"C"}
    assert year.said["CA", "combine", LATE_ATTRIBUTES]["left_out"].keys() == {"C"}
    assert year.said["KMA", "link", ROUNDS[0]]["left_out"] == {}


def test_doubled_and_withdrawn_subjects_are_counted(year: Year) -> None:
    assert year.said["KMA", "link", DOUBLED]["parties"]["A"]["doubled"] == 2
    assert year.said["A", "void", WITHDRAWN]["subjects"] == 1
    assert year.said["KMA", "link", WITHDRAWN]["parties"]["A"]["voided"] == 1
    following = ROUNDS[ROUNDS.index(WITHDRAWN) + 1]
    assert year.said["A", "keys", following]["stopped"] == 1


def test_a_round_that_is_closed_leaves_nothing_to_combine_again(year: Year) -> None:
    for name in ROUNDS:
        assert not {"linking", "attributes", "keys", "void"} & inbox_kinds(year, "CA", name)
        assert not {"keys", "void"} & inbox_kinds(year, "KMA", name)
    assert not (year.roles["CA"].zone("source") / "combinations" / "year" / "A").exists()


def test_after_the_end_there_is_no_further_round(year: Year) -> None:
    with pytest.raises(JobError):
        salts(year)
    code, told = year.run("KMA", "salt", ROUNDS[-1], "--party", "A", "--revision", "2")
    assert code == 3
    assert "ended" in told["error"]
