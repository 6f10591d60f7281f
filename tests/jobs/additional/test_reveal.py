"""`additional-information reveal`: the authorised person reads a released column again, and never without a trace."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime

import pytest

from jobs import additional
from jobs.environment import Environment, load_environment
from jobs.errors import Refused
from jobs.handlers import require_handler
from jobs.revealing import Asked
from jobs.revealing import reveal as reveal_run
from jobs.reviewer import new_reviewer
from transforms.plan import People

from .conftest import RUN, SOURCE, Released


def originals(column: str) -> set[str]:
    return {str(cell) for cell in SOURCE.column(column).to_pylist() if cell is not None}


@pytest.mark.parametrize("column", ["id", "phone", "name", "paid", "chart"])
def test_a_released_column_is_turned_back(released: Released, column: str, capfd: pytest.CaptureFixture[str]) -> None:
    to = released.home / "found" / "names.csv"
    assert released.call(column, to) == 0
    found = released.read(to)
    assert set(found) == {str(cell) for cell in released.rows.column(column).to_pylist() if cell is not None}
    assert set(found.values()) == originals(column)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    told = "".join(capfd.readouterr())
    assert not any(value in told for value in (*found, *found.values()) if len(value) > 3), (
        "it tells how many, not what"
    )


def test_what_is_encrypted_for_the_recipient_needs_the_recipients_key(
    released: Released, capsys: pytest.CaptureFixture[str]
) -> None:
    to = released.home / "x.csv"
    assert released.call("email", to, "--private-key", str(released.home / "recipient.pem")) == 2
    assert "no private key that fits" in capsys.readouterr().err
    assert released.call("email", to, "--private-key", str(released.home / "nobody.pem")) == 2
    assert released.call("email", to) == 2
    assert "--private-key" in capsys.readouterr().err
    assert released.call("email", to, "--private-key", str(released.home / "private.pem")) == 0
    assert set(released.read(to).values()) == originals("email")


def test_the_ledger_tells_who_why_and_how_much_but_no_value(released: Released) -> None:
    assert released.call("phone", released.home / "a.csv") == 0
    (entry,) = released.entries()
    assert entry == {
        "run": RUN,
        "table": "clinic",
        "column": "phone",
        "person": "김책임",
        "reason": "위험 고지",
        "values": 3,
        "unknown": 0,
        "given": "released table",
    }


def test_what_stands_behind_a_step_without_way_back(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    """Masking comes first, so the masked numbers are what comes back; the column is binary, so the file has base 64."""
    to = released.home / "cards.csv"
    assert released.call("card", to) == 0
    assert set(released.read(to).values()) == {"*******78", "*******22", "*"}
    assert "behind masking" in capsys.readouterr().out


def test_values_from_a_file(released: Released) -> None:
    tokens = released.rows.column("id").to_pylist()[:2]
    file = released.home / "tokens.txt"
    file.write_text("\n".join([*tokens, tokens[0], ""]), "utf-8")
    to = released.home / "some.csv"
    assert released.call("id", to, "--values", str(file)) == 0
    found = released.read(to)
    assert list(found) == tokens
    assert set(found.values()) <= originals("id")
    assert released.entries()[0]["given"] == "file of values"


def test_tokens_that_are_not_in_the_vault_have_no_original(
    released: Released, capsys: pytest.CaptureFixture[str]
) -> None:
    token = released.rows.column("chart").drop_null()[0].as_py()
    file = released.home / "tokens.txt"
    file.write_text(f"{token}\nZZZZ9999", "utf-8")
    to = released.home / "some.csv"
    assert released.call("chart", to, "--values", str(file)) == 0
    found = released.read(to)
    assert found.pop("ZZZZ9999") == ""
    assert set(found.values()) <= originals("chart")
    assert "1 of them are not in the vault" in capsys.readouterr().out
    assert released.entries()[0]["unknown"] == 1


def test_values_of_another_run_are_told_not_guessed_at(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    file = released.home / "tokens.txt"
    file.write_text("A" * 24 + "\n" + released.rows.column("id")[0].as_py(), "utf-8")
    assert released.call("id", released.home / "x.csv", "--values", str(file)) == 1
    assert "(1 cells)" in capsys.readouterr().err
    assert not (released.home / "x.csv").exists()
    assert released.entries() == []


def test_the_entry_comes_before_the_file(released: Released, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.revealing._write", lambda *_: pytest.fail("stopped here"))
    with pytest.raises(pytest.fail.Exception):
        reveal_run(released.folder, Asked("id", "김책임", "왜", released.home / "x.csv"))
    assert len(released.entries()) == 1


@pytest.mark.parametrize(
    ("person", "code"), [("김책임", 0), ("이처리", 0), ("최검토", 3), ("조분석", 3), ("남모르", 3)]
)
def test_only_who_handles_the_additional_information(released: Released, person: str, code: int) -> None:
    assert released.call("id", released.home / "x.csv", person=person) == code
    assert len(released.entries()) == (0 if code else 1)


def test_whoever_may_decide_does_not_reveal(released: Released) -> None:
    """A pinned reviewer does not, though the plan names this person for both."""
    new_reviewer(load_environment(released.environment_file), "김 책임", released.home / "key.pem")
    assert released.call("id", released.home / "x.csv") == 3
    assert released.entries() == []


def test_where_the_plan_names_nobody_nobody_handles_it(environment: Environment) -> None:
    with pytest.raises(Refused, match=r"allowed: nobody: the plan names neither people\.responsible"):
        require_handler(environment, People(), "김책임")


@pytest.mark.parametrize(
    ("column", "told"),
    [("hash", "no way back"), ("nothing", "no such column")],
)
def test_columns_without_way_back(
    released: Released, column: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert released.call(column, released.home / "x.csv") == 2
    error = capsys.readouterr().err
    assert told in error
    assert "clinic.id, clinic.phone, clinic.name, clinic.card, clinic.paid, clinic.email, clinic.chart" in error


def test_once_the_secret_is_destroyed_nobody_can(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    additional.run_secrets(released.folder).destroy(RUN)
    for column in ("id", "name"):  # the series of `name` still has its secret
        assert released.call(column, released.home / "x.csv") == 3
        assert "destroyed" in capsys.readouterr().err
    assert released.entries() == []


def test_after_the_additional_information_should_be_gone(released: Released) -> None:
    asked = Asked("id", "김책임", "왜", released.home / "x.csv")
    with pytest.raises(Exception, match=r"2030-12-31 is past") as caught:
        reveal_run(released.folder, asked, clock=lambda: datetime(2031, 1, 1, tzinfo=UTC))
    assert getattr(caught.value, "exit_code", None) == 3


def test_the_file_is_new_and_lies_outside_of_zones(released: Released) -> None:
    there = released.home / "there.csv"
    there.write_text("mine", "utf-8")
    inside = [zone.local / "x.csv" for zone in load_environment(released.environment_file).zones.values()]
    assert len(inside) == 7
    for to in (there, *inside):
        assert released.call("id", to) == 2
    assert there.read_text("utf-8") == "mine"
    assert not [one for one in inside if one.exists()]
    assert released.entries() == []
    assert released.call("id", released.home / "x.csv", reason=" ") == 2


def test_zones_that_are_not_its_own_may_be_missing(released: Released, capsys: pytest.CaptureFixture[str]) -> None:
    environment = load_environment(released.environment_file)
    for zone in ("source", "staging", "quarantine"):
        assert not environment.zone(zone).exists()  # type: ignore[arg-type]
    assert released.call("id", released.home / "x.csv", "--json") == 0
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["exit"], line["values"], line["unknown"]) == (0, 4, 0)
