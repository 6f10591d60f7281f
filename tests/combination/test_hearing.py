"""Notices of the agencies stop a round everywhere: nobody goes on with what was cancelled, closed, or has ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.combination import entries
from jobs.combination.notices import notify
from jobs.combination.order import NEEDS, State
from jobs.combination.rounds import Round
from jobs.combination.step import names_of
from jobs.combination.steps import step_named
from jobs.environment import Environment

from .conftest import Roles
from .party_round import NEXT, ROUND, PartyRound, member

PEOPLE = [member(number) for number in range(1, 6)]
# What brings nothing new into a round: destroying, and taking what was exported before.
STILL = {"forget", "close", "mock-destroy", "take"}
STEPS = sorted(set(NEEDS) - STILL)


@pytest.fixture
def begun(roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> PartyRound:
    return PartyRound.of(roles, tmp_path, capsys)


@pytest.fixture
def at(begun: PartyRound) -> PartyRound:
    for party in ("A", "B", "C"):
        begun.register(party, PEOPLE)
    begun.salted("A", "B")
    return begun


def tell(at: PartyRound, sender: str, receiver: str, content: dict[str, str], round_: str = ROUND) -> None:
    entries.forget()
    notify(Round(at.environments[sender], at.combination, round_), receiver, content)


def words_of(at: PartyRound, step: str, name: str) -> list[str]:
    """What the step's command wants before it looks at the round."""
    plan = ["--plan", str(at.folder / f"{name}.plan.yaml")]
    more = {
        "apply": plan, "attributes": plan, "void": plan, "mock-keys": plan, "mock-attributes": plan,
        "apply-export": ["--application", "export.yaml"], "vote": ["--show"],
    }  # fmt: skip
    return more.get(step, [])


def status(at: PartyRound, name: str) -> tuple[dict[str, str], str]:
    """The round in `status`, and the text; nothing is written by looking."""
    before = at.everything(name)
    summary = at.done(name, "status")
    assert at.everything(name) == before
    (found,) = summary["rounds"]
    return found, at.run(name, "status")[2]


def test_a_round_that_the_key_agency_cancelled_is_over_for_the_parties(at: PartyRound) -> None:
    at.done("KMA", "close", "--cancel", "B가 늦음")
    code, _, text = at.run("A", "keys")
    assert code == 3
    assert "the round was cancelled: KMA cancelled the round, notice of " in text
    assert "B가 늦음; the next round is another" in text
    assert at.got("KMA", "keys", "A") is None
    found, told = status(at, "A")
    assert (found["state"], found["next"]) == ("CANCELLED", "")
    assert "KMA cancelled the round" in told


def test_all_others_are_told_of_a_cancelled_round_once(at: PartyRound) -> None:
    told = at.done("KMA", "close", "--cancel", "B was late")["told"]
    assert told == ["A", "B", "C", "CA"]
    assert at.done("KMA", "close")["told"] == told
    for name in told:
        assert at.got(name, "notice", "KMA", revision=1) is not None
        assert at.got(name, "notice", "KMA", revision=2) is None


def test_each_agency_ends_what_the_other_cancelled(at: PartyRound) -> None:
    at.done("KMA", "close", "--cancel", "B was late")
    assert at.done("CA", "close")["outcome"] == "cancelled"  # needs no reason of its own
    assert at.done("A", "forget")["state"] == "destroyed"


def test_the_key_agency_hears_that_the_combining_agency_cancelled(at: PartyRound) -> None:
    at.done("CA", "close", "--cancel", "B was late")
    code, _, text = at.run("KMA", "salt")
    assert (code, "CA closed the round without a result" in text) == (3, True)
    assert at.done("KMA", "close")["state"] == "destroyed"


@pytest.mark.parametrize("step", STEPS)
def test_every_step_refuses_a_cancelled_round(begun: PartyRound, step: str) -> None:
    allowed = names_of(step_named(step).role, begun.combination)
    name = allowed[0]
    sender = "CA" if name == "KMA" else "KMA"
    content = (
        {"about": "cancelled", "because": "late"} if sender == "KMA" else {"about": "closed", "outcome": "cancelled"}
    )
    tell(begun, sender, name, content, NEXT)
    code, _, text = begun.run(name, step, *words_of(begun, step, name), round_=NEXT)
    assert code == 3
    assert f"the round was cancelled: {sender} " in text


@pytest.mark.parametrize("step", ["apply", "prove", "keys", "attributes", "void", "mock-keys", "mock-attributes"])
def test_no_step_of_a_party_begins_a_round_after_the_end_of_the_series(begun: PartyRound, step: str) -> None:
    tell(begun, "KMA", "A", {"about": "series-ended", "because": "study finished"})  # in the last round that was begun
    code, _, text = begun.run("A", step, *words_of(begun, step, "A"), round_=NEXT)
    assert code == 3
    assert "the series has ended (KMA ended the series, notice of " in text
    assert "study finished" in text
    assert "begins a new series" in text


def test_status_offers_nothing_after_the_end_of_the_series(at: PartyRound) -> None:
    tell(at, "KMA", "A", {"about": "series-ended", "because": "study finished"})
    found, text = status(at, "A")
    assert (found["round"], found["next"]) == (ROUND, "")
    assert "the series has ended (KMA ended the series" in text


def test_what_was_exported_may_be_taken_after_the_end(at: PartyRound) -> None:
    environment = at.environments["A"]
    entries.forget()
    Round(environment, at.combination, ROUND).record("apply-export", {})
    tell(at, "KMA", "A", {"about": "series-ended", "because": "study finished"})
    code, _, text = at.run("A", "take")
    assert (code, "waits for the export of CA" in text) == (5, True)


def test_nothing_is_sent_for_a_round_that_the_combining_agency_closed(at: PartyRound) -> None:
    tell(at, "CA", "A", {"about": "closed", "outcome": "rejected"})
    code, _, text = at.run("A", "keys")
    assert (code, "the round is over: CA closed the round, notice of " in text) == (3, True)
    found, _ = status(at, "A")
    assert "mock-destroy" in found["next"]  # what was begun is destroyed, then `forget`; nothing else is offered
    at.done("A", "mock-destroy")
    assert "forget" in status(at, "A")[0]["next"]


def test_what_was_heard_holds_where_the_notice_is_gone(at: PartyRound) -> None:
    tell(at, "KMA", "A", {"about": "cancelled", "because": "late"})
    assert at.run("A", "keys")[0] == 3
    for path in (at.folder / "exchange/A").rglob("notice/KMA/r1/*"):
        path.unlink()
    assert at.run("A", "keys")[0] == 3


def test_a_notice_that_another_signed_stops_nothing_silently(at: PartyRound) -> None:
    tell(at, "KMA", "A", {"about": "cancelled", "because": "late"})
    (manifest,) = (at.folder / "exchange/A").rglob("notice/KMA/r1/manifest.json")
    manifest.write_bytes(manifest.read_bytes().replace(b"late", b"LATE"))
    code, _, text = at.run("A", "keys")
    assert (code, "tampered with" in text) == (1, True)
    environment: Environment = at.environments["A"]
    assert Round(environment, at.combination, ROUND).cancelled is None


def test_only_destroying_and_taking_follow_the_last_state() -> None:
    assert {step for step, needs in NEEDS.items() if needs.until == State.CLOSED} == STILL
