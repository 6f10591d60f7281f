"""The files of the year: combination, parties' plans, plans of what is exported, application for export."""

from __future__ import annotations

from pathlib import Path

STATEMENT = "주거형태와 건강상태에 따른 주유금액의 차이 연구"
PURPOSE = f"{{kind: scientific-research, statement: {STATEMENT}, legal_basis: 개인정보 보호법 제28조의3}}"
COMBINATION = """\
combination: year
roles: {key_agency: KMA, combining_agency: CA}
parties:
  A: {supplies: year-a, uses: true}
  B: {supplies: year-b, uses: true}
  C: {supplies: year-c, optional: true}
key: {columns: [name, phone, birth], duplicates: {exclude: all, limit: 0.05}}
series: {every: month, first: 2024-07, last: 2025-06, keys_due: 5, attributes_due: 12, late: without-optional}
outputs:
  - {user: A, join: inner-multi, base: A, optional: [C], link_id: true, plan: for-a.yaml}
  - {user: B, join: outer-single, base: B, link_id: true, plan: for-b.yaml}
export: {reviewers: 3, simplified: when-unchanged}
"""
PARTY = """\
format: 1
plan: year-{low}
application: {{number: 2024-{low}}}
purpose: {purpose}
use: {{form: third-party, recipient: 연구팀, place: closed, from: 2024-01-01, until: 2098-12-31}}
source:
  table: register
  row_key: [member, month]
  subject: member
  stop_requests: {{table: stops, key: member}}
  period: {{column: month, every: month}}
combination: {{name: year, party: {party}, subject: member, key: {{name: nm, phone: hp, birth: born}}}}
excluded: [nm, hp, born, month]
columns:
  member: {{kind: identifier, apply: combination-serial}}
  grp: {{kind: quasi-identifier, apply: keep}}
  mark: {{kind: attribute, apply: keep}}
adequacy: {{k-anonymity: {{k: 3}}}}
additional_information: {{destroy: approved}}
output: {{table: year-{low}}}
"""
OUTPUT = """\
format: 1
plan: year-for-{low}
application: {{number: 2024-for-{low}}}
purpose: {purpose}
use: {{form: third-party, recipient: {user}, place: closed, from: 2024-01-01, until: 2098-12-31}}
people: {{author: 정작성, operator: 한운영, users: [조이용]}}
source: {{table: combinations/year/{user}, row_key: [record], period: {{column: round, every: month}}}}
excluded: [record, round]
columns:
  link: {{kind: attribute, apply: keep}}
  A_grp: {{kind: quasi-identifier, apply: keep}}
  A_mark: {{kind: attribute, apply: keep}}
  B_grp: {{kind: attribute, apply: keep}}
  B_mark: {{kind: attribute, apply: keep}}
  C_grp: {{kind: sensitive, apply: keep}}
  C_mark: {{kind: attribute, apply: keep}}
adequacy: {{k-anonymity: {{k: 3}}}}
additional_information: {{destroy: approved}}
output: {{table: year}}
"""
FORM = """\
format: 1
applicant:
  organisation: 연구팀
  registration: 123-45-67890
  address: 서울시
  representative: 최대표
  contact: 조신청
  reach: 02-123-4567
file: year
purpose: {kind: scientific-research, statement: 주거형태와 건강상태에 따른 주유금액의 차이 연구}
information: pseudonymous
receive: online
environment: {form: internal-other-department, place: closed, method: 통계 분석}
attachments: {safety: [safety.pdf]}
"""


def write_files(folder: Path) -> None:
    """All of them, below a folder."""
    texts = {"year.yaml": COMBINATION, "form.yaml": FORM, "safety.pdf": "안전조치 계획"}
    for party in "ABC":
        texts[f"{party}.plan.yaml"] = PARTY.format(party=party, low=party.lower(), purpose=PURPOSE)
    for user in "AB":
        texts[f"for-{user.lower()}.yaml"] = OUTPUT.format(user=user, low=user.lower(), purpose=PURPOSE)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
