"""비정형데이터 대상 가명처리 결과에 대한 자체 검증 결과서 (ref. 10, guideline L3307-3323)."""

from __future__ import annotations

from jobs.documents.model import Block, Cell, Row, Table, head
from jobs.forms.facts import Facts, span
from transforms.plan_documents import Unstructured

TITLE = "비정형데이터 대상 가명처리 결과에 대한 자체 검증 결과서"


def unstructured(facts: Facts) -> tuple[Block, ...]:
    """What those who looked at processed images, sounds or texts found, as the plan tells it."""
    said = facts.said.unstructured
    return (Table(_rows(said), widths=(1.4, 1.8, 2, 2)),) if said is not None else ()


def _rows(said: Unstructured) -> list[Row]:
    about = [
        ("개요", said.summary),
        ("데이터 유형", said.kinds),
        ("원본 데이터 형식\n(파일 포맷)", said.source_formats),
        ("처리 결과 데이터 형식\n(파일 포맷)", said.result_formats),
        ("데이터 규모", said.scale),
        ("데이터 크기(용량)", said.size),
        ("대상 데이터 항목명", said.items),
        ("가명처리 적용 기술", said.technique),
    ]
    rows: list[Row] = [
        [
            *([head("검증 대상 데이터 명세", rows=len(about))] if place == 0 else []),
            head(name),
            Cell(text, columns=2),
        ]
        for place, (name, text) in enumerate(about)
    ]
    rows += [
        [head(name), Cell(text, columns=3)]
        for name, text in (
            ("자체 검증 기간", span(said.from_, said.until)),
            ("자체 검증 장소", said.place),
            ("자체 검증 과정 및 방법", said.method),
            ("자체 검증 결과", said.result),
        )
    ]
    rows.append([head("자체 검증자", rows=1 + len(said.verifiers)), *(map(head, ("소속 및 직위", "성명", "서명(인)")))])
    rows += [[one.affiliation, one.name, ""] for one in said.verifiers]
    return rows
