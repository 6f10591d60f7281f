"""적정성 검토 결과서(위원용) and 적정성 검토 종합결과서 (ref. 9, guideline L3189-3229), from signed decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.decisions import Decision
from jobs.documents.model import Block, Box, Cell, Content, Paragraph, Row, Table, boxes, head
from jobs.forms.facts import BLANK_DAY, Facts
from jobs.judging import CONFLICT
from jobs.sub_results import FIT, INSUFFICIENT, SUB_RESULTS
from transforms.persons import person

SHEET_TITLE, OVERALL_TITLE = "적정성 검토 결과서(위원용)", "적정성 검토 종합결과서"
STAGES = {"new": "신규", "supplement": "보완"}
RESULTS = {"approved": "적정(승인)", "conditional": "조건부 승인", "rejected": "부적정(반려)"}
FITNESS = {FIT: "적합", INSUFFICIENT: "미흡"}
OPEN = "보완 전"
NOTE = "※ 검토 결과가 조건부 승인인 경우 보완사항을 부적정인 경우 사유를 상세히 기재"
NOTICE = "위와 같이 적정성 검토 결과를 통지합니다."
# 위원장, two 검토위원, the privacy officer: at least three reviewers sign
SEATS = 2


def sheet(facts: Facts, reviewer: str | None) -> tuple[Block, ...]:
    """One reviewer's sheet; None: an empty one, to be filled in by hand."""
    said = facts.of(reviewer) if reviewer is not None else []
    last = _last(said)
    who = facts.identity(reviewer) if reviewer is not None else None
    results: Mapping[str, str] = last.statement.get("sub_results") or {} if last is not None else {}
    details: list[Row] = []
    for place, (name, (label, _)) in enumerate(SUB_RESULTS.items()):
        ticks = boxes(FITNESS.values(), [FITNESS[results[name]]] if results.get(name) in FITNESS else [])
        first = [head("세부결과", rows=len(SUB_RESULTS))] if place == 0 else []
        details.append([*first, Cell(label, columns=4), Cell(ticks, columns=2)])
    rows: list[Row] = [
        [head("접수번호"), _wide(facts.record.application)],
        [
            head("검토위원 정보"), head("성명"), reviewer or "", head("소속"),
            (who.organisation if who is not None else None) or "", head("직위"),
            (who.position if who is not None else None) or "",
        ],
        [head("검토 대상"), _wide(_stage(facts))],
        [head("검토 일자"), _wide(_days(facts, said))],
        [head("최종검토결과"), _wide(_outcome(last.field("outcome") if last is not None else None))],
        *details,
        [head("종합검토의견"), _wide("\n".join(_opinions(said)) or NOTE)],
    ]  # fmt: skip
    return (
        Table(rows, widths=(1.5, 0.8, 1.5, 0.8, 2, 0.8, 1.5)),
        Paragraph(NOTICE, "middle"),
        Paragraph(facts.day(last.field("at")) if last is not None else BLANK_DAY, "middle"),
        Table([[head("서명란"), _signed(last, reviewer)]], widths=(1, 4)),
    )


def overall(facts: Facts) -> tuple[Block, ...]:
    """The overall result: what the decisions say together, and who signs it."""
    said, outcome = facts.statements, overall_outcome(facts)
    opinions = []
    for name in facts.reviewers():
        opinions += [f"{name}: {line}" for line in _opinions(facts.of(name))]
    rows: list[Row] = [
        [head("이용신청 접수번호"), facts.record.application],
        [head("검토 대상"), _stage(facts)],
        [head("검토 일자"), _days(facts, said)],
        [head("최종검토결과"), _outcome(outcome)],
        [head("종합검토의견"), "\n".join(opinions)],
    ]
    return (
        Table(rows, widths=(1.4, 5)),
        Paragraph(NOTICE, "middle"),
        Paragraph(facts.day(said[-1].field("at")) if outcome is not None else BLANK_DAY, "middle"),
        _signatures(facts),
    )


