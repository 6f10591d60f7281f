"""Runs outlier rules on a few rows, in one piece and in several, and holds verify and review against the result."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.outlier_changes import RuleChange
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.review import make_task
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.transform import ToBatches
from transforms.pipeline.verdict import Claim, TableVerdict, Ways, verify_table
from transforms.pipeline_model import TablePipeline
from transforms.plan_loader import load
from transforms.run_facts import TableFacts
from transforms.run_keys import RunKeys

KEYS = RunKeys(Secret(bytes(range(32))), "organisation", "0123456789abcdef", "recipient")
SEED = Draws(Secret(b"v" * 32))
HEAD = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 지역별 직업별 월소득 통계작성, legal_basis: 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: people}
source: {table: people, row_key: [row]SUBJECT}
excluded: [row]
"""


def units(source: pa.Table, schema: pa.Schema, pieces: int) -> list[TableUnit]:
    """A table in `pieces` units; each knows the place of its first row."""
    size = max(1, -(-source.num_rows // pieces))
    starts = range(0, max(1, source.num_rows), size)
    return [TableUnit(n, source.slice(first, size), schema, first) for n, first in enumerate(starts)]


@dataclass(frozen=True)
class Treated:
    """What came of a run: delivered rows in the source's order, outcomes by rule, the facts as they are stored."""

    table: TablePipeline
    source: pa.Table
    staged: pa.Table
    prepared: Prepared
    facts: TableFacts

    def column(self, name: str) -> list[Any]:
        """A delivered column, by the source's order of rows."""
        return self.staged.sort_by("mark")[name].to_pylist()  # type: ignore[no-any-return]

    @property
    def marks(self) -> list[int]:
        """Which source rows are delivered."""
        return sorted(self.staged["mark"].to_pylist())

    @property
    def outcomes(self) -> tuple[dict[str, Any], ...]:
        return self.prepared.outliers

    def verified(self, facts: TableFacts | None = None) -> TableVerdict:
        """The verdict on the staged rows, or on a run with other facts that staged what these say."""
        source = units(self.source, self.table.source_schema, 3)
        staged = [StagedUnit(unit) for unit in units(self.staged, self.staged.schema, 2)]
        ways = Ways(LocalEngine(source), LocalEngine([*source, *staged]), SEED, self.staged.schema)
        return verify_table(Claim.of(self.table, KEYS, facts or self.facts), ways)

    def claiming(self, number: int, change: RuleChange | None) -> set[tuple[str, str]]:
        """What verify finds where solved rule `number` is claimed to be another one (None: left out)."""
        rules = list(self.facts.rules)
        rules[number : number + 1] = [change] if change is not None else []
        changed = TableFacts(**{**self.facts.__dict__, "rules": tuple(rules)})
        return {(one.what, one.place) for one in self.verified(changed).differences}

    def misfits(self) -> dict[str, int]:
        """Cells that the review finds outside of what the plan can give, by column."""
        task = make_task(self.table, self.facts)
        names = self.staged.column_names
        found = task.of({name: self.staged[name].combine_chunks() for name in names}, len(self.staged))
        return {name: int(count) for name, count in zip(names, found.misfits, strict=True) if count}


def run(table: TablePipeline, limits: Any, source: pa.Table, pieces: int) -> tuple[Prepared, pa.Table]:
    """Prepared state and delivered rows."""
    engine = LocalEngine(units(source, table.source_schema, pieces))
    options = Options(cores=1, buckets=2, rows_hint=source.num_rows, limits=limits)
    prepared = prepare(table, KEYS, engine, options)
    rows = [pa.ipc.open_stream(blob).read_all() for blob in finish(prepared, engine, ToBatches(), options).outputs]
    return prepared, pa.concat_tables(rows) if rows else table.schema.empty_table()


Treat = Callable[..., Treated]


@pytest.fixture
def treat(tmp_path: Path) -> Treat:
    """Applies outlier rules (YAML) to columns of values; the result must not depend on pieces or order of rows.

    `subject` names the column of the person; `files` are hierarchies by name; `more` is further text of the plan.
    """

    def apply(
        columns: dict[str, Sequence[Any]] | pa.Table,
        *rules: str,
        limits: str = "{cells: 1, rows: 1}",
        subject: str | None = None,
        files: dict[str, str] | None = None,
        more: str = "",
        checked: bool = True,
    ) -> Treated:
        for name, text in (files or {}).items():
            (tmp_path / name).write_text(text, "utf-8")
        data = columns if isinstance(columns, pa.Table) else pa.table(columns)
        count = data.num_rows
        names = data.column_names
        data = data.append_column("row", pa.array(range(count), pa.int64()))
        data = data.append_column("mark", pa.array(range(count), pa.int64()))
        kept = [f"  {name}: {{kind: attribute, apply: keep}}\n" for name in [*names, "mark"] if name != subject]
        if subject is not None:
            kept.append(f"  {subject}: {{kind: identifier, apply: keyed-token}}\n")
        text = HEAD.replace("SUBJECT", f", subject: {subject}" if subject else "")
        text += "columns:\n" + "".join(kept) + more
        text += "outliers:\n" + "".join(f"  - {rule}\n" for rule in rules) + f"outlier_limits: {limits}\n"
        file = tmp_path / "plan.yaml"
        file.write_text(text, "utf-8")
        loaded = load(file)
        table = compile_plan(loaded.plan, data.schema, loaded.hierarchies, loaded.lines).table()
        prepared, staged = run(table, loaded.plan.outlier_limits, data, 1)
        done = Treated(table, data, staged, prepared, TableFacts.from_json(prepared.facts.to_json()))
        if checked:
            order = list(range(count))
            random.Random(5).shuffle(order)
            for other, pieces in ((data, 4), (data.take(pa.array(order, pa.int64())), 3)):
                again, rows = run(table, loaded.plan.outlier_limits, other, pieces)
                assert rows.sort_by("mark").equals(staged.sort_by("mark"))
                assert again.facts.to_json()["rules"] == prepared.facts.to_json()["rules"]
                assert again.outliers == prepared.outliers
            assert done.verified().differences == ()
            assert done.misfits() == {}
        return done

    return apply
