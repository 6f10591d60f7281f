"""가명정보 이용·제공 신청서: the application that asks for the data (guideline L4343-4360)."""

from __future__ import annotations

from jobs.documents.model import Block, Box, Cell, Content, Paragraph, Row, Table, boxes, head
from jobs.documents.words import listed
from jobs.forms.facts import BLANK, Facts, day, joined, span

TITLE = "가명정보 이용·제공 신청서"
PURPOSES = {
    "statistics": "통계작성",
    "scientific-research": "과학적 연구",
    "public-interest-archiving": "공익적 기록보존",
}
FORMS = ("내부이용", "제3자 제공", "결합전문기관을 통한 결합")
CONTROLLERS = ("동일 개인정보처리자", "제3자(제공받는 자) 제공")
ENVIRONMENTS = {"inside": "내부", "outside": "외부"}
PLACES = {"closed": "폐쇄 환경", "open": "제한없음"}
DELIVERIES = {"online": "온라인", "offline": "오프라인"}
INSIDE = {"internal-same-department": "동일부서", "internal-other-department": "타부서"}
OUTSIDE = "제3자, 결합전문기관 제공"
WIDTHS = (1.1, 1.6, 1.9, 1.2, 1.9)


def application(facts: Facts) -> tuple[Block, ...]:
    """The application's fields, in the form's order."""
    plan, said = facts.plan, facts.said
    asked, use, handing = said.applicant, plan.use, said.handing
    inside = use.form in INSIDE
    form = FORMS[2] if plan.combination is not None else FORMS[0 if inside else 1]
    where = handing.environment or (("inside",) if inside else ())
    organisation = joined([facts.applicant, asked.department], " / ")
    rows: list[Row] = [
        [head("접수번호"), _over(plan.application.number, 2), head("접수일"), day(plan.application.date_)],
        [head("신청자", rows=3), head("조직/부서명"), _over(organisation, 3)],
        [head("담당자 직위"), asked.position or "", head("담당자 성명"), asked.contact or ""],
        [head("전화번호"), asked.telephone or "", head("이메일주소"), asked.email or ""],
        _row("처리목적", (*boxes(PURPOSES.values(), [PURPOSES[plan.purpose.kind]]), "\n" + plan.purpose.statement)),
        _row("활용 형태", boxes(FORMS, [form])),
        _row("이용 주체", boxes(CONTROLLERS, [CONTROLLERS[0 if inside else 1]])),
        _row("처리 환경", boxes(ENVIRONMENTS.values(), [ENVIRONMENTS[one] for one in where])),
        _row("처리 장소", boxes(PLACES.values(), [PLACES[use.place]])),
        _row("반복 제공여부", _repeated(facts)),
        _row("제공 방법", boxes(DELIVERIES.values(), [DELIVERIES[one] for one in handing.delivery])),
        _row(
            "제공 받는 자",
            (
                "(내부)", *boxes(INSIDE.values(), [INSIDE[use.form]] if use.form in INSIDE else []),
                "(외부)", *boxes([OUTSIDE], [] if inside else [OUTSIDE]), "\n" + use.recipient,
            ),
        ),
        [head("신청 명세", rows=3), head("가명처리 대상 명칭"), _over(said.data.name or "", 3)],
        [head("데이터 내역"), _over(contents(facts), 3)],
        [head("가명정보 이용기간"), _over(span(use.from_, use.until), 3)],
    ]  # fmt: skip
    attached = "\n".join(f"{number}. {name}" for number, name in enumerate(said.attachments, 1))
    return (
        Table(rows, widths=WIDTHS),
        Paragraph("위와 같이 가명정보 이용·제공을 신청합니다.", "middle"),
        Paragraph(day(plan.application.date_), "middle"),
        Paragraph(f"신청인(부서장명)  {asked.head or ''}  (서명 또는 인)", "right"),
        Table([[head("첨부서류"), attached]], widths=(1, 5)),
    )


def contents(facts: Facts) -> str:
    """데이터 내역: the items by their labels, those of one rule as `first ~ last`."""
    tables = facts.by_table()
    names = []
    for table, found in tables.items():
        listing = listed(
            [one.label if one.first == one.last else f"{one.label} ~ {one.last_label}" for one in found], 40
        )
        names.append(f"{table}: {listing}" if len(tables) > 1 else listing)
    names += [f"{name}: 집계표" for name in facts.pipeline.aggregates]
    return "\n".join(names)


def _repeated(facts: Facts) -> tuple[Box, ...]:
    times = facts.said.handing.times
    labels = ("1회 제공", f"시계열 분석 등을 위한 반복 제공({times or BLANK}회 예정)")
    return boxes(labels, [labels[1 if facts.plan.periods() else 0]])


def _row(name: str, content: Content) -> Row:
    return [head(name), _over(content, 4)]


def _over(content: Content, columns: int) -> Cell:
    return Cell(content, columns=columns)
