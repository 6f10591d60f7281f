"""A small table of persons with everything that the pipeline treats apart, and a plan for it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.transform import ToBatches
from transforms.pipeline_model import Pipeline
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

HEAD = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: people}
"""
PLAN = (
    HEAD
    + """\
source: {table: people, row_key: [id], subject: id}
excluded: [name]
sample: {fraction: 0.5}
rows:
  - record-suppression: {where: {age: {below: 20}}}
columns:
  id: {kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
  region: {kind: quasi-identifier, apply: keep}
  "amount_{kind}":
    kind: attribute
    apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 100, direction: half-down}}]
  total: {kind: attribute, derive: {sum: "amount_{kind}", nulls: zero}}
  preferred: {kind: attribute, derive: {largest: "amount_{kind}", as: kind}}
outliers:
  - {find: {frequency: {columns: [age, region], below: 3}}, treat: {local-suppression: {columns: [region]}}}
outlier_limits: {cells: 0.2, rows: 0.05}
"""
)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("name", pa.string()),
        ("age", pa.int32()),
        ("region", pa.string()),
        ("amount_food", pa.int64()),
        ("amount_rent", pa.int64()),
    ]
)


def people(count: int, seed: int = 7) -> pa.Table:
    """`count` persons; a few regions are rare, one amount in fifty is null."""
    draw = random.Random(seed)
    regions = [f"region {number}" for number in range(8)] + ["island"]
    weights = [20] * 8 + [0.4]
    rows = {
        "id": [f"P-{number:06d}" for number in range(count)],
        "name": [f"Person {number}" for number in range(count)],
        "age": [draw.randint(10, 97) for _ in range(count)],
        "region": draw.choices(regions, weights, k=count),
        "amount_food": [None if draw.random() < 0.02 else int(draw.lognormvariate(10, 1)) for _ in range(count)],
        "amount_rent": [int(draw.lognormvariate(12, 0.5)) for _ in range(count)],
    }
    return pa.table(rows, schema=SCHEMA)


@dataclass(frozen=True)
class Case:
    """A compiled plan with its source rows and fixed keys: `run()` does what a job does, in this process."""

    pipeline: Pipeline
    source: pa.Table
    keys: RunKeys

    def run(self, **changes: Any) -> tuple[Prepared, pa.Table, Any]:
        """Prepared state, delivered rows, counts of cells. `units`: pieces of the source; further Options."""
        units = changes.pop("units", 1)
        source = changes.pop("source", self.source)
        stopped = changes.pop("stopped", None)
        table = self.pipeline.table()
        size = max(1, -(-source.num_rows // units))
        pieces = [source.slice(first, size) for first in range(0, max(1, source.num_rows), size)]
        engine = LocalEngine([TableUnit(n, piece, table.source_schema, n * size) for n, piece in enumerate(pieces)])
        limits = self.pipeline.plan.outlier_limits
        options = Options(**{"cores": 1, "rows_hint": source.num_rows, "limits": limits, **changes})
        prepared = prepare(table, self.keys, engine, options, stopped)
        finished = finish(prepared, engine, ToBatches(), options)
        rows = [pa.ipc.open_stream(blob).read_all() for blob in finished.outputs]
        return prepared, pa.concat_tables(rows) if rows else table.schema.empty_table(), finished.tally


@pytest.fixture
def keys() -> RunKeys:
    """Keys of a run that always are the same."""
    return RunKeys(Secret(bytes(range(32))), "organisation", "run", "recipient", {"panel": Secret(bytes(32))})


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str, Any], Pipeline]:
    """Compiles a plan's text against a schema (or schemas by table)."""

    def make(text: str, schema: Any) -> Pipeline:
        file = tmp_path / "plan.yaml"
        file.write_text(text, "utf-8")
        loaded = load(file)
        return compile_plan(loaded.plan, schema, loaded.hierarchies, loaded.lines)

    return make


@pytest.fixture
def case(compiled: Callable[[str, Any], Pipeline], keys: RunKeys) -> Callable[..., Case]:
    """A case of `PLAN` on 4,000 persons; text, rows and schema can be others."""

    def make(text: str = PLAN, source: pa.Table | None = None) -> Case:
        rows = people(4000) if source is None else source
        return Case(compiled(text, rows.schema), rows, keys)

    return make


@pytest.fixture
def plan_text() -> str:
    """The text of `PLAN`, for tests that change it in one place."""
    return PLAN


@pytest.fixture
def plan_head() -> str:
    """What stands before `source:` in a plan."""
    return HEAD


@pytest.fixture
def persons() -> Callable[..., pa.Table]:
    """`people(count)`."""
    return people
