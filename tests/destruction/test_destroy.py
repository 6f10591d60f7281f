"""`gamyeong destroy`: asked for, signed by a reviewer, carried out by another; the ledger keeps the proof."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs import destroy, due, quarantine, status
from jobs.additional import anything_left
from jobs.destruction import approving, carrying
from jobs.destruction.targets import Target, find_target
from jobs.errors import BadInput, JobError, Refused, Waiting
from jobs.ledger import chain_problems, evidence_ledger
from jobs.names import folder_name
from jobs.runs import release_manifest
from jobs.signers import pinned_signers
from tests.incidents.conftest import Run
from tests.jobs.publishing.conftest import REVIEWERS, Case, MakeRun

OUTPUT = f"2024-017/{folder_name('지역경제연구원')}/retail"
ASKED = ("--person", "최책임", "--reason", "이용기간 종료")
# An age that nobody else has: as a number in every row of one release.
PLANTED = 7_301_994_455_667_788


def published(make_run: MakeRun, **more: Any) -> Case:
    case = make_run(**more).approve()
    case.publish()
    return case


def target(case: Case, period: str | None = None, run: str | None = None) -> Target:
    return find_target(case.environment, OUTPUT, period, run)


def ask(case: Case, what: Target, person: str = "최책임") -> approving.Request:
    return approving.request(case.environment, what, person, "이용기간 종료", lambda: case.now)[0]


def sign(case: Case, what: Target, outcome: str = "approved", reviewer: str = REVIEWERS[0]) -> None:
    approving.decide_destruction(
        case.environment, what, reviewer, case.keys[reviewer], outcome, "확인", lambda: case.now
    )


def carry(case: Case, what: Target, person: str = "한운영", hook: Callable[[str], None] | None = None) -> Any:
    more = {} if hook is None else {"hook": hook}
    return carrying.carry_out(case.environment, what, person, lambda: case.now, **more)


def entries(case: Case, kind: str) -> list[dict[str, Any]]:
    return [one.content() for one in evidence_ledger(case.environment).entries() if one.type == kind]


def holding(folder: Path, number: int) -> list[str]:
    """Files with a number in them, as text, as eight bytes, or in a Parquet column."""
    found = []
    for file in (one for one in folder.rglob("*") if one.is_file()):
        content = file.read_bytes()
        if content[:4] == b"PAR1":
            content += str(pq.read_table(file, partitioning=None).to_pylist()).encode()
        if str(number).encode() in content or number.to_bytes(8, "little") in content:
            found.append(file.relative_to(folder).as_posix())
    return found


def test_a_table_goes_once_a_reviewer_has_signed(make_run: MakeRun, gamyeong: Run, tmp_path: Path) -> None:
    case = published(make_run, ages=[PLANTED, 20, 30])
    assert holding(tmp_path, PLANTED)

    code, told, text, _ = gamyeong(destroy, OUTPUT, *ASKED)
    assert (code, told["verdict"], told["runs"]) == (0, "requested", [case.folder.run])
    assert "next: a reviewer signs" in text
    code, _, _, error = gamyeong(destroy, OUTPUT, "--person", "한운영", "--approved")
    assert code == 5
    assert REVIEWERS[0] in error
    assert case.place().exists()
    signing = ["--reviewer", REVIEWERS[0], "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "approved"]
    assert gamyeong(destroy, OUTPUT, *signing)[0] == 0
    assert gamyeong(destroy, OUTPUT, "--show")[1]["state"] == "approved"
    code, told, _, _ = gamyeong(destroy, OUTPUT, "--person", "한운영", "--approved")
    assert (code, told["verdict"], told["rows"], told["copies"]) == (0, "destroyed", 3, [])

    assert holding(tmp_path, PLANTED) == []
    assert not case.place().exists()
    assert not release_manifest(case.environment, case.record).exists()
    assert gamyeong(status, case.folder.run)[1]["runs"][0]["state"] == "destroyed"
    code, told, text, _ = gamyeong(destroy, OUTPUT, "--person", "한운영", "--approved")
    assert (code, told["verdict"], told["already"]) == (0, "destroyed", True)


def test_the_ledger_has_what_the_form_asks(make_run: MakeRun) -> None:
    case = published(make_run)
    what = target(case)
    ask(case, what)
    sign(case, what)
    carry(case, what)
    (body,) = entries(case, "destroy-data")
    assert {name: body[name] for name in ("application", "reason", "requester", "performer", "confirmer")} == {
        "application": "2024-017", "reason": "이용기간 종료", "requester": "최책임", "performer": "한운영",
        "confirmer": REVIEWERS[0],
    }  # fmt: skip
    (proof,) = body["evidence"]["proofs"]
    assert (proof["rows"], proof["left"], proof["copies"]) == (5, [], [])
    assert proof["files"] >= 3  # two of rows, one commit at least
    assert proof["versions"] >= 1
    ledger = evidence_ledger(case.environment)
    assert chain_problems(ledger.entries(), pinned_signers(case.environment)) == []


@pytest.mark.parametrize("by", ["period", "run"])
def test_a_period_or_run_goes_and_the_others_stay(make_run: MakeRun, tmp_path: Path, by: str) -> None:
    old = published(make_run, ages=[PLANTED, 20], period="2026-10")
    new = published(make_run, ages=[40, 50], period="2026-11", version=2)
    what = target(old, "2026-10") if by == "period" else target(old, run=old.folder.run)
    before = DeltaTable(str(new.place())).version()
    ask(old, what)
    sign(old, what)
    carry(old, what)

    assert holding(tmp_path, PLANTED) == []
    assert [row["age"] for row in new.published()] == [40, 50]
    with pytest.raises((FileNotFoundError, OSError)):
        DeltaTable(str(new.place()), version=before).to_pyarrow_table()
    releases = release_manifest(new.environment, new.record).read_json()["releases"]
    assert list(releases) == ["2026-11"]
    assert [body["run"] for body in entries(old, "destroy-data")] == [old.folder.run]


def test_who_asked_ran_or_uses_does_not_sign_and_who_signed_does_not_carry_out(make_run: MakeRun) -> None:
    case = published(make_run)
    what = target(case)
    ask(case, what, person=REVIEWERS[1])
    with pytest.raises(Refused, match="author, operator, processor or user"):
        sign(case, what, reviewer=REVIEWERS[1])
    sign(case, what)
    with pytest.raises(Refused, match="somebody else carries it out"):
        carry(case, what, person=REVIEWERS[0])
    assert len(case.published()) == 5


def test_a_signature_for_one_request_is_none_for_another(make_run: MakeRun) -> None:
    case = published(make_run, period="2026-10")
    whole, period = target(case), target(case, "2026-10")
    first, second = ask(case, whole), ask(case, period)
    sign(case, period)
    with pytest.raises(Waiting):
        carry(case, whole)
    signed = approving.folder_of(case.environment, second) / "decisions"
    copied = approving.folder_of(case.environment, first) / "decisions"
    copied.local.mkdir(parents=True)
    for file in signed.local.iterdir():
        (copied.local / file.name).write_bytes(file.read_bytes())
    with pytest.raises(Refused, match="about another question"):
        carry(case, whole)
    assert len(case.published()) == 5


def test_an_altered_signature_does_not_count(make_run: MakeRun) -> None:
    case = published(make_run)
    what = target(case)
    asked = ask(case, what)
    sign(case, what)
    (file,) = (approving.folder_of(case.environment, asked) / "decisions").local.iterdir()
    raw = json.loads(file.read_text("utf-8"))
    raw["statement"]["reason"] = "다른 사유"
    file.write_text(json.dumps(raw, ensure_ascii=False), "utf-8")
    with pytest.raises(Refused, match="removed or altered"):
        carry(case, what)
    assert len(case.published()) == 5


def test_a_rejection_ends_the_request(make_run: MakeRun) -> None:
    case = published(make_run)
    what = target(case)
    first = ask(case, what)
    sign(case, what, "rejected")
    with pytest.raises(Refused, match=f"{REVIEWERS[0]} rejected request {first.number} .* allowed: a new request"):
        carry(case, what)
    assert ask(case, what).number > first.number
    assert len(case.published()) == 5


def test_a_later_release_does_not_go_in_place_of_the_one_that_was_signed_for(make_run: MakeRun) -> None:
    old = published(make_run)
    what = target(old)
    ask(old, what)
    sign(old, what)
    new = published(make_run, ages=[60], version=2)
    with pytest.raises(Refused, match="published no more"):
        carry(new, target(new))
    assert [row["age"] for row in new.published()] == [60]


@pytest.mark.parametrize("step", ["manifest", "destroy", "ledger"])
@pytest.mark.parametrize("period", [None, "2026-10"])
def test_stopped_at_any_step_the_next_start_completes_it(
    make_run: MakeRun, tmp_path: Path, step: str, period: str | None
) -> None:
    case = published(make_run, ages=[PLANTED], period=period)
    if period:
        published(make_run, ages=[40], period="2026-11", version=2)
    what = target(case, period)
    ask(case, what)
    sign(case, what)

    def stop(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry(case, what, hook=stop)
    done = carry(case, what)
    assert holding(tmp_path, PLANTED) == []
    assert sum(proof.rows for proof in done.proofs) == 1
    assert [body["run"] for body in entries(case, "destroy-data")] == [case.folder.run]


def test_a_destroyed_run_is_not_published_again(make_run: MakeRun) -> None:
    case = published(make_run, period="2026-10")
    published(make_run, period="2026-11", version=2)
    what = target(case, "2026-10")
    ask(case, what)
    sign(case, what)
    carry(case, what)
    with pytest.raises(JobError, match="destroyed"):
        case.publish()


@pytest.mark.parametrize("keep", [None, {"reason": "종단 연구", "until": "2098-12-31"}])
def test_what_a_killed_publish_left_in_staging_goes_too(make_run: MakeRun, keep: dict[str, str] | None) -> None:
    """Its rows stand there a second time; what leads back to people goes unless the plan keeps it."""
    case = make_run(additional_information={"destroy": None if keep else "approved", "keep": keep}).approve()

    def killed(step: str) -> None:
        if step == "staging":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.publish(killed)
    staged = sorted(path for path in case.folder.staging.local.rglob("*.parquet"))
    assert staged
    what = target(case)
    ask(case, what)
    sign(case, what)
    told = carry(case, what)
    assert sorted(map(Path, told.copies)) == staged, "told to who destroys, and left to the operator"
    with pytest.raises(JobError, match="destroyed"):
        case.publish()
    assert not case.folder.staging.exists()
    assert anything_left(case.folder) == (keep is not None)


def test_a_copy_in_another_zone_is_told(make_run: MakeRun, gamyeong: Run) -> None:
    case = published(make_run)
    copy = case.environment.zone("staging").local / "old" / "part.parquet"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(next(case.place().glob("*.parquet")).read_bytes())
    what = target(case)
    ask(case, what)
    sign(case, what)
    code, told, text, _ = gamyeong(destroy, OUTPUT, "--person", "한운영", "--approved")
    assert (code, told["copies"]) == (1, [str(copy)])
    assert f"the same bytes lie at {copy}" in text


def test_under_quarantine_it_is_the_incident_that_is_decided(make_run: MakeRun, gamyeong: Run) -> None:
    case = published(make_run)
    what = target(case)
    ask(case, what)
    sign(case, what)
    gamyeong(quarantine, OUTPUT, "--reason", "식별됨", "--person", "조이용")
    with pytest.raises(Refused, match="under quarantine"):
        carry(case, what)
    with pytest.raises(Refused, match="under quarantine"):
        ask(case, target(case, run=case.folder.run))


def test_what_is_due(make_run: MakeRun, gamyeong: Run) -> None:
    use = {"form": "third-party", "recipient": "지역경제연구원", "place": "closed", "from": "2026-01-01"}
    keep = {"keep": {"reason": "시계열 연구", "until": "2027-03-31"}, "destroy": None}
    case = published(
        make_run, period="2026-10", use={**use, "until": "2027-06-30"}, additional_information=keep
    )

    def told(day: str) -> tuple[int, list[tuple[str, int]]]:
        code, summary, _, _ = gamyeong(due, "--on", day)
        return code, [(one["what"], one["days"]) for one in summary["due"]]

    assert told("2027-03-31") == (0, [])  # the last day itself is a day of use
    assert told("2027-04-01") == (1, [("additional information", 1)])
    assert told("2027-07-01") == (1, [("additional information", 92), ("published data", 1)])
    _, _, text, _ = gamyeong(due, "--on", "2027-07-01")
    assert f"next: gamyeong destroy {OUTPUT} --period 2026-10" in text
    what = target(case, "2026-10")
    ask(case, what)
    sign(case, what)
    carry(case, what)
    assert told("2027-07-01") == (1, [("additional information", 92)])
    assert gamyeong(due, "--on", "soon")[0] == 2


def test_all_that_is_due_at_once(make_run: MakeRun, gamyeong: Run, tmp_path: Path) -> None:
    signing = ["--reviewer", REVIEWERS[0], "--key", str(tmp_path / "reviewer-0.pem"), "--outcome", "approved"]
    use = {"form": "third-party", "recipient": "지역경제연구원", "place": "closed", "from": "2026-01-01"}
    late = {"use": {**use, "until": "2026-01-31"}}  # `--due` goes by today's real date
    cases = [published(make_run, period=f"2026-{n}", version=n, **late) for n in (10, 11)]
    published(make_run, period="2026-12", version=12)
    code, told, _, _ = gamyeong(destroy, "--due", *ASKED)
    assert (code, [one["period"] for one in told["all"]]) == (0, ["2026-10", "2026-11"])
    gamyeong(destroy, OUTPUT, "--period", "2026-10", *signing)
    state = gamyeong(destroy, "--due", "--show")[1]
    assert (state["state"], [one["state"] for one in state["all"]]) == ("waiting", ["approved", "waiting"])
    assert gamyeong(destroy, "--due", "--person", "한운영", "--approved")[0] == 5
    gamyeong(destroy, OUTPUT, "--period", "2026-11", *signing)
    code, told, _, _ = gamyeong(destroy, "--due", "--person", "한운영", "--approved")
    assert (code, told["verdict"]) == (0, "destroyed")
    assert {row["period"] for row in cases[0].published()} == {"2026-12"}
    assert gamyeong(destroy, "--due", *ASKED)[1]["verdict"] == "nothing"
    assert gamyeong(destroy, OUTPUT, "--due", "--show")[0] == 2


def test_what_does_not_exist_is_no_target(make_run: MakeRun) -> None:
    case = published(make_run, period="2026-10")
    with pytest.raises(BadInput, match=r"nothing of .* is published; published: period 2026-10 \(run [0-9a-f]+\)"):
        ask(case, target(case, "2025-01"))
    with pytest.raises(BadInput, match="begins the names of 0 runs"):
        target(case, run="ffff0000ffff0000")
    # a run's name alone never means all of its output
    assert find_target(case.environment, case.folder.run[:10], None, None).run == case.folder.run


@pytest.mark.parametrize("content", ["", "[" * 100_000, "[]", '{"releases": 5}', '{"releases": {"": {"run": 7}}}'])
def test_a_damaged_release_manifest_is_named(make_run: MakeRun, gamyeong: Run, content: str) -> None:
    case = published(make_run)
    release_manifest(case.environment, case.record).local.write_text(content)
    code, _, _, error = gamyeong(due, "--on", "2099-01-01")
    assert code == 2
    assert "retail.release.json is damaged: no release manifest" in error
