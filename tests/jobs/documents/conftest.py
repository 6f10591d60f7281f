"""A run of the guideline's retail plan as its record, verify and review tell of it: made by hand, no Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pytest

from jobs import retail
from jobs.documents import write_documents
from jobs.environment import Environment
from jobs.runs import RunFolder, RunRecord, SourceVersion, StagedTable
from jobs.storage import conf_path
from transforms.compiler import compile_plan
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.plan_loader import load

RUN = "0123456789abcdef"
# 82,000 customers: 12 asked to stop, n = floor(N / 2), and so on down to what is delivered
ROWS = {"seen": 82_000, "stopped": 12, "sampled": 40_994, "delivered": 37_301}
OUTLIERS = [{"rule": 1, "cells": 5_210, "rows": 7}]


@dataclass(frozen=True)
class Run:
    """What `write_documents` is given."""

    folder: RunFolder
    pipeline: Pipeline
    record: RunRecord
    verify: Mapping[str, Any] | None
    result: Mapping[str, Any]

    def write(self) -> dict[str, str]:
        """The pages' texts by file name."""
        files = write_documents(self.folder, self.pipeline, self.record, self.verify, self.result)
        return {file.name: file.read_text("utf-8") for file in files}

    def having(self, **changed: Any) -> Run:
        """The same run with some of it changed."""
        return replace(self, **changed)


def histogram(edges: list[float | None], before: list[int], after: list[int]) -> list[dict[str, Any]]:
    """Bins as in verify.json."""
    ends = zip(edges, edges[1:], before, after, strict=False)
    return [{"from": a, "to": b, "before": one, "after": two} for a, b, one, two in ends]


def verified() -> dict[str, Any]:
    """verify.json of a run that was recomputed without a difference."""
    ages = histogram(
        [None, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80, 85, 90, None],
        [3100, 4800, 7400, 6900, 4800, 3500, 2400, 1700, 1100, 690, 400, 260, 140, 71, 40],
        [7900, 0, 14300, 0, 8300, 0, 4100, 0, 1790, 0, 660, 0, 251, 0, 0],
    )
    old = histogram(
        [None, 80, 82, 84, 86, 88, 90, 95, None],
        [37_050, 70, 52, 40, 31, 24, 22, 12],
        [37_050, 251, 0, 0, 0, 0, 0, 0],
    )
    amounts = histogram(
        [0, 10_000, 50_000, 100_000, 200_000, 300_000, 500_000, 1_000_000, 2_000_000, None],
        [11200, 4000, 7500, 6200, 3100, 2900, 1600, 600, 201],
        [11200, 3700, 7600, 6100, 3200, 2900, 1700, 700, 201],
    )
    tail = histogram(
        [1_000_000, 2_000_000, 3_000_000, 5_000_000, 10_000_000, None], [600, 120, 51, 20, 10], [700, 150, 51, 0, 0]
    )
    found = [
        {"column": "age", "label": "나이", "bins": ages, "outliers": old},
        {"column": "amount_living_201901", "label": "201901 living 구매액", "bins": amounts, "outliers": tail},
    ]
    return {
        "verdict": "equal",
        "tables": {"retail": {"rows": 37_301, "rows_different": 0, "differences": []}},
        "distributions": {"retail": found},
    }


def reviewed(columns: list[str]) -> dict[str, Any]:
    """result.json of a run whose expectations are all met."""
    every = [
        {"type": "expect_cells_in_image_of_chain", "column": name, "success": True, "counts": {"misfits": 0}}
        for name in columns
    ]
    about = ["expect_rows_as_counted", "expect_subjects_as_sampled", "expect_k_anonymity"]
    every += [{"type": name, "column": None, "success": True, "counts": {"found": 3}} for name in about]
    return {
        "verdict": "fit",
        "expectations": [{"table": "retail", **one} for one in every],
        "k": {"retail": {"asked": 3, "found": 3, "columns": ["age", "address", "sex"]}},
    }


@pytest.fixture(scope="session")
def retail_pipeline() -> Pipeline:
    """The retail plan, compiled."""
    loaded = load(conf_path("plans/retail-third-party.yaml"))
    return compile_plan(loaded.plan, retail.schema(), loaded.hierarchies)


def record_of(pipeline: Pipeline, rows: int) -> RunRecord:
    """The record of a run of one table: in each step of each column 100 cells changed, 20 stayed, 3 null."""
    plan, (table,) = pipeline.plan, pipeline.tables.values()
    counts = {
        "subjects": 81_988,
        "drawn": 40_994,
        "rows": ROWS,
        "cells": {chain.name: [[100, 20, 3]] * len(chain.steps) for chain in table.chains},
        "outliers": OUTLIERS if table.outliers else [],
        "passes": ["subjects", "facts, pass 1 of 1"],
    }
    return RunRecord(
        run=RUN, plan=plan.plan, fingerprint=pipeline.fingerprint, code_version="0.1.0+test", organisation="유통업체",
        application=plan.application.number, recipient=plan.use.recipient, output=plan.output.table,
        started="2026-11-22T08:00:00Z", finished="2026-11-22T08:01:10Z",
        sources={table.name: SourceVersion("retail/customers", "source-id", 4, 82_000)},
        tables=(StagedTable(table.name, "staged-id", 1, rows),), counts={"tables": {table.name: counts}},
    )  # fmt: skip


@pytest.fixture
def run(environment: Environment, retail_pipeline: Pipeline) -> Run:
    """A retail run that passed both checks."""
    names = [column.name for column in retail_pipeline.table().columns]
    return Run(
        RunFolder(environment, RUN), retail_pipeline, record_of(retail_pipeline, ROWS["delivered"]), verified(),
        reviewed(names),
    )  # fmt: skip


@pytest.fixture
def small_run(environment: Environment) -> Callable[..., Run]:
    """A run of a plan with the given columns; `schema` is the source's."""

    def made(columns: Mapping[str, Any], schema: pa.Schema, **parts: Any) -> Run:
        plan = Plan.model_validate(
            {
                "format": 1,
                "plan": "small",
                "application": {"number": "2026-001"},
                "purpose": {"kind": "statistics", "statement": "연령대별 지출", "legal_basis": "제28조의2"},
                "use": {
                    "form": "third-party",
                    "recipient": "연구원",
                    "place": "closed",
                    "from": "2026-01-01",
                    "until": "2028-12-31",
                },
                "source": {"table": "shop/orders", "row_key": ["id"]},
                "columns": columns,
                "additional_information": {"destroy": "approved"},
                "output": {"table": "orders"},
                **parts,
            }
        )
        pipeline = compile_plan(plan, schema)
        verify = {"verdict": "equal", "tables": {}, "distributions": {}}
        result = {"verdict": "fit", "expectations": [], "k": {}}
        return Run(RunFolder(environment, RUN), pipeline, record_of(pipeline, 4), verify, result)

    return made
