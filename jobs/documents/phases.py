"""The phases of a run (처리 순서) in words, as the plan page prints them: always the same eight."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.documents.views import Table
from jobs.documents.words import listed
from jobs.runs import RunRecord
from transforms.technique import Language, Wording

MOST_NAMES = 40


@dataclass(frozen=True)
class Phase:
    """One phase and what the plan does in it; no line: nothing."""

    name: str
    lines: tuple[Wording, ...]


def phases(table: Table, record: RunRecord, language: Language) -> list[Phase]:
    """The eight phases of one table, in their order."""

    def t(korean: str, english: str) -> str:
        return korean if language == "ko" else english

    pipeline = table.pipeline
    stops = ", ".join(one.table for one in record.stops.values())
    columns = t(f"항목 {len(pipeline.chains)}개, 아래 표", f"{len(pipeline.chains)} columns, table below")
    derived = t(f"항목 {len(pipeline.derived)}개, 아래 표", f"{len(pipeline.derived)} columns, table below")
    serial = t("키에 따른 무작위 순서", "keyed random order")
    if pipeline.has_serial:
        serial += t("의 일련번호", ", serial numbers in it")
    return [
        Phase(
            t("처리정지 요구 제외", "stop requests"),
            (Wording(t("정보주체 제외", "persons left out"), stops),) if stops else (),
        ),
        Phase(
            t("항목 선택", "selection"),
            (Wording(t("선택하지 않음", "not selected"), listed(pipeline.excluded, MOST_NAMES)),)
            if pipeline.excluded
            else (),
        ),
        Phase(t("표본추출", "sampling"), (table.sample,) if table.sample else ()),
        Phase(t("행 단위 처리", "row rules"), table.row_rules),
        Phase(
            t("항목별 처리", "column techniques"),
            (Wording(columns, t("경계값은 위 단계 뒤에 남은 대상에서 측정", "cut-offs are measured on what remains")),),
        ),
        Phase(t("특이정보 처리", "outlier rules"), tuple(one.words for one in table.outliers)),
        Phase(
            t("파생 항목", "derived columns"),
            (Wording(derived, t("처리된 칸으로 계산", "computed from processed cells")),) if pipeline.derived else (),
        ),
        Phase(
            t("순서", "order"),
            (Wording(serial, t("원본 순서와 무관", "unrelated to the source's order")),),
        ),
    ]
