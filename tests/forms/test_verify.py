"""`gamyeong documents` and `gamyeong documents verify`: which documents belong to a run, told by exit codes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from jobs.documents_job import main
from jobs.forms.writing import problems, write_forms
from jobs.ledger import evidence_ledger

from .made import NOON, Case, MakeRun

FORM = "04-item-types.html"


@pytest.fixture
def written(case: Case) -> Path:
    """The folder of a run's forms."""
    return write_forms(case.folder, clock=lambda: case.now).folder.local


def verify(case: Case) -> int:
    return main(["verify", case.folder.run, "--environment", str(case.folder.environment.file), "--quiet"])


def test_documents_as_they_were_written_belong(case: Case, environment_file: Path) -> None:
    assert main([case.folder.run, "--environment", str(environment_file), "--quiet"]) == 0
    assert verify(case) == 0


def test_no_documents_yet(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(case) == 2
    assert f"run `gamyeong documents {case.folder.run}` first" in capsys.readouterr().err


def test_the_same_again_changes_nothing(case: Case) -> None:
    first = case.write()
    case.now = NOON + timedelta(days=30)
    assert case.write() == first
    made = [one for one in evidence_ledger(case.folder.environment, write=False).entries() if one.type == "documents"]
    assert [one.content()["fingerprint"] for one in made] == [case.folder.load_record().fingerprint]


def test_a_changed_document_is_told(case: Case, written: Path) -> None:
    page = written / FORM
    page.write_text(page.read_text().replace("개인식별정보", "개인식별가능정보"))
    assert problems(case.folder) == [f"{FORM}: changed since it was made"]
    assert verify(case) == 1


def test_a_changed_docx_is_told(case: Case, written: Path) -> None:
    with (written / "11-overall-result.docx").open("ab") as file:
        file.write(b" ")
    assert problems(case.folder) == ["11-overall-result.docx: changed since it was made"]


def test_a_missing_document_is_told(case: Case, written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (written / FORM).unlink()
    assert verify(case) == 1
    assert f"{FORM}: missing" in capsys.readouterr().err


def test_a_document_that_no_job_made_is_told(case: Case, written: Path) -> None:
    (written / "extra.docx").write_bytes((written / FORM).read_bytes() + b" ")
    assert problems(case.folder) == ["extra.docx: foreign: no job made it"]


def test_another_runs_document_is_told(make_run: MakeRun) -> None:
    case, other = make_run(), make_run(version=8)
    places = [write_forms(one.folder).folder.local / FORM for one in (case, other)]
    places[0].write_bytes(places[1].read_bytes())
    assert problems(case.folder) == [f"{FORM}: of another run ({other.folder.run})"]
    assert verify(case) == 1


def test_a_decision_makes_the_review_documents_outdated(case: Case, written: Path) -> None:
    case.vote("김검토")
    found = problems(case.folder)
    # the reviewer's own forms and the overall result; the classification of items is as it was
    assert "10-reviewer-1: outdated: the run's facts are others now" in found
    assert "11-overall-result: outdated: the run's facts are others now" in found
    assert not [line for line in found if line.startswith(("04", "06", "13"))]
    write_forms(case.folder)
    assert problems(case.folder) == []


def test_an_older_document_put_back_is_told(case: Case, written: Path) -> None:
    name = "11-overall-result.html"
    old = (written / name).read_bytes()
    case.vote("김검토", "rejected", reason="더 일반화")
    write_forms(case.folder)
    (written / name).write_bytes(old)
    assert problems(case.folder) == [f"{name}: outdated: as it was on 2026-01-05T12:00:00.000000Z"]


@pytest.mark.parametrize("name", ["run.json", "plan.json", "result.json"])
def test_altered_evidence_makes_no_documents(case: Case, environment_file: Path, name: str) -> None:
    place = (case.folder.evidence / name).local
    place.write_text(place.read_text() + " ")
    assert main([case.folder.run, "--environment", str(environment_file), "--quiet"]) == 3


def test_a_removed_decision_makes_no_documents(case: Case, written: Path) -> None:
    case.vote("김검토", "rejected", reason="더 일반화")
    (decision,) = case.folder.decisions.local.glob("*.json")
    decision.unlink()
    assert verify(case) == 3


def test_a_decision_that_the_ledger_does_not_know_makes_no_documents(case: Case, written: Path) -> None:
    case.vote("김검토")
    (decision,) = case.folder.decisions.local.glob("*.json")
    (decision.parent / "forged.json").write_text(decision.read_text().replace("approved", "rejected"))
    assert verify(case) == 3


def test_documents_do_not_touch_what_reviewers_sign(case: Case) -> None:
    case.vote("김검토")
    write_forms(case.folder)
    for name in ("이검토", "박검토"):
        case.vote(name)
    case.publish()
    assert case.folder.read("release.json")["state"] == "published"
