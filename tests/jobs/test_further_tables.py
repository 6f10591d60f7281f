"""Further tables through all jobs: an anatomized release, and a differentially private aggregate with its budget."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import deltalake
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from jobs.budget import SPENT
from jobs.cli import main
from jobs.environment import Environment
from jobs.key_providers.file import FileProvider
from jobs.ledger import evidence_ledger
from jobs.noising import NOISED
from jobs.runs import RunFolder

pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]

PLAN = """\
format: 1
plan: people
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 성별 납부액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: team-a, place: closed, from: 2026-01-01, until: 2098-12-31}
source: {table: people, row_key: [id], subject: id}
columns:
  id: {label: 번호, kind: identifier, apply: serial-number}
  sex: {label: 성별, kind: quasi-identifier, apply: keep}
  region: {label: 지역, kind: quasi-identifier, apply: keep}
  paid: {label: 납부액, kind: attribute, unit: 원, apply: {rounding: {unit: 10, direction: down}}}
outliers:
  - {find: {frequency: {columns: [sex, region], below: 3}}, treat: {local-suppression: {columns: [region]}}}
outlier_limits: {cells: 0.5, rows: 0.2}
adequacy: {k-anonymity: {k: 3}}
further:
  payments: {anatomization: {columns: [paid]}}
  totals:
    differential-privacy:
      by: {sex: [F, M]}
      queries:
        persons: {count: persons, epsilon: 0.5}
        paid: {sum: paid, bounds: [0, 1000], epsilon: 0.5}
        mean: {mean: paid, bounds: [0, 1000], epsilon: 0.25}
      budget: 2
additional_information: {destroy: approved}
output: {table: people}
"""


@dataclass
class Office:
    """A source table of 300 people, and the commands on it."""

    environment: Environment
    folder: Path
    capsys: pytest.CaptureFixture[str]
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw = random.Random(1)
        rows = [
            {"id": n, "sex": draw.choice("FM"), "region": draw.choice(["나주", "세종"]), "paid": draw.randint(1, 999)}
            for n in range(300)
        ]
        rows[7]["region"] = "울릉도"
        self.source = pa.Table.from_pylist(rows)
        deltalake.write_deltalake(str(self.environment.zone("source") / "people"), self.source)

    def take(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Exit code, the object of --json, and what was said on stderr."""
        code = main([*words, "--environment", str(self.environment.file), "--json"])
        said = self.capsys.readouterr()
        return code, json.loads(said.out.splitlines()[-1]), said.err

    def start(self, text: str, *words: str) -> tuple[int, dict[str, Any], str]:
        plan = self.folder / "plan.yaml"
        plan.write_text(text, "utf-8")
        return self.take("pseudonymize", str(plan), *words)

    def publish(self, run: str) -> tuple[int, dict[str, Any], str]:
        """Three decisions, then publish."""
        for name in ("김검토", "이검토", "박검토"):
            if name not in self.keys:
                self.keys[name] = str(self.folder / f"{len(self.keys)}.pem")
                assert self.take("reviewer", "new", name, "--key", self.keys[name])[0] == 0
            decision = ["decide", run, "--reviewer", name, "--key", self.keys[name], "--conflicts", "none"]
            assert self.take(*decision, "--outcome", "approved")[0] == 0
        return self.take("publish", run)

    def published(self, *names: str) -> pa.Table:
        place = self.environment.zone("published").local.joinpath("2026-001", "team-a", *names)
        return DeltaTable(str(place)).to_pyarrow_table()


