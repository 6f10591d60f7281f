"""Check-ups of a clinic: one column for each way in which something may be left over, the plan that treats them."""

from __future__ import annotations

import base64
import hashlib
from datetime import date
from decimal import Decimal

import pyarrow as pa

PEOPLE = 400
_FAMILY, _GIVEN = "김이박최정강조윤장임", "가나다라마바사아자차카타파하거너더러머버"

CHECKUPS = """
    format: 1
    plan: checkups
    application: {number: 2026-003, applicant: 의원, date: 2026-01-15, stage: new}
    purpose: {kind: statistics, statement: 지역·연령대별 검진 결과 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
    use: {form: third-party, recipient: 통계기관, place: closed, from: 2026-01-01, until: 2098-12-31}
    additional_information: {destroy: approved}
    outlier_limits: {cells: 1, rows: 1}
    source: {table: clinic/checkups, row_key: [patient], subject: patient}
    output: {table: checkups}
    excluded: [name, e_mail]
    sample: {technique: simple, replacement: false, fraction: 1.0}
    rows: [{record-suppression: {where: {age: {below: 20}}, nulls: remove}}]
    columns:
      patient: {kind: identifier, apply: serial-number}
      member: {kind: identifier, apply: keyed-token}
      phone: {kind: identifier, apply: {format-preserving-encryption: {alphabet: digits}}}
      card: {kind: identifier, apply: {masking: {pattern: "****-****-****-####"}}}
      age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
      years: {kind: attribute, apply: {top-coding: {at: 40}}}
      region:
        kind: quasi-identifier
        apply: {categorization: {mapping: {수도권: [서울, 인천], 지방: [부산, 광주]}}}
      sex: {kind: quasi-identifier, apply: keep}
      address: {kind: attribute, apply: {partial-suppression: {words: 2}}}
      weight: {kind: attribute, apply: {rounding: {unit: 5, direction: half-up, nulls: error}}}
      balance: {kind: attribute, apply: {rounding: {unit: 100, direction: half-even}}}
      seen: {kind: attribute, apply: {date-generalization: {to: month}}}
      visits: {kind: attribute, apply: keep}
      memo: {kind: attribute, apply: keep}
      "spend_{kind}":
        kind: attribute
        apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 1000, direction: down}}]
      total: {kind: attribute, derive: {sum: "spend_*"}}
      favourite: {kind: attribute, derive: {largest: "spend_{kind}", as: kind}}
    outliers:
      - find: {frequency: {columns: [age, region, sex], below: 3}}
        treat: {local-suppression: {columns: [region]}}
    adequacy: {k-anonymity: {k: 3}, leftovers: {against: [name, e_mail]}}
"""


def member_of(number: int) -> str:
    """A member number that has the form of our tokens: an equal token would look like one."""
    code = base64.b32encode(hashlib.sha256(f"member {number}".encode()).digest()).decode().lower()
    return code[:25] + "a"


def name_of(number: int) -> str:
    """A name of three syllables; no two people share it."""
    return _FAMILY[number % 10] + _GIVEN[number // 10 % 20] + _GIVEN[(number // 200 + number) % 20]


def phone_of(number: int) -> str:
    """A mobile number."""
    return f"010-{2000 + number * 7 % 8000:04d}-{number * 131 % 10_000:04d}"


def checkups(count: int = PEOPLE) -> pa.Table:
    """Check-ups of `count` people; their memos name nobody."""
    turn = range(count)
    spend = [None if i % 41 == 0 else (i * 7919) % 90_000 for i in turn]
    return pa.table(
        {
            "patient": pa.array([f"EC-{232_578 + i * 37 % count:06d}" for i in turn]),
            "member": pa.array([member_of(i) for i in turn]),
            "phone": pa.array([phone_of(i) for i in turn]),
            "card": pa.array([f"9410-1234-{i * 17 % 10_000:04d}-{i:04d}" for i in turn]),
            "age": pa.array([15 + i * 29 % 81 for i in turn], pa.int32()),
            "years": pa.array([i % 50 for i in turn], pa.int32()),
            "region": pa.array([None if i % 53 == 0 else ("서울", "인천", "부산", "광주")[i % 4] for i in turn]),
            "sex": pa.array(["F" if i % 3 else "M" for i in turn]),
            "address": pa.array([f"서울시 은평구 연서로 {i % 90}길 {i}" for i in turn]),
            "weight": pa.array([40 + i % 47 for i in turn], pa.int64()),
            "balance": pa.array([Decimal(i * 1313 % 99_999) / 100 for i in turn], pa.decimal128(12, 2)),
            "seen": pa.array([date(2026, 1 + i % 12, 1 + i % 28) for i in turn]),
            "visits": pa.array([i % 9 for i in turn], pa.int64()),
            "memo": pa.array([f"혈압 {110 + i % 40} 이상 없음, 다음 검진 {i % 12 + 1}월" for i in turn]),
            "spend_drugs": pa.array([2_999_000 if i == 3 else spend[i] for i in turn], pa.int64()),
            "spend_tests": pa.array([i * 104_729 % 50_000 for i in turn], pa.int64()),
            "name": pa.array([name_of(i) for i in turn]),
            "e_mail": pa.array([f"user.{i}@example.com" for i in turn]),
        }
    )
