"""What `gamyeong destroy` entered stands in the guideline's ledgers: 파기대장, 처리 관리 대장, 접근권한 내역."""

from __future__ import annotations

from jobs.destruction.approving import decide_destruction, request
from jobs.destruction.carrying import carry_out
from jobs.destruction.targets import find_target

from .made import REVIEWERS, Case
from .reading import beside, body


def test_the_ledgers_tell_of_a_destroyed_release(case: Case) -> None:
    for name in REVIEWERS:
        case.vote(name)
    case.publish()
    assert body(case.form("15-destruction-data"))[0] == ["1", *[""] * 7]
    environment = case.folder.environment
    what = find_target(environment, case.folder.run, None, None)
    request(environment, what, "최책임", "이용기간 종료", lambda: case.now)
    decide_destruction(
        environment, what, "박검토", case.keys["박검토"], "approved", "확인", lambda: case.now
    )
    carry_out(environment, what, "오처리", lambda: case.now)

    line = body(case.form("15-destruction-data"))[0]
    gone_on = "2026년 1월 5일"
    assert line[:4] == ["1", "2026-017", "이용기간 종료", gone_on]
    assert "영구 삭제" in line[4]
    assert line[5:] == ["최책임", "오처리", "박검토"]
    # the entry of the additional information, which publishing destroyed, is none of these
    assert body(case.form("15-destruction-data"))[1] == ["2", *[""] * 7]
    assert beside(case.form("13-processing-ledger"), "가명정보 파기일자").startswith("2026년")
    rights = [row[:3] for row in body(case.form("14-access-rights"))]
    assert ["조이용", "가명정보 이용(가명정보 파기)", "말소"] in rights
