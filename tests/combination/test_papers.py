"""Papers of a combination (결합신청서, 반출신청서): filled in from the application's file, in the forms' own order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docx
import pytest
from docx.document import Document
from docx.oxml.ns import qn

from jobs.documents_job import main

from .combined_round import NEXT, ROUND, CombinedRound
from .conftest import Roles

# guideline L3015-3033, a form's headings in the order of reading
EXPORT = """
반출접수번호
결합접수번호
결합신청자
기관명|사업자등록번호 또는 법인등록번호
주소|대표자명
담당자|담당자 연락처 (전화, e-mail)
결합 유형
반복결합
반출 개요
파일명
반출 목적
세부 반출 목적
반출정보 유형
제공 받는 방법
지원 요청 사항
첨부 서류
"""
EXPORT_FILE = """\
format: 1
applicant:
  organisation: A사
  registration: 123-45-67890
  address: 서울시
  representative: 최대표
  contact: 조신청
  reach: 02-123-4567
file: ccdab
purpose: {kind: public-interest-archiving, statement: 주유금액과 보증금의 지역별 상관관계 기록}
information: anonymous
receive: analysis-space
support: [education]
environment: {form: internal-other-department, place: closed, method: 통계 분석}
attachments: {safety: [safety.pdf]}
"""


def text(words: str) -> str:
    return " ".join(words.replace("\u00a0", " ").split())


def fields(document: Document) -> list[tuple[str, str]]:
    """Headings in the order of reading, each with the cell that follows it (a heading's own is empty)."""
    found: list[tuple[str, str]] = []
    for table in document.tables:
        for row in table.rows:
            heading = None
            for cell in row._tr.tc_lst:
                said = text("".join(node.text or "\n" for node in cell.iter(qn("w:t"), qn("w:br"))))
                if cell.find(qn("w:tcPr")).find(qn("w:shd")) is not None:
                    found.append((said, ""))
                    heading = said
                else:
                    found[-1] = (heading or "", said)
    return found


@pytest.fixture
def made(roles: Roles, tmp_path: Path) -> CombinedRound:
    (tmp_path / "export.yaml").write_text(EXPORT_FILE, encoding="utf-8")
    return CombinedRound.of(roles, tmp_path)


def paper(made: CombinedRound, what: str, file: str, who: str = "A", round_: str = ROUND) -> tuple[int, Path]:
    """The exit code of `gamyeong documents WHAT`, and the DOCX that it writes."""
    folder = made.folder / "papers"
    argv = [what, str(made.file), "--round", round_, "--application", str(made.folder / file), "--to", str(folder)]
    return main([*argv, "--environment", made.roles.file(who), "--quiet"]), folder / f"{what}.docx"


def test_an_application_for_a_combination(made: CombinedRound) -> None:
    code, place = paper(made, "apply", "application.yaml")
    assert code == 0
    document = docx.Document(str(place))
    titles = [one.text for one in document.paragraphs if one.style.name.startswith(("Title", "Heading"))]
    # guideline L2959-3003: the parts of the form
    assert titles == ["결합신청서", "결합신청자", "결합 개요", "가명정보 제공자", "결합정보 이용자"]
    said = dict(fields(document))
    assert said["신청 구분"] == "☐ 가명정보 제공 ☐ 결합정보 이용 ☑ 가명정보 제공 + 결합정보 이용"
    assert said["전체 가명정보 제공자명 (총수)"] == "A, B, C (총 3개)"
    assert said["반복결합"] == "☑ 최초 ☐ 추가"
    assert said["추가절차 신청"] == "☐ 모의결합 ☐ 결합률 확인 ☐ 가명정보 추출"
    assert said["세부 결합 목적"] == "주거형태별 통행량과 만성질환의 관계 연구"
    assert said["담당자"] == "홍길동"
    # nobody said these
    assert said["사업자등록번호 또는 법인등록번호"] == said["대표자명"] == said["결합접수번호"] == ""


def test_a_supplier_alone_is_not_asked_what_users_are(made: CombinedRound) -> None:
    code, place = paper(made, "apply", "application.yaml", who="B")
    assert code == 0
    document = docx.Document(str(place))
    assert "결합정보 이용자" not in [one.text for one in document.paragraphs]
    assert dict(fields(document))["신청 구분"].startswith("☑ 가명정보 제공 ☐")


def test_a_further_round_names_the_first_rounds_number(made: CombinedRound, capsys: Any) -> None:
    for party in ("A", "B", "C"):
        made.take(capsys, party, "apply", "--application", str(made.folder / "application.yaml"))
    number = made.take(capsys, "CA", "receive")[1]["receipt"]
    _, place = paper(made, "apply", "application.yaml", round_=NEXT)
    said = dict(fields(docx.Document(str(place))))
    assert said["결합접수번호"] == number
    assert said["반복결합"] == "☐ 최초 ☑ 추가"


def test_an_application_for_export_is_the_printed_form(made: CombinedRound) -> None:
    code, place = paper(made, "apply-export", "export.yaml")
    assert code == 0
    found = fields(docx.Document(str(place)))
    assert [name for name, _ in found] == [cell for line in EXPORT.strip().splitlines() for cell in line.split("|")]
    said = dict(found)
    assert said["반출 목적"] == "☐ 통계작성 ☐ 과학적 연구 ☑ 공익적 기록보존 등"
    assert said["반출정보 유형"] == "☐ 가명정보 ☑ 법 제58조의2에 해당하는 정보(익명정보)"
    assert said["제공 받는 방법"] == "☐ 온라인 ☐ 오프라인 ☑ 결합전문기관 내 분석공간"
    assert said["지원 요청 사항"] == "☐ 반출된 정보의 분석 ☑ 개인정보 보호 교육"
    assert said["반출접수번호"] == ""
    assert said["첨부 서류"].endswith("3. 반출정보의 안전조치계획 및 이를 증빙할 수 있는 서류 1부: safety.pdf")


def test_only_parties_have_papers(made: CombinedRound) -> None:
    assert paper(made, "apply", "application.yaml", who="KMA")[0] == 3


def test_an_export_without_its_file(made: CombinedRound) -> None:
    argv = ["apply-export", str(made.file), "--round", ROUND, "--to", str(made.folder / "papers")]
    assert main([*argv, "--environment", made.roles.file("A"), "--quiet"]) == 2
