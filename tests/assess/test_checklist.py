"""The 16 questions of the checklist (L504-546): what data and plan answer, what people must."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from transforms.assess.found import HeldRisk, ReleasedRisk

from .looking import looked, with_risk

PLAN = """\
format: 1
plan: visits
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 재방문율, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 연구소, place: closed, from: 2026-01-01, until: 2027-12-31}
source: {table: clinic/visits, row_key: [person], subject: person}
columns:
  person: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: keep}
  sex: {kind: quasi-identifier, apply: keep}
  paid: {kind: attribute, apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 100, direction: down}}]}
  grade: {kind: attribute, apply: keep}
additional_information: {destroy: approved}
output: {table: visits}
"""


def people(number: int = 300, **columns: list[object]) -> pa.Table:
    """People of five ages and both sexes, so at least 30 of each; the given columns take the place of the made ones."""
    cells: dict[str, list[object]] = {
        "person": [f"P{n:04}" for n in range(number)],
        "age": [20 + n % 5 for n in range(number)],
        "sex": ["MF"[n // 5 % 2] for n in range(number)],
        "paid": [1000 + n % 100 for n in range(number)],
        "grade": ["AB"[n % 2] for n in range(number)],
    }
    return pa.table(cells | columns)


def test_what_the_data_tell_of_harmless_people(tmp_path: Path) -> None:
    told = looked(with_risk(tmp_path, PLAN, ""), people())
    assert told.answer(1) == ("yes", "data"), "person is an identifier"
    assert told.answer(2) == ("no", "data"), "30 people of each age and sex"
    assert told.answer(4) == ("no", "data")
    assert told.answer(5) == ("yes", "plan"), "nothing is sampled"
    assert told.answer(7) == ("no", "data")
    assert told.answer(8) == ("no", "data")
    assert told.answer(12) == ("no", "plan")
    assert told.answer(14) == ("no", "plan")
    assert told.found.unanswered == (3, 9, 10, 11, 13, 15, 16)


@pytest.mark.parametrize(
    ("question", "changed", "named"),
    [
        (1, {"grade": [f"010-1234-{n:04}" for n in range(300)]}, "grade"),
        (2, {"age": [20 + n % 5 if n else 97 for n in range(300)]}, "1"),
        (7, {"paid": [1000 + n % 100 if n else 10**6 for n in range(300)]}, "paid"),
        (8, {"grade": ["A" if n else "VIP" for n in range(300)]}, "grade"),
    ],
)
def test_what_the_data_tell_of_risky_ones(
    tmp_path: Path, question: int, changed: dict[str, list[object]], named: str
) -> None:
    """A telephone number in an attribute, one person of 97, one who paid a million, one VIP."""
    one = looked(with_risk(tmp_path, PLAN, ""), people(**changed)).found.checklist[question - 1]
    assert (one.answer, one.by) == ("yes", "data")
    assert one.reason is not None
    assert named in one.reason.ko
    assert named in one.reason.en
    assert "VIP" not in one.reason.en, "names of columns, never values"


def test_a_small_data_set(tmp_path: Path) -> None:
    """The guideline's example is a disease of fewer than 200 patients (L518)."""
    assert looked(with_risk(tmp_path, PLAN, ""), people(199)).answer(4) == ("yes", "data")
    assert looked(with_risk(tmp_path, PLAN, ""), people(200)).answer(4) == ("no", "data")


def test_what_is_measured_stands_against_what_is_told(tmp_path: Path) -> None:
    """A told no is no way around data that say yes; a told yes always stands."""
    answers = "1: {answer: no, note: 없음}, 2: {answer: yes, note: 가족관계}, 3: {answer: no, note: 없음}"
    risk = f"risk: {{checklist: {{{answers}}}}}\n"
    told = looked(with_risk(tmp_path, PLAN, risk), people())
    assert told.answer(1) == ("yes", "data")
    assert told.found.checklist[0].against
    assert told.answer(2) == ("yes", "told")
    assert told.answer(3) == ("no", "told")


def test_what_the_recipient_holds_and_was_given(tmp_path: Path) -> None:
    held = (HeldRisk("crm/members", 3, (("born", "age"),), 500, 300, 0.5, 0.01),)
    told = looked(with_risk(tmp_path, PLAN, ""), people(), held=held)
    assert (told.answer(11), told.answer(16)) == (("yes", "data"), ("yes", "data"))
    harmless = (HeldRisk("crm/members", 3, (("born", "age"),), 500, 300, 0.0, 0.0),)
    told = looked(with_risk(tmp_path, PLAN, ""), people(), held=harmless)
    assert (told.answer(11), told.answer(16)) == ((None, None), ("no", "data"))
    released = ReleasedRisk(("a" * 16,), ("age", "sex"), 300, 2, 0.0, None, None, None)
    told = looked(with_risk(tmp_path, PLAN, ""), people(), released=released)
    assert told.answer(11) == ("yes", "data")


def test_measures_name_the_items_and_what_the_plan_does(tmp_path: Path) -> None:
    """Each risk with the guideline's measure (L550-555): the plan codes the top of `paid`, and keeps `grade`."""
    columns = {
        "age": [20 + n % 5 if n else 97 for n in range(300)],
        "paid": [1000 + n % 100 if n else 10**6 for n in range(300)],
        "grade": ["A" if n else "VIP" for n in range(300)],
    }
    found = looked(with_risk(tmp_path, PLAN, ""), people(**columns)).found.measures
    told = {(one.why, one.columns): one.does.en for one in found}
    assert "serial" in told[1, ("person",)]
    assert told[2, ("age", "sex")] == "nothing"
    assert "99" in told[7, ("paid",)]
    assert told[8, ("grade",)] == "nothing"


def test_limits_of_the_plan(tmp_path: Path) -> None:
    """One of 300 people is alone: 0.33 %."""
    table = people(age=[20 + n % 5 if n else 97 for n in range(300)])
    over = looked(with_risk(tmp_path, PLAN, "risk: {limits: {unique: 0.003}}\n"), table).found.exceeded
    assert [(one.limit, one.table, one.found) for one in over] == [("unique", "visits", pytest.approx(1 / 300))]
    assert looked(with_risk(tmp_path, PLAN, "risk: {limits: {unique: 0.004}}\n"), table).found.exceeded == ()


@pytest.mark.parametrize("number", [0, 1])
def test_no_row_and_one_row(tmp_path: Path, number: int) -> None:
    table = people(2).slice(0, number)
    told = looked(with_risk(tmp_path, PLAN, ""), table)
    assert told.answer(4) == ("yes", "data")
    assert told.answer(2) == (("yes" if number else "no"), "data")
    assert len(told.found.checklist) == 16
