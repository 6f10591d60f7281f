"""conf/plans/retail-further.yaml on made customers: what each of its three tables holds."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa

from jobs import retail
from jobs.aggregate_tables import comments
from jobs.storage import conf_path
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.pipeline.aggregate import exact
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.plan_loader import load
from transforms.run_keys import RunKeys

KEYS = RunKeys(Secret(bytes(range(32))), "organisation", "run", "recipient", {})


def test_three_tables_of_one_plan() -> None:
    loaded = load(conf_path("plans/retail-further.yaml"))
    source = pa.Table.from_batches([retail.Retail(2000, 7, retail.districts()).chunk(0)])
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    people, spending = (pipeline.apply_table(source, KEYS, name) for name in ("further", "spending"))
    assert people.column_names == ["record_id", "age", "sex"]
    assert spending.num_columns == 2 + len([name for name in source.column_names if name.startswith("total_")])
    assert set(people["record_id"].to_pylist()) == set(spending["record_id"].to_pylist())

    (aggregate,) = pipeline.aggregates.values()
    engine = LocalEngine([TableUnit(0, source, source.schema, 0)])
    numbers = exact(aggregate, KEYS, engine, None)
    ages = [min(max(age, 20), 60) // 10 * 10 if age is not None else None for age in source["age"].to_pylist()]
    pairs = list(zip(ages, source["sex"].to_pylist(), strict=True))
    groups = [(age, sex) for age in (20, 30, 40, 50, 60) for sex in ("M", "F")]
    assert numbers["persons"] == [pairs.count(group) for group in groups]
    assert sum(numbers["persons"]) > 1500
    assert aggregate.technique.epsilon == Decimal("0.9")
    assert [field.name for field in aggregate.schema] == [
        "age", "sex", "persons", "december", *(f"december_bins_{number}" for number in range(1, 5)),
    ]  # fmt: skip
    assert comments(aggregate)["december_bins_4"].endswith(": 1000000~")
