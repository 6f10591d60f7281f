"""The processing ledger (가명정보 처리 관리 대장, L1775-1784): its fields, taken from the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jobs.destruction import DESTROYED
from jobs.ledger import Entry
from jobs.runs import RunRecord

FIELDS = {
    "application": "이용신청 접수번호",
    "purpose": "가명정보의 처리 목적",
    "items": "가명처리한 개인정보의 항목",
    "responsible": "책임자",
    "handlers": "가명정보 및 추가정보를 처리하는 자",
    "processed_at": "가명처리 일시",
    "manner": "이용방법",
    "recipient": "제공받는 자",
    "files": "관련 파일명",
    "period_of_use": "가명정보 이용기간",
    "destroyed_on": "가명정보 파기일자",
    "recorder": "대장 기록자",
    "checker": "기록 확인자",
}
PURPOSES = {
    "statistics": "통계작성",
    "scientific-research": "과학적 연구",
    "public-interest-archiving": "공익적 기록보존",
}
MANNERS = {
    "internal-same-department": "내부이용",
    "internal-other-department": "내부이용(다른 부서)",
    "third-party": "외부제공",
}


def processing_fields(
    record: RunRecord, plan: Mapping[str, Any], files: Iterable[str], approved_by: Iterable[str]
) -> dict[str, Any]:
    """One line of the processing ledger; `destroyed_on` is empty until the release is destroyed.

    Items are the labels of the plan's column rules (or their names), the recipient is told where the
    data go to a third party, as the form asks; the checkers are the reviewers who approved.
    """
    people, use, purpose = plan.get("people") or {}, plan["use"], plan["purpose"]
    return {
        "application": record.application,
        "purpose": f"{PURPOSES[purpose['kind']]}: {purpose['statement']}",
        "items": _items(plan),
        "responsible": people.get("responsible"),
        "handlers": [name for name in (people.get("operator"), *(people.get("processors") or ())) if name],
        "processed_at": record.finished,
        "manner": MANNERS[use["form"]],
        "recipient": record.recipient if use["form"] == "third-party" else None,
        "files": list(files),
        "period_of_use": f"{use['from']} ~ {use['until']}",
        "destroyed_on": None,
        "recorder": people.get("operator") or record.organisation,
        "checker": ", ".join(approved_by),
    }


def processing_lines(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """All lines of the processing ledger, in the ledger's order, each with its run."""
    known = list(entries)
    published = (entry.content() for entry in known if entry.type == "publish")
    gone = {entry.content()["run"]: entry.at for entry in known if entry.type == DESTROYED}
    return [
        {"run": body["run"], **body["processing"], "destroyed_on": gone.get(body["run"])} for body in published
    ]


def as_text(lines: Iterable[Mapping[str, Any]]) -> str:
    """The processing ledger as text: one block per release, one field per line, named as in the form."""
    blocks = []
    for number, line in enumerate(lines, 1):
        rows = [f"{label}: {_shown(line[name])}" for name, label in FIELDS.items()]
        blocks.append("\n".join([f"[{number}] run {line['run']}", *rows]))
    return "\n\n".join(blocks) or "no release yet"


def _items(plan: Mapping[str, Any]) -> list[str]:
    tables = {"": plan.get("columns") or {}}
    tables |= {name: table["columns"] for name, table in (plan.get("tables") or {}).items()}
    return [
        f"{table + '.' if table else ''}{rule.get('label') or column}"
        for table, columns in tables.items()
        for column, rule in columns.items()
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value is None or value == "" else str(value)
