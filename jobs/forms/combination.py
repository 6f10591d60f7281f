"""결합신청서 (guideline ref. 6, L2957-3009) and 반출신청서 (ref. 7, L3013-3033): the papers of a combination."""

from __future__ import annotations

from jobs.documents.model import Block, Cell, Content, Document, Heading, Paragraph, Row, Table, boxes, head
from jobs.forms.application import PURPOSES
from jobs.forms.facts import BLANK_DAY, span
from transforms.combination.application import CombinationApplication
from transforms.combination.export_form import ExportForm
from transforms.combination.model import Combination

APPLICATION_TITLE, EXPORT_TITLE = "결합신청서", "반출신청서"
KINDS = ("가명정보 제공", "결합정보 이용", "가명정보 제공 + 결합정보 이용")
REPEATED = {"first": "최초", "further": "추가"}
FURTHER_STEPS = {"mock": "모의결합", "join_rate": "결합률 확인", "extraction": "가명정보 추출"}
PROVIDER_SUPPORT = {"pseudonymization": "결합 전 가명처리"}
USER_SUPPORT = {"further-processing": "반출 전 처리", "analysis": "분석", "training": "개인정보 보호 교육"}
EXPORT_PURPOSES = (*list(PURPOSES.values())[:2], "공익적 기록보존 등")
INFORMATION = {"pseudonymous": "가명정보", "anonymous": "법 제58조의2에 해당하는 정보(익명정보)"}
RECEIVED = {"online": "온라인", "offline": "오프라인", "analysis-space": "결합전문기관 내 분석공간"}
EXPORT_SUPPORT = {"analysis": "반출된 정보의 분석", "education": "개인정보 보호 교육"}
STATUTE = (
    "「개인정보 보호법」 제28조의3제2항 및 같은 법 시행령 제29조의3제3항·제6항, 「가명정보의 결합 및 반출 등에 관한 "
    "고시」 제10조제3항에 따라 결합된 정보를 반출하기 위하여 결합전문기관에 반출신청서를 위와 같이 제출합니다."
)
ATTACHED = (
    ("data", "반출 대상 정보에 관한 서류 1부(추가적인 서류 제출이 필요한 경우에 한함)"),
    ("purpose", "반출 목적을 증명할 수 있는 서류 1부(추가적인 서류 제출이 필요한 경우에 한함)"),
    ("safety", "반출정보의 안전조치계획 및 이를 증빙할 수 있는 서류 1부"),
)


def combination_application(
    said: CombinationApplication, combination: Combination, party: str, repeated: str | None, receipt: str | None
) -> Document:
    """A party's application for a combination.

    `repeated`: the first round of a series or a further one, None without one; `receipt`: the agency's number, which is
    a blank before there is one. What the application doesn't hold (registration number, representative) is a blank.
    """
    who, supplies = said.applicant, combination.parties[party].supplies is not None
    uses = combination.parties[party].uses
    kind = KINDS[2] if supplies and uses else KINDS[0 if supplies else 1]
    suppliers = combination.suppliers
    options = [name for step, name in FURTHER_STEPS.items() if getattr(combination.options, step) is not None]
    reach = "\n".join(one for one in (who.phone, who.email) if one)
    person = " ".join(one for one in (who.position, who.contact) if one)
    applicant: list[Row] = [
        [head("결합접수번호"), _wide(receipt if receipt is not None and repeated != "first" else "")],
        [head("기관명"), who.organisation, head("사업자등록번호 또는 법인등록번호"), ""],
        [head("대표자명"), "", head("담당자"), person],
        [head("담당자 연락처\n(전화, e-mail)"), _wide(reach)],
        [head("신청 구분"), _wide(boxes(KINDS, [kind]))],
    ]
    overview: list[Row] = [
        [head("전체 가명정보 제공자명\n(총수)"), f"{', '.join(suppliers)} (총 {len(suppliers)}개)"],
        [head("반복결합"), boxes(REPEATED.values(), [REPEATED[repeated]] if repeated else [])],
        [head("추가절차 신청"), boxes(FURTHER_STEPS.values(), options)],
    ]
    blocks: list[Block] = [
        Heading("결합신청자"),
        Table(applicant, widths=(1.4, 2, 1.6, 2)),
        Heading("결합 개요"),
        Table(overview, widths=(1.4, 5.6)),
    ]
    if supplies:
        support = boxes(PROVIDER_SUPPORT.values(), _named(said.support, PROVIDER_SUPPORT))
        provider: list[Row] = [
            [head("가명정보명"), said.subject.name],
            [head("가명정보 항목"), said.subject.content],
            [head("지원 요청 사항"), support],
            [head("가명정보 제공 담당자"), person],
        ]
        blocks += [Heading("가명정보 제공자"), Table(provider, widths=(1.4, 5.6))]
    if uses:
        space = boxes(["이용", "미이용"], ["이용" if said.provision == "analysis-space" else "미이용"])
        user: list[Row] = [
            [head("결합 목적"), boxes(PURPOSES.values(), [PURPOSES[said.purpose.kind]])],
            [head("세부 결합 목적"), said.purpose.statement],
            [head("이용기간"), span(said.subject.from_, said.subject.until)],
            [head("분석공간 이용"), space],
            [head("지원 요청 사항"), boxes(USER_SUPPORT.values(), _named(said.support, USER_SUPPORT))],
            [head("결합정보 이용 담당자"), person],
        ]
        blocks += [Heading("결합정보 이용자"), Table(user, widths=(1.4, 5.6))]
    attached = "\n".join(f"{number}. {name}" for number, name in enumerate(said.attachments, 1))
    blocks += [*_signed(combination), Table([[head("첨부 서류"), attached]], widths=(1.4, 5.6))]
    return _document(APPLICATION_TITLE, blocks, combination, party)