@pytest.fixture
def office(environment: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    FileProvider.init(environment.keys.path)
    return Office(environment, tmp_path, capsys)


def test_all_tables_of_a_run_are_checked_decided_about_and_published(office: Office) -> None:
    code, summary, err = office.start(PLAN)
    assert code == 0, err
    run = summary["run"]
    folder = RunFolder(office.environment, run)
    record = folder.load_record()
    assert [(one.name, one.rows) for one in record.tables] == [("people", 300), ("payments", 300), ("totals", 2)]
    assert record.counts["aggregates"]["totals"] | {"data_set": ""} == {
        "source": "people", "data_set": "", "epsilon": "1.25", "delta": "0", "budget": "2", "spent": "1.25",
        "left": "0.75",
    }  # fmt: skip
    first = (folder.evidence / NOISED).read_json()

    code, summary, err = office.take("verify", run)
    assert (code, summary["verdict"]) == (0, "equal"), err
    code, summary, err = office.take("review", run)
    assert (code, summary["verdict"]) == (0, "fit"), err
    reviewed = {(one["table"], one["type"]) for one in folder.result.read_json()["expectations"]}
    assert {
        ("people", "expect_k_anonymity"),
        ("payments", "expect_cells_in_image_of_chain"),
        ("totals", "expect_column_values_to_be_between"),
    } <= reviewed
    for page, wanted in (
        ("index.html", ("해부화", "차분 프라이버시", "남은 예산 0.75", "레코드 ID")),
        ("index.en.html", ("anatomization", "differential privacy", "0.75 left", "record_id")),
        ("dictionary.html", ("납부액의 합계 (0~1000로 제한)", "이산 라플라스")),
        ("plan.en.html", ("paid in a table of its own, joined by the record id alone",)),
    ):
        text = (folder.report / page).local.read_text("utf-8")
        assert [word for word in wanted if word not in text] == [], page

    code, _, err = office.publish(run)
    assert code == 0, err
    people, payments, totals = (office.published("people", name) for name in ("people", "payments", "totals"))
    paid = dict(zip(payments["record_id"].to_pylist(), payments["paid"].to_pylist(), strict=True))
    joined = sorted((row["sex"], paid.pop(row["record_id"])) for row in people.to_pylist())
    source = office.source.to_pylist()
    assert joined == sorted((row["sex"], row["paid"] // 10 * 10) for row in source)
    assert not paid
    assert "울릉도" not in people["region"].to_pylist()
    # Noise beyond 40 times its scale comes in less than one of 10^16 runs.
    for row in totals.to_pylist():
        own = [one["paid"] // 10 * 10 for one in source if one["sex"] == row["sex"]]
        assert abs(row["persons"] - len(own)) <= 40 * 1 / 0.5
        assert abs(row["paid"] - sum(own)) <= 40 * 1000 / 0.5
        assert 0 <= row["mean"] <= 1000
    release = office.environment.zone("published").local / "2026-001" / "team-a" / "people.release.json"
    assert set(json.loads(release.read_text())["releases"][""]["tables"]) == {"people", "payments", "totals"}

    # The same run again draws nothing, and spends nothing.
    assert office.start(PLAN)[1]["run"] == run
    assert (folder.evidence / NOISED).read_json() == first
    spent = [one.content() for one in evidence_ledger(office.environment).entries() if one.type == SPENT]
    assert [(one["run"], one["table"], one["epsilon"]) for one in spent] == [(run, "totals", "1.25")]

    # Another plan on the same data set: the budget is 2, whatever the new plan says.
    richer = PLAN.replace("budget: 2", "budget: 9").replace("plan: people", "plan: again")
    code, _, err = office.start(richer)
    assert code == 3
    assert "further.totals.differential-privacy.budget: the run would spend" in err
    assert "allowed: at most 0.75" in err
    assert len(list(folder.environment.zone("staging").local.glob("*/people"))) == 0


def test_noise_is_drawn_once_and_what_is_altered_shows(office: Office) -> None:
    alone = PLAN.replace("  payments: {anatomization: {columns: [paid]}}\n", "")
    alone = alone.replace("output: {table: people}", "output: {table: people, records: withheld}")
    code, summary, err = office.start(alone, "--limit", "10")
    assert code == 3
    assert "a trial spends no privacy budget" in err
    code, summary, err = office.start(alone)
    assert code == 0, err
    folder = RunFolder(office.environment, summary["run"])
    assert [one.name for one in folder.load_record().tables] == ["totals"]

    # A crash behind the draw: staging and record are lost, the noised numbers are not drawn anew.
    before = DeltaTable(str(folder.staged("totals"))).to_pyarrow_table()
    folder.record.delete()
    code, summary, err = office.start(alone)
    assert (code, summary["run"]) == (0, folder.run), err
    (file,) = DeltaTable(str(folder.staged("totals"))).file_uris()
    assert pq.read_table(file).equals(before)
    assert len([one for one in evidence_ledger(office.environment).entries() if one.type == SPENT]) == 1

    # A number far from the truth is no noise, and cells that are not the noised numbers show.
    noised = (folder.evidence / NOISED).read_json()
    noised["tables"]["totals"]["persons"][0] += 10_000
    (folder.evidence / NOISED).write_json(noised)
    code, summary, _ = office.take("verify", folder.run)
    assert (code, summary["verdict"]) == (1, "different")
    found = folder.verify.read_json()["tables"]["totals"]["differences"]
    assert found == [
        {"what": "cells", "place": "persons", "rows": 1}, {"what": "noise", "place": "persons", "rows": 1},
    ]  # fmt: skip
