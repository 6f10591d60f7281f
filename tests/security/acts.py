"""What people do in the whole flow: commands as they are typed, each with the exit code that it ends with."""

from __future__ import annotations

import csv
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import deltalake
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.cli import main
from jobs.combination.layout import make_roles
from jobs.environment import Environment, load_environment
from jobs.names import folder_name
from jobs.party_tables import TABLES
from jobs.runs import RunFolder, list_runs
from jobs.storage import private_folder
from tests.security.canaries import name, party, persons, phone, retail, rrn

ROOT = Path(__file__).resolve().parents[2]
REVIEWERS = ("김검토", "이검토", "박검토")
OUTPUT = "2024-017/B통계전문업체/retail"
MADE_OF = f"2026-001/{folder_name('분석팀')}/people"
CUSTOMERS, SUBJECTS = 4000, 3000
PEOPLE = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: third-party, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
people: {operator: 한운영, users: [조이용]}
source: {table: people, row_key: [id], subject: id}
sample: {fraction: 0.9}
columns:
  id: {kind: identifier, apply: serial-number}
  name: {kind: identifier, apply: two-way-encryption}
  phone: {kind: identifier, apply: keyed-token}
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
# So few customers are alone in their district: provinces and wider ages. What leads back to them is kept.
RETAIL = """\
extends: retail-third-party.yaml
plan: retail-canaries
source: {stop_requests: {table: stops, key: id}}
excluded: [name, phone, rrn]
columns:
  customer_id: {apply: two-way-encryption}
  age:
    apply:
      - top-coding: {at: 60}
      - rounding: {unit: 10, direction: down}
  address:
    apply: {categorization: {hierarchy: region.csv, level: sido, unmatched: error}}
outlier_limits: {cells: 1, rows: 1}
additional_information:
  destroy:
  keep: {reason: 위험 고지, until: 2098-12-31}
"""


@dataclass
class Stage:
    """A folder where the acts are played: plans, an environment in `warehouse`, roles of a combination in `roles`."""

    folder: Path
    told: list[tuple[str, int, int, float]] = field(default_factory=list)

    @property
    def file(self) -> str:
        return str(self.folder / "environment.yaml")

    @property
    def environment(self) -> Environment:
        return load_environment(self.file)

    def take(self, *words: str, ends: int = 0, file: str | None = None) -> None:
        """A command, and the exit code that it should end with."""
        start = time.monotonic()
        code = main([*words, "--environment", file or self.file])
        self.told.append((" ".join(words[:3]), ends, code, round(time.monotonic() - start, 1)))

    def plan(self, plan: str, *changes: tuple[str, str], text: str = PEOPLE) -> str:
        """Writes a plan's file."""
        text = text.replace("plan: people", f"plan: {plan}").replace("{table: people}", f"{{table: {plan}}}")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = private_folder(self.folder / "plans") / f"{plan}.yaml"
        path.write_text(text, "utf-8")
        return str(path)

    def run(self, plan: str) -> str:
        """The newest run of a plan."""
        folders = [RunFolder(self.environment, one) for one in list_runs(self.environment)]
        found = [one for one in folders if one.load_record().plan == plan]
        return max(found, key=lambda one: one.load_record().finished).run

    def source(self, table: str) -> Path:
        place: Path = self.environment.zone("source").local / table
        return place

    def signed(self, *words: str) -> None:
        """All reviewers say yes."""
        for number, reviewer in enumerate(REVIEWERS):
            self.take(*words, "--reviewer", reviewer, "--key", self.key(number), "--outcome", "approved")

    def key(self, number: int) -> str:
        return str(self.folder / f"reviewer-{number}.pem")

    def decided(self, run: str) -> None:
        self.signed("decide", run, "--conflicts", "none")


def beginning(stage: Stage) -> None:
    """A root key, reviewers, tables of people."""
    stage.take("keys", "init")
    for number, reviewer in enumerate(REVIEWERS):
        stage.take("reviewer", "new", reviewer, "--key", stage.key(number))
    shutil.copytree(ROOT / "conf" / "hierarchies", stage.folder / "hierarchies")
    private_folder(stage.folder / "plans")
    shutil.copy(ROOT / "conf" / "plans" / "retail-third-party.yaml", stage.folder / "plans")
    deltalake.write_deltalake(str(stage.source("people")), persons())
    deltalake.write_deltalake(str(stage.source("stops")), persons().select(["id"]).slice(0, 5))


