"""식별 위험성 검토 결과보고서: the guideline's report (L561-608) in its own order, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.assessing.evidence import figures_blocks
from jobs.assessing.statements import environment_rows, findings, opinion, selection
from jobs.documents.as_docx import docx_bytes
from jobs.documents.as_html import html_bytes
from jobs.documents.model import Block, Cell, Content, Document, Heading, Paragraph, Row, Table, boxes, head
from jobs.documents.words import Pair, said
from transforms.assess.found import Answered, Assessment, Measure, Said
from transforms.assess.questions import QUESTIONS, SECTIONS
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.technique import Language

TITLE: Pair = ("식별 위험성 검토 결과보고서", "Report of the identification-risk review")
CHECKLIST: Pair = ("개인식별 위험성 검토 체크리스트", "Checklist of identification risk (L504-546)")
MEASURES: Pair = ("검토 항목별 조치", "Measures by item (L547-556)")
YES: Pair = ("예", "yes")
NO: Pair = ("아니오", "no")
OPEN: Pair = ("답변 없음: 계획의 risk.checklist에 기재 필요", "no answer: give one in the plan's risk.checklist")
BY: Mapping[str, Pair] = {
    "data": ("측정", "measured"), "plan": ("계획", "from the plan"), "told": ("담당자", "told")
}  # fmt: skip
AGAINST: Pair = ("담당자의 답변은 ‘아니오’이나 측정·계획과 다름", "told no, against what was measured or planned")
ENVIRONMENT: Pair = ("처리 환경", "environment")


def report_files(plan: Plan, tables: Mapping[str, TablePipeline], assessment: Assessment) -> dict[str, bytes]:
    """The report as HTML and DOCX, Korean and English, by file name. No cell value stands in it."""
    korean, english = report(plan, tables, assessment, "ko"), report(plan, tables, assessment, "en")
    return {
        "report.html": html_bytes(korean),
        "report.en.html": html_bytes(english),
        "report.docx": docx_bytes(korean),
        "report.en.docx": docx_bytes(english),
    }


def report(plan: Plan, tables: Mapping[str, TablePipeline], assessment: Assessment, language: Language) -> Document:
    """The report as a document. The same assessment gives the same document."""
    return Document(
        title=said(TITLE, language),
        language=language,
        blocks=(
            _form(plan, tables, assessment, language),
            Heading(said(CHECKLIST, language)),
            _checklist(assessment, language),
            Heading(said(MEASURES, language)),
            _measures(assessment, language),
            *figures_blocks(tables, assessment, language),
        ),
        about=(
            ("run", assessment.run),
            ("plan", assessment.plan),
            ("fingerprint", assessment.fingerprint),
            *((("period", assessment.period),) if assessment.period else ()),
        ),
    )


def _form(plan: Plan, tables: Mapping[str, TablePipeline], assessment: Assessment, language: Language) -> Block:
    """The form's one table: use, items, risk of the data, environment, opinion."""
    found = findings(plan, tables, assessment, language)
    environment = environment_rows(plan, assessment, language)
    data_rows: list[Row] = [
        [head(name), _points(texts)] for name, texts in found
    ]  # fmt: skip
    data_rows[0] = [head(said(("데이터 위험성", "Risk of the data"), language), rows=len(found)), *data_rows[0]]
    around: list[Row] = [[head(name), _points(texts)] for name, texts in environment]
    around[0] = [head(said(("처리 환경 검토", "Environment"), language), rows=len(environment)), *around[0]]
    use = said(("가명정보 활용목적", "Use of the pseudonymized data"), language)
    items = said(("가명처리 대상 데이터 항목", "Items to be processed"), language)
    last = said(("최종 검토의견", "Final opinion"), language)
    rows: list[Row] = [
        [head(use, columns=2), _points([plan.purpose.statement])],
        [head(items, columns=2), _points(selection(plan, tables, assessment, language))],
        *data_rows,
        *around,
        [head(last, columns=2), _points(opinion(plan, tables, assessment, language))],
    ]
    return Table(rows, widths=(1.2, 1.6, 6))


def _points(texts: list[str]) -> Cell:
    return Cell("\n".join(f"▪ {text}" for text in texts))


def _checklist(assessment: Assessment, language: Language) -> Block:
    names: list[Pair] = [
        ("구분", "part"), ("", ""), ("검토 항목", "question"), ("검토 결과", "answer"), ("근거", "reason")
    ]  # fmt: skip
    rows: list[Row] = [[head(said(names[0], language), columns=2), *(head(said(one, language)) for one in names[2:])]]
    answers = {one.question: one for one in assessment.checklist}
    for numbers, part, section in SECTIONS:
        for number in numbers:
            start: list[Cell] = []
            if number == numbers[0]:
                start = [
                    head(told(part, language), rows=len(numbers)),
                    head(told(section, language), rows=len(numbers)),
                ]
            one = answers[number]
            rows.append([*start, f"{number}. {told(QUESTIONS[number], language)}", _boxes(one, language),
                         _reason(one, language)])  # fmt: skip
    return Table(rows, head=1, widths=(0.9, 1.1, 4, 1.1, 3))


def _boxes(one: Answered, language: Language) -> Content:
    labels = [said(YES, language), said(NO, language)]
    chosen = {"yes": labels[:1], "no": labels[1:]}.get(one.answer or "", [])
    return boxes(labels, chosen)


def _reason(one: Answered, language: Language) -> str:
    if one.answer is None:
        return said(OPEN, language)
    by = said(BY[one.by or "told"], language)
    parts = [told(one.reason, language) if one.reason else "", one.note or ""]
    parts += [said(AGAINST, language)] if one.against and one.answer == "yes" else []
    text = "; ".join(part for part in parts if part)
    return f"[{by}] {text}" if text else f"[{by}]"


def _measures(assessment: Assessment, language: Language) -> Block:
    if not assessment.measures:
        return Paragraph(said(("조치가 필요한 항목이 없음", "no item needs a measure"), language))
    names: list[Pair] = [("항목", "items"), ("검토 항목", "question"), ("조치 가이드", "what is needed"),
                         ("계획된 처리", "what the plan does")]  # fmt: skip
    several = len(assessment.tables) > 1
    rows: list[Row] = [[head(said(one, language)) for one in names]]
    for one in assessment.measures:
        rows.append([_items(one, several, language), Cell(str(one.why), align="middle"),
                     told(one.needed, language), told(one.does, language)])  # fmt: skip
    return Table(rows, head=1, widths=(2.4, 0.8, 3.4, 3.4))


def _items(one: Measure, several: bool, language: Language) -> str:
    if not one.columns:
        return said(ENVIRONMENT, language)
    names = list(one.columns)
    text = ", ".join(names) if len(names) <= 4 else f"{names[0]} … {names[-1]} ({len(names)})"
    return f"{one.table}: {text}" if several else text


def told(one: Said, language: Language) -> str:
    """A statement in one of its languages."""
    return one.ko if language == "ko" else one.en
