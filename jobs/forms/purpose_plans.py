"""통계작성 계획서, 과학적 연구 계획서, 공익적 기록보존 계획서 (ref. 5, guideline L2923-2955): the one that fits."""

from __future__ import annotations

from jobs.documents.model import Block, Cell, Paragraph, Row, Table, head
from jobs.forms.facts import Facts, joined, span

TITLES = {
    "statistics": "통계작성 계획서",
    "scientific-research": "과학적 연구 계획서",
    "public-interest-archiving": "공익적 기록보존 계획서",
}
ENCLOSED = {
    "statistics": "붙임. 상세 통계작성 계획서 등",
    "scientific-research": "붙임. 상세 연구계획서 등",
    "public-interest-archiving": "붙임. 상세 계획서 등",
}
WIDTHS = (1.4, 1, 4)


def title(facts: Facts) -> str:
    """The form's name, by the purpose."""
    return TITLES[facts.plan.purpose.kind]


def purpose_plan(facts: Facts) -> tuple[Block, ...]:
    """The plan's fields, in the order of the form of its purpose."""
    kind = facts.plan.purpose.kind
    rows = {
        "statistics": _statistics,
        "scientific-research": _research,
        "public-interest-archiving": _archiving,
    }[kind](facts)
    return (Table(rows, widths=WIDTHS), Paragraph(ENCLOSED[kind]))


def _statistics(facts: Facts) -> list[Row]:
    said = facts.said.plan
    return [
        _row("통계명", said.title),
        [head("대표 참여진", rows=2), head("소속"), facts.applicant],
        [head("담당자명"), said.person or ""],
        _row("통계작성 배경 및 목적", _purpose(facts)),
        _row("통계작성 대상자 수", subjects(facts)),
        _row("통계작성 계획 및 방법", said.method),
        _row("기대효과 및 활용방안", said.effect),
    ]


def _research(facts: Facts) -> list[Row]:
    said, use = facts.said.plan, facts.plan.use
    return [
        _row("연구명", said.title),
        [head("연구진", rows=2), head("소속"), facts.applicant],
        [head("연구책임자"), said.person or ""],
        _row("연구 배경 및 목적", _purpose(facts)),
        _row("예상 연구 기간", span(use.from_, use.until)),
        _row("연구 대상자 수", subjects(facts)),
        _row("연구 방법", said.method),
        _row("연구내용", said.content),
        _row("기대효과 및 활용방안", said.effect),
    ]


def _archiving(facts: Facts) -> list[Row]:
    said = facts.said.plan
    return [
        _row("공익적 기록보존명", said.title),
        [head("대표 참여진\n(기록보관 기관)", rows=2), head("보관기관명"), said.keeper or ""],
        [head("담당자명"), said.person or ""],
        _row("공익적 기록보존 목적", _purpose(facts)),
        _row("보존기간", said.retention),
        _row("공익적 기록보존 방법", said.method),
        _row("내용", said.content),
        _row("기대효과 및 활용방안", said.effect),
    ]


def subjects(facts: Facts) -> str:
    """대상자 수: persons drawn, of how many; rows where no subject is counted."""
    lines = []
    found = facts.record.counts.get("tables", {})
    for table in facts.record.tables:
        counts = found.get(table.name, {})
        there, drawn = counts.get("subjects"), counts.get("drawn")
        told = f"{table.rows:,}건 제공"
        if there is not None:
            whole = f"{there:,}명"
            told = f"{whole} 중 {drawn:,}명 추출, {told}" if drawn not in (None, there) else f"{whole}, {told}"
        lines.append(f"{table.name}: {told}" if len(facts.record.tables) > 1 else told)
    return "\n".join(lines)


def _purpose(facts: Facts) -> str:
    return joined([facts.said.plan.background, facts.plan.purpose.statement])


def _row(name: str, text: str | None) -> Row:
    return [head(name), Cell(text or "", columns=2)]
