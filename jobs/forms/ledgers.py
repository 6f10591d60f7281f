"""Ledgers (대장) that the guideline asks for, as the signed ledger tells of the run."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.destruction import DESTROYED, PART, WHOLE
from jobs.documents.model import Block, Cell, Paragraph, Row, Table, head
from jobs.forms.application import contents
from jobs.forms.facts import BLANK_DAY, Facts, span
from jobs.processing import processing_fields, processing_lines
from transforms.persons import person

PROCESSING_TITLE = "가명정보 처리 관리 대장"
ACCESS_TITLE = "가명정보처리시스템 접근권한 부여·변경·말소 내역"
DATA_TITLE, ADDITIONAL_TITLE = "가명정보 파기대장", "추가정보 파기대장"
# the printed forms have ten lines
LINES = 10
KEYS = {"reviewer-new": "부여", "reviewer-revoke": "말소"}
REASONS = {"rejected": "적정성 검토 결과 부적정(반려)", "published": "가명정보 제공 완료, 추가정보 불필요"}
DATA_METHODS = {
    WHOLE: "테이블 파일 전체(이력 포함) 덮어쓰기 후 영구 삭제",
    PART: "해당 파일 덮어쓰기 후 영구 삭제, 이력의 통계값 제거",
}
METHOD = "실행별 비밀값 삭제(암호키 파기) 및 추가정보 파일 삭제"


def processing(facts: Facts) -> tuple[Block, ...]:
    """The processing ledger (L1773-1784): the line that publish entered, or what is known before."""
    entered = processing_lines(facts.entries)
    line = entered[-1] if entered else processing_fields(facts.record, facts.canonical, [], [])
    use = facts.plan.use
    history = [
        f"① 책임자: {line['responsible'] or ''}",
        f"② 가명정보 및 추가정보를 처리하는자: {', '.join(line['handlers'])}",
        f"③ 가명처리 일시: {facts.day(line['processed_at'])}",
        f"④ 이용방법: {line['manner']}",
    ]
    told = [
        ("이용신청 접수번호", line["application"]),
        ("가명정보의 처리 목적", line["purpose"]),
        ("가명처리한 개인정보의 항목", contents(facts)),
        ("가명정보의 이용내역", "\n".join(history)),
        ("제공받는 자\n(제3자 제공시)", line["recipient"] or ""),
        ("관련 파일명", "\n".join(line["files"])),
        ("가명정보 이용기간", span(use.from_, use.until)),
        ("가명정보 파기일자", facts.day(line["destroyed_on"]) if line["destroyed_on"] else BLANK_DAY),
        ("대장 기록자", f"{line['recorder'] or ''} (인)"),
        ("기록 확인자", f"{line['checker'] or ''} (인)"),
    ]
    rows: list[Row] = [[head("구분"), head("내용")], *([head(name), text] for name, text in told)]
    return (Table(rows, head=1, widths=(1.6, 5)),)


def access(facts: Facts) -> tuple[Block, ...]:
    """Rights that the ledger tells of (L1754): additional information while it was there, the release, reviewers' keys.

    Who gave a right is not known to any run, and stays a blank.
    """
    people, use = facts.plan.people, facts.plan.use
    handlers = list(dict.fromkeys(name for name in (people.operator, *people.processors) if name))
    rows: list[Row] = []
    spans = (
        ("pseudonymize", "부여", handlers, "추가정보 처리(가명처리 수행)"),
        ("destroy", "말소", handlers, "추가정보 처리(추가정보 파기)"),
        ("publish", "부여", list(people.users) or [use.recipient], "가명정보 이용"),
        (DESTROYED, "말소", list(people.users) or [use.recipient], "가명정보 이용(가명정보 파기)"),
    )
    for kind, change, names, right in spans:
        for entry in facts.entered(kind)[:1]:
            rows += [[name, right, _middle(change), _middle(facts.day(entry.at)), ""] for name in names]
    reviewers = {person(name) for name in facts.reviewers()}
    for entry in facts.pins:
        name = entry.content()["name"]
        if person(name) in reviewers:
            rows.append([name, "적정성 검토(서명키)", _middle(KEYS[entry.type]), _middle(facts.day(entry.at)), ""])
    top: Row = [head(name) for name in ("성명(기관)", "접근권한", "부여·변경·말소", "일자", "처리자")]
    return (
        Table([top, *rows], head=1, widths=(1.6, 2.4, 1.2, 1.4, 1.4)),
        Paragraph("이 기록은 최소 3년간 보관한다.", note=True),
    )


def destroyed_data(facts: Facts) -> tuple[Block, ...]:
    """The destruction ledger of pseudonymized data (ref. 10, L3279-3291), from what `gamyeong destroy` entered."""
    found = []
    for entry in facts.entered(DESTROYED):
        body = entry.content()
        names = [body[role] or "" for role in ("requester", "performer", "confirmer")]
        method = DATA_METHODS[body["method"]]
        found.append([body["application"], body["reason"], facts.day(entry.at), method, *names])
    return _destruction("가명정보", found)


def destroyed_additional(facts: Facts) -> tuple[Block, ...]:
    """The destruction ledger of additional information (ref. 10, L3293-3305), from what the jobs entered."""
    found = []
    for entry in facts.entered("destroy"):
        body = entry.content()
        reason = next((text for begin, text in REASONS.items() if body["reason"].startswith(begin)), body["reason"])
        names = [body[role] or "" for role in ("requester", "performer", "confirmer")]
        found.append([body["application"], reason, facts.day(entry.at), METHOD, *names])
    return _destruction("추가정보", found)


def _destruction(what: str, found: Sequence[Sequence[str]]) -> tuple[Block, ...]:
    names = (
        "일련\n번호", "가명정보 이용\n신청번호", "파기 사유", f"{what}\n파기일자", f"{what}\n파기 방법",
        "파기 신청자", "파기 수행자", "파기 확인자",
    )  # fmt: skip
    lines = [*found, *([""] * 7 for _ in range(LINES - len(found)))]
    rows: list[Row] = [[_middle(str(number)), *line] for number, line in enumerate(lines, 1)]
    return (Table([[head(name) for name in names], *rows], head=1, widths=(0.7, 1.5, 2, 1.4, 2, 1.2, 1.2, 1.2)),)


def _middle(text: str) -> Cell:
    return Cell(text, align="middle")
