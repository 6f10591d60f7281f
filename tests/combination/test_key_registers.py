"""Which table `keys` reads: the plan's one table, of it the round's period; or the register that `subjects` names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.tables import write_source

from .conftest import Roles
from .party_round import NEXT, PLAN, ROUND, SCHEMA, PartyRound, member
from .test_key_steps import key_of, salt_of


@pytest.fixture
def round_(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PartyRound:
    return PartyRound.of(roles, tmp_path, capsys)


def plan(round_: PartyRound, *changes: tuple[str, str]) -> None:
    """Party A's plan with changes."""
    text = PLAN.format(plan="fuel-a", party="A")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (round_.folder / "A.plan.yaml").write_text(text, encoding="utf-8")


def test_a_round_takes_the_people_of_its_period_once_each(round_: PartyRound) -> None:
    plan(
        round_,
        ("row_key: [member]", "row_key: [member, day]"),
        ("stop_requests:", "period: {column: day, every: month}\n  stop_requests:"),
        ("[nm, hp, born]", "[nm, hp, born, day]"),
    )
    visits = [(1, "2024-07-01"), (1, "2024-07-31"), (2, "2024-07-15"), (2, "2024-08-01"), (3, "2024-06-30")]
    rows = [member(number) | {"day": date.fromisoformat(day)} for number, day in visits]
    zone = round_.environments["A"].zone("source")
    round_.register("A", [])
    schema = SCHEMA.append(pa.field("day", pa.date32()))
    write_source(pa.Table.from_pylist(rows, schema), zone / "crm/visits")
    text = (round_.folder / "A.plan.yaml").read_text("utf-8")
    (round_.folder / "A.plan.yaml").write_text(text.replace("crm/members", "crm/visits"), "utf-8")
    for name in (ROUND, NEXT):
        round_.salted("A", round_=name)
    july, august = (round_.done("A", "keys", round_=name) for name in (ROUND, NEXT))
    assert (july["rows"], july["subjects"], july["repeated"]) == (3, 2, 1)
    assert (august["rows"], august["subjects"]) == (1, 1)
    salt = salt_of(round_)
    assert set(round_.keys("A", ROUND)) == {key_of(salt, "홍길동", f"010{number:08d}") for number in (1, 2)}
    assert set(round_.keys("A", NEXT)) == {key_of(salt, "홍길동", "01000000002")}


SOURCE = """\
source:
  table: crm/members
  row_key: [member]
  subject: member
  stop_requests: {table: crm/stops, key: member, at: asked, max_age: 1d}
"""
SUBJECTS = """\
subjects:
  person: {register: crm/members, key: member, stop_requests: {table: crm/stops, key: member, at: asked, max_age: 1d}}
"""
COLUMNS = """\
excluded: [nm, hp, born]
columns:
  member: {label: 일련번호, kind: identifier, apply: combination-serial}
  sex: {label: 성별, kind: quasi-identifier, apply: keep}
  spent: {label: 금액, kind: attribute, apply: keep}
"""
TABLES = """\
tables:
  people:
    source: crm/members
    row_key: [member]
    subject: {person: member}
    excluded: [nm, hp, born, sex, spent]
    columns:
      member: {label: 일련번호, kind: identifier, apply: combination-serial}
  bills:
    source: crm/bills
    row_key: [bill]
    subject: {person: payer}
    excluded: [bill]
    columns:
      payer: {label: 일련번호, kind: identifier, apply: combination-serial}
      sex: {label: 성별, kind: quasi-identifier, apply: keep}
"""


def test_keys_come_from_the_register_and_its_stop_requests(round_: PartyRound) -> None:
    plan(round_, (SOURCE, SUBJECTS), ("subject: member\n  key", "subject: person\n  key"), (COLUMNS, TABLES))
    round_.register("A", [member(1), member(2), member(3)], stops=(3,))
    bills = pa.table({"bill": [1, 2, 3], "payer": ["1", "1", "2"], "sex": ["F", "F", "F"]})
    write_source(bills, round_.environments["A"].zone("source") / "crm/bills")
    round_.salted("A")
    summary = round_.done("A", "keys")
    assert (summary["rows"], summary["stopped"], summary["subjects"]) == (3, 1, 2)
    salt = salt_of(round_)
    assert set(round_.keys("A")) == {key_of(salt, "홍길동", f"010{number:08d}") for number in (1, 2)}


def test_a_sample_in_a_partys_plan_is_refused(round_: PartyRound) -> None:
    """It would draw others for `attributes` than have keys."""
    plan(round_, ("excluded:", "sample: {fraction: 0.5}\nexcluded:"))
    round_.register("A", [member(1)])
    round_.salted("A")
    code, _, text = round_.run("A", "keys")
    assert code == 2
    assert "a sample in a party's plan" in text
