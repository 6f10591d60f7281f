"""Who decides (적정성 검토위원): how many and of which kind, without a conflict of interest, knowing earlier rounds."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.clock import stamp
from jobs.conflicts import QUESTIONS, answers
from jobs.decide import Vote, decide
from jobs.decisions import bound, save, statement
from jobs.difference import shown
from jobs.environment import Floor
from jobs.errors import BadInput, DataFailed, Refused, Waiting
from jobs.ledger import evidence_ledger
from jobs.pseudonymization import ledger_body
from jobs.reviewer import new_reviewer
from jobs.reviewers import Identity, load_reviewers
from jobs.signing import load_key
from jobs.sub_results import SUB_RESULTS, sub_results

from .conftest import Case, MakeRun, plan


def outsider(case: Case, name: str = "외부전문가", **more: Any) -> None:
    """Pins an external expert, whose key the case then holds."""
    path = case.environment.file.parent / f"{name}.pem"
    new_reviewer(case.environment, name, path, None, Identity("external", "한국대학교", "교수", **more))
    case.keys[name] = load_key(path)


def test_a_floor_asks_for_external_reviewers(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    case = make_run()
    monkeypatch.setattr(type(case.environment), "floor", lambda *_: Floor(k=None, reviewers=3, external=1))
    with pytest.raises(Refused, match="1 external reviewer"):
        case.publish()
    outsider(case)
    case.approve()
    with pytest.raises(Waiting, match=r"1 more decision\(s\) by external reviewers"):
        case.publish()
    case.vote("외부전문가")
    case.publish()
    assert case.published()


def test_a_plan_asks_for_external_reviewers_as_well(make_run: MakeRun) -> None:
    case = make_run(adequacy={"reviewers": 3, "external": 1})
    outsider(case)
    case.approve()
    with pytest.raises(Waiting, match="by external reviewers"):
        case.publish()


def test_the_chair_is_one_of_those_who_must_approve(make_run: MakeRun) -> None:
    people = {**plan()["people"], "chair": "외부전문가"}
    case = make_run(people=people)
    outsider(case)
    case.approve()
    with pytest.raises(Waiting, match="the decision of 외부전문가, who leads the review"):
        case.publish()
    case.vote("외부전문가")
    case.publish()
    assert case.published()


def test_who_has_a_conflict_of_interest_does_not_decide(make_run: MakeRun) -> None:
    case = make_run().approve()
    made = decide(case.folder, "김검토", case.keys["김검토"], Vote(conflicts=(3,)), clock=lambda: case.now)
    assert made.statement["conflicts"] == {"1": "no", "2": "no", "3": "yes", "4": "no", "5": "no", "6": "no"}
    # the approval before it counts no more, and nobody else may decide
    with pytest.raises(Waiting, match=r"1 more decision.* by nobody left; `gamyeong reviewer new`"):
        case.publish()
    with pytest.raises(Refused, match="김검토 declared a conflict of interest"):
        case.vote("김검토")
    assert "김검토: has a conflict of interest" in shown(case.folder, lambda: case.now)
    outsider(case)
    case.vote("외부전문가")
    case.publish()
    assert case.published()


def test_a_conflict_stays_when_the_documents_change(make_run: MakeRun) -> None:
    case = make_run()
    decide(case.folder, "김검토", case.keys["김검토"], Vote(conflicts=(1,)), clock=lambda: case.now)
    (case.folder.report / "index.html").local.write_text("another report")
    case.enter()
    outsider(case)
    for name in ("이검토", "박검토"):
        case.vote(name)
    with pytest.raises(Waiting, match=r"by 외부전문가$"):
        case.publish()


@pytest.mark.parametrize("said", [{}, {"conflicts": answers((2,))}, {"conflicts": "none"}, {"conflicts": {"1": "no"}}])
def test_an_approval_without_all_answers_does_not_count(make_run: MakeRun, said: dict[str, Any]) -> None:
    """Such as one that was signed past `decide`, or by an earlier version of it."""
    case = make_run()
    head = evidence_ledger(case.environment, write=False).head()
    vote = {"kind": "decision", "outcome": "approved", "conditions": [], "reason": "", **said}
    binding, at = bound(case.folder, case.record), "2026-01-05T12:00:00Z"
    signed = statement("김검토", case.keys["김검토"], binding, head, at, vote)
    save(case.folder.decisions, signed, case.keys["김검토"])
    with pytest.raises(Refused, match="does not answer the questions on conflict of interest"):
        case.publish()


def test_a_vote_beside_a_conflict_is_told(make_run: MakeRun) -> None:
    case = make_run()
    with pytest.raises(BadInput, match="leave --outcome"):
        case.vote("김검토", conflicts=(1,))
    assert list(case.folder.decisions.local.glob("*")) == []


def test_the_second_round_knows_the_first(make_run: MakeRun) -> None:
    first = make_run(fingerprint="1" * 64)
    first.vote("이검토", "rejected", reason="연령 구간이 너무 좁음", insufficient=("method", "risk"))
    with pytest.raises(DataFailed, match="rejected by 이검토"):
        first.publish()
    columns = {"serial": {"label": "고객번호"}, "age": {"label": "연령대"}, "sex": {}}
    second = make_run(fingerprint="2" * 64, columns=columns)
    text = shown(second.folder, lambda: second.now)
    assert f"round 1: run {first.folder.run} was rejected by 이검토 on 2026-01-05: 연령 구간이 너무 좁음" in text
    assert "(insufficient: method, risk)" in text
    assert "plan.columns.age.label: 연령 → 연령대" in text
    other = make_run(fingerprint="3" * 64, period="2026-01")  # another matter
    assert "earlier rounds: none was rejected" in shown(other.folder, lambda: other.now)


def test_an_unsigned_rejection_is_no_round(make_run: MakeRun) -> None:
    """Only what the ledger holds is told: nobody can slip in a reason."""
    first = make_run(fingerprint="1" * 64)
    first.vote("이검토", "rejected", reason="너무 좁음")
    with pytest.raises(DataFailed):
        first.publish()
    for file in first.folder.decisions.local.glob("*.json"):
        file.write_text(file.read_text().replace("너무 좁음", "아주 좋음"))
    assert "아주 좋음" not in shown(make_run(fingerprint="2" * 64).folder, lambda: first.now)


def test_sub_results_are_the_sheets_six_and_fit_an_approval() -> None:
    assert len(SUB_RESULTS) == 6
    assert set(sub_results((), "approved").values()) == {"fit"}
    assert sub_results(("utility",), "rejected")["utility"] == "insufficient"
    with pytest.raises(BadInput, match="allowed: --outcome conditional, or rejected"):
        sub_results(("utility",), "approved")
    with pytest.raises(BadInput, match="no sub-result useful; allowed: purpose, items"):
        sub_results(("useful",), "rejected")


def test_a_list_of_reviewers_from_before_kinds_is_read(make_run: MakeRun) -> None:
    case = make_run()
    assert {one.kind for one in load_reviewers(case.environment)} == {"internal"}
    path = case.environment.reviewers
    path.write_text(path.read_text().replace('"internal"', '"friend"', 1))
    with pytest.raises(BadInput, match="kind \\(internal or external\\)"):
        load_reviewers(case.environment)


def test_there_are_six_questions() -> None:
    assert len(QUESTIONS) == len(answers(())) == 6
    assert all(korean and english.endswith("?") for korean, english in QUESTIONS)


def test_a_small_organisations_exception_stands_in_the_ledger(make_run: MakeRun) -> None:
    people = {**plan()["people"], "small_organisation": "상시 근로자 3명"}
    case = make_run(people=people)
    assert ledger_body(case.folder, case.record)["small_organisation"] == "상시 근로자 3명"
    assert "small_organisation" not in ledger_body(make_run(fingerprint="2" * 64).folder, case.record)


UNSEEN = ("\u3164", "\ufe0f", "\u034f", "\u115f", "\u2800", "\uffa0", "\U000e0101")


@pytest.mark.parametrize(
    "spelled", ["김 검토", " 김검토", "\u1100\u1175\u11b7검토", "김\u200b검토", *(f"김{one}검토" for one in UNSEEN)]
)
def test_one_person_has_one_key_however_the_name_is_written(make_run: MakeRun, spelled: str) -> None:
    case = make_run()
    with pytest.raises(Refused, match="has a key already"):
        new_reviewer(case.environment, spelled, case.environment.file.parent / "second.pem")


def test_an_operator_does_not_decide_however_the_name_is_written(make_run: MakeRun) -> None:
    case = make_run(people={**plan()["people"], "operator": "김 검토"})
    with pytest.raises(Refused, match="author, operator, processor or user"):
        case.vote("김검토")


def test_the_closing_of_a_condition_is_no_decision(make_run: MakeRun) -> None:
    """One who signs by hand can't approve without an answer about conflicts by calling it a closing."""
    case = make_run()
    case.vote("박검토")
    case.vote("이검토")
    ledger = evidence_ledger(case.environment, lambda: case.now)
    said = {"kind": "close", "condition": "00000000", "outcome": "approved", "reason": ""}
    key = case.keys["김검토"]
    signed = statement("김검토", key, bound(case.folder, case.record), ledger.head(), stamp(case.now), said)
    ledger.append("decision", save(case.folder.decisions, signed, key).entry(case.folder.run))
    with pytest.raises(Waiting, match="1 more decision"):
        case.publish()
