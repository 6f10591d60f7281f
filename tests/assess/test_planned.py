"""What the plan's own steps leave of the risk: the quasi-identifiers alone, behind row rules and column steps."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa

from jobs import retail
from jobs.storage import conf_path
from transforms.assess.planned import quasi_only
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline.apply import apply_table
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

KEYS = RunKeys(Secret(bytes(range(32))), "organisation", "assess", "nobody", {})


def first(source: pa.Table) -> tuple[Plan, TablePipeline]:
    loaded = load(conf_path("plans/first.yaml"), [conf_path("hierarchies/region.csv").parent])
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    return loaded.plan, pipeline.wholes["first"]


def test_classes_behind_the_steps_of_the_readmes_plan() -> None:
    """Nobody under 20, ages by tens up to 60, provinces: counted on plain lists. No sample, no suppression."""
    source = pa.Table.from_batches([retail.Retail(1500, 7, retail.districts()).chunk(0)])
    plan, table = first(source)
    narrow = quasi_only(table, ("age", "address", "sex"), None)
    assert narrow is not None
    names = ["customer_id", "age", "address", "sex"]
    narrow = replace(narrow, source_schema=pa.schema([source.schema.field(one) for one in names]), excluded=())
    found = apply_table(narrow, plan, source.select(names), KEYS, None)
    rows = source.select(["age", "address", "sex"]).to_pylist()
    expected = Counter(
        (min(row["age"], 60) // 10 * 10, row["address"].split()[0], row["sex"])
        for row in rows
        if row["age"] is not None and row["age"] >= 20
    )
    classes = Counter(zip(*(found[name].to_pylist() for name in ("age", "address", "sex")), strict=True))
    assert sorted(classes.values()) == sorted(expected.values())
    assert {age for age, _, _ in classes} == {20, 30, 40, 50, 60}


def test_rows_without_a_key_can_only_be_told_by_the_run() -> None:
    source = pa.Table.from_batches([retail.Retail(10, 7, retail.districts()).chunk(0)])
    _, table = first(source)
    assert quasi_only(replace(table, row_key=None), ("age",), None) is None
