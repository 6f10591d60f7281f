"""The class pass and class facts on Spark: the same rows as without it, and verify finds them equal."""

import random

import pyarrow as pa
import pytest

from jobs.progress import Progress
from jobs.run_secrets import run_keys
from jobs.runs import RunFolder
from jobs.verification import verify
from transforms.compiler import compile_plan
from transforms.plan_loader import load

pytestmark = pytest.mark.spark

COLUMNS = """\
columns:
  id: {kind: identifier, apply: serial-number}
  region: {kind: quasi-identifier, apply: keep}
  amount: {kind: attribute, apply: {permutation: {by: [region]}}}
  paid: {kind: attribute, apply: permutation}
  points: {kind: attribute, apply: {controlled-rounding: {unit: 10, by: [region]}}}
  visits: {kind: attribute, apply: {aggregation: {statistic: median, by: [region]}}}
"""


def source(count=3000):
    draw = random.Random(5)
    return pa.table(
        {
            "id": [f"P-{n:05d}" for n in range(count)],
            "region": [draw.choice(["Seoul", "Naju", "Sejong"]) for _ in range(count)],
            "amount": [draw.randrange(10_000) for _ in range(count)],
            "paid": [draw.randrange(10_000) for _ in range(count)],
            "points": [draw.randrange(100) for _ in range(count)],
            "visits": [draw.randrange(50) for _ in range(count)],
        }
    )


def test_job_frame_and_table_give_the_same_rows_and_verify_finds_them_equal(bench):
    rows = source()
    for first in range(0, 3000, 1000):
        bench.write(rows.slice(first, 1000), mode="append")
    done = bench.run(COLUMNS, partitions=3)
    plan = load(bench.folder / "plan.yaml").plan
    keys = run_keys(bench.environment, plan, done.run, create=False)
    pipeline = compile_plan(plan, rows.schema)
    expected = pipeline.apply_table(rows, keys)
    assert sorted(bench.rows(done), key=lambda row: row["id"]) == expected.to_pylist()
    frame = bench.spark.read.format("delta").load(bench.source)
    found = pipeline.apply(frame, keys).toArrow().sort_by("id")
    assert found.to_pylist() == expected.to_pylist()
    assert verify(RunFolder(bench.environment, done.run), Progress(quiet=True)).verdict == "equal"
