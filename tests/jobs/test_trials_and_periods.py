"""`--limit N`: a trial that is staged, checked, and never published. `--period P`: that period's rows alone."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.cli import main
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.runs import RunFolder

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]

PLAN = """\
format: 1
plan: orders
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 월별 주문액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: team-a, place: closed, from: 2026-01-01, until: 2098-12-31}
source: {table: orders, row_key: [id], subject: id}
columns:
  id: {kind: identifier, apply: serial-number}
  at: {kind: attribute, apply: keep}
  paid: {kind: attribute, apply: {rounding: {unit: 10, direction: down}}}
additional_information: {destroy: approved}
output: {table: orders}
"""
MONTHLY = ("subject: id}", "subject: id, period: {column: at, every: month}}")
DAILY = ("subject: id}", "subject: id, period: {column: at, every: day}}")
DAY, UTC_TIME, WALL_TIME = pa.date32(), pa.timestamp("us", "UTC"), pa.timestamp("us")


@dataclass
class Office:
    """A source table, a plan on it, and the commands of one release."""

    environment: Environment
    folder: Path
    capsys: pytest.CaptureFixture[str]
    keys: dict[str, str] = field(default_factory=dict)

    def orders(self, moments: list[Any], type_: pa.DataType, first: int = 0, **options: Any) -> None:
        """One order for each moment, of 13, 23, 33 … won (from `first` on): published as 10, 20, 30 …"""
        numbers = range(first, first + len(moments))
        ids, paid = [f"EC-{n}" for n in numbers], [10 * n + 13 for n in numbers]
        columns = {"id": ids, "at": pa.array(moments, type_), "paid": paid}
        deltalake.write_deltalake(str(self.environment.zone("source") / "orders"), pa.table(columns), **options)

    def plan(self, *change: str, zone: str = "") -> None:
        text = PLAN.replace(*change) if change else PLAN
        (self.folder / "plan.yaml").write_text(text + (f"time_zone: {zone}\n" if zone else ""), "utf-8")

    def take(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, the object of --json, and what was said on stderr."""
        code = main([*words, "--environment", str(self.environment.file), "--json"])
        said = self.capsys.readouterr()
        return code, json.loads(said.out.splitlines()[-1]), said.err

    def staged(self, *words: str) -> list[dict[str, Any]]:
        """The rows that `gamyeong pseudonymize` stages, in their order."""
        code, summary, err = self.take("pseudonymize", str(self.folder / "plan.yaml"), *words)
        assert code == 0, err
        place = RunFolder(self.environment, summary["run"]).staged("orders")
        files = sorted(DeltaTable(str(place)).file_uris())
        return [row for file in files for row in pq.read_table(file).to_pylist()]

    def release(self, *words: str) -> str:
        """Pseudonymize, verify, review, three decisions, publish; gives the run."""
        code, summary, err = self.take("pseudonymize", str(self.folder / "plan.yaml"), *words)
        assert code == 0, err
        run = str(summary["run"])
        for job in ("verify", "review"):
            assert self.take(job, run)[0] == 0
        for name in ("김검토", "이검토", "박검토"):
            if name not in self.keys:
                self.keys[name] = str(self.folder / f"{len(self.keys)}.pem")
                assert self.take("reviewer", "new", name, "--key", self.keys[name])[0] == 0
            decision = ["decide", run, "--reviewer", name, "--key", self.keys[name], "--conflicts", "none"]
            assert self.take(*decision, "--outcome", "approved")[0] == 0
        code, _, err = self.take("publish", run)
        assert code == 0, err
        return run

    @property
    def published(self) -> Path:
        return self.environment.zone("published").local / "2026-001" / "team-a" / "orders"

    def rows(self) -> dict[str, list[int]]:
        """What is paid in the published table, by period, in the order of the serials."""
        found: dict[str, list[tuple[int, int]]] = {}
        for row in DeltaTable(str(self.published)).to_pyarrow_table().to_pylist():
            found.setdefault(row["period"], []).append((row["id"], row["paid"]))
        for period, rows in found.items():
            assert sorted(serial for serial, _ in rows) == list(range(1, len(rows) + 1)), period
        return {period: sorted(paid for _, paid in rows) for period, rows in found.items()}


