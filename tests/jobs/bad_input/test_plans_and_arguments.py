"""Wrong plans and arguments: told at once, before Spark starts; exit 2, or 3 where a rule forbids it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jobs.cli import main


@pytest.fixture(autouse=True)
def no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong with a plan must show in a second: a session that is asked for fails the test."""
    from jobs import pseudonymization

    def asked(*_: Any) -> None:
        pytest.fail("Spark was started for this")

    monkeypatch.setattr(pseudonymization, "spark_session", asked)


class Plan(NamedTuple):
    """`old` of the valid plan (conftest.py) becomes `new`: the exit code, and words of what is told."""

    name: str
    old: str
    new: str
    code: int
    told: tuple[str, ...]


WRONG_PLANS = [
    Plan("unknown key",
         "excluded: [name]", "exclude: [name]",
         2, ("exclude", "unknown key", "did you mean 'excluded'?")),
    Plan("misspelt technique",
         "{rounding: {unit: 10,", "{roundng: {unit: 10,",
         2, ("columns.age.apply", "did you mean 'rounding'?")),
    Plan("duplicate key",
         "sample: {fraction: 0.5}", "sample: {fraction: 0.5, fraction: 0.4}",
         2, ("line 8, sample.fraction", "each key once")),
    Plan("column not in the plan",
         "excluded: [name]", "excluded: []",
         2, ("'name'", "table people", "no rule", "excluded")),
    Plan("plan column not in the table",
         "  day: {", "  dey: {kind: attribute, apply: keep}\n  day: {",
         2, ("columns.dey", "no column", "did you mean 'day'?")),
    Plan("wrong type",
         "{categorization: {1: [gold-zz], 2: [silver-zz]}}", "{rounding: {unit: 10, direction: up}}",
         2, ("columns.grade.apply", "string", "integers")),
    Plan("unit 0",
         "{unit: 10, direction: down}", "{unit: 0, direction: down}",
         2, ("columns.age.apply", "unit", "above 0")),
    Plan("overlapping grades",
         "[{below: 1000, unit: 1, direction: up},",
         "[{below: 1000, unit: 1, direction: up}, {below: 900, unit: 1, direction: up},",
         2, ("graded-rounding[1].below", "below 900 after below 1,000", "increasing")),
    Plan("gapped grades",
         ", {unit: 9, direction: up}]", "]",
         2, ("graded-rounding[0].below", "nothing for magnitudes from 1,000 on")),
    Plan("negative fraction",
         "fraction: 0.5", "fraction: -0.5",
         2, ("sample.fraction", "-0.5", "above 0")),
    Plan("two rules for a column",
         "  day: {", '  "da*": {kind: attribute, apply: keep}\n  "d{x}y": {',
         2, ("'day'", "da*", "d{x}y")),
    Plan("identifier kept",
         "apply: serial-number", "apply: keep",
         3, ("columns.id.apply", "an identifier that is kept", "serial-number")),
    Plan("vague purpose",
         "시군구별 연령대별 소비액 통계작성", "과학적 연구",
         3, ("purpose.statement", "what is studied")),
    Plan("missing purpose",
         "statement: 시군구별 연령대별 소비액 통계작성, ", "",
         2, ("purpose.statement", "must be there")),
    Plan("RRN without a statute",
         "{label: 번호, kind: identifier,", "{label: 주민등록번호, kind: identifier, legal: rrn,",
         3, ("columns.id.legal", "act", "article")),
    Plan("use that has ended",
         "until: 2098-12-31", "until: 2026-01-02",
         3, ("use.until", "2026-01-02")),
    Plan("no such table",
         "table: people, row_key", "table: peeple, row_key",
         2, ("no Delta table", "peeple")),
    Plan("way out of the source zone",
         "table: people, row_key", "table: ../keys, row_key",
         2, ("../keys",)),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG_PLANS, ids=lambda case: case.name)
def test_a_wrong_plan(desk: Any, case: Plan) -> None:
    desk.change(case.old, case.new)
    desk.fails(case.code, case.told)


class Words(NamedTuple):
    """Arguments that don't fit; `change` is made in the plan before."""

    name: str
    words: tuple[str, ...]
    told: tuple[str, ...]
    change: tuple[str, str] = ("", "")


def period(column: str) -> tuple[str, str]:
    return "subject: id}", f"subject: id, period: {{column: {column}, every: month}}}}"


WRONG_WORDS = [
    Words("a period for a plan without one", ("--period", "2026-10"), ("--period", "no `source.period`")),
    Words("no period for a plan with them", (), ("--period is missing", "by month", "2024-07"), period("day")),
    Words("malformed period", ("--period", "10/2026"), ("--period '10/2026'", "e.g. 2024-07"), period("day")),
    Words("no such month", ("--period", "2026-13"), ("--period '2026-13'", "e.g. 2024-07"), period("day")),
    Words("a day where months are run", ("--period", "2026-02-05"), ("--period '2026-02-05'",), period("day")),
    Words("period of a text column", ("--period", "2026-10"),
          ("source.period.column", "grade", "string", "date, timestamp"), period("grade")),
    Words("no subject at all", ("--limit", "0"), ("--limit 0", "1 or more")),
    Words("no file at all", ("--partitions", "0"), ("--partitions 0", "1 or more")),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG_WORDS, ids=lambda case: case.name)
def test_wrong_arguments(desk: Any, case: Words) -> None:
    if case.change[0]:
        desk.change(*case.change)
    desk.fails(2, case.told, *case.words)


def test_a_word_that_is_no_number(desk: Any) -> None:
    assert main(["pseudonymize", str(desk.plan), "--limit", "many"]) == 2
    assert "--limit: invalid int value: 'many'" in desk.capsys.readouterr().err


def test_no_plan_file(desk: Any) -> None:
    desk.fails(2, ("none.yaml", "no readable file"), target=str(desk.folder / "none.yaml"))


def test_no_environment_file(desk: Any) -> None:
    code = main(["pseudonymize", str(desk.plan), "--environment", str(desk.folder / "none.yaml")])
    err = desk.capsys.readouterr().err
    assert code == 2
    assert "none.yaml: environment: no readable file (No such file" in err
    assert "Traceback" not in err


def test_no_root_key(desk: Any) -> None:
    Path(desk.environment.keys.path).unlink()
    desk.fails(2, ("the root key", "No such file", "gamyeong keys init"))


def test_a_root_key_that_others_may_read(desk: Any) -> None:
    Path(desk.environment.keys.path).chmod(0o644)
    desk.fails(2, ("the root key", "mode 0644", "0600"))


def test_nested_types(desk: Any) -> None:
    import pyarrow as pa

    desk.replace(day=pa.array([["2026-10-10"]] * 40))
    desk.fails(2, ("day", "list", "flatten"))
