"""A release of several tables: each has its own sections, counts and queries."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from jobs.environment import Environment
from jobs.runs import RunFolder, StagedTable
from transforms.compiler import compile_plan
from transforms.plan import Plan

MEMBERS = pa.schema([("member_no", pa.int64()), ("age", pa.int32())])
VISITS = pa.schema([("visit_id", pa.int64()), ("member_no", pa.int64()), ("spent", pa.int64())])
PSEUDONYM = {"label": "회원", "kind": "identifier", "apply": {"pseudonym": "member"}}


@pytest.fixture
def two_tables(run: Any, environment: Environment) -> Any:
    """Members (the register) and their visits, linked by one pseudonym."""
    plan = Plan.model_validate(
        {
            "format": 1,
            "plan": "visits",
            "application": {"number": "2026-002"},
            "purpose": {"kind": "statistics", "statement": "연령대별 재방문율", "legal_basis": "제28조의2"},
            "use": {"form": "internal-other-department", "recipient": "분석팀", "place": "closed",
                    "from": "2026-01-01", "until": "2028-12-31"},
            "subjects": {"member": {"register": "crm/members", "key": "member_no"}},
            "pseudonyms": {"member": {"technique": "keyed-token"}},
            "tables": {
                "members": {
                    "source": "crm/members", "row_key": ["member_no"], "subject": {"member": "member_no"},
                    "columns": {
                        "member_no": PSEUDONYM,
                        "age": {"kind": "quasi-identifier", "apply": {"rounding": {"unit": 10, "direction": "down"}}},
                    },
                },
                "visits": {
                    "source": "shop/visits", "row_key": ["visit_id"], "subject": {"member": "member_no"},
                    "excluded": ["visit_id"],
                    "columns": {"member_no": PSEUDONYM, "spent": {"kind": "attribute", "apply": "keep"}},
                },
            },
            "additional_information": {"destroy": "approved"},
            "output": {"table": "visits"},
        }
    )  # fmt: skip
    pipeline = compile_plan(plan, {"members": MEMBERS, "visits": VISITS})
    rows = {"seen": 10, "stopped": 0, "sampled": 10, "delivered": 10}
    cells = {"members": {"member_no": [[10, 0, 0]], "age": [[9, 1, 0]]}, "visits": {}}
    counts = {
        name: {"subjects": None, "drawn": None, "rows": rows, "cells": cells[name], "outliers": [], "passes": []}
        for name in pipeline.tables
    }
    record = replace(
        run.record, plan="visits", application="2026-002", recipient="분석팀", output="visits",
        tables=(StagedTable("members", "m", 1, 10), StagedTable("visits", "v", 1, 10)), counts={"tables": counts},
    )  # fmt: skip
    failed = {"type": "expect_rows_as_counted", "table": "visits", "column": None, "success": False, "counts": {}}
    return run.having(
        folder=RunFolder(environment, run.folder.run), pipeline=pipeline, record=record,
        verify={"verdict": "equal", "tables": {}, "distributions": {}},
        result={"verdict": "unfit", "expectations": [failed], "k": {}},
    )  # fmt: skip


def test_every_table_has_its_sections(two_tables: Any) -> None:
    pages = two_tables.write()
    for name in ("members", "visits"):
        assert f"<h2>2. {name}: 표본과 행의 수</h2>" in pages["index.html"]
        assert f"<h2>{name}: 항목별 가명처리계획</h2>" in pages["plan.html"]
        assert f"<h2>{name}</h2>" in pages["dictionary.html"]
    assert "<td>선택하지 않음</td><td>visit_id</td>" in pages["plan.html"]


def test_a_failed_expectation_names_its_table(two_tables: Any) -> None:
    page = two_tables.write()["index.html"]
    assert re.search(r"<code>expect_rows_as_counted</code></td><td>visits</td>", page)


def test_each_table_has_a_place_of_its_own(two_tables: Any) -> None:
    page = two_tables.write()["dictionary.html"]
    places = [str(two_tables.folder.published(two_tables.record, name)) for name in ("members", "visits")]
    assert len(set(places)) == 2
    assert all(f"delta.`{place}`" in page for place in places)
    assert "한 행이 한 사람" in page
    assert "한 사람의 행이 여럿일 수 있음" in page
