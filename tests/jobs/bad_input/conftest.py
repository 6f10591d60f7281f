"""A small source table and a valid plan on it; each test spoils one thing and runs the `gamyeong` command."""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.cli import main
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider

PLAN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
source: {table: people, row_key: [id], subject: id}
excluded: [name]
sample: {fraction: 0.5}
columns:
  id: {label: 번호, kind: identifier, apply: serial-number}
  age: {kind: quasi-identifier, apply: {rounding: {unit: 10, direction: down}}}
  grade: {kind: attribute, apply: {categorization: {1: [gold-zz], 2: [silver-zz]}}}
  paid: {kind: attribute, apply: {graded-rounding: [{below: 1000, unit: 1, direction: up}, {unit: 9, direction: up}]}}
  day: {kind: attribute, apply: keep}
additional_information: {destroy: approved}
output: {table: people}
"""
# No text of ours may hold one of these.
CELLS = ["EC-9000", "홍길동", "7770", "platinum-zz", "2026-10-1"]


def people(**changed: Any) -> pa.Table:
    """Forty persons. A changed column is `name=array`."""
    n = 40
    columns = {
        "id": pa.array([f"EC-9000{number:02}" for number in range(n)]),
        "name": pa.array([f"홍길동{number}" for number in range(n)]),
        "age": pa.array([20 + number for number in range(n)]),
        "grade": pa.array(["gold-zz", "silver-zz"] * (n // 2)),
        "paid": pa.array([777_000 + number for number in range(n)]),
        "day": pa.array([datetime.date(2026, 10, 10 + number % 10) for number in range(n)]),
    }
    return pa.table({**columns, **changed})


@dataclass
class Desk:
    """Where a test works: an environment with a root key, a source table and a plan on it."""

    environment: Environment
    folder: Path
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    @property
    def source(self) -> Path:
        return self.environment.zone("source").local / "people"

    @property
    def data_file(self) -> Path:
        """The one Parquet file of the source table."""
        (uri,) = DeltaTable(str(self.source)).file_uris()
        return Path(uri.removeprefix("file://"))

    @property
    def summary(self) -> dict[str, Any]:
        """The last line of `--json`."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found

    def write(self, table: pa.Table | None = None, name: str = "people", **options: Any) -> None:
        """A table of the source zone; the forty persons where none is given."""
        deltalake.write_deltalake(str(self.source.parent / name), people() if table is None else table, **options)

    def replace(self, **changed: pa.Array) -> None:
        """The persons again, with other cells in these columns."""
        self.write(people(**changed), mode="overwrite", schema_mode="overwrite")

    def change(self, old: str, new: str) -> None:
        """Puts `new` in the plan in the one place where `old` stands."""
        text = self.plan.read_text("utf-8")
        assert text.count(old) == 1, old
        self.plan.write_text(text.replace(old, new), "utf-8")

    def run(self, *words: str, job: str = "pseudonymize", target: str | None = None) -> int:
        """Exit code of `gamyeong JOB`; its texts are in `out` and `err`."""
        where = ["--environment", str(self.environment.file), "--json"]
        code = main([job, target if target is not None else str(self.plan), *words, *where])
        self.out, self.err = self.capsys.readouterr()
        return code

    def zones(self) -> dict[str, str]:
        """Every file of source, staging and published, with the digest of its content."""
        files: dict[str, str] = {}
        for name in ("source", "staging", "published"):
            zone = self.environment.zone(name).local  # type: ignore[arg-type]
            for path in sorted(zone.rglob("*")):
                if path.is_file():
                    files[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return files

    def fails(self, code: int, told: tuple[str, ...], *words: str, **how: Any) -> None:
        """The command ends with `code`, tells all of `told` and no cell, and leaves the three zones as they were."""
        before = self.zones()
        assert self.run(*words, **how) == code, self.err
        for text in told:
            assert text in self.err
        assert "Traceback" not in self.out + self.err
        assert [cell for cell in CELLS if cell in self.out + self.err] == []
        assert (self.summary["exit"], self.summary["error"] in self.err) == (code, True)
        assert self.zones() == before


@pytest.fixture
def desk(environment: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """The valid plan on forty persons, without a Spark session: a test that needs one asks for `spark`."""
    FileProvider.init(environment.keys.path)
    made = Desk(environment, tmp_path, capsys)
    made.write()
    made.plan.write_text(PLAN, "utf-8")
    return made
