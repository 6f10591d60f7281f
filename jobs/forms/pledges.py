"""비밀유지의무 서약서, 이해상충 서약서, 가명정보에 대한 안전조치 이행 약속서 (ref. 9, guideline L3231-3277)."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.conflicts import QUESTIONS
from jobs.decisions import Decision
from jobs.documents.model import Block, Box, Cell, Paragraph, Row, Table, head
from jobs.forms.facts import BLANK_DAY, Facts
from jobs.judging import CONFLICT as DECLARED

SECRECY_TITLE, CONFLICT_TITLE = "비밀유지의무 서약서", "이해상충 서약서"
UNDERTAKING_TITLE = "가명정보에 대한 안전조치 이행 약속서"
SECRECY = (
    "본인은 가명처리 적정성 검토와 관련한 활동으로 얻어진 모든 정보에 대하여 {organisation}의 허락 없이 외부에 "
    "공개하지 않을 것을 서약합니다.\n본 서식에 서명함으로써, 본인은 정보의 비밀을 지키기 위해 합당한 역할과 완전한 "
    "책임을 다 할 것에 동의합니다."
)
CONFLICT = (
    "본인은 상기 적정성 검토와 관련하여 아래와 같이 적정성 검토 대상 가명정보 및 가명정보 이용신청자와 이해관계가 "
    "없음을 서약합니다."
)
TRUE = (
    "본인이 확인한 모든 내용은 정확히 기술되었으며 만약 평가 진행 중에 의뢰기관에 대한 이해관계가 변동되는 "
    "이해상충이 생기는 경우 이를 인지한 날로부터 5영업일 이내에 {organisation}에 통지하겠습니다."
)
OBEYED = (
    "본 기관은 「개인정보 보호법」에서 규정하고 있는 가명정보에 대한 안전조치의무 등(제28조의4) 및 가명정보에 대한 "
    "안전성 확보 조치(시행령 제29조의5)를 성실히 이행하고 기타 관련 법령을 준수하였습니다."
)
LIABLE = "아울러, 이를 이행·준수하지 아니하여 발생하는 관련 법적 책임을 부담할 것을 약속합니다."
YES_NO = {"yes": "예", "no": "아니오"}


def secrecy(facts: Facts, reviewer: str | None) -> tuple[Block, ...]:
    """The pledge of secrecy; signed with the decision where that says so, else to be signed by hand."""
    signed = next((one for one in _said(facts, reviewer) if one.statement.get("pledge")), None)
    who = facts.identity(reviewer) if reviewer is not None else None
    rows: list[Row] = [
        [head("서명일"), facts.day(signed.field("at")) if signed is not None else BLANK_DAY],
        [head("소 속"), (who.organisation if who is not None else None) or ""],
        [head("성 명"), reviewer or ""],
        [head("서 명"), f"전자서명 {signed.field('key_id')}" if signed is not None else ""],
    ]
    organisation = facts.record.organisation
    return (
        Paragraph(SECRECY.format(organisation=organisation)),
        Table(rows, widths=(1, 3)),
        Paragraph(f"{organisation}장 귀하", "middle"),
    )


def conflicts(facts: Facts, reviewer: str | None) -> tuple[Block, ...]:
    """The six questions (L3245-3262) with the answers that were signed; where nobody answered, both boxes are empty."""
    answered = [one for one in _said(facts, reviewer) if one.statement.get("conflicts")]
    declared = [one for one in answered if one.field("kind") == DECLARED]  # stays, whatever was said before or after
    signed = next(iter(declared or answered), None)
    answers: Mapping[str, str] = signed.statement["conflicts"] if signed is not None else {}
    about: list[Row] = [
        [head("접수번호"), facts.record.application],
        [head("가명정보 이용신청자명"), facts.applicant],
        [head("적정성 검토 회의명"), facts.said.meeting or ""],
    ]
    asked: list[Row] = [
        [
            Cell(str(number), align="middle"),
            question,
            *(Cell(Box("", answers.get(str(number)) == answer), align="middle") for answer in YES_NO),
        ]
        for number, (question, _) in enumerate(QUESTIONS, 1)
    ]
    top: Row = [head(""), head("이해 관계 내용"), *(head(word) for word in YES_NO.values())]
    by = f"서약자 : {reviewer or ''}  " + (f"(전자서명 {signed.field('key_id')})" if signed is not None else "(인)")
    return (
        Table(about, widths=(1.6, 4)),
        Paragraph(CONFLICT),
        Table([top, *asked], head=1, widths=(0.5, 5.5, 0.8, 0.8)),
        Paragraph(TRUE.format(organisation=facts.record.organisation)),
        Paragraph(facts.day(signed.field("at")) if signed is not None else BLANK_DAY, "middle"),
        Paragraph(by, "right"),
    )


def undertaking(facts: Facts) -> tuple[Block, ...]:
    """The applicant's undertaking on safety measures, to be sealed by the applicant."""
    return (
        Paragraph(OBEYED),
        Paragraph(LIABLE),
        Paragraph(BLANK_DAY, "middle"),
        Paragraph("신청기관", "right"),
        Paragraph(f"{facts.applicant}  (직인)", "right"),
    )


def _said(facts: Facts, reviewer: str | None) -> list[Decision]:
    """A reviewer's statements, the newest first."""
    return facts.of(reviewer)[::-1] if reviewer is not None else []
