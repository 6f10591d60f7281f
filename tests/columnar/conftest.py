"""A job on a real Delta table, in this process, with the shared Spark session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pytest

from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.progress import Progress
from jobs.pseudonymization import Done, pseudonymize
from jobs.runs import RunFolder

HEAD = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
additional_information: {destroy: approved}
output: {table: people}
source: {table: people, row_key: [id], subject: id}
"""


@dataclass(frozen=True)
class Bench:
    """Source table `people`, a plan on it, and what the job made of it."""

    environment: Environment
    folder: Path
    spark: Any

    @property
    def source(self) -> str:
        return str(self.environment.zone("source") / "people")

    def write(self, rows: pa.Table, **options: Any) -> None:
        """The source table by deltalake; Spark SQL may change it afterwards."""
        deltalake.write_deltalake(self.source, rows, **options)

    def sql(self, text: str) -> None:
        """Spark SQL with {t} for the source table."""
        self.spark.sql(text.format(t=f"delta.`{self.source}`"))

    def run(self, columns: str, **options: Any) -> Done:
        """The job on a plan with these columns; keeps the run's secret, so that reruns have the same draws."""
        plan = self.folder / "plan.yaml"
        head = options.pop("head", HEAD)
        plan.write_text(head + columns, "utf-8")
        return pseudonymize(self.environment, plan, Progress(quiet=True), **options)

    def rows(self, done: Done) -> list[dict[str, Any]]:
        """The staged rows in their order."""
        place = RunFolder(self.environment, done.run).staged("people")
        table = deltalake.DeltaTable(str(place))
        files = sorted(table.file_uris())
        return [row for file in files for row in pa.parquet.read_table(file).to_pylist()]


@pytest.fixture
def bench(environment: Environment, spark: Any, tmp_path: Path) -> Bench:
    """An empty source zone and a root key."""
    FileProvider.init(environment.keys.path)
    return Bench(environment, tmp_path, spark)


@pytest.fixture
def head() -> Callable[[str], str]:
    """The plan's head with another `source:` line."""
    return lambda source: HEAD[: HEAD.index("source:")] + f"source: {source}\n"
