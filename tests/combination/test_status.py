"""`status`: a role sees its rounds, what each waits for, and the command to take next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import cli
from jobs.combination import entries
from jobs.combination.flow import FLOW, stages
from jobs.combination.order import NEEDS
from jobs.combination.packages import draft, received
from jobs.combination.rounds import Round
from jobs.combination.secret_store import end_series
from jobs.combination.steps import STEPS, step_named
from jobs.environment import Environment
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .conftest import Roles
from .sample_file import written

ROUND = "2024-07"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def combination(file: Path) -> Combination:
    return load_combination(file)


@pytest.fixture
def everyone(roles: Roles) -> dict[str, Environment]:
    return roles(["A", "B", "C", "KMA", "CA"])


def status(
    capsys: pytest.CaptureFixture[str], roles: Roles, file: Path, role: str, *more: str
) -> tuple[dict[str, Any], str]:
    """The line of JSON, and what is told to people."""
    code = cli.main(["combination", "status", str(file), "--environment", roles.file(role), "--json", *more])
    *text, line = capsys.readouterr().out.splitlines()
    assert code == 0
    return json.loads(line), "\n".join(text)


def send(sender: Environment, combination: Combination, kind: Any, receiver: str, revision: int = 1) -> None:
    package = draft(sender, combination, round=ROUND, kind=kind, receiver=receiver, revision=revision)
    package.finish(content={"about": "this test"})


def test_a_newcomer_is_told_the_first_step(
    capsys: pytest.CaptureFixture[str], roles: Roles, file: Path, everyone: dict[str, Environment]
) -> None:
    line, text = status(capsys, roles, file, "A")
    (round_,) = line["rounds"]
    assert round_["state"] == "OPEN"
    assert round_["due"] == "keys until 2024-08-05, attributes until 2024-08-12"
    assert round_["next"] == (
        f"gamyeong combination apply {file} --round 2024-07 --environment {roles.file('A')} --plan PLAN"
    )
    assert f"next: {round_['next']}" in text
    assert not (everyone["A"].zone("evidence").local / "ledger").exists()  # looking writes nothing


def test_an_agency_sees_whose_packages_are_missing(
    capsys: pytest.CaptureFixture[str], roles: Roles, file: Path, combination: Combination,
    everyone: dict[str, Environment],
) -> None:  # fmt: skip
    for party in ("A", "B"):
        send(everyone[party], combination, "application", "CA")
    (round_,) = status(capsys, roles, file, "CA")[0]["rounds"]
    assert round_["waits_for"] == "application of C (optional)"
    assert "gamyeong combination receive" in round_["next"]
    send(everyone["C"], combination, "application", "CA")
    assert status(capsys, roles, file, "CA")[0]["rounds"][0]["waits_for"] == ""


def test_a_package_that_came_again_is_told(
    capsys: pytest.CaptureFixture[str], roles: Roles, file: Path, combination: Combination,
    everyone: dict[str, Environment],
) -> None:  # fmt: skip
    agency = everyone["KMA"]
    for party in ("A", "B", "C"):
        send(everyone[party], combination, "keys", "KMA")
        received(agency, combination, round=ROUND, kind="keys", sender=party)
    for step in ("salt", "mock-destroy", "rate", "extract", "link"):
        Round(agency, combination, ROUND).record(step, {})
    before = status(capsys, roles, file, "KMA")[0]["rounds"][0]
    assert (before["state"], before["waits_for"], before["new"]) == ("LINKED", "notice of CA", [])
    send(everyone["B"], combination, "keys", "KMA", revision=2)
    after = status(capsys, roles, file, "KMA")[0]["rounds"][0]
    assert "keys of B, revision 2: `link` again takes it in" in after["new"]


def test_rounds_that_ended(
    capsys: pytest.CaptureFixture[str], roles: Roles, file: Path, combination: Combination,
    everyone: dict[str, Environment],
) -> None:  # fmt: skip
    agency = everyone["KMA"]
    Round(agency, combination, ROUND).record("salt", {})
    Round(agency, combination, ROUND).cancel("B was late")
    line, text = status(capsys, roles, file, "KMA")
    assert [(one["round"], one["state"]) for one in line["rounds"]] == [(ROUND, "CANCELLED"), ("2024-08", "OPEN")]
    assert "waits for: nothing: B was late" in text
    entries.forget()
    end_series(agency, combination, "done")
    line, text = status(capsys, roles, file, "KMA")
    assert line["ended"] == "done"
    assert [one["round"] for one in line["rounds"]] == [ROUND]
    (asked,) = status(capsys, roles, file, "KMA", "--round", "2024-09")[0]["rounds"]
    assert "the series has ended (done)" in asked["waits_for"]
    assert asked["next"] == ""


def test_a_round_that_is_over(
    capsys: pytest.CaptureFixture[str], roles: Roles, file: Path, combination: Combination,
    everyone: dict[str, Environment],
) -> None:  # fmt: skip
    for stage in stages("A", combination, ROUND):
        Round(everyone["A"], combination, ROUND).record(stage.step, {})
    first, second = status(capsys, roles, file, "A")[0]["rounds"]
    assert (first["state"], first["waits_for"], first["next"]) == ("CLOSED", "nothing: all steps are taken", "")
    assert second["round"] == "2024-08"


# The way through a round


BARE = (
    ("options:\n", ""),
    ("  mock: {rounds: [2024-07]}\n", ""),
    ("  join_rate: {floor: 0.05, asks: 1}\n", ""),
    ("  extraction: {cover: equal, rest_over: 1000}\n", ""),
)


@pytest.mark.parametrize("changes", [(), BARE])
def test_the_way_is_of_steps_that_the_order_allows(tmp_path: Path, changes: tuple[tuple[str, str], ...]) -> None:
    combination = load_combination(written(tmp_path, *changes))
    for name in (*combination.parties, "KMA", "CA"):
        seen: list[str] = []
        for stage in stages(name, combination, ROUND):
            assert set(NEEDS[stage.step].records) <= set(seen)
            seen.append(stage.step)
        assert ("extract" in seen) == (name == "KMA" and not changes)
        assert ("mock-destroy" in seen) == (not changes)
        assert not [stage for stage in stages(name, combination, "2024-08") if stage.step.startswith("mock")]
        assert len(seen) == len(set(seen)) > 2


def test_every_stage_is_a_step_of_its_role() -> None:
    for role, way in FLOW.items():
        for stage in way:
            assert stage.step in STEPS
            assert step_named(stage.step).role in ("all", role)
