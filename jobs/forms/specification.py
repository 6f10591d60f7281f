"""가명정보 처리 기초자료 명세서: the base-data specification (ref. 9, guideline L3172-3187; filled in: L3473-3493)."""

from __future__ import annotations

from jobs.documents.model import Block, Cell, Row, Table, head
from jobs.forms.application import PURPOSES
from jobs.forms.facts import Facts, joined, span
from jobs.forms.purpose_plans import subjects
from transforms.sample_wording import sample_wording

TITLE = "가명정보 처리 기초자료 명세서"
AIMS = {
    "internal-same-department": "내부 이용",
    "internal-other-department": "내부 이용",
    "third-party": "제3자 제공",
}
PLACES = {"closed": "폐쇄된 환경에서 처리", "open": "처리 장소의 제한 없음"}


def specification(facts: Facts) -> tuple[Block, ...]:
    """The applicant's data, then the data's features, generation, provision and environment."""
    plan, said = facts.plan, facts.said
    aim = f"{PURPOSES[plan.purpose.kind]} 목적의 {AIMS[plan.use.form]}"
    about: list[Row] = [
        [head("신청 기관 정보", columns=4)],
        [head("기관명"), _wide(facts.applicant)],
        [head("주소"), _wide(said.applicant.address or "")],
        [head("데이터명"), said.data.name or "", head("평가 목적"), aim],
        [head("데이터 수집"), _wide(said.data.collection or "")],
        [head("이용 방법"), _wide(plan.purpose.statement)],
        [head("이용기간"), _wide(span(plan.use.from_, plan.use.until))],
    ]
    told = [
        ("데이터 특징", joined([said.data.features, _features(facts)])),
        ("데이터 생성 방법", joined([said.data.generation, _generation(facts)])),
        ("데이터 제공방법", said.data.provision or ""),
        ("데이터 관리 환경", joined([said.data.environment, PLACES[plan.use.place]])),
    ]
    data: list[Row] = [
        [head("데이터 명세", columns=3)],
        [head("번호"), head("구분"), head("검토사항")],
    ]
    data += [[Cell(str(number), align="middle"), name, text] for number, (name, text) in enumerate(told, 1)]
    return (Table(about, widths=(1.2, 2.4, 1.2, 2.4)), Table(data, head=2, widths=(0.6, 1.6, 5)))


def _features(facts: Facts) -> str:
    lines = []
    for one in facts.record.tables:
        table = facts.pipeline.tables.get(one.name)
        what = f"항목 {len(table.columns)}개" if table is not None else "집계표"
        lines.append(f"{one.name}: {what}, {one.rows:,}건")
    return "\n".join(lines)


def _generation(facts: Facts) -> str:
    sources = ", ".join(
        f"{one.table} (버전 {one.version}" + (f", {one.rows:,}건)" if one.rows is not None else ")")
        for one in facts.record.sources.values()
    )
    samples = {table.sample for table in facts.pipeline.tables.values()} - {None}
    drawn = [f"표본추출: {sample_wording(one, 'ko').level}" for one in samples if one is not None]
    return joined([f"원본: {sources}", *drawn, f"대상: {subjects(facts)}"])


def _wide(text: str) -> Cell:
    return Cell(text, columns=3)