def overall_outcome(facts: Facts) -> str | None:
    """What the decisions say together: rejected if one rejects; conditional or approved if those approve who must
    (so many, the external ones and the chair among them); None while somebody is missing."""
    last = {person(name): one for name in facts.reviewers() if (one := _last(facts.of(name))) is not None}
    if "rejected" in [one.field("outcome") for one in last.values()]:
        return "rejected"
    external = {person(one.name) for one in facts.pinned if one.kind == "external"}
    chair = facts.plan.people.chair
    enough = len(last) >= facts.required and len(external & last.keys()) >= facts.required_external
    if not enough or (chair is not None and person(chair) not in last):
        return None
    open_ = any(state == OPEN for name in facts.reviewers() for _, state in _conditions(facts.of(name)))
    return "conditional" if open_ or "conditional" in [one.field("outcome") for one in last.values()] else "approved"


def _last(said: Sequence[Decision]) -> Decision | None:
    """A reviewer's judgement: a rejection, else the newest; none of who declared a conflict of interest."""
    if any(one.field("kind") == CONFLICT for one in said):
        return None
    judged = [one for one in said if one.field("kind") == "decision"]
    return next((one for one in judged if one.field("outcome") == "rejected"), judged[-1] if judged else None)


def _opinions(said: Sequence[Decision]) -> list[str]:
    """The reason of a reviewer's newest judgement, and all of their conditions, each with whether it was met."""
    last = _last(said)
    if last is None:
        return []
    lines = [last.field("reason")] if last.field("reason") else []
    return lines + [f"보완사항: {text} ({state})" for text, state in _conditions(said)]


def _conditions(said: Sequence[Decision]) -> list[tuple[str, str]]:
    """All conditions of a reviewer, of earlier judgements too (only closing one ends it), and whether each was met."""
    if _last(said) is None:
        return []
    closed = {one.field("condition") for one in said if one.field("kind") == "close"}
    asked = [condition for one in said if one.field("kind") == "decision" for condition in one.conditions]
    return [(one["text"], "보완 확인" if one["id"] in closed else OPEN) for one in asked]


def _signatures(facts: Facts) -> Table:
    people = facts.plan.people
    names = facts.reviewers()
    chair = next((name for name in names if people.chair and person(name) == person(people.chair)), people.chair)
    others = [name for name in names if chair is None or person(name) != person(chair)]
    seats = [("위원장", chair), *(("검토위원", name) for name in others)]
    seats += [("검토위원", None)] * (SEATS - len(others))
    seats.append(("사내 개인정보보호 책임자", people.privacy_officer))
    top: Row = [head("서명란", rows=2), *(head(role) for role, _ in seats)]
    bottom: Row = [_seat(facts, name) for _, name in seats]
    return Table([top, bottom], widths=(0.8, *([1.4] * len(seats))))


def _seat(facts: Facts, name: str | None) -> Cell:
    last = _last(facts.of(name)) if name is not None else None
    return Cell(_signed(last, name or "이름"), align="middle")


def _signed(last: Decision | None, name: str | None) -> Content:
    """The name, and the key that signed; a place for a seal where nobody signed."""
    if last is None:
        return f"{name or ''} (인)"
    return f"{name}\n전자서명 {last.field('key_id')}"


def _stage(facts: Facts) -> tuple[Box, ...]:
    return boxes(STAGES.values(), [STAGES[facts.plan.application.stage]])


def _outcome(outcome: str | None) -> tuple[Box, ...]:
    return boxes(RESULTS.values(), [RESULTS[outcome]] if outcome is not None else [])


def _days(facts: Facts, said: Sequence[Decision]) -> str:
    """The days of the first and the last signature."""
    days = [facts.day(one.field("at")) for one in said] or [BLANK_DAY]
    return f"{days[0]} ~ {days[-1]}"


def _wide(content: Content) -> Cell:
    return Cell(content, columns=6)
