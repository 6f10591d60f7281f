"""Evidence counts only as the jobs entered it in the ledger: for reviewers before they sign, too."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jobs.difference import shown
from jobs.errors import DataFailed, Refused
from jobs.ledger import evidence_ledger
from jobs.ledger_job import unknown_to
from jobs.reviewers import revoke
from jobs.status import state_of
from jobs.vouched import hashes

ALTERED = {
    "run.json": "pseudonymize",
    "plan.yaml": "pseudonymize",
    "plan.json": "pseudonymize",
    "manifest.json": "pseudonymize",
    "verify.json": "verify",
    "suite.json": "review",
    "result.json": "review",
    "report/index.html": "review",
}


def test_what_changed_between_review_and_decision_is_signed_by_nobody(make_run):
    """Nobody has signed yet, so only the ledger tells: every file of every job, one after another."""
    case = make_run()
    for name, job in ALTERED.items():
        path = (case.folder.evidence / name).local
        raw = path.read_bytes()
        path.write_bytes(raw + b" ")
        message = f"{name}: not as {job} entered it in the ledger"
        with pytest.raises(Refused, match=message):
            case.vote("김검토")
        with pytest.raises(Refused, match=message):
            shown(case.folder)
        assert state_of(case.folder).state == "refused"
        path.write_bytes(raw)
    case.approve().publish()


def test_a_staged_cell_changed_after_the_review_with_log_and_manifest_rebuilt(make_run):
    case = make_run()
    case.restage()
    with pytest.raises(Refused, match=r"manifest.json, run.json: not as pseudonymize entered it"):
        case.vote("김검토")


def test_results_of_another_run_count_for_nothing(make_run):
    """Forged files of verify and review, where neither job has run."""
    case = make_run()
    ledger = case.environment.zone("evidence").local / "ledger"
    shutil.rmtree(ledger)
    case.environment.reviewers.with_name("ledger-heads.json").unlink()
    evidence_ledger(case.environment).append(
        "pseudonymize", {"run": case.folder.run, "files": hashes(case.folder, "pseudonymize")}
    )
    with pytest.raises(Refused, match=r"(?s)verify.json: the ledger knows no verify.*the ledger knows no review"):
        case.vote("김검토")


def test_decisions_that_do_not_count_are_shown_as_such(make_run):
    case = make_run()
    made = case.vote("김검토")
    path = case.folder.decisions.local / made.file
    path.write_text(path.read_text().replace('"approved"', '"rejected"'))
    text = shown(case.folder)
    assert f"does not count: {made.file}: the signature is not that of 김검토" in text


def test_a_lost_ledger_shows_by_the_runs_and_decisions_that_lie_beside_it(make_run):
    """`ledger verify` needs no exported head for that."""
    case = make_run().approve()
    case.publish()
    ledger = evidence_ledger(case.environment)
    assert unknown_to(case.environment, ledger.entries()) == []
    run = case.folder.run
    assert unknown_to(case.environment, []) == [
        f"run {run}: no entry of its pseudonymize",
        f"run {run}: no entry of its publish",
        f"run {run}: 3 decisions name a head that the ledger does not hold",
    ]
    assert unknown_to(case.environment, ledger.entries()[:-2]) == [f"run {run}: no entry of its publish"]


def test_status_waits_for_reviewers_who_may_decide(make_run):
    case = make_run()
    revoke(case.environment, "김검토", "2026-01-05T12:00:00Z")
    found = state_of(case.folder)
    assert (found.state, found.next) == ("waiting", "gamyeong reviewer new NAME --key FILE")
    assert found.waits_for.startswith("1 more reviewers")


def test_a_release_that_was_removed_is_told_as_such(make_run):
    case = make_run().approve()
    case.publish()
    shutil.rmtree(case.place())
    with pytest.raises(Refused, match=r"was published, and its release is there no more: .*retail"):
        case.publish()


@pytest.mark.parametrize("planted", [{"state": "approved"}, {"state": "published"}, {"state": "destroyed"}, {}, []])
def test_what_a_planted_release_json_says_is_not_believed(make_run, planted):
    """Whoever may write evidence can put it there: the release is entered and has its manifest all the same."""
    case = make_run().approve()
    case.folder.release.write_json(planted)
    done = case.publish()
    assert Path(done.manifest).exists()
    entries = evidence_ledger(case.environment).entries()
    assert [entry.content()["run"] for entry in entries if entry.type == "publish"] == [case.folder.run]
    assert case.folder.read("release.json")["state"] == "published"


def test_a_planted_release_json_hides_no_rejection(make_run):
    case = make_run()
    case.vote("박검토", "rejected")
    case.folder.release.write_json({"state": "approved"})
    with pytest.raises(DataFailed, match="was rejected"):
        case.publish()
    assert case.folder.read("release.json")["state"] == "rejected"
