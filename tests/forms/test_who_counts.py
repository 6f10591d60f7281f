"""Forms and publishing count the same decisions."""

from __future__ import annotations

from jobs.clock import stamp
from jobs.reviewers import revoke

from .made import REVIEWERS, Case
from .reading import beside

CONDITIONAL = "☐ 적정(승인) ☑ 조건부 승인 ☐ 부적정(반려)"
EMPTY = "☐ 적정(승인) ☐ 조건부 승인 ☐ 부적정(반려)"
APPROVED = "☑ 적정(승인) ☐ 조건부 승인 ☐ 부적정(반려)"


def overall(case: Case) -> str:
    return beside(case.form("11-overall-result"), "최종검토결과")


def test_the_decision_of_a_revoked_key_is_no_result_until_the_run_is_over(case: Case) -> None:
    for name in REVIEWERS:
        case.vote(name)
    assert overall(case) == APPROVED
    revoke(case.folder.environment, REVIEWERS[0], stamp(case.now))
    assert overall(case) == EMPTY


def test_what_was_published_stays_decided(case: Case) -> None:
    for name in REVIEWERS:
        case.vote(name)
    case.publish()
    revoke(case.folder.environment, REVIEWERS[0], stamp(case.now))
    assert overall(case) == APPROVED


def test_a_condition_is_ended_by_closing_it_alone(case: Case) -> None:
    """An approval by the same person afterwards does not: publishing waits for the condition, and the form says so."""
    case.vote(REVIEWERS[0], "conditional", conditions=("나이의 상단을 70으로",))
    for name in REVIEWERS:
        case.vote(name)
    assert overall(case) == CONDITIONAL
    assert "보완 전" in beside(case.form("11-overall-result"), "종합검토의견")
    case.vote(REVIEWERS[0], None, close="나이의 상단을 70으로")
    assert overall(case) == APPROVED
