"""`combine` at the combining agency: what it takes in, when it refuses, what a re-sent package changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs.combination import entries
from jobs.combination.rounds import Round

from .combined_round import NEXT, ROUND, CombinedRound, attributes, linking, serial
from .conftest import Roles

A = attributes("A", {"p": 1, "q": 2, "r": 3, "s": 4})
B = attributes("B", {"p": 10, "q": 20, "t": 50})
C = attributes("C", {"q": 200, "r": 300})
LINKS = linking(A="pqrs", B="pqt", C="qr")


@pytest.fixture
def round_(roles: Roles, tmp_path: Path) -> CombinedRound:
    made = CombinedRound.of(roles, tmp_path, ("late: cancel", "late: without-optional"))
    made.begin()
    return made


@pytest.fixture
def full(round_: CombinedRound) -> CombinedRound:
    """Everything has come."""
    round_.send("KMA", "linking", LINKS)
    for party, table in (("A", A), ("B", B), ("C", C)):
        round_.send(party, "attributes", table)
    return round_


def cells(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Link, columns of A, B and C; the link ids of these tests name the subject."""
    return sorted(
        (bytes.fromhex(row["link"])[:1].decode(), row.get("A_x"), row.get("B_x"), row.get("C_x")) for row in rows
    )


def everything(folder: Path) -> Iterator[bytes]:
    for file in folder.rglob("*"):
        if file.is_file():
            yield file.read_bytes()


def test_one_record_for_each_subject_that_the_join_takes(full: CombinedRound, capsys: Any) -> None:
    code, said = full.take(capsys, "CA", "combine")
    assert code == 0, said["err"]
    # inner-multi, base A, C optional: B is needed.
    assert cells(full.rows()) == [("p", 1, 10, None), ("q", 2, 20, 200)]
    assert {row["round"] for row in full.rows()} == {date(2024, 7, 1)}
    assert set(full.rows()[0]) == {"record", "link", "A_x", "B_x", "C_x", "round"}
    counts = said["outputs"]["A"]["counts"]
    assert (counts["records"], counts["with C"], counts["linked"]) == (2, 1, 5)


def test_the_users_own_columns_are_reported_first(full: CombinedRound, capsys: Any) -> None:
    code, said = full.take(capsys, "CA", "combine")
    assert code == 0
    own = said["outputs"]["A"]["uniqueness"]["combinations/mobility-housing-health/A"]
    assert (own["columns"], own["rows"], own["within"]["1"]) == (["A_x"], 2, 2)
    assert said["out"].startswith("A holds the source of its own 1 column(s)")


def test_again_changes_nothing(full: CombinedRound, capsys: Any) -> None:
    full.take(capsys, "CA", "combine")
    before = full.rows()
    code, said = full.take(capsys, "CA", "combine")
    assert (code, said["state"]) == (0, "combined already")
    assert full.rows() == before


def test_a_resent_package_replaces_the_round_and_never_doubles_it(full: CombinedRound, capsys: Any) -> None:
    full.take(capsys, "CA", "combine")
    full.begin(NEXT)
    full.send("KMA", "linking", LINKS, round_=NEXT)
    for party, table in (("A", A), ("B", B), ("C", C)):
        full.send(party, "attributes", table, round_=NEXT)
    assert full.take(capsys, "CA", "combine", round_=NEXT)[0] == 0
    full.send("B", "attributes", attributes("B", {"p": 11, "q": 21, "r": 31}), revision=2)
    full.send("KMA", "linking", linking(A="pqrs", B="pqr", C="qr"), revision=2)
    code, said = full.take(capsys, "CA", "combine")
    assert (code, said["state"]) == (0, "combined"), said["err"]
    rows = full.rows()
    first = [row for row in rows if row["round"] == date(2024, 7, 1)]
    assert cells(first) == [("p", 1, 11, None), ("q", 2, 21, 200), ("r", 3, 31, 300)]
    assert cells([row for row in rows if row not in first]) == [("p", 1, 10, None), ("q", 2, 20, 200)]
    place = full.environments["CA"].zone("source").local / "combinations/mobility-housing-health/A"
    # Of each round the two files that count: nothing of what was replaced lies on the disk.
    rounds = sorted(file.parent.parent.name for file in place.rglob("*.parquet"))
    assert rounds == ["round=2024-07-01", "round=2024-08-01"]
    assert not [text for text in everything(place) if b'"minValues"' in text]


