"""The plan's section `combination`: what a party supplies, and what of it may be delivered."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.errors import BadInput
from jobs.sources import table_window
from transforms.combination.export_form import load_export_form
from transforms.combination.serials import round_series, serial_draws, serials
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.errors import PlanError
from transforms.plan_loader import load_plan
from transforms.run_keys import RunKeys

from .stage import FORM, PLAN_A, fuel

ROUND, OTHER = Secret(b"r" * 32), Secret(b"s" * 32)


def plan_with(folder: Path, *changes: tuple[str, str]) -> Path:
    text = PLAN_A
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "plan.yaml"
    path.write_text(text, "utf-8")
    return path


def delivered(folder: Path, run: bytes, round: Secret) -> pa.Table:
    pipeline = compile_plan(load_plan(plan_with(folder)), fuel().schema)
    keys = RunKeys(Secret(run * 32), "A", "run", "CA", {round_series("cars-homes"): round})
    return pipeline.apply_table(fuel(), keys)


def test_attributes_carry_the_serials_of_the_keys(tmp_path: Path) -> None:
    """`keys` and `attributes` make the same serials of the round's secret, in whichever run; each person another."""
    plan = load_plan(plan_with(tmp_path))
    made = serials(fuel().column("member_no").combine_chunks(), serial_draws(ROUND, "A", plan)).to_pylist()
    assert len(set(made)) == 12
    assert {len(one) for one in made} == {26}
    for run in (b"x", b"y"):
        assert set(delivered(tmp_path, run, ROUND).column("member_no").to_pylist()) == set(made)
    assert not set(delivered(tmp_path, b"x", OTHER).column("member_no").to_pylist()) & set(made)


def test_serials_of_another_plan_or_recipient_differ(tmp_path: Path) -> None:
    ids = pa.array([1, None, 2])
    plans = [load_plan(plan_with(tmp_path)), load_plan(plan_with(tmp_path, ("recipient: CA", "recipient: CB")))]
    first, second = (serials(ids, serial_draws(ROUND, "A", plan)).to_pylist() for plan in plans)
    assert first[1] is None  # null stays null
    assert first[0] != first[2]
    assert first[0] != second[0]


@pytest.mark.parametrize(
    ("old", "new", "path", "found", "refused"),
    [
        ("excluded: [cust_nm, hp]", "excluded: [cust_nm]", "combination.key.phone", "column 'hp'", False),
        ("subject: member_no, key", "subject: member, key", "combination.subject", "'member', where", False),
        ("apply: combination-serial", "apply: serial-number", "columns.member_no", "no `combination-serial`", False),
        ("  town:", "  serial:", "columns.serial", "a column 'serial'", False),
        ("combination: {name: cars-homes", "combination: {name: ''", "combination.name", "nothing", False),
        ("phone: hp}}", "phone: hp}, cleared: {fax: x}}", "combination.cleared.fax", "'fax'", False),
        ("phone: hp}}", "phone: hp}, cleared: {phone: ' '}}", "combination.cleared.phone", "nothing", False),
        ("  town:", "  hp: {kind: identifier, apply: keyed-token}\n  town:", "columns.hp", "the key column 'hp'", True),
    ],
)
def test_problems_of_a_partys_plan(
    tmp_path: Path, old: str, new: str, path: str, found: str, refused: bool
) -> None:
    changes = [(old, new)]
    with pytest.raises(PlanError) as error:
        load_plan(plan_with(tmp_path, *changes))
    named = [one for one in error.value.problems if one.path == path and one.found.startswith(found)]
    assert named, str(error.value)
    assert named[0].line is not None
    assert named[0].refused == refused


def test_a_cleared_key_column_is_delivered(tmp_path: Path) -> None:
    """L1553: a key column is used once nobody can be recognized by it; the plan says why."""
    changes = [
        ("excluded: [cust_nm, hp]", "excluded: [cust_nm]"),
        ("  fuel:", "  hp: {kind: identifier, apply: keyed-token}\n  fuel:"),
    ]
    with pytest.raises(PlanError, match="the key column 'hp' among what is delivered"):
        load_plan(plan_with(tmp_path, *changes))
    cleared = ("phone: hp}}", "phone: hp}, cleared: {phone: 임의값으로 대체}}")
    plan = load_plan(plan_with(tmp_path, *changes, cleared))
    assert compile_plan(plan, fuel().schema).table().schema.names == ["member_no", "hp", "town", "fuel"]


def test_a_serial_outside_of_a_combination(tmp_path: Path) -> None:
    text = "\n".join(line for line in PLAN_A.splitlines() if not line.startswith("combination:"))
    (tmp_path / "plan.yaml").write_text(text, "utf-8")
    with pytest.raises(PlanError, match="combination-serial in a plan without `combination`"):
        load_plan(tmp_path / "plan.yaml")


@pytest.mark.parametrize(
    ("every", "value", "first", "after"),
    [
        ("day", "2024-02-29", "2024-02-29", "2024-03-01"),
        ("week", "2024-W27", "2024-07-01", "2024-07-08"),  # ISO 8601: weeks begin on Monday
        ("month", "2024-12", "2024-12-01", "2025-01-01"),
        ("quarter", "2024-Q3", "2024-07-01", "2024-10-01"),
        ("year", "2024", "2024-01-01", "2025-01-01"),
    ],
)
def test_periods_of_all_lengths(tmp_path: Path, every: str, value: str, first: str, after: str) -> None:
    period = f"  subject: member_no\n  period: {{column: day, every: {every}}}"
    columns = ("excluded: [cust_nm, hp]", "excluded: [cust_nm, hp, day]")
    plan = load_plan(plan_with(tmp_path, ("  subject: member_no", period), columns))
    schema = pa.schema([("day", pa.date32())])
    window = table_window(plan, "fuel", value, schema)
    assert window is not None
    begin, end, day = date.fromisoformat(first), date.fromisoformat(after), timedelta(days=1)
    days = pa.array([begin - day, begin, end - day, end], pa.date32())
    assert window.evaluate({"day": days}).to_pylist() == [False, True, True, False]
    with pytest.raises(BadInput, match="--period is missing"):
        table_window(plan, "fuel", None, schema)
    with pytest.raises(BadInput, match=r"allowed: e\.g\."):
        table_window(plan, "fuel", "soon", schema)


@pytest.mark.parametrize(
    ("old", "new", "path", "refused"),
    [
        ("receive: online", "receive: by mail", "receive", False),
        ("attachments: {safety: [safety.pdf]}", "attachments: {safety: []}", "attachments.safety", False),
        ("file: fuel-homes", "fil: fuel-homes", "fil", False),
        ("statement: 주유금액과 보증금의 지역별 상관관계", "statement: 과학적 연구", "purpose.statement", True),
    ],
)
def test_problems_of_an_export_application(tmp_path: Path, old: str, new: str, path: str, refused: bool) -> None:
    assert old in FORM
    file = tmp_path / "form.yaml"
    file.write_text(FORM.replace(old, new), "utf-8")
    with pytest.raises(PlanError) as error:
        load_export_form(file)
    named = [one for one in error.value.problems if one.path == path]
    assert named, str(error.value)
    assert named[0].line is not None
    assert named[0].refused == refused
