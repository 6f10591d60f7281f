"""The guideline's unsuitable and suitable rounding (L2004-2012): how many values stay unique is counted and told."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.review_result import unique_values, warnings
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.expectations.classes import ExpectCellsInImageOfChain, ExpectFewUniqueValues
from transforms.expectations.handed import PARAMETER
from transforms.expectations.providers import CELLS
from transforms.expectations.suite import load_suite, make_suite, suite_json
from transforms.expectations.validation import Judged
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.review import Adequacy, Columns, conclude, make_task
from transforms.pipeline.run import Options, prepare
from transforms.pipeline_model import Pipeline
from transforms.plan_loader import load
from transforms.run_keys import RunKeys
from transforms.uniqueness import Uniqueness

AMOUNTS = [983_116_785, 984_715_591, 984_932_383, 985_660_262, 986_047_778]
PLAN = """\
format: 1
plan: amounts
application: {number: 2024-001}
purpose: {kind: statistics, statement: 지역별 금액의 차이 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
use: {form: third-party, recipient: 통계업체, place: closed, from: 2026-01-01, until: 2027-12-31}
source: {table: amounts, row_key: [id]}
excluded: [id]
columns:
  amount: {kind: attribute, apply: {rounding: {unit: UNIT, direction: half-up}}}
adequacy: {unique-values: 0.2}
additional_information: {destroy: approved}
output: {table: amounts}
"""


def pipeline_of(folder: Path, unit: int) -> Pipeline:
    path = folder / "plan.yaml"
    path.write_text(PLAN.replace("UNIT", str(unit)), "utf-8")
    loaded = load(path)
    return compile_plan(loaded.plan, pa.schema([("id", pa.int64()), ("amount", pa.int64())]), {}, loaded.lines)


def reviewed(pipeline: Pipeline, parts: int) -> Adequacy:
    """What the review counts over the delivered rows, in so many units."""
    keys = RunKeys(Secret(bytes(32)), "our organisation", "a run", "통계업체")
    source = pa.table({"id": list(range(5)), "amount": AMOUNTS})
    delivered = pipeline.apply_table(source, keys)
    engine = LocalEngine([TableUnit(0, source, source.schema)])
    facts = prepare(pipeline.table(), keys, engine, Options()).facts
    task = make_task(pipeline.table(), facts)
    found = task.empty()
    for part in range(parts):
        rows = delivered.take(list(range(part, 5, parts))).combine_chunks()
        found = found.merge(task.of({"amount": rows["amount"].chunk(0)}, len(rows)))
    return conclude(pipeline.table(), task, found, Columns())


@pytest.mark.parametrize("parts", [1, 2, 5])
@pytest.mark.parametrize(("unit", "distinct", "unique"), [(1_000, 5, 5), (10_000_000, 2, 0)])
def test_unique_amounts_are_counted(tmp_path: Path, parts: int, unit: int, distinct: int, unique: int) -> None:
    """At 1,000 all five are distinct; at 10,000,000 there are 980,000,000 three times and 990,000,000 twice."""
    found = reviewed(pipeline_of(tmp_path, unit), parts)
    assert found.misfits == {"amount": 0}
    assert found.unique == {"amount": Uniqueness(5, distinct, unique, exact=True)}


@pytest.mark.parametrize(("unit", "fits"), [(1_000, False), (10_000_000, True)])
def test_a_limit_in_the_plan_makes_it_a_failure(tmp_path: Path, unit: int, fits: bool) -> None:
    pipeline = pipeline_of(tmp_path, unit)
    suite = make_suite(pipeline.table(), None, pipeline.fingerprint)
    suite = load_suite(json.dumps(suite_json(suite)))  # as an engineer gets it
    (expectation,) = [one for one in suite.expectations if isinstance(one, ExpectFewUniqueValues)]
    assert (expectation.column, expectation.share) == ("amount", 0.2)
    found = expectation.judge({CELLS: reviewed(pipeline, 1)})
    assert found["success"] == fits
    assert set(found["result"]) == {"filled", "distinct", "unique"}


def test_it_is_told_as_a_warning_without_a_value(tmp_path: Path) -> None:
    cells = reviewed(pipeline_of(tmp_path, 1_000), 1)
    expectation = ExpectCellsInImageOfChain(reviewed={"$PARAMETER": PARAMETER}, column="amount")
    told = expectation.judge({CELLS: cells})
    judged = {"amounts": [Judged("expect_cells_in_image_of_chain", "amount", told["success"], told["result"])]}
    assert told["success"]
    (warning,) = unique_values(judged)
    counts = {"filled": 5, "distinct": 5, "unique": 5}
    assert warning == {"kind": "unique-values", "table": "amounts", "column": "amount", **counts}
    (line,) = warnings(judged)
    assert line.startswith("warning: amounts, column amount: 5 of 5 cells")
    assert not any(str(amount)[:3] in line for amount in AMOUNTS)