def test_after_the_export_nothing_is_combined_again(full: CombinedRound, capsys: Any) -> None:
    full.take(capsys, "CA", "combine")
    before = full.rows()
    entries.forget()
    Round(full.environments["CA"], full.combination, ROUND).record("export", {"users": ["A"]})
    full.send("B", "attributes", attributes("B", {"p": 11}), revision=2)
    code, said = full.take(capsys, "CA", "combine")
    assert (code, said["state"]) == (0, "combined already, and exported")
    assert full.rows() == before


def test_withdrawn_subjects_are_left_out(full: CombinedRound, capsys: Any) -> None:
    full.take(capsys, "CA", "combine")
    full.send("A", "void", pa.table({"serial": [serial("A", "p")]}))
    code, said = full.take(capsys, "CA", "combine")
    assert (code, said["state"]) == (0, "combined")
    assert cells(full.rows()) == [("q", 2, 20, 200)]


def test_several_rows_of_a_subject_are_a_table_of_their_own(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path, ("supplies: housing-b", "supplies: housing-b, rows: many"))
    made.begin()
    made.send("KMA", "linking", LINKS)
    made.send("A", "attributes", A)
    made.send("B", "attributes", attributes("B", [("p", 10), ("q", 20), ("p", 11), ("t", 50)]))
    made.send("C", "attributes", C)
    assert made.take(capsys, "CA", "combine")[0] == 0
    records = {row["record"]: row["A_x"] for row in made.rows()}
    assert sorted(records.values()) == [1, 2]
    assert sorted((records[row["record"]], row["B_x"]) for row in made.rows("A-B")) == [(1, 10), (1, 11), (2, 20)]
    assert len({row["row"] for row in made.rows("A-B")}) == 3


def test_waits_for_what_has_not_come(round_: CombinedRound, capsys: Any) -> None:
    code, said = round_.take(capsys, "CA", "combine")
    assert code == 5
    assert "waits for the linking table of KMA" in said["error"]
    round_.send("KMA", "linking", LINKS)
    round_.send("A", "attributes", A)
    code, said = round_.take(capsys, "CA", "combine")
    assert code == 5
    assert "waits for the attributes of B, C; due 2024-08-12" in said["error"]


def test_goes_on_without_a_late_party_that_is_optional(round_: CombinedRound, capsys: Any) -> None:
    round_.send("KMA", "linking", LINKS)
    round_.send("A", "attributes", A)
    round_.send("B", "attributes", B)
    code, said = round_.take(capsys, "CA", "combine", "--late")
    assert code == 0, said["err"]
    assert said["left_out"] == {"C": "no attributes in time"}
    assert cells(round_.rows()) == [("p", 1, 10, None), ("q", 2, 20, None)]
    assert "C_x" not in round_.rows()[0]


def test_a_late_party_that_is_not_optional_ends_the_round(round_: CombinedRound, capsys: Any) -> None:
    round_.send("KMA", "linking", LINKS)
    round_.send("A", "attributes", A)
    round_.send("C", "attributes", C)
    code, said = round_.take(capsys, "CA", "combine", "--late")
    assert code == 3
    assert "cancelled: attributes of B did not come in time" in said["error"]
    round_.send("B", "attributes", B)
    code, said = round_.take(capsys, "CA", "combine")
    assert code == 3
    assert "the round was cancelled" in said["error"]


