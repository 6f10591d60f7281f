"""Which forms a run has, in the order of the guideline's four steps, then its ledgers (대장)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from jobs.documents.model import Block, Cell, Document, Inline, Link, Paragraph, Row, Table, head
from jobs.forms import application, internal_plan, items, ledgers, pledges, purpose_plans, reviews, specification
from jobs.forms import unstructured as unstructured_form
from jobs.forms.facts import Facts

Whole = Callable[[Facts], tuple[Block, ...]]
Personal = Callable[[Facts, str | None], tuple[Block, ...]]

# The page that leads to all of them.
INDEX, INDEX_TITLE = "index", "서식 목록"
# Each run has one of these (the purpose plan's title is that of its purpose) …
FIRST: tuple[tuple[str, str, Whole, str], ...] = (
    ("01-application", application.TITLE, application.application,
     "가명정보를 이용하거나 제공받으려는 자의 신청(가이드라인 L4343)"),
    ("02-purpose-plan", "", purpose_plans.purpose_plan,
     "처리 목적을 설명하는 계획: 통계작성, 과학적 연구, 공익적 기록보존 중 하나(L2923)"),
    ("03-undertaking", pledges.UNDERTAKING_TITLE, pledges.undertaking,
     "가명정보를 받는 자의 안전조치 약속(L3267)"),
    ("04-item-types", items.TYPES_TITLE, items.types,
     "항목별 개인정보 유형의 분류(L3124)"),
    ("05-required-levels", items.LEVELS_TITLE, items.levels,
     "활용에 필요한 항목별 수준(L3148)"),
    ("06-item-plan", items.PLAN_TITLE, items.item_plan,
     "항목별 가명처리 방법과 수준(L3544)"),
    ("07-base-data", specification.TITLE, specification.specification,
     "적정성 검토에 제출하는 기초자료의 명세(L3172)"),
)  # fmt: skip
# … one of these for each reviewer (no result of who declared a conflict of interest) …
EACH: tuple[tuple[str, str, Personal, str], ...] = (
    ("08-secrecy", pledges.SECRECY_TITLE, pledges.secrecy,
     "검토위원의 비밀유지 서약(L3231)"),
    ("09-conflict-of-interest", pledges.CONFLICT_TITLE, pledges.conflicts,
     "검토위원의 이해상충 확인(L3245)"),
    ("10-reviewer", reviews.SHEET_TITLE, reviews.sheet,
     "검토위원 한 사람의 적정성 검토 결과(L3189)"),
)  # fmt: skip
# … and again one of these.
LAST: tuple[tuple[str, str, Whole, str], ...] = (
    ("11-overall-result", reviews.OVERALL_TITLE, reviews.overall,
     "모든 위원의 결과를 모은 종합 판정(L3211)"),
    ("12-internal-plan", internal_plan.TITLE, internal_plan.internal_plan,
     "가명정보의 안전한 관리를 위한 내부 관리계획(L3066)"),
    ("13-processing-ledger", ledgers.PROCESSING_TITLE, ledgers.processing,
     "가명정보의 처리와 제공의 기록(L1773)"),
    ("14-access-rights", ledgers.ACCESS_TITLE, ledgers.access,
     "접근권한의 부여·변경·말소 기록(L1754)"),
    ("15-destruction-data", ledgers.DATA_TITLE, ledgers.destroyed_data,
     "가명정보의 파기 기록(L3279)"),
    ("16-destruction-additional", ledgers.ADDITIONAL_TITLE, ledgers.destroyed_additional,
     "추가정보의 파기 기록(L3293)"),
)  # fmt: skip
UNSTRUCTURED = ("17-unstructured", unstructured_form.TITLE, unstructured_form.unstructured,
                "비정형데이터를 육안 등으로 검증한 결과(L3307)")  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A form of a run: its name (of files, without ending), what it is for, and what it holds."""

    name: str
    what: str
    document: Document


def forms(facts: Facts) -> Iterator[Form]:
    """Every form of a run. Where nobody has decided or is named, reviewers' forms are empty ones."""
    for name, title, make, what in FIRST:
        yield Form(name, what, _document(facts, title or purpose_plans.title(facts), make(facts)))
    reviewers: list[str | None] = [*facts.reviewers()] or [None]
    for name, title, make_for, what in EACH:
        for number, reviewer in enumerate(reviewers, 1):
            if make_for is reviews.sheet and reviewer is not None and facts.declared_conflict(reviewer):
                continue  # they said so in form 09, and judge nothing
            yield Form(f"{name}-{number}", what, _document(facts, title, make_for(facts, reviewer)))
    last = (*LAST, UNSTRUCTURED) if facts.said.unstructured is not None else LAST
    for name, title, make, what in last:
        yield Form(name, what, _document(facts, title, make(facts)))


def index(facts: Facts, every: Sequence[Form]) -> Document:
    """The page that leads to all forms: each with its heading, what it is for, and its files."""
    rows: list[Row] = [[head(text) for text in ("번호", "서식", "용도", "파일")]]
    for one in every:
        files = (Link("HTML", f"{one.name}.html"), Link("DOCX", f"{one.name}.docx"))
        number = one.name.split("-", 1)[0]
        named: tuple[Inline, ...] = (Link(one.document.title, f"{one.name}.html"), *_whose(one))
        rows.append([Cell(number, align="middle"), named, one.what, Cell(files, align="middle")])
    note = f"{len(every)}종. 변경·누락 여부는 `gamyeong documents verify {facts.record.run}`로 확인"
    return _document(facts, INDEX_TITLE, (Paragraph(note), Table(rows, head=1, widths=(0.7, 4, 5, 1.4))))


def _whose(form: Form) -> tuple[str, ...]:
    """Of a reviewer's form, which reviewer's it is, by number."""
    number = form.name.rsplit("-", 1)[1]
    return (f"(위원 {number})",) if number.isdigit() else ()


def _document(facts: Facts, title: str, blocks: tuple[Block, ...]) -> Document:
    record = facts.record
    about = (("plan", record.plan), ("run", record.run), ("fingerprint", record.fingerprint))
    if record.limit is not None:
        blocks = (Paragraph(f"시험 실행({record.limit:,}명)의 서식: 제공할 수 없음", note=True), *blocks)
    return Document(title, "ko", blocks, about, record.finished)