def export_application(
    form: ExportForm, combination: Combination, party: str, repeated: str | None, receipt: str | None
) -> Document:
    """An application for export; its own number (반출접수번호) is the agency's to give, `receipt` the combination's."""
    who = form.applicant
    applicant: list[Row] = [
        [head("반출접수번호"), _wide("")],
        [head("결합접수번호"), _wide(receipt or "")],
        [head("결합신청자", columns=4)],
        [head("기관명"), who.organisation, head("사업자등록번호 또는 법인등록번호"), who.registration],
        [head("주소"), who.address, head("대표자명"), who.representative],
        [head("담당자"), who.contact, head("담당자 연락처\n(전화, e-mail)"), who.reach],
        [head("결합 유형", columns=4)],
        [head("반복결합"), _wide(boxes(REPEATED.values(), [REPEATED[repeated]] if repeated else []))],
        [head("반출 개요", columns=4)],
        [head("파일명"), _wide(form.file)],
        [head("반출 목적"), _wide(boxes(EXPORT_PURPOSES, [EXPORT_PURPOSES[list(PURPOSES).index(form.purpose.kind)]]))],
        [head("세부 반출 목적"), _wide(form.purpose.statement)],
        [head("반출정보 유형"), _wide(boxes(INFORMATION.values(), [INFORMATION[form.information]]))],
        [head("제공 받는 방법"), _wide(boxes(RECEIVED.values(), [RECEIVED[form.receive]]))],
        [head("지원 요청 사항"), _wide(boxes(EXPORT_SUPPORT.values(), _named(form.support, EXPORT_SUPPORT)))],
    ]
    lines = []
    for number, (name, text) in enumerate(ATTACHED, 1):
        files = ", ".join(getattr(form.attachments, name))
        lines.append(f"{number}. {text}" + (f": {files}" if files else ""))
    blocks: list[Block] = [
        Table(applicant, widths=(1.4, 2, 1.6, 2)),
        Paragraph(STATUTE),
        *_signed(combination),
        Table([[head("첨부 서류"), "\n".join(lines)]], widths=(1.4, 5.6)),
    ]
    return _document(EXPORT_TITLE, blocks, combination, party)


def _document(title: str, blocks: list[Block], combination: Combination, party: str) -> Document:
    about = (("combination", combination.combination), ("party", party), ("fingerprint", combination.fingerprint))
    return Document(title, "ko", tuple(blocks), about)


def _signed(combination: Combination) -> tuple[Block, ...]:
    return (
        Paragraph(BLANK_DAY, "right"),
        Paragraph("결합신청자  (서명 또는 인)", "right"),
        Paragraph(f"{combination.roles.combining_agency}의 장 귀하", "middle"),
    )


def _named(chosen: tuple[str, ...], names: dict[str, str]) -> list[str]:
    return [names[one] for one in chosen if one in names]


def _wide(content: Content) -> Cell:
    return Cell(content, columns=3)
