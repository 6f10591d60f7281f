"""The report of the risk review is no must; where it stands, the ledger vouches for it, and decisions bind it."""

from __future__ import annotations

import pytest

from jobs.errors import JobError, Refused
from jobs.ledger import evidence_ledger
from jobs.vouched import hashes


def reported(case) -> None:
    (case.folder.evidence / "risk.json").write_json({"run": case.folder.run})
    (case.folder.evidence / "risk" / "report.html").write_json("report")


def entered(case) -> None:
    content = {"run": case.folder.run, "files": hashes(case.folder, "assess")}
    evidence_ledger(case.environment).append("assess", content)


def test_a_report_that_the_ledger_does_not_know_is_signed_by_nobody(make_run):
    case = make_run()
    reported(case)
    with pytest.raises(Refused, match=r"risk.json, risk/report.html: the ledger knows no assess of this run"):
        case.vote("김검토")
    entered(case)
    case.approve().publish()


def test_a_report_that_came_after_the_signatures_is_not_what_was_signed(make_run):
    case = make_run()
    case.approve()
    reported(case)
    entered(case)
    with pytest.raises(JobError, match=r"risk.json|risk/report.html"):
        case.publish()
    assert case.published() == []