@pytest.fixture
def office(environment: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    FileProvider.init(environment.keys.path)
    return Office(environment, tmp_path, capsys)


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def test_a_trial_is_staged_and_checked_and_never_published(office: Office) -> None:
    office.orders([instant("2026-10-05T00:00:00+00:00")] * 50, UTC_TIME)
    office.plan()
    rows = office.staged("--limit", "7")
    assert [row["id"] for row in rows] == list(range(1, 8))
    code, summary, _ = office.take("pseudonymize", str(office.folder / "plan.yaml"), "--limit", "7")
    assert (code, summary["state"], summary["rows"]) == (0, "staged already", 7)
    run = str(summary["run"])
    assert office.take("verify", run)[0] == 0
    assert office.take("review", run)[0] == 0
    code, _, err = office.take("publish", run)
    assert code == 3
    assert "a trial (--limit 7); it can never be published" in err
    assert not office.published.exists()
    assert len(office.staged()) == 50, "the same plan without --limit is another run"


# The first and the last instant of October, and their neighbours outside of it.
EDGES = {
    "date": (DAY, "UTC", ["2026-09-30", "2026-10-01", "2026-10-31", "2026-11-01"]),
    "timestamp": (
        UTC_TIME,
        "UTC",
        [
            "2026-09-30T23:59:59.999999+00:00",
            "2026-10-01T00:00:00+00:00",
            "2026-10-31T23:59:59.999999+00:00",
            "2026-11-01T00:00:00+00:00",
        ],
    ),
    "timestamp, months of Seoul": (
        UTC_TIME,
        "Asia/Seoul",
        [
            "2026-09-30T14:59:59.999999+00:00",
            "2026-09-30T15:00:00+00:00",
            "2026-10-31T14:59:59.999999+00:00",
            "2026-10-31T15:00:00+00:00",
        ],
    ),
    "timestamp without a zone": (
        WALL_TIME,
        "Asia/Seoul",
        ["2026-09-30T23:59:59.999999", "2026-10-01T00:00:00", "2026-10-31T23:59:59.999999", "2026-11-01T00:00:00"],
    ),
}


@pytest.mark.parametrize("kind", EDGES)
def test_a_period_takes_its_rows_alone(office: Office, kind: str) -> None:
    """From its first instant to its last; a null moment is in no period."""
    type_, zone, edges = EDGES[kind]
    read = datetime.date.fromisoformat if type_ == DAY else datetime.datetime.fromisoformat
    moments = [read(one) for one in edges]
    office.orders([*moments, None], type_)
    office.plan(*MONTHLY, zone=zone)
    assert sorted(row["at"] for row in office.staged("--period", "2026-10")) == moments[1:3]
    assert [row["at"] for row in office.staged("--period", "2026-09")] == moments[:1]
    assert office.staged("--period", "2024-02") == []


def test_days_as_periods(office: Office) -> None:
    office.orders([datetime.date(2024, 2, day) for day in (28, 29)] + [datetime.date(2024, 3, 1)], DAY)
    office.plan(*DAILY)
    assert [row["at"] for row in office.staged("--period", "2024-02-29")] == [datetime.date(2024, 2, 29)]


def test_publishing_replaces_its_period_alone(office: Office) -> None:
    """September and October are published; a late order comes; October is run and published again."""
    september, october = datetime.date(2026, 9, 3), datetime.date(2026, 10, 5)
    office.orders([september, september, october], DAY)
    office.plan(*MONTHLY)
    first = office.release("--period", "2026-09")
    assert office.rows() == {"2026-09": [10, 20]}
    second = office.release("--period", "2026-10")
    assert office.rows() == {"2026-09": [10, 20], "2026-10": [30]}
    untouched = {path: path.read_bytes() for path in office.published.rglob(f"*{first}.parquet")}
    assert untouched
    office.orders([october], DAY, first=3, mode="append")
    third = office.release("--period", "2026-10")
    assert third != second
    assert office.rows() == {"2026-09": [10, 20], "2026-10": [30, 40]}
    assert {path: path.read_bytes() for path in office.published.rglob(f"*{first}.parquet")} == untouched
    assert not list(office.published.rglob(f"*{second}.parquet")), "what was replaced is removed"
    assert (office.take("publish", third)[0], office.rows()["2026-10"]) == (0, [30, 40])