def test_before_the_applications_it_is_refused(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    code, said = made.take(capsys, "CA", "combine")
    assert code == 3
    assert "first: `gamyeong combination receive`" in said["error"]


def test_a_tampered_package_is_refused(full: CombinedRound, capsys: Any) -> None:
    inbox = full.environments["CA"].exchange.inbox.local
    (file, *_) = inbox.rglob("attributes/B/r1/*.sealed")
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
    code, said = full.take(capsys, "CA", "combine")
    assert code == 1
    assert "tampered with" in said["error"]
    assert not (full.environments["CA"].zone("source") / "combinations").exists()


def test_a_package_of_another_round_is_refused(full: CombinedRound, capsys: Any) -> None:
    inbox = full.environments["CA"].exchange.inbox.local / "mobility-housing-health"
    full.begin(NEXT)
    (inbox / NEXT).mkdir()
    (inbox / ROUND / "linking").rename(inbox / NEXT / "linking")
    code, said = full.take(capsys, "CA", "combine", round_=NEXT)
    assert code == 3
    assert "round 2024-07; allowed here: 2024-08" in said["error"]


def test_other_columns_than_in_the_round_before(full: CombinedRound, capsys: Any) -> None:
    full.take(capsys, "CA", "combine")
    full.begin(NEXT)
    full.send("KMA", "linking", LINKS, round_=NEXT)
    for party, table in (("A", A), ("B", attributes("B", {"p": 1}, "y")), ("C", C)):
        full.send(party, "attributes", table, round_=NEXT)
    code, said = full.take(capsys, "CA", "combine", round_=NEXT)
    assert code == 3
    assert "B: before x (int64); now y (int64)" in said["error"]
    code, said = full.take(capsys, "CA", "combine", "--changed-columns", round_=NEXT)
    assert code == 3
    assert "holds the round(s) of 2024-07-01 with other columns" in said["error"]
    assert cells(full.rows()) == [("p", 1, 10, None), ("q", 2, 20, 200)]


@pytest.mark.parametrize(
    ("table", "content", "said"),
    [
        (pa.table({"id": ["1"], "x": [1]}), None, "no column 'serial'"),
        (pa.table({"serial": ["1"]}), None, "no attribute beside the serial"),
        (pa.table({"serial": ["1"], "y": [1], "Y": [2]}), None, "B_Y and B_y: one name for two columns"),
        (B, {"verify": {"verdict": "different"}, "review": {"verdict": "fit"}}, "no reports that say equal and fit"),
        (pa.concat_tables([B, B]), None, "rows with the serial of another row"),
    ],
)
def test_attributes_that_no_plan_makes(
    table: pa.Table, content: dict[str, Any] | None, said: str, round_: CombinedRound, capsys: Any
) -> None:
    round_.send("KMA", "linking", LINKS)
    round_.send("A", "attributes", A)
    round_.send("C", "attributes", C)
    round_.send("B", "attributes", table, **(content or {}))
    code, told = round_.take(capsys, "CA", "combine")
    assert code == 1
    assert said in told["error"]
    assert not re.search(serial("B", "p"), told["error"] + told["err"])


def test_no_serial_stands_in_what_the_agency_keeps(full: CombinedRound, capsys: Any) -> None:
    full.take(capsys, "CA", "combine")
    agency = full.environments["CA"]
    whole = b"".join(
        text
        for zone in ("source", "evidence", "staging", "published", "additional-information", "keys")
        for text in everything(agency.zone(zone).local)  # type: ignore[arg-type]
    )
    for table in (A, B, C):
        for one in table.column("serial").to_pylist():
            assert one.encode() not in whole
            assert bytes.fromhex(one) not in whole


def test_two_roles_that_are_not_the_combining_agency(full: CombinedRound, capsys: Any) -> None:
    code, said = full.take(capsys, "B", "combine")
    assert code == 3
    assert "`combine` is a step of the combining agency (CA)" in said["error"]


# Who has which join key, and what each kind of join makes of it, as the guideline prints it (reference 3).
KEYS = {
    "A": {"dac": "A1", "c2e": "A2", "cd1": "A3", "89c": "A4", "9a0": "A5"},
    "B": {"abc": "B1", "dac": "B2", "c2e": "B3", "9a0": "B4", "rew": "B5"},
    "C": {"o23": "C1", "dac": "C2", "c2e": "C3", "89c": "C4", "rew": "C5"},
}
TABLES = [
    ("{user: A, join: inner-single}", "AB", "A1B2 A2B3 A5B4"),
    ("{user: A, join: inner-single}", "ABC", "A1B2C2 A2B3C3"),
    ("{user: A, join: inner-multi, base: A}", "ABC", "A1B2C2 A2B3C3 A5B4-- A4--C4"),
    ("{user: A, join: inner-multi, base: A, optional: [C]}", "ABC", "A1B2C2 A2B3C3 A5B4--"),
    ("{user: A, join: inner-full}", "ABC", "A1B2C2 A2B3C3 A5B4-- A4--C4 --B5C5"),
    ("{user: A, join: outer-single, base: A}", "AB", "A1B2 A2B3 A3-- A4-- A5B4"),
    ("{user: A, join: outer-single, base: A}", "ABC", "A1B2C2 A2B3C3 A3---- A5B4-- A4--C4"),
    ("{user: A, join: anti-inner-single, base: A}", "AB", "A3 A4"),
    ("{user: A, join: anti-inner-single, base: A}", "ABC", "A3"),
]


def test_the_guidelines_tables_by_packages(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path)
    for number, (output, parties, expected) in enumerate(TABLES):
        made.file.write_text(
            GOLDEN.format(number=number, output=output, third=THIRD if "C" in parties else ""), "utf-8"
        )
        entries.forget()
        Round(made.environments["CA"], made.combination, "once").record("receive", {"receipt": "CA-1"})
        everyone = sorted({key for party in parties for key in KEYS[party]})
        links = {
            f"serial_{party}": pa.array([KEYS[party].get(key) for key in everyone], pa.string()) for party in parties
        }
        made.send("KMA", "linking", pa.table(links), round_="once")
        for party in parties:
            values = list(KEYS[party].values())
            made.send(party, "attributes", pa.table({"serial": values, "x": values}), round_="once")
        code, said = made.take(capsys, "CA", "combine", round_="once")
        assert code == 0, said["err"]
        shown = parties if "anti" not in output else "A"
        found = made.rows("A", f"golden-{number}")
        assert {"".join(row[f"{party}_x"] or "--" for party in shown) for row in found} == set(expected.split())
        assert len(found) == len(expected.split())


THIRD = "\n  C: {supplies: c}"
GOLDEN = """\
combination: golden-{number}
roles: {{key_agency: KMA, combining_agency: CA}}
parties:
  A: {{supplies: a, uses: true}}
  B: {{supplies: b}}{third}
key: {{columns: [name, phone, birth]}}
outputs:
  - {output}
"""


ANTI = ("join: inner-multi, base: A, optional: [C], link_id: true", "join: anti-inner-single, base: A, link_id: true")


def test_an_anti_join_knows_whom_a_silent_party_has(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    """C's attributes did not come: its subjects are no leftovers of A all the same (guideline, reference 3)."""
    made = CombinedRound.of(roles, tmp_path, ("late: cancel", "late: without-optional"), ANTI)
    made.begin()
    made.send("KMA", "linking", LINKS)
    made.send("A", "attributes", A)
    made.send("B", "attributes", B)
    code, said = made.take(capsys, "CA", "combine", "--late")
    assert code == 0, said["err"]
    assert cells(made.rows()) == [("s", 4, None, None)]  # p and q are B's too, r is C's


def test_an_anti_join_knows_whom_others_have_without_rows(roles: Roles, tmp_path: Path, capsys: Any) -> None:
    made = CombinedRound.of(roles, tmp_path, ANTI)
    made.begin()
    made.send("KMA", "linking", LINKS)
    made.send("A", "attributes", A)
    made.send("B", "attributes", attributes("B", {"q": 20}))  # no row of p, whom B has
    made.send("C", "attributes", attributes("C", {"q": 200}))
    code, said = made.take(capsys, "CA", "combine")
    assert code == 0, said["err"]
    assert cells(made.rows()) == [("s", 4, None, None)]
