"""`gamyeong verify`: exit codes, what it writes, which version of the source it reads, and every kind of feed."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from jobs import keys_job, pseudonymize, verify
from jobs.environment import ZONES, Environment, load_environment
from jobs.ledger import evidence_ledger
from jobs.runs import RunFolder, find_run
from jobs.storage import conf_path
from jobs.tables import write_source

pytestmark = pytest.mark.spark

HEAD = """
    format: 1
    plan: shop
    application: {number: "2026-001"}
    purpose: {kind: statistics, statement: 지역·연령대별 소비 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
    use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
    additional_information: {destroy: approved}
    outlier_limits: {cells: 1, rows: 1}
    output: {table: shop}
"""
COLUMNS = """
    excluded: [bought]
    columns:
      id: {kind: identifier, apply: serial-number}
      age: {kind: quasi-identifier, apply: [{top-coding: {at: 80}}, {rounding: {unit: 10, direction: down}}]}
      city: {kind: quasi-identifier, apply: keep}
      spent: {kind: attribute, apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 100, direction: down}}]}
    outliers:
      - {find: {frequency: {columns: [age, city], below: 3}}, treat: {local-suppression: {columns: [city]}}}
"""
SHOP = (
    HEAD
    + COLUMNS
    + """
    source:
      table: shop/customers
      row_key: [id]
      subject: id
      stop_requests: {table: shop/stops, key: who}
    sample: {fraction: 0.5}
"""
)
MONTHLY = (
    HEAD
    + COLUMNS
    + """
    source: {table: shop/customers, row_key: [id], subject: id, period: {column: bought, every: month}}
"""
)
CLUB = (
    HEAD
    + """
    subjects: {member: {register: shop/members, key: id}}
    sample: {of: member, fraction: 0.5}
    pseudonyms: {member: {technique: keyed-token}}
    tables:
      members:
        source: shop/members
        row_key: [id]
        subject: {member: id}
        columns:
          id: {kind: identifier, apply: {pseudonym: member}}
          age: {kind: quasi-identifier, apply: {rounding: {unit: 10, direction: down}}}
      visits:
        source: shop/visits
        row_key: [visit]
        subject: {member: who}
        excluded: [visit]
        columns:
          who: {kind: identifier, apply: {pseudonym: member}}
          paid: {kind: attribute, apply: [{top-coding: {quantile: 0.99}}, {rounding: {unit: 10, direction: up}}]}
