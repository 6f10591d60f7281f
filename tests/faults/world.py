"""A small organisation in a folder of its own: table, plan, keys, reviewers. Faults are played in copies of it."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError
from ruamel.yaml import YAML

from jobs.cli import main
from jobs.environment import Environment, load_environment
from jobs.ledger import chain_problems, evidence_ledger
from jobs.runs import RunFolder, list_runs, release_manifest
from jobs.signers import pinned_signers
from tests.conftest import write_environment
from tests.searching import search_ids

ROOT = Path(__file__).resolve().parents[2]
PERSONS, FILES = 4000, 4
LIBRARY = re.compile(r"\.jar$|^fetchFileTemp")
# What names a person in the source, and must stand nowhere else.
IDS = r"EC-9\d{5}|가나다라9\d{5}"
REVIEWERS = ("김검토", "이검토", "박검토")
PLAN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
source: {table: people, row_key: [id], subject: id}
sample: {fraction: 0.9}
columns:
  id: {kind: identifier, apply: serial-number}
  name: {kind: identifier, apply: two-way-encryption}
  age: {kind: quasi-identifier, apply: {rounding: {unit: 20, direction: down}}}
  town: {kind: quasi-identifier, apply: keep}
  paid: {kind: attribute, apply: [{top-coding: {quantile: 0.9}}, {rounding: {unit: 100, direction: half-up}}]}
outliers:
  - {find: {frequency: {columns: [age, town], below: 3}}, treat: {local-suppression: {columns: [town]}}}
outlier_limits: {cells: 1, rows: 1}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: people}
"""
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Everything below `folder`; `java` are more options for the driver's JVM."""

    folder: Path
    java: str = ""

    @classmethod
    def make(cls, folder: Path) -> World:
        """Source in several files, plan, root key, three reviewers; nothing has run yet."""
        world = cls(folder)
        folder.mkdir(parents=True)
        world._settle()
        for part in range(FILES):
            write_deltalake(str(world.source), _persons(range(part, PERSONS, FILES)), mode="append")
        world.plan.write_text(PLAN, "utf-8")
        made = [main(["keys", "init", "--quiet", "--environment", str(world.file)])]
        for name in REVIEWERS:
            words = ["reviewer", "new", name, "--key", str(world.key(name)), "--quiet"]
            made.append(main([*words, "--environment", str(world.file)]))
        assert made == [0] * (1 + len(REVIEWERS))
        return world

    def copy(self, folder: Path) -> World:
        """The same organisation at another place: its runs have the same names and give the same rows."""
        shutil.copytree(self.folder, folder)
        other = World(folder, self.java)
        other._settle()
        return other

    def _settle(self) -> None:
        write_environment(self.folder)
        yaml = YAML()
        raw = yaml.load(self.file)
        raw["spark"] |= {
            "spark.master": "local[2,4]",
            "spark.driver.memory": "1g",
            # A JVM that lives for seconds: half of its time would go into compiling well what it runs once.
            "spark.driver.extraJavaOptions": f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC {self.java}",
            "spark.executorEnv.PYTHONPATH": str(ROOT),
        }
        yaml.dump(raw, self.file)

    @property
    def file(self) -> Path:
        return self.folder / "environment.yaml"

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def words(self) -> Path:
        """What runs say to people."""
        return self.folder / "words.log"

    def key(self, reviewer: str) -> Path:
        return self.folder / f"{reviewer}.pem"

    @cached_property
    def environment(self) -> Environment:
        return load_environment(self.file)

    @property
    def source(self) -> Path:
        return self.warehouse / "source" / "people"

    @property
    def source_files(self) -> list[Path]:
        return sorted(self.source.glob("*.parquet"))

    @property
    def secrets(self) -> Path:
        """Where the wrapped secrets of runs lie; a copy with the same secret gives the same rows."""
        return self.warehouse / "keys" / "runs"

    @property
    def run(self) -> RunFolder | None:
        """The one run, once it is recorded."""
        runs = list_runs(self.environment)
        return RunFolder(self.environment, runs[0]) if runs else None

    def published(self) -> list[Row] | None:
        """The published rows in the order of their serials; None where there is no table."""
        tables = sorted((self.warehouse / "published").rglob("_delta_log"))
        assert len(tables) <= 1, tables
        if not tables:
            return None
        try:
            table = DeltaTable(str(tables[0].parent)).to_pyarrow_table()
        except TableNotFoundError:
            return None
        return sorted(table.to_pylist(), key=lambda row: row["id"])

    def problems(self, expected: list[Row]) -> list[str]:
        """What is wrong at whatever moment one looks: half a table, a manifest alone, a raw value outside source."""
        wrong = []
        rows = self.published()
        if rows is not None and rows != expected:
            wrong.append(f"published holds {len(rows)} rows, and not those of an undisturbed run")
        folder = self.run
        if rows is None and folder is not None and release_manifest(self.environment, folder.load_record()).exists():
            wrong.append("a release manifest without a release")
        found = search_ids(self.others, IDS)
        return wrong + [f"raw values in {path}" for path in found]

    def unfinished(self, expected: list[Row]) -> list[str]:
        """What is wrong once a run has come to its end, whatever came before: rows, leftovers, ledger."""
        wrong = self.problems(expected)
        if self.published() is None:
            return [*wrong, "nothing is published"]
        warehouse = self.warehouse
        for zone in ("staging", "additional-information", "keys/runs", "scratch/spark"):
            left = [path for path in (warehouse / zone).rglob("*") if path.is_file()]
            wrong += [f"left behind: {path.relative_to(warehouse)}" for path in left]
        hidden = [path for path in warehouse.rglob(".*") if path.is_file()]
        drafts = [path for path in hidden if not path.name.endswith((".lock", ".crc"))]
        wrong += [f"a draft: {path.relative_to(warehouse)}" for path in drafts]
        (log,) = (warehouse / "published").rglob("_delta_log")
        named = {Path(uri).name for uri in DeltaTable(str(log.parent)).file_uris()}
        there = {path.name for path in log.parent.rglob("*.parquet") if "_delta_log" not in path.parts}
        wrong += [f"published, but in no log: {name}" for name in sorted(there - named)]
        return wrong + self._ledger_problems()

    def _ledger_problems(self) -> list[str]:
        entries = evidence_ledger(self.environment, write=False).entries()
        wrong = chain_problems(entries, pinned_signers(self.environment))
        types = [entry.type for entry in entries]
        for once in ("pseudonymize", "publish", "destroy"):
            if types.count(once) != 1:
                wrong.append(f"the ledger has {types.count(once)} entries {once}")
        return wrong

    @property
    def others(self) -> list[Path]:
        """Every file of the warehouse outside of the source zone, but for the libraries that Spark copies."""
        warehouse = self.warehouse
        source = warehouse / "source"
        found = [path for path in warehouse.rglob("*") if path.is_file() and not path.is_relative_to(source)]
        return [path for path in found if not LIBRARY.search(path.name)]


def _persons(numbers: range) -> pa.Table:
    return pa.table(
        {
            "id": [f"EC-9{number:05}" for number in numbers],
            "name": [f"가나다라9{number:05}" for number in numbers],
            "age": [20 + number * 7 % 60 for number in numbers],
            "town": ["은평구" if number % 29 else "가평군" for number in numbers],
            "paid": [number * 997 % 50_000 for number in numbers],
        }
    )


def lines(text: str) -> list[dict[str, Any]]:
    """The JSON lines among what a program printed."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
