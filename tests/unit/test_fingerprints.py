"""A plan's fingerprint names stored runs, tables and decisions: a new version of this program must find the same.

The expected values were computed by the version before plans had `combination:` (commit d853940).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.storage import conf_path
from transforms.fingerprint import fingerprint
from transforms.plan_loader import load, load_plan

HEAD = """
format: 1
plan: small
application: {number: 2026-001, applicant: 분석팀}
purpose: {kind: statistics, statement: 시도별·연령대별 월 구매 금액의 통계작성, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2028-12-31}
additional_information: {destroy: approved}
output: {table: small}
"""
ONE = """
source: {table: shop/members, row_key: [no], subject: no}
columns:
  no: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
"""
SEVERAL = """
subjects: {member: {register: shop/members, key: no}}
pseudonyms: {member: {technique: keyed-token}}
sample: {technique: simple, of: member, fraction: 0.5}
tables:
  members:
    source: shop/members
    row_key: [no]
    subject: {member: no}
    columns: {no: {kind: identifier, apply: {pseudonym: member}}}
  visits:
    source: shop/visits
    row_key: [visit]
    subject: {member: who}
    excluded: [visit]
    columns:
      who: {kind: identifier, apply: {pseudonym: member}}
      paid: {kind: attribute, apply: {random-rounding: {unit: 100, unbiased: true}}}
"""
STORED = {
    ONE: "c2b03c9802859dbc7695054ab32537d5824db008749215f16acf832f91e1fcf3",
    SEVERAL: "5979378a225d77cd414324ee5aff6d3086228cf354d24ec513dff791dddfab9a",
}


@pytest.mark.parametrize("text", STORED, ids=["one table", "several tables"])
def test_a_plan_that_was_run_before_keeps_its_name(text: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    loaded = load_plan(file)
    assert fingerprint(loaded, {}) == STORED[text]


def test_the_section_of_a_combination_is_part_of_the_name(tmp_path: Path) -> None:
    found = set()
    for party in ("A", "B"):
        file = tmp_path / f"{party}.yaml"
        section = f"combination: {{name: panel, party: {party}, subject: no, key: {{phone: hp}}}}\nexcluded: [hp]\n"
        file.write_text((HEAD + ONE).replace("serial-number", "combination-serial") + section, encoding="utf-8")
        found.add(fingerprint(load_plan(file), {}))
    assert len(found) == 2
    assert not found & set(STORED.values())


def test_a_plan_with_aggregates_keeps_its_name() -> None:
    # computed by the version before fields were marked as later ones (commit 95e1c26)
    loaded = load(conf_path("plans/retail-further.yaml"))
    expected = "0a4b0d4f728f398444a3684d43c417994d72b9d1d1b6cc90b8b7eb31d8d3203a"
    assert fingerprint(loaded.plan, loaded.hierarchies) == expected
