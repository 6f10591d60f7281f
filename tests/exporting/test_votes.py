"""Who may vote on an export, in which form, about what; and what of that counts."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.clock import stamp, utc_now
from jobs.combination import entries
from jobs.combination.votes import CRITERIA, Case
from jobs.decisions import save, statement
from jobs.publish import main as publish
from jobs.publishing import reads_combined
from jobs.signing import load_key
from jobs.status import main as status
from jobs.storage import Location

from .stage import AUGUST, COMMITTEE, FORM, JULY, OPERATOR, Stage, called
from .test_export_flow import exported

FIRST = COMMITTEE[0]


@pytest.fixture
def applied(processed: Stage) -> Stage:
    """Both rounds processed and applied for."""
    for round in (JULY, AUGUST):
        processed.applied(round)
    return processed


def place(stage: Stage, round: str = JULY) -> Location:
    return stage.round("CA", round).folder / "votes" / "A" / "r1"


def test_two_votes_are_too_few(applied: Stage) -> None:
    applied.decided()
    for name in COMMITTEE[:2]:
        assert applied.vote(name)[0] == 0
    # voting twice is one vote
    assert applied.vote(COMMITTEE[1])[0] == 0
    code, _, said = applied.take("CA", "export")
    assert code == 5
    assert "1 more vote(s) of 3" in said
    assert COMMITTEE[2] in said


@pytest.mark.parametrize(
    ("name", "why"),
    [(OPERATOR, "operator"), ("조신청", "not among the pinned"), ("아무개", "not among the pinned")],
)
def test_who_may_not_vote(applied: Stage, name: str, why: str) -> None:
    """Who carries out the plan has a pinned key and still no vote."""
    shutil.copy2(applied.file(f"{OPERATOR}.pem"), applied.file("조신청.pem"))
    shutil.copy2(applied.file(f"{OPERATOR}.pem"), applied.file("아무개.pem"))
    code, _, said = applied.vote(name)
    assert code == 3
    assert why in said
    assert not place(applied).exists()


def test_the_applicant_does_not_vote(processed: Stage) -> None:
    """The contact person of the application is a member of the committee."""
    text = FORM.replace("조신청", FIRST)
    (processed.folder / "form.yaml").write_text(text, "utf-8")
    processed.applied()
    code, _, said = processed.vote(FIRST)
    assert code == 3
    assert "applied for this export" in said


def test_a_key_is_one_persons(applied: Stage) -> None:
    shutil.copy2(applied.file(f"{COMMITTEE[1]}.pem"), applied.file(f"{FIRST}.pem"))
    code, _, said = applied.vote(FIRST)
    assert code == 3
    assert "not the one that is pinned" in said


def test_every_criterion_is_judged(applied: Stage) -> None:
    """L1595: relevance to the purpose, identifiability of a person, the safety plan."""
    key = ["--member", FIRST, "--key", applied.file(f"{FIRST}.pem")]
    code, _, said = applied.take("CA", "vote", *key, "--outcome", "approved")
    assert code == 2
    for name in ("--relevance", "--identifiability", "--safety", "--form"):
        assert name in said
    code, _, said = applied.vote(FIRST, "--safety", "unfit")
    assert code == 2
    assert "a grade is unfit" in said


def test_a_condition_is_closed_by_who_made_it(applied: Stage) -> None:
    applied.decided()
    assert applied.vote(FIRST, "--condition", "보안 서약서 제출", outcome="conditional")[0] == 0
    for name in COMMITTEE[1:]:
        assert applied.vote(name)[0] == 0
    code, _, said = applied.take("CA", "export")
    assert code == 5
    assert f"{FIRST} to close condition" in said
    close = ["--close", "보안 서약서 제출"]
    other = ["--member", COMMITTEE[1], "--key", applied.file(f"{COMMITTEE[1]}.pem")]
    assert applied.take("CA", "vote", *other, *close)[0] == 2
    own = ["--member", FIRST, "--key", applied.file(f"{FIRST}.pem")]
    assert applied.take("CA", "vote", *own, *close)[0] == 0
    assert applied.take("CA", "export")[0] == 0


def test_the_first_round_needs_a_meeting(applied: Stage) -> None:
    """L1592: a written vote is for rounds after the first exported one."""
    code, _, said = applied.vote(FIRST, form="written")
    assert code == 3
    assert "no round was exported yet" in said
    # the same holds for the second round of the series, while none is exported
    assert applied.vote(FIRST, round=AUGUST, form="written")[0] == 3


def test_a_written_vote_does_for_an_unchanged_round(processed: Stage) -> None:
    exported(processed)
    exported(processed, AUGUST, form="written")
    done = processed.round("CA", AUGUST).done("export")
    assert done is not None
    assert done["outputs"]["A"]["form"] == "written"


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("place: closed", "place: open", "environment of the user"),
        ("safety plan", "another plan", "safety plan"),
        ("information: pseudonymous", "information: anonymous", "purpose and kind of information"),
    ],
)
def test_a_change_needs_a_meeting(processed: Stage, old: str, new: str, part: str) -> None:
    exported(processed)
    for name in ("form.yaml", "safety.pdf"):
        file = processed.folder / name
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    processed.applied(AUGUST)
    code, _, said = processed.vote(FIRST, round=AUGUST, form="written")
    assert code == 3
    assert f"since round {JULY} these have changed: {part} (" in said
    assert processed.vote(FIRST, round=AUGUST)[0] == 0


def test_all_vote_in_one_form(processed: Stage) -> None:
    exported(processed)
    processed.applied(AUGUST)
    processed.decided(AUGUST)
    assert processed.vote(FIRST, round=AUGUST, form="written")[0] == 0
    for name in COMMITTEE[1:]:
        assert processed.vote(name, round=AUGUST)[0] == 0
    code, _, said = processed.take("CA", "export", round=AUGUST)
    assert code == 3
    assert "allowed: one form" in said


def test_a_new_application_needs_new_votes(applied: Stage) -> None:
    applied.decided()
    applied.voted()
    (applied.folder / "form.yaml").write_text(FORM.replace("통계 분석", "기계학습"), "utf-8")
    applied.applied(JULY, "--revision", "2")
    code, _, said = applied.take("CA", "export")
    assert code == 5
    assert "3 more vote(s)" in said
    assert "that vote was about another application" in said
    applied.voted()
    assert applied.take("CA", "export")[0] == 0


def test_a_vote_of_another_round_does_not_count(applied: Stage) -> None:
    applied.decided()
    applied.voted(AUGUST)
    shutil.copytree(place(applied, AUGUST).local, place(applied).local)
    code, _, said = applied.take("CA", "export")
    assert code == 5
    assert "that vote was about another" in said
    assert "round" in said


def test_a_new_revision_of_the_data_voids_what_was_processed(applied: Stage) -> None:
    applied.decided()
    applied.voted()
    applied.combined(JULY, revision=2, deposits=2000)
    code, _, said = applied.take("CA", "export")
    assert code == 3
    assert "`gamyeong combination process`" in said
    assert applied.vote(FIRST)[0] == 3
    assert not (applied.roles["A"].exchange.inbox / "cars-homes" / JULY / "export").exists()


def test_an_altered_vote_stops_the_export(applied: Stage) -> None:
    applied.decided()
    applied.vote(FIRST, "--reason", "재식별 가능성", outcome="rejected")
    for name in COMMITTEE[1:]:
        applied.vote(name)
    (file,) = [one for one in place(applied).local.iterdir() if one.name.startswith(FIRST)]
    body = json.loads(file.read_text("utf-8"))
    body["statement"]["outcome"] = "approved"
    file.write_text(json.dumps(body), "utf-8")
    code, _, said = applied.take("CA", "export")
    assert code == 3
    assert "the file was altered" in said
    assert "removed or altered" in said
    file.unlink()
    code, _, said = applied.take("CA", "export")
    assert code == 3
    assert "the ledger knows this vote" in said


def test_votes_are_no_decisions_and_decisions_no_votes(applied: Stage) -> None:
    """Three votes copied among the decisions approve nothing, and the other way round."""
    applied.voted()
    decisions = applied.run().decisions.local
    shutil.copytree(place(applied).local, decisions)
    code, _, said = applied.take("CA", "export")
    assert code == 3
    assert "neither a decision" in said
    shutil.rmtree(decisions)
    applied.decided()
    shutil.rmtree(place(applied, AUGUST).local, ignore_errors=True)
    shutil.copytree(decisions, place(applied, AUGUST).local)
    code, _, said = applied.take("CA", "export", round=AUGUST)
    assert code == 3
    assert "neither a vote" in said


def test_publish_is_no_way_around_the_committee(applied: Stage) -> None:
    applied.decided()
    words = [applied.run().run, "--environment", applied.file("CA.yaml"), "--json", "--quiet"]
    _, told, _ = called(status, words)
    assert "gamyeong combination vote" in str(told)
    code, _, said = called(publish, words)
    assert code == 3
    assert "whose export a committee judges" in said
    assert not any(applied.roles["CA"].zone("published").local.iterdir())


@pytest.mark.parametrize("spelled", ["./combinations/x/A", "././combinations//x/A", "combinations/x/mock-A"])
def test_another_spelling_of_the_folder_is_no_way_around_either(applied: Stage, spelled: str) -> None:
    applied.decided()
    record = applied.run().load_record()
    sources = {name: replace(one, table=spelled) for name, one in record.sources.items()}
    assert sources
    assert reads_combined(replace(record, sources=sources))
    ours = {name: replace(one, table="fuel/combinations") for name, one in record.sources.items()}
    assert not reads_combined(replace(record, sources=ours))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"grades": {"relevance": "fit", "safety": "fit"}}, "no grade for each of relevance, identifiability, safety"),
        ({"grades": dict.fromkeys(CRITERIA, "unfit")}, "approved, though a grade is unfit"),
        ({"form": "telephone"}, "no form; allowed: meeting, written"),
    ],
)
def test_a_signature_alone_makes_no_vote(applied: Stage, said: dict[str, object], why: str) -> None:
    """A member signs by a program of its own: what a vote must say is checked again where votes are counted."""
    case = Case.of(applied.round("CA"), "A")
    key = load_key(Path(applied.file(f"{FIRST}.pem")))
    whole = {"kind": "vote", "outcome": "approved", "grades": dict.fromkeys(CRITERIA, "fit"), "form": "meeting"}
    head = entries.ledger(applied.roles["CA"]).head()
    content = statement(FIRST, key, case.binding, head, stamp(utc_now()), {**whole, "conditions": [], **said})
    save(case.place, content, key)
    code, _, text = applied.take("CA", "export")
    assert code == 3
    assert why in text
