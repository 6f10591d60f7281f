"""A staged run without source and keys: made by the pipeline's own tasks, ready to be altered and reviewed."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import review, source_values
from jobs.environment import Environment, load_environment
from jobs.parquet import WRITE_OPTIONS, NewFile
from jobs.pseudonymization import table_counts
from jobs.run_plan import save_plan
from jobs.runs import RunFolder, RunRecord, StagedTable
from jobs.storage import write_atomically
from jobs.tables import commit_files, pinned
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.leftovers import SourceValues
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.marks import Marking, marker_of
from transforms.pipeline.run import Options, finish, prepare
from transforms.pipeline.transform import ToBatches
from transforms.pipeline_model import Pipeline
from transforms.plan_loader import Loaded, load
from transforms.run_facts import RunFacts, TableFacts
from transforms.run_keys import RunKeys

from .checkups import checkups

HEAD = """
    format: 1
    plan: clinic
    application: {number: 2026-001, applicant: 의원, date: 2026-01-15, stage: new}
    purpose: {kind: statistics, statement: 지역·연령대별 진료비 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
    use: {form: third-party, recipient: 통계기관, place: closed, from: 2026-01-01, until: 2098-12-31}
    additional_information: {destroy: approved}
    outlier_limits: {cells: 1, rows: 1}
"""
PATIENTS = (
    HEAD
    + """
    source: {table: clinic/patients, row_key: [patient], subject: patient}
    output: {table: patients}
    excluded: [name]
    sample: {technique: simple, replacement: false, fraction: 0.8}
    rows: [{record-suppression: {where: {age: {below: 20}}, nulls: remove}}]
    columns:
      patient: {kind: identifier, apply: serial-number}
      phone: {kind: identifier, apply: keyed-token}
      age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
      region:
        kind: quasi-identifier
        apply: {categorization: {mapping: {수도권: [서울, 인천], 지방: [부산, 광주]}}}
      sex: {kind: quasi-identifier, apply: keep}
      weight: {kind: attribute, apply: {rounding: {unit: 5, direction: half-up, nulls: error}}}
      balance: {kind: attribute, apply: {rounding: {unit: 100, direction: half-even}}}
      seen: {kind: attribute, apply: keep}
      "spend_{kind}":
        kind: attribute
        apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 1000, direction: down}}]
      total: {kind: attribute, derive: {sum: "spend_*"}}
      favourite: {kind: attribute, derive: {largest: "spend_{kind}", as: kind}}
    outliers:
      - find: {frequency: {columns: [age, region, sex], below: 3}}
        treat: {local-suppression: {columns: [region]}}
    adequacy: {k-anonymity: {k: 3}}
"""
)
VISITS = (
    HEAD
    + """
    source: {table: clinic/visits, row_key: [visit], subject: patient}
    output: {table: visits}
    excluded: [visit]
    columns:
      patient: {kind: identifier, apply: serial-number}
      region: {kind: quasi-identifier, apply: keep}
      cost: {kind: attribute, apply: {rounding: {unit: 1000, direction: down}}}
    adequacy: {k-anonymity: {k: 2}}