"""
)


def customers(count: int = 400) -> pa.Table:
    turn = range(count)
    return pa.table(
        {
            "id": pa.array([f"CUST{n:05d}" for n in turn]),
            "age": pa.array([15 + n * 29 % 81 for n in turn]),
            "city": pa.array([("Seoul", "Busan", "Daegu")[n * 7 % 3] for n in turn]),
            "spent": pa.array([n * 7919 % 90_000 for n in turn]),
            "bought": pa.array([date(2026, 1 + n % 2, 1 + n % 28) for n in turn]),
        }
    )


@dataclass(frozen=True)
class Shop:
    """Zones of their own, a plan, and the two jobs on them."""

    folder: Path

    @property
    def environment(self) -> Environment:
        return load_environment(self.folder / "environment.yaml")

    @property
    def run(self) -> RunFolder:
        return find_run(self.environment, None)

    def source(self, name: str, table: pa.Table, **how: Any) -> Path:
        place = self.environment.zone("source") / name
        write_source(table, place, **how)
        return place.local

    def pseudonymize(self, plan: str, *more: str) -> None:
        path = self.folder / "plan.yaml"
        path.write_text(textwrap.dedent(plan), "utf-8")
        assert pseudonymize.main([str(path), *self._common, *more]) == 0

    def verify(self) -> int:
        return verify.main([self.run.run, *self._common])

    @property
    def found(self) -> dict[str, Any]:
        body: dict[str, Any] = self.run.read("verify.json")
        return body

    @property
    def _common(self) -> list[str]:
        return ["--environment", str(self.folder / "environment.yaml")]

    def files(self, table: str = "shop") -> list[Path]:
        return sorted(self.run.staged(table).local.rglob("*.parquet"))

    def alter(self, column: str, value: object, table: str = "shop") -> None:
        """One cell of one staged file becomes another, under the same name and log."""
        (file, *_) = self.files(table)
        rows = pq.read_table(file)
        cells = rows[column].to_pylist()
        assert cells[4] != value
        cells[4] = value
        place = rows.column_names.index(column)
        pq.write_table(rows.set_column(place, rows.field(column), pa.array(cells, rows.field(column).type)), file)


def new_shop(folder: Path) -> Shop:
    yaml = YAML()
    raw = yaml.load(conf_path("environments/local.yaml"))
    raw["zones"] = {zone: str(folder / "warehouse" / zone) for zone in ZONES}
    raw["scratch"] = str(folder / "warehouse" / "scratch")
    raw["keys"] = {"provider": "file", "path": str(folder / "warehouse" / "keys" / "root.json")}
    raw["reviewers"] = str(folder / "warehouse" / "reviewers.json")
    yaml.dump(raw, folder / "environment.yaml")
    assert keys_job.main(["init", "--environment", str(folder / "environment.yaml")]) == 0
    return Shop(folder)


@pytest.fixture
def shop(tmp_path: Path, spark: object) -> Shop:
    """An empty shop; the shared Spark session is there for the jobs."""
    return new_shop(tmp_path)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory, spark: object) -> Shop:
    """A run of half of the customers, two of whom asked to stop."""
    shop = new_shop(tmp_path_factory.mktemp("shop"))
    shop.source("shop/customers", customers())
    shop.source("shop/stops", pa.table({"who": ["CUST00001", "CUST00002"]}))
    shop.pseudonymize(SHOP)
    return shop


@pytest.fixture
def altered(staged: Shop) -> Iterator[Shop]:
    """The same run, in a state that a test may spoil: staging and keys are put back behind it."""
    zones = [staged.environment.zone(zone).local for zone in ("staging", "keys", "source", "additional-information")]
    for zone in zones:
        shutil.copytree(zone, zone.with_name(f"{zone.name}.kept"))
    yield staged
    for zone in zones:
        shutil.rmtree(zone)
        zone.with_name(f"{zone.name}.kept").rename(zone)


def test_an_honest_run_is_equal(staged: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert staged.verify() == 0
    assert "equal (" in capsys.readouterr().out
    table = staged.found["tables"]["shop"]
    assert (staged.found["verdict"], table["verdict"], table["differences"]) == ("equal", "equal", [])
    assert table["counts"]["source"] == 400
    assert table["counts"]["stopped"] == 2
    assert table["counts"]["sampled"] == 199
    assert table["rows"] == table["counts"]["recomputed"]
    assert (table["rows_different"], table["columns_different"]) == (0, {})
    shown = {one["column"] for one in staged.found["distributions"]["shop"]}
    assert shown == {"age", "spent"}


def test_it_is_entered_in_the_ledger_once(staged: Shop) -> None:
    assert staged.verify() == 0
    ledger = evidence_ledger(staged.environment)
    assert ledger.find("verify", run=staged.run.run, verdict="equal") is not None


def test_evidence_holds_no_value_of_the_source(staged: Shop) -> None:
    assert staged.verify() == 0
    text = staged.run.verify.local.read_text()
    assert "CUST" not in text
    assert "Seoul" not in text
    facts = json.loads(staged.run.facts.local.read_text())
    cut = facts["tables"]["shop"]["concluded"][0][2]["cut"]["tail-cut"]["cut"]["int"]
    assert cut not in text


def test_rows_that_came_to_the_source_later_change_nothing(altered: Shop) -> None:
    altered.source("shop/customers", customers(500).slice(400), mode="append")
    altered.source("shop/stops", pa.table({"who": ["CUST00003"]}), mode="append")
    assert altered.verify() == 0


@pytest.mark.parametrize(("column", "value"), [("age", 50), ("city", "Jeju"), ("spent", None)])
def test_an_altered_cell_is_exit_1_and_its_column_is_named(
    altered: Shop, capsys: pytest.CaptureFixture[str], column: str, value: object
) -> None:
    altered.alter(column, value)
    assert altered.verify() == 1
    told = capsys.readouterr().out
    assert f"shop, cells: {column} (1 rows)" in told
    assert str(value) not in told.replace(altered.run.run, "")
    assert altered.found["verdict"] == "different"
    assert altered.found["tables"]["shop"]["columns_different"] == {column: 1}


def test_facts_that_are_off_are_exit_1(altered: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    place = altered.run.facts
    facts = place.read_json()
    cut = facts["tables"]["shop"]["concluded"][0][2]["cut"]["tail-cut"]["cut"]
    claimed, cut["int"] = cut["int"], str(int(cut["int"]) + 1)
    place.write_json(facts)
    assert altered.verify() == 1
    told = capsys.readouterr().out
    assert "fact: columns.spent.apply[0]" in told
    assert claimed not in told


def test_a_run_whose_secret_is_destroyed_is_refused(altered: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    (altered.environment.zone("keys") / "runs" / f"{altered.run.run}.json").delete()
    assert altered.verify() == 3
    assert "its secret was destroyed" in capsys.readouterr().err


def test_a_source_version_whose_files_are_gone_is_exit_4(altered: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    for file in (altered.environment.zone("source") / "shop" / "customers").local.rglob("*.parquet"):
        file.unlink()
    assert altered.verify() == 4
    assert "no longer whole" in capsys.readouterr().err


def test_another_source_table_in_its_place_is_exit_4(altered: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree((altered.environment.zone("source") / "shop" / "customers").local)
    altered.source("shop/customers", customers())
    assert altered.verify() == 4
    assert "another table lies at" in capsys.readouterr().err


def test_a_source_that_is_no_longer_read_by_file(shop: Shop, spark: Any) -> None:
    """Deleted rows under deletion vectors: the source comes as a DataFrame, staging by file, in one pass."""
    place = shop.source("shop/customers", customers())
    shop.source("shop/stops", pa.table({"who": pa.array([], pa.string())}))
    spark.sql(f"ALTER TABLE delta.`{place}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    spark.sql(f"DELETE FROM delta.`{place}` WHERE age < 30")
    shop.pseudonymize(SHOP)
    assert shop.verify() == 0
    assert shop.found["tables"]["shop"]["counts"]["source"] < 400
    shop.alter("age", 0)
    assert shop.verify() == 1
    assert shop.found["tables"]["shop"]["columns_different"] == {"age": 1}


def test_one_period_is_verified_alone(shop: Shop) -> None:
    shop.source("shop/customers", customers())
    shop.pseudonymize(MONTHLY, "--period", "2026-02")
    assert shop.verify() == 0
    assert shop.found["tables"]["shop"]["counts"]["source"] == 200


def test_a_trial_run_is_verified_on_its_subjects(shop: Shop) -> None:
    shop.source("shop/customers", customers())
    shop.source("shop/stops", pa.table({"who": ["CUST00001"]}))
    shop.pseudonymize(SHOP, "--limit", "50")
    assert shop.verify() == 0
    assert shop.found["tables"]["shop"]["counts"]["sampled"] == 50


def test_several_tables_of_one_person(shop: Shop) -> None:
    members = customers(200).select(["id", "age"])
    visits = pa.table({"visit": range(800), "who": [f"CUST{n % 200:05d}" for n in range(800)], "paid": range(800)})
    shop.source("shop/members", members)
    shop.source("shop/visits", visits)
    shop.pseudonymize(CLUB)
    assert shop.verify() == 0
    tables = shop.found["tables"]
    assert tables["members"]["rows"] == 100
    assert tables["visits"]["rows"] == 400
    shop.alter("paid", 5, "visits")
    assert shop.verify() == 1
    assert shop.found["tables"]["members"]["verdict"] == "equal"
    assert set(shop.found["tables"]["visits"]["columns_different"]) == {"paid"}
