"""A reviewed run without Spark: a small plan that says all that forms ask for, its evidence, three reviewers."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import docx
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from docx.document import Document

from jobs.decide import Vote, decide
from jobs.documents.as_docx import docx_bytes
from jobs.documents.model import Document as Model
from jobs.forms.catalogue import forms
from jobs.forms.facts import Facts, gather
from jobs.forms.writing import write_forms
from jobs.publishing import publish
from jobs.runs import RunFolder, StagedTable
from jobs.signing import SigningKey

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
REVIEWERS = ("김검토", "이검토", "박검토")
SCHEMA = pa.schema(
    [("customer", pa.int64()), ("age", pa.int64()), ("illness", pa.string()), ("spent_01", pa.int64()),
     ("spent_02", pa.int64()), ("rrn", pa.string()), ("day", pa.date32())]
)  # fmt: skip
PLAN = """
format: 1
plan: spending
application: {number: 2026-017, applicant: 소비자연구소, date: 2026-01-02}
purpose:
  kind: scientific-research
  statement: 연령대별·질환별 지출의 차이 연구
  legal_basis: 개인정보 보호법 제28조의2
use: {form: third-party, recipient: 소비자연구소, place: closed, from: 2026-02-01, until: 2098-12-31}
people:
  responsible: 최책임
  author: 정작성
  operator: 한운영
  processors: [오처리]
  users: [조이용]
  chair: 이검토
  privacy_officer: 남보호
source: {table: shop/customers, row_key: [customer], subject: customer}
excluded: [rrn, day]
columns:
  customer: {label: 고객번호, kind: identifier, requirement: 구분만 가능하면 됨, apply: serial-number}
  age:
    label: 나이
    kind: quasi-identifier
    requirement: 10살 단위
    unit: 세
    apply: [{rounding: {unit: 10, direction: down}}, {top-coding: {at: 80}}]
  illness: {label: 질환, kind: sensitive, legal: sensitive-23, apply: keep}
  "spent_{month}":
    label: "{month}월 지출액"
    kind: attribute
    unit: 원
    apply: {rounding: {unit: 1000, direction: half-up}}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
documents:
  applicant:
    department: 통계팀
    contact: 강담당
    position: 책임
    telephone: 02-123-4567
    email: kang@example.org
    head: 윤부장
    address: 서울시 은평구
  plan:
    title: 지출 격차
    person: 서연구
    background: 격차가 커지고 있음
    method: 회귀분석
    content: 연령대별 비교
    effect: 정책에 반영
  data:
    name: 고객 지출
    collection: 매장의 구매 기록
    features: 고객별 월 지출
    provision: 암호화한 저장장치
    environment: 분석실의 PC
  handing: {environment: [outside], delivery: [offline]}
  attachments: [연구계획서, 보안 서약서]
  meeting: 2026년 제1차 적정성 검토
output: {table: spending}
"""


@dataclass
class Case:
    """One reviewed run, and what people do with it. Every clock says `now`."""

    folder: RunFolder
    keys: dict[str, SigningKey]
    now: datetime = NOON

    def vote(self, reviewer: str, outcome: str | None = "approved", **more: Any) -> None:
        """A reviewer decides."""
        decide(self.folder, reviewer, self.keys[reviewer], Vote(outcome, **more), clock=lambda: self.now)

    def publish(self) -> None:
        """The release."""
        publish(self.folder, clock=lambda: self.now)

    def write(self) -> dict[str, bytes]:
        """The forms' files by name, as `gamyeong documents` writes them."""
        written = write_forms(self.folder, clock=lambda: self.now)
        return {name: (written.folder / name).local.read_bytes() for name in written.files}

    def form(self, name: str) -> Document:
        """One form as it would be written now, opened by python-docx."""
        return docx.Document(io.BytesIO(docx_bytes(documents(gather(self.folder))[name])))


def documents(facts: Facts) -> dict[str, Model]:
    """A run's forms by name."""
    return {one.name: one.document for one in forms(facts)}


def stage(folder: RunFolder) -> StagedTable:
    """A staged table as pseudonymize leaves it."""
    place = str(folder.staged("spending"))
    rows = {"customer": [1, 2, 3], "age": [20, 30, 80], "illness": ["a", "b", "a"]}
    table = pa.table({**rows, "spent_01": [1000, 2000, 0], "spent_02": [0, 0, 5000]})
    write_deltalake(place, table, configuration={"delta.dataSkippingNumIndexedCols": "0"})
    staged = DeltaTable(place)
    return StagedTable("spending", str(staged.metadata().id), staged.version(), 3)


MakeRun = Callable[..., Case]
