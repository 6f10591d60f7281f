"""A role's rounds: its records count as its ledger vouches for them, and steps come in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.combination import entries
from jobs.combination.order import NEEDS, STATE_AFTER, State
from jobs.combination.rounds import DONE, Round
from jobs.combination.secret_store import (
    destroy_round_secrets,
    destroy_series_secrets,
    end_series,
    round_secret,
    series_secret,
)
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.keys import KeyGone
from jobs.ledger import Ledger
from jobs.signers import ledger_signer
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination

from .conftest import Roles
from .sample_file import written

ROUND = "2024-07"


@pytest.fixture
def agency(roles: Roles) -> Environment:
    return roles(["KMA"])["KMA"]


@pytest.fixture
def round_(agency: Environment, combination: Combination) -> Round:
    return Round(agency, combination, ROUND)


# Records


def test_a_record_is_what_the_step_left(round_: Round) -> None:
    assert round_.done("link") is None
    assert round_.revision("link") == 0
    round_.record("link", {"matched": 7})
    assert round_.done("link") == {"matched": 7}
    assert round_.done("link", 2) is None
    (entry,) = entries.entered(round_.environment, DONE)
    assert entry.content()["step"] == "link"


def test_the_same_again_changes_nothing_and_another_body_is_refused(round_: Round) -> None:
    round_.record("link", {"matched": 7})
    round_.record("link", {"matched": 7})
    with pytest.raises(Refused, match=r"other inputs.*--revision 2"):
        round_.record("link", {"matched": 8})
    round_.record("link", {"matched": 8}, revision=2)
    assert round_.done("link") == {"matched": 8}
    assert round_.done("link", 1) == {"matched": 7}
    assert len(entries.entered(round_.environment, DONE)) == 2


def test_a_record_that_was_altered_or_forged_does_not_count(round_: Round) -> None:
    round_.record("link", {"matched": 7})
    place = round_.folder.local / "link.r1.json"
    place.write_text('{"matched": 8}', "utf-8")
    with pytest.raises(Refused, match="not as `link` left it"):
        round_.done("link")
    place.unlink()
    with pytest.raises(Refused, match="not as `link` left it"):
        round_.done("link")
    (round_.folder.local / "combine.r1.json").write_text("{}", "utf-8")
    assert round_.done("combine") is None


def test_a_start_that_was_killed_before_the_ledger_is_made_again(
    round_: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jobs.combination.rounds.entries.append", killed)
        with pytest.raises(KeyboardInterrupt):
            round_.record("link", {"matched": 7})
    assert (round_.folder.local / "link.r1.json").exists()
    assert round_.done("link") is None
    round_.record("link", {"matched": 9})
    assert round_.done("link") == {"matched": 9}


def test_a_replaced_input_voids_what_came_after(round_: Round) -> None:
    round_.record("link", {"matched": 7})
    round_.record("combine", {"rows": 7})
    assert round_.state is State.COMBINED
    assert round_.void("combine", "vote", because="keys of A came again") == ["combine"]
    assert round_.done("combine") is None
    assert round_.state is State.LINKED
    assert round_.revision("combine") == 1
    round_.record("combine", {"rows": 8})
    assert round_.done("combine") == {"rows": 8}
    assert round_.void("vote", because="nothing there") == []


def test_rounds_and_combinations_are_apart(round_: Round, tmp_path: Path) -> None:
    round_.record("link", {"matched": 7})
    assert Round(round_.environment, round_.combination, "2024-08").done("link") is None
    (tmp_path / "other").mkdir()
    other = load_combination(written(tmp_path / "other", ("combination: mobility", "combination: other-mobility")))
    assert Round(round_.environment, other, ROUND).done("link") is None


def test_an_entry_that_others_put_into_the_ledger_is_refused(
    round_: Round, tmp_path: Path, environment: Environment
) -> None:
    round_.record("link", {"matched": 7})
    assert round_.done("link") is not None  # what is trusted by now is not tried again; what follows is
    place = round_.environment.zone("evidence") / "ledger"
    foreign = Ledger(place, ledger_signer(environment))
    foreign.append(DONE, {"combination": "x", "round": ROUND, "step": "combine", "revision": 1, "sha256": ""})
    with pytest.raises(Refused, match=r"entry 2: signed by key .*, which is not pinned"):
        round_.done("link")


# Order


@pytest.mark.parametrize("name", ["2024-06", "2025-07", "2024-13", "once", "../x", "2024-W27"])
def test_a_round_that_is_none(agency: Environment, combination: Combination, name: str) -> None:
    with pytest.raises(BadInput, match="allowed: 2024-07 to 2025-06"):
        Round(agency, combination, name)


def test_a_step_says_what_comes_before_it(round_: Round) -> None:
    with pytest.raises(Refused) as caught:
        round_.require("process")
    assert caught.value.message == (
        "process: round 2024-07 of mobility-housing-health is OPEN; first: `gamyeong combination combine`"
    )
    round_.record("combine", {})
    round_.require("process")


def test_no_step_after_its_last_state(round_: Round) -> None:
    for step in ("receive", "combine", "export"):
        round_.record(step, {})
    with pytest.raises(Refused, match=r"is EXPORTED; allowed: until REVIEWED.*next round"):
        round_.require("combine", 2)
    round_.require("combine", 1)  # done already: it finds that nothing is to be done
    round_.require("close")


def test_states_come_in_their_order(round_: Round) -> None:
    assert round_.state is State.OPEN
    seen = []
    for step in sorted(STATE_AFTER, key=lambda one: STATE_AFTER[one]):
        round_.record(step, {})
        seen.append(round_.state)
    assert seen == sorted(STATE_AFTER.values())
    assert set(STATE_AFTER) - {"review"} <= set(NEEDS)


def test_what_a_step_needs_is_a_step(round_: Round) -> None:
    assert {record for needs in NEEDS.values() for record in needs.records} <= set(NEEDS)


def test_a_cancelled_round_ends_but_can_be_tidied(round_: Round) -> None:
    round_.cancel("B was late")
    round_.cancel("B was late")
    with pytest.raises(Refused, match="cancelled: B was late"):
        round_.require("salt")
    round_.require("close")
    Round(round_.environment, round_.combination, "2024-08").require("salt")


# Secrets


def test_secrets_of_series_and_rounds(agency: Environment, combination: Combination) -> None:
    with pytest.raises(KeyGone):
        series_secret(agency, combination, "join-salt")
    join = series_secret(agency, combination, "join-salt", make=True)
    assert series_secret(agency, combination, "join-salt", make=True) == join
    july = round_secret(agency, combination, ROUND, make=True)
    august = round_secret(agency, combination, "2024-08", make=True)
    link = series_secret(agency, combination, "link-salt", make=True)
    assert len({one.reveal() for one in (join, link, july, august)}) == 4
    stored = b"".join(path.read_bytes() for path in agency.zone("keys").local.rglob("*.json"))
    assert july.reveal() not in stored
    assert july.reveal().hex().encode() not in stored


def test_a_destroyed_secret_never_comes_back(agency: Environment, combination: Combination) -> None:
    round_secret(agency, combination, ROUND, make=True)
    mock = round_secret(agency, combination, ROUND, "mock", make=True)
    august = round_secret(agency, combination, "2024-08", make=True)
    assert len(destroy_round_secrets(agency, combination, ROUND, "serial")) == 1
    with pytest.raises(KeyGone):
        round_secret(agency, combination, ROUND, make=True)
    assert round_secret(agency, combination, ROUND, "mock") == mock
    assert len(destroy_round_secrets(agency, combination, ROUND)) == 1
    with pytest.raises(KeyGone):
        round_secret(agency, combination, ROUND, "mock", make=True)
    assert round_secret(agency, combination, "2024-08") == august
    assert len(destroy_series_secrets(agency, combination)) == 1
    for make in (lambda: series_secret(agency, combination, "join-salt", make=True),
                 lambda: round_secret(agency, combination, "2024-08", make=True)):  # fmt: skip
        with pytest.raises(KeyGone):
            make()
    assert list((agency.zone("keys").local / "combinations").iterdir()) == []


def test_one_combinations_secrets_are_not_anothers(
    agency: Environment, combination: Combination, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    name = combination.combination
    other = load_combination(written(tmp_path / "other", (f"combination: {name}", f"combination: {name}-b")))
    kept = series_secret(agency, other, "join-salt", make=True)
    series_secret(agency, combination, "join-salt", make=True)
    destroy_series_secrets(agency, combination)
    assert series_secret(agency, other, "join-salt") == kept


def test_an_ended_series_has_no_further_round(round_: Round) -> None:
    series_secret(round_.environment, round_.combination, "join-salt", make=True)
    assert len(end_series(round_.environment, round_.combination, "its purpose was fulfilled")) == 1
    with pytest.raises(Refused, match=r"series has ended \(its purpose was fulfilled\).*salts are destroyed"):
        Round(round_.environment, round_.combination, "2024-08").require("salt")
    with pytest.raises(KeyGone):
        series_secret(round_.environment, round_.combination, "join-salt", make=True)
    round_.require("close")