def people(stage: Stage, explained: Callable[[str, str], None]) -> None:
    """A plan that fails in its tasks; one that is published, its additional information destroyed."""
    bad = stage.plan("bad", ("town: {kind: quasi-identifier, apply: keep}",
                             "town: {kind: quasi-identifier, apply: {categorization: {1: [은평구]}}}"))  # fmt: skip
    stage.take("pseudonymize", bad, ends=1)
    plan = stage.plan("people")
    stage.take("pseudonymize", plan)
    run = stage.run("people")
    stage.take("verify", run)
    stage.take("review", run)
    explained(plan, "people")
    stage.take("outliers", plan, "--bounds", str(stage.folder / "out" / "bounds.json"))
    stage.take("publish", run, ends=5)
    stage.decided(run)
    stage.take("publish", run)
    stage.take("status")


def whole_retail(stage: Stage, explained: Callable[[str, str], None]) -> None:
    """The guideline's worked case from the profile to the destruction of what was published."""
    deltalake.write_deltalake(str(stage.source("retail/customers")), retail(CUSTOMERS))
    plan = stage.plan("retail-canaries", text=RETAIL)
    stage.take("profile", "retail/customers", "--to", str(stage.folder / "plans" / "draft.yaml"))
    stage.take("check", plan, "--explain", "--schema")
    stage.take("propose", plan, "--k", "4")
    stage.take("run", plan, ends=5)
    run = stage.run("retail-canaries")
    explained(plan, "retail/customers")
    stage.take("decide", run, "--show")
    stage.decided(run)
    stage.take("documents", run)
    stage.take("documents", "verify", run)
    stage.take("run", plan)
    stage.take("ledger", "list")
    stage.take("ledger", "processing")
    stage.take("synthesize", MADE_OF, "--table", "made", "--drop", "id,name,phone")
    _revealed(stage, run)
    stage.take("quarantine", OUTPUT, "--person", "조이용", "--reason", "식별됨")
    stage.take("run", plan, ends=3)
    stage.signed("restore", OUTPUT, "--reason", "mistaken")
    stage.take("restore", OUTPUT)
    stage.take("due", "--on", "2099-01-01", ends=1)
    stage.take("destroy", OUTPUT, "--person", "데이터관리팀장", "--reason", "이용기간 종료")
    stage.take("destroy", OUTPUT, "--reviewer", REVIEWERS[0], "--key", stage.key(0), "--outcome", "approved")
    stage.take("destroy", OUTPUT, "--person", "데이터과장", "--approved")
    stage.take("ledger", "verify")


def _revealed(stage: Stage, run: str) -> None:
    """Additional information: read again by who may, and destroyed."""
    who = ("--person", "가명처리 담당", "--reason", "위험 고지")
    stage.take("additional-information", "list", *who)
    reveal = ("additional-information", "reveal", run, "--column", "customer_id")
    user = ("--person", "B통계전문업체 분석담당", "--reason", "위험 고지")
    stage.take(*reveal, *user, "--to", str(stage.folder / "out" / "no.csv"), ends=3)
    stage.take(*reveal, *who, "--to", str(stage.folder / "out" / "revealed.csv"))
    stage.take("keys", "check")
    stage.take("keys", "compromised", "--run", run, *who)
    stage.take("additional-information", "destroy", run, *who)


