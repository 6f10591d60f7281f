"""The forms of the retail plans: 222 columns, further tables, an aggregate table with noise; no data, no Spark."""

from __future__ import annotations

import io
from dataclasses import replace

import docx
import pytest

from jobs import retail
from jobs.documents.as_docx import docx_bytes
from jobs.documents.as_html import html_bytes
from jobs.forms.facts import Facts
from jobs.runs import RunRecord, SourceVersion, StagedTable
from jobs.storage import conf_path
from transforms.compiler import compile_plan
from transforms.plan_loader import load

from .made import documents
from .reading import body, headings, text


def facts_of(name: str) -> Facts:
    loaded = load(conf_path(f"plans/{name}.yaml"))
    plan, pipeline = loaded.plan, compile_plan(loaded.plan, retail.schema(), loaded.hierarchies)
    tables = tuple(StagedTable(one, "id", 1, 4_100) for one in (*pipeline.tables, *pipeline.aggregates))
    moments = ("2026-01-05T10:00:00.000000Z", "2026-01-05T11:00:00.000000Z")
    record = RunRecord(
        "0123456789abcdef", plan.plan, pipeline.fingerprint, "0.1.0", "유통업체", plan.application.number,
        plan.use.recipient, plan.output.table, *moments,
        {"": SourceVersion("retail/customers", "id", 4, 8_200)}, tables,
    )  # fmt: skip
    return Facts(record, pipeline, plan.canonical(), (), (), (), 3, 0, ())


def form(name: str, which: str) -> docx.document.Document:
    return docx.Document(io.BytesIO(docx_bytes(documents(facts_of(name))[which])))


def test_the_retail_items_are_those_of_the_worked_tables() -> None:
    # guideline L3378-3399 and L3546-3560
    rows = [row[:3] for row in body(form("retail-third-party", "04-item-types"))]
    assert rows[:4] == [
        ["1", "고객ID", "개인식별정보"],
        ["2", "나이", "개인식별가능정보"],
        ["3", "주소", "개인식별가능정보"],
        ["4", "성별", "개인식별가능정보"],
    ]
    last = rows[-1][0]
    assert last.endswith("222")
    levels = [text(row[-1]) for row in body(form("retail-third-party", "06-item-plan"))]
    assert "10 단위로 내림" in levels


def test_a_trials_forms_say_that_it_is_none_to_provide() -> None:
    facts = facts_of("retail-third-party")
    trial = replace(facts, record=replace(facts.record, limit=500))
    for name, document in documents(trial).items():
        assert "시험 실행(500명)의 서식: 제공할 수 없음" in html_bytes(document).decode(), name
    assert "시험 실행" not in html_bytes(documents(facts)["04-item-types"]).decode()


def test_further_and_aggregate_tables_stand_in_the_item_plan() -> None:
    facts = facts_of("retail-further")
    document = form("retail-further", "06-item-plan")
    titles = [one.text for one in document.paragraphs if one.style.name.startswith("Heading")]
    assert titles == [*facts.pipeline.tables, "집계표"]
    assert headings(document)[-3:] == ["표", "처리 방법", "처리 수준"]
    assert body(document, len(document.tables) - 1)[0][0] == "by_age_and_sex"


@pytest.mark.parametrize("name", ["retail-third-party", "retail-internal", "retail-further", "retail-encrypted"])
def test_every_form_of_an_example_can_be_written(name: str) -> None:
    facts = facts_of(name)
    for title, document in documents(facts).items():
        page = html_bytes(document).decode()
        assert facts.record.fingerprint in page, title
        # a parameter's place holder, a missing word
        assert "{month}" not in page or title == "06-item-plan"
        assert "None" not in page