"""
)


def patients(count: int = 400) -> pa.Table:
    """Patients of a clinic: every age from 15 to 95, nulls in region and spending, one great spender."""
    turn = range(count)
    spend = [None if i % 41 == 0 else (i * 7919) % 90_000 for i in turn]
    return pa.table(
        {
            "patient": pa.array([f"P{i * 37 % count:04d}" for i in turn]),
            "phone": pa.array([f"010-{i:04d}-{i * 7 % 10_000:04d}" for i in turn]),
            "age": pa.array([15 + i * 29 % 81 for i in turn], pa.int32()),
            "region": pa.array([None if i % 53 == 0 else ("서울", "인천", "부산", "광주")[i % 4] for i in turn]),
            "sex": pa.array(["F" if i % 3 else "M" for i in turn]),
            "weight": pa.array([40 + i % 47 for i in turn], pa.int64()),
            "balance": pa.array([Decimal(i * 1313 % 99_999) / 100 for i in turn], pa.decimal128(12, 2)),
            "seen": pa.array([date(2026, 1 + i % 12, 1 + i % 28) for i in turn]),
            "spend_drugs": pa.array([2_999_000 if i == 3 else spend[i] for i in turn], pa.int64()),
            "spend_tests": pa.array([i * 104_729 % 50_000 for i in turn], pa.int64()),
            "name": pa.array([f"환자{i}" for i in turn]),
        }
    )


def visits(count: int = 60) -> pa.Table:
    """Visits of 20 patients, three each."""
    turn = range(count)
    return pa.table(
        {
            "visit": pa.array([f"V{i:04d}" for i in turn]),
            "patient": pa.array([f"P{i % 20:02d}" for i in turn]),
            "region": pa.array(["서울" if i % 2 else "부산" for i in turn]),
            "cost": pa.array([i * 997 for i in turn], pa.int64()),
        }
    )


@dataclass(frozen=True)
class Made:
    """What pseudonymize would have left of one table."""

    loaded: Loaded
    pipeline: Pipeline
    source: pa.Table
    table: pa.Table
    facts: TableFacts
    counts: dict[str, Any]
    values: SourceValues
    keys: RunKeys


def source_of(name: str) -> pa.Table:
    """The source of the plan that delivers this table."""
    return {"patients": patients, "visits": visits, "checkups": checkups}[name]()


@cache
def made(plan: str, folder: Path) -> Made:
    """The delivered rows and facts of a plan on its source, without Spark."""
    file = folder / "plan.yaml"
    file.write_text(textwrap.dedent(plan), "utf-8")
    loaded = load(file)
    source = source_of(loaded.plan.output.table)
    pipeline = compile_plan(loaded.plan, source.schema, loaded.hierarchies, loaded.lines)
    keys = RunKeys(Secret(bytes(range(32))), "의원", "test", "통계기관")
    engine = LocalEngine([TableUnit(0, source, source.schema)])
    options = Options(cores=1, buckets=1, rows_hint=len(source), limits=loaded.plan.outlier_limits)
    prepared = prepare(pipeline.table(), keys, engine, options)
    marker = marker_of(keys, len(source))
    finished = finish(prepared, engine, ToBatches(), options, Marking.of(pipeline.table(), marker))
    values = finished.marked.values
    name = pipeline.table().name
    chance = {(name, column): cells for column, cells in finished.marked.chance(values).items()}
    tables = [pa.ipc.open_stream(blob).read_all() for blob in finished.outputs]
    counts = table_counts(prepared, prepared.facts, finished.tally, None)
    table = pa.concat_tables(tables).combine_chunks()
    return Made(
        loaded, pipeline, source, table, prepared.facts, counts, SourceValues(marker, values, chance), keys
    )


@dataclass(frozen=True)
class Outcome:
    """How `gamyeong review` ended, and what it wrote."""

    code: int
    result: dict[str, Any]

    @property
    def failed(self) -> set[tuple[str, str | None]]:
        """Type and column of every expectation that failed."""
        return {(one["type"], one["column"]) for one in self.result["expectations"] if not one["success"]}

    def counts(self, kind: str, column: str | None = None) -> dict[str, Any]:
        (found,) = (
            one["counts"]
            for one in self.result["expectations"]
            if (one["type"], one["column"]) == (kind, column)
        )
        return dict(found)


@dataclass(frozen=True)
class Clinic:
    """A staged run in its own zones. `stage` may be given altered rows, files or facts."""

    made: Made
    environment: Environment
    environment_file: Path

    @property
    def table(self) -> pa.Table:
        return self.made.table

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.environment, "0123456789abcdef")

    def stage(
        self,
        table: pa.Table | None = None,
        *,
        files: Sequence[pa.Table] | None = None,
        facts: TableFacts | None = None,
        options: dict[str, Any] | None = None,
        **record: Any,
    ) -> Clinic:
        """Writes staging, facts and evidence as pseudonymize does; `files` are what each Parquet file holds."""
        table = self.table if table is None else table
        half = len(table) // 2
        files = [table.slice(0, half), table.slice(half)] if files is None else files
        name = self.made.pipeline.table().name
        place = self.folder.staged(name)
        place.local.mkdir(parents=True)
        new = []
        for number, one in enumerate(files):
            path = place.local / f"part-{number}.parquet"
            pq.write_table(one, path, row_group_size=97, **(WRITE_OPTIONS | (options or {})))
            new.append(NewFile(path.name, path.stat().st_size, len(one)))
        version = commit_files(place, table.schema, new)
        staged = StagedTable(name, pinned(place).table_id, version, len(table))
        facts = facts or self.made.facts
        self.folder.facts.write_json(RunFacts({name: facts}).to_json())
        write_atomically(source_values.place(self.folder).local, self.made.values.to_bytes())
        save_plan(self.folder, self.made.loaded, self.made.source.schema)
        plan = self.made.loaded.plan
        whole = RunRecord(
            run=self.folder.run, plan=plan.plan, fingerprint=self.made.pipeline.fingerprint, code_version="test",
            organisation="의원", application=plan.application.number, recipient=plan.use.recipient, output=name,
            started="2026-01-05T12:00:00Z", finished="2026-01-05T12:00:01Z", sources={}, tables=(staged,),
            counts={"tables": {name: self.made.counts}},
        )  # fmt: skip
        self.folder.save_record(replace(whole, **record))
        return self

    def review(self) -> Outcome:
        """`gamyeong review` on what was staged."""
        code = review.main(["--environment", str(self.environment_file), "--quiet"])
        return Outcome(code, json.loads(self.folder.result.local.read_text()) if self.folder.result.exists() else {})


MakeClinic = Callable[..., Clinic]


@pytest.fixture(scope="session")
def plans_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


@pytest.fixture
def clinic_of(environment_file: Path, plans_folder: Path, spark: object) -> MakeClinic:
    """A clinic by the text of its plan; the shared Spark session is there for the job."""

    def make(plan: str = PATIENTS) -> Clinic:
        return Clinic(made(plan, plans_folder), load_environment(environment_file), environment_file)

    return make


@pytest.fixture
def clinic(clinic_of: MakeClinic) -> Clinic:
    """The patients' run: one row a person."""
    return clinic_of(PATIENTS)


@pytest.fixture
def visits_clinic(clinic_of: MakeClinic) -> Clinic:
    """The visits' run: three rows a person."""
    return clinic_of(VISITS)


@pytest.fixture(scope="session")
def visits_plan() -> str:
    """The text of the visits' plan, for tests that change it."""
    return VISITS