def endings(stage: Stage) -> None:
    """Whatever goes wrong: misfits, damaged files, other cells than computed, an unforeseen error."""
    stage.take("check", stage.plan("wrong", ("  paid:", "  payed:")), "--schema", ends=2)
    good, misfit = (stage.folder / "in" / one for one in ("good.csv", "misfit.csv"))
    for path, last in ((good, "7"), (misfit, name(9))):
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = ([f"EC-9{n:05}", name(n), phone(n), rrn(n), n if n < 99 else last] for n in range(100))
            csv.writer(file).writerows([["id", "name", "phone", "rrn", "paid"], *rows])
    (stage.folder / "in" / "types.yaml").write_text("paid: long\n")
    types = ("--schema", str(stage.folder / "in" / "types.yaml"))
    stage.take("ingest", str(misfit), "--table", "crm", *types, ends=2)
    stage.take("ingest", str(good), "--table", "crm", *types)
    stage.take("profile", "crm")
    _damaged(stage)
    _unfit(stage)
    unforeseen = ValueError(f"could not convert {name(1)} of {phone(1)}")
    with mock.patch("jobs.verify.verify", side_effect=unforeseen):
        stage.take("verify", stage.run("unfit"), ends=4)


def _damaged(stage: Stage) -> None:
    """Files that are cut off; files of another type than their table."""
    for table in ("cut", "foreign"):
        deltalake.write_deltalake(str(stage.source(table)), persons())
        (file,) = stage.source(table).glob("*.parquet")
        if table == "cut":
            file.write_bytes(file.read_bytes()[:-200])
        else:
            rows = persons()
            pq.write_table(rows.set_column(rows.column_names.index("paid"), "paid", rows.column("name")), file)
        plan = stage.plan(table, ("{table: people,", f"{{table: {table},"))
        stage.take("pseudonymize", plan, ends=4)


def _unfit(stage: Stage) -> None:
    """Names left in a text; then a cell that nobody computed."""
    rows = persons()
    notes = pc.binary_join_element_wise(rows.column("name").combine_chunks(), "님", "")
    few = pa.array([number % 20 == 0 for number in range(rows.num_rows)])
    noted = rows.append_column("note", pc.if_else(few, notes, "없음"))
    deltalake.write_deltalake(str(stage.source("noted")), noted)
    plan = stage.plan(
        "unfit", ("{table: people,", "{table: noted,"), ("  age:", "  note: {kind: attribute, apply: keep}\n  age:")
    )
    stage.take("pseudonymize", plan)
    run = stage.run("unfit")
    stage.take("review", run, ends=1)
    folder = RunFolder(stage.environment, run)
    (file,) = folder.staged("unfit").local.rglob("*.parquet")
    cells = pq.read_table(file, partitioning=None)
    turned = cells.set_column(cells.column_names.index("note"), "note", cells.column("note").take(_turned(cells)))
    pq.write_table(turned.replace_schema_metadata(None), file)
    stage.take("verify", run, ends=1)


def _turned(table: pa.Table) -> pa.Array:
    return pa.array(range(table.num_rows - 1, -1, -1))


def checkpoints(stage: Stage) -> None:
    """Of every table that lies in a zone, its log in one Parquet file, as there is one after a hundred commits."""
    for log in stage.folder.glob("*/**/_delta_log"):
        if log.relative_to(stage.folder).parts[0] in ("warehouse", "roles"):
            deltalake.DeltaTable(log.parent).create_checkpoint()


def combined(stage: Stage) -> None:
    """A round of a combination from application to destruction; its keys fail once on names with lost letters."""
    roles, known = stage.folder / "roles", dict[str, int]()
    made = make_roles(roles, ["A", "B", "KMA", "CA"])
    tables = {role: party(role, SUBJECTS, known) for role in "AB"}
    for role, rows in tables.items():
        place = str(made[role].zone("source").local / TABLES[role])
        if role == "A":
            names = rows.column("cust_nm").to_pylist()
            names[:9] = [f"\ufffd{one}" for one in names[:9]]
            broken = rows.set_column(rows.column_names.index("cust_nm"), "cust_nm", pa.array(names))
            deltalake.write_deltalake(place, broken)
        else:
            deltalake.write_deltalake(place, rows)
    file = str(ROOT / "conf" / "combinations" / "generated.yaml")
    stage.take("combination", "play", "--new", str(roles), file, ends=1)
    deltalake.write_deltalake(str(made["A"].zone("source").local / TABLES["A"]), tables["A"], mode="overwrite")
    stage.take("combination", "play", "--roles", str(roles), file)
    for role in made:
        stage.take("combination", "status", file, file=str(roles / f"{role}.yaml"))
