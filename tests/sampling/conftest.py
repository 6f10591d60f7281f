"""A table of members, and what a sample of it holds: run, verified and reviewed in this process, without Spark."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.members import Members
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.sampling import draw_sample
from transforms.pipeline.transform import ToBatches
from transforms.pipeline.verdict import Claim, TableVerdict, Ways, verify_table
from transforms.pipeline.work import make_work, select
from transforms.pipeline_model import TablePipeline
from transforms.plan_loader import load
from transforms.run_facts import TableFacts
from transforms.run_keys import RunKeys

HEAD = """\
format: 1
plan: members
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: members}
"""
BODY = """\
source: {table: members, row_key: [ROW_KEY], subject: id}
excluded: [EXCLUDED]
columns:
  id: {kind: identifier, apply: PSEUDONYM}
  no: {kind: attribute, apply: keep}
  town: {kind: quasi-identifier, apply: keep}
  sex: {kind: quasi-identifier, apply: keep}
  family: {kind: attribute, apply: keep}
  paid: {kind: attribute, apply: keep}
  joined: {kind: attribute, apply: keep}
"""
TOWNS = ("서울", "부산", "나주", "세종", "제주", None)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("no", pa.int64()),
        ("town", pa.string()),
        ("sex", pa.string()),
        ("family", pa.int32()),
        ("paid", pa.int64()),
        ("joined", pa.date32()),
    ]
)


def keys_of(secret: bytes = bytes(range(32))) -> RunKeys:
    return RunKeys(Secret(secret), "organisation", "run", "recipient", {"panel": Secret(bytes(32))})


def people(count: int, seed: int = 3) -> pa.Table:
    """`count` members: towns of very different sizes (one of them null), families of one to six."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    family = 0
    while len(rows) < count:
        family += 1
        town = draw.choices(TOWNS, [50, 25, 12, 8, 3, 2])[0]
        for _ in range(min(draw.randint(1, 6), count - len(rows))):
            paid = int(draw.lognormvariate(9 + TOWNS.index(town) / 2, 0.5)) * draw.choice([1, 1, 1, -1])
            rows.append(
                {
                    "id": f"M-{len(rows):05d}",
                    "no": len(rows),
                    "town": town,
                    "sex": draw.choice("FM"),
                    "family": family,
                    "paid": None if draw.random() < 0.05 else paid,
                    "joined": date(2015, 1, 1) + timedelta(draw.randrange(3000)),
                }
            )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def units_of(table: pa.Table, schema: pa.Schema, pieces: int) -> list[TableUnit]:
    size = max(1, -(-table.num_rows // pieces))
    starts = range(0, max(1, table.num_rows), size)
    return [TableUnit(n, table.slice(first, size), schema, first) for n, first in enumerate(starts)]


@dataclass(frozen=True)
class Drawn:
    """A run: what was prepared, the delivered rows, and all that verify needs."""

    prepared: Prepared
    rows: pa.Table
    source: pa.Table
    keys: RunKeys
    stopped: pa.Array | None = None

    @property
    def numbers(self) -> list[int]:
        """The members' own numbers (`no`), sorted; a copy's once more."""
        return sorted(self.rows["no"].to_pylist())

    @property
    def table(self) -> TablePipeline:
        return self.prepared.work.table

    def verified(self, facts: TableFacts | None = None, rows: pa.Table | None = None, pieces: int = 3) -> TableVerdict:
        """verify's verdict; facts and rows can be others than the run's. Facts go through their file's JSON."""
        facts = TableFacts.from_json((facts or self.prepared.facts).to_json())
        staged = self.rows if rows is None else rows
        source = units_of(self.source, self.table.source_schema, pieces)
        both = [*source, *map(StagedUnit, units_of(staged, staged.schema, 2))]
        ways = Ways(LocalEngine(source), LocalEngine(both), Draws(Secret(b"v" * 32)), staged.schema)
        return verify_table(Claim.of(self.table, self.keys, facts, self.stopped), ways)

    def wrong(self, **changes: Any) -> set[str]:
        """What verify says of the sample, where something of its facts is otherwise."""
        facts = self.prepared.facts
        assert facts.sample is not None
        own = {name: value for name, value in changes.items() if name in ("subjects", "drawn", "threshold")}
        other = {name: value for name, value in changes.items() if name not in own}
        facts = replace(facts, **own, sample=replace(facts.sample, **other))
        return {one.place for one in self.verified(facts).differences if one.what == "sample"}


@dataclass(frozen=True)
class Desk:
    """Compiles plans with a sample and runs them."""

    file: Path

    def table(
        self,
        sample: str,
        schema: pa.Schema = SCHEMA,
        pseudonym: str = "keyed-token",
        row_key: str = "id",
        more: str = "",
        excluded: str = "",
    ) -> TablePipeline:
        body = BODY.replace("PSEUDONYM", pseudonym).replace("ROW_KEY", row_key).replace("EXCLUDED", excluded)
        self.file.write_text(f"{HEAD}{body}sample: {sample}\n{more}", "utf-8")
        loaded = load(self.file)
        return compile_plan(loaded.plan, schema, loaded.hierarchies, loaded.lines).table()

    def run(
        self,
        sample: str,
        source: pa.Table,
        *,
        units: int = 1,
        keys: RunKeys | None = None,
        stopped: pa.Array | None = None,
        buckets: int | None = None,
        rows_hint: int | None = None,
        threshold: tuple[int, int] | None = None,
        register: Members | None = None,
        **plan: str,
    ) -> Drawn:
        """A run of a plan with this sample."""
        table = self.table(sample, source.schema, **plan)
        engine = LocalEngine(units_of(source, table.source_schema, units))
        options = Options(1, buckets, source.num_rows if rows_hint is None else rows_hint)
        keys = keys or keys_of()
        prepared = prepare(table, keys, engine, options, stopped, threshold, register)
        finished = finish(prepared, engine, ToBatches(), options)
        found = [pa.ipc.open_stream(blob).read_all() for blob in finished.outputs]
        rows = pa.concat_tables(found) if found else table.schema.empty_table()
        return Drawn(prepared, rows.combine_chunks(), source, keys, stopped)

    def often(self, sample: str, source: pa.Table, rounds: int) -> np.ndarray[Any, Any]:
        """How often each member is drawn, by `no`, over runs with different keys."""
        table = self.table(sample, source.schema)
        engine = LocalEngine(units_of(source, table.source_schema, 2))
        numbers = np.array(source["no"].to_pylist())
        found = np.zeros(int(numbers.max()) + 1, np.int64)
        for round_ in range(rounds):
            work = make_work(table, keys_of(round_.to_bytes(32, "big")))
            work = draw_sample(work, engine, source.num_rows, []).work
            (batch,) = source.combine_chunks().to_batches()
            np.add.at(found, numbers[select(work, batch).rows], 1)
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "plan.yaml")


@pytest.fixture(scope="session")
def members() -> Callable[..., pa.Table]:
    """`people(count)`."""
    return people


@pytest.fixture(scope="session")
def everybody() -> pa.Table:
    """900 members."""
    return people(900)


@pytest.fixture(scope="session")
def columns() -> Callable[[pa.Table, Sequence[str]], list[tuple[Any, ...]]]:
    """Cells of some columns, row by row."""
    return lambda table, names: list(zip(*(table[name].to_pylist() for name in names), strict=True))


@pytest.fixture(scope="session")
def secret_keys() -> Callable[[bytes], RunKeys]:
    """Keys of another run."""
    return keys_of
