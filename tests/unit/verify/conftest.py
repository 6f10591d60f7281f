"""A small shop whose run is verified in these tests: every shape of column, a sample, a row rule, an outlier rule."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.identifiers import encode_ids
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.run import Options, finish, prepare
from transforms.pipeline.transform import DATA, ToBatches, TransformMap, TransformReduce
from transforms.pipeline.verdict import Claim, TableVerdict, Ways, verify_table
from transforms.pipeline.work import make_work
from transforms.pipeline_model import TablePipeline
from transforms.plan import Plan
from transforms.run_facts import TableFacts
from transforms.run_keys import RunKeys

KEYS = RunKeys(Secret(b"r" * 32), "shop", "0123456789abcdef", "institute")
SEED = Draws(Secret(b"v" * 32))
ROWS = 900
CITY_SHARES = [0.5, 0.3, 0.19, 0.01]

PLAN: dict[str, Any] = {
    "format": 1,
    "plan": "shop",
    "application": {"number": "2026-001"},
    "purpose": {"kind": "statistics", "statement": "판매 추이 통계", "legal_basis": "제28조의2"},
    "use": {
        "form": "third-party",
        "recipient": "institute",
        "place": "closed",
        "from": "2026-01-01",
        "until": "2027-01-01",
    },
    "source": {"table": "shop/customers", "row_key": ["id"], "subject": "id"},
    "sample": {"technique": "simple", "fraction": 0.5},
    "rows": [{"record-suppression": {"where": {"age": {"below": 20}}}}],
    "excluded": ["name"],
    "columns": {
        "id": {"kind": "identifier", "apply": "serial-number"},
        "age": {
            "kind": "quasi-identifier",
            "apply": [{"top-coding": {"at": 80}}, {"rounding": {"unit": 10, "direction": "down"}}],
        },
        "city": {"kind": "quasi-identifier", "apply": "keep"},
        "spent_{what}": {
            "kind": "attribute",
            "apply": [{"top-coding": {"quantile": 0.99}}, {"rounding": {"unit": 1000, "direction": "down"}}],
        },
        "total": {"kind": "attribute", "derive": {"sum": "spent_*"}},
        "most": {"kind": "attribute", "derive": {"largest": "spent_{what}", "as": "what"}},
        "member": {"kind": "attribute", "apply": "keep"},
    },
    "outliers": [
        {
            "find": {"frequency": {"columns": ["age", "city"], "below": 3}},
            "treat": {"local-suppression": {"columns": ["city"]}},
        }
    ],
    "outlier_limits": {"cells": 1.0, "rows": 1.0},
    "additional_information": {"destroy": "approved"},
    "output": {"table": "shop"},
}


def customers(rows: int = ROWS, visits: int = 1) -> pa.Table:
    """Made customers; with `visits` > 1 each has that many rows, told apart by `visit`."""
    rng = np.random.default_rng(7)
    ids = np.repeat(np.arange(rows), visits)
    count = len(ids)
    table = pa.table(
        {
            "id": pa.array([f"C{number:06d}" for number in ids]),
            "name": pa.array([f"name {number}" for number in ids]),
            "age": pa.array(np.repeat(rng.integers(15, 95, rows), visits)),
            "city": pa.array(
                np.array(["Seoul", "Busan", "Daegu", "Jeju"])[rng.choice(4, count, p=[0.5, 0.3, 0.19, 0.01])]
            ),
            "spent_food": pa.array(rng.lognormal(10, 1, count).astype(np.int64), mask=rng.random(count) < 0.05),
            "spent_books": pa.array(rng.lognormal(9, 1, count).astype(np.int64)),
            "member": pa.array(rng.random(count) < 0.5, mask=rng.random(count) < 0.1),
        }
    )
    return table if visits == 1 else table.append_column("visit", pa.array(np.arange(count)))


@dataclass(frozen=True)
class Case:
    """One run: its compiled table, source, claimed facts and staged rows, any of which a test may alter."""

    table: TablePipeline
    source: pa.Table
    facts: TableFacts
    staged: pa.Table
    stopped: pa.Array | None = None

    def verified(self, pieces: int = 3) -> TableVerdict:
        """The verdict, with source and staged rows in several units."""
        source = units(self.source, self.table.source_schema, pieces)
        staged = [StagedUnit(unit) for unit in units(self.staged, self.staged.schema, pieces)]
        engine = LocalEngine(source)
        ways = Ways(engine, LocalEngine([*source, *staged]), SEED, self.staged.schema)
        return verify_table(Claim.of(self.table, KEYS, self.facts, self.stopped), ways)

    def with_(self, **changes: Any) -> Case:
        """The case with something altered."""
        return replace(self, **changes)

    def with_column(self, name: str, cells: pa.Array) -> Case:
        """The case with other staged cells in one column."""
        place = self.staged.column_names.index(name)
        return self.with_(staged=self.staged.set_column(place, self.staged.schema.field(name), cells))


def units(table: pa.Table, schema: pa.Schema, pieces: int) -> list[TableUnit]:
    """The table cut into units; each knows the place of its first row."""
    size = -(-table.num_rows // pieces) or 1
    starts = range(0, max(table.num_rows, 1), size)
    return [TableUnit(n, table.slice(first, size), schema, first) for n, first in enumerate(starts)]


def run(
    plan: dict[str, Any] = PLAN,
    source: pa.Table | None = None,
    buckets: int = 1,
    stopped: pa.Array | None = None,
) -> Case:
    """An honest run of a plan."""
    source = customers() if source is None else source
    parsed = Plan.model_validate(plan)
    table = compile_plan(parsed, source.schema).table()
    engine = LocalEngine(units(source, source.schema, 4))
    options = Options(1, buckets, source.num_rows, parsed.outlier_limits)
    prepared = prepare(table, KEYS, engine, options, stopped)
    finished = finish(prepared, engine, ToBatches(), options)
    staged = pa.concat_tables([pa.ipc.open_stream(blob).read_all() for blob in finished.outputs]).combine_chunks()
    return Case(table, source, TableFacts.from_json(prepared.facts.to_json()), staged, stopped)


def staged_with(case: Case, facts: TableFacts) -> pa.Table:
    """What a run that works with these facts stages."""
    work = Claim.of(case.table, KEYS, facts, case.stopped).work
    engine = LocalEngine(units(case.source, case.table.source_schema, 2))
    outputs = engine.shuffle(
        TransformMap(work), TransformReduce(work, facts.offsets, ToBatches()), work.buckets, "transform", kinds=True
    )
    return pa.concat_tables([pa.ipc.open_stream(blob).read_all() for kind, blob in outputs if kind == DATA])


def threshold_of_rank(case: Case, rank: int) -> tuple[int, int]:
    """The draw of the subject who is the rank-th in the order of draws."""
    draws = make_work(case.table, KEYS).select.bits(encode_ids([case.source["id"].combine_chunks()]))
    ordered = sorted(zip(draws[:, 0].tolist(), draws[:, 1].tolist(), strict=True))
    return ordered[rank - 1]


@pytest.fixture(scope="session")
def shop() -> ModuleType:
    """This file's functions, for the tests beside it."""
    return sys.modules[__name__]
