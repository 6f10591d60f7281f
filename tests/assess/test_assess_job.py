"""`gamyeong assess` on tables of a clinic: who is looked at, what the recipient holds and was given, what stands after.

People: 400 of whom each has two visits; person 0 alone is 97 years old. Person 1 asked to stop. The plan's recipient
holds a register of members, and was given two releases of the same table before, with pseudonyms that stay the same.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from jobs.assessing.assessment import ENTERED, load
from jobs.assessing.rows import Rows
from jobs.cli import main
from jobs.environment import Environment, load_environment
from jobs.key_providers.file import FileProvider
from jobs.ledger import evidence_ledger
from jobs.run_plan import save_plan
from jobs.runs import RunFolder, RunRecord, SourceVersion, StagedTable
from jobs.sources import Stops, source_version
from jobs.tables import pinned
from jobs.vouched import unvouched
from transforms.assess.found import Assessment
from transforms.compiler import compile_plan
from transforms.plan_loader import load as load_plan
from transforms.predicate import Predicate

pytestmark = pytest.mark.spark
PEOPLE = 400
PLAN = """\
format: 1
plan: {plan}
application: {{number: 2026-001}}
purpose: {{kind: statistics, statement: 시군구별 재방문율, legal_basis: 개인정보 보호법 제28조의2}}
use: {{form: third-party, recipient: 연구소, place: closed, from: 2026-01-01, until: 2098-12-31}}
source:
  table: clinic/visits
  row_key: [visit]
  subject: person
  stop_requests: {{table: clinic/stops, key: person, max_age: 365d}}
excluded: [visit, note]
columns:
  person: {{kind: identifier, apply: {{pseudonym: {{domain: person}}}}}}
  age: {{kind: quasi-identifier, apply: keep}}
  sex: {{kind: quasi-identifier, apply: keep}}
  illness: {{kind: sensitive, legal: sensitive-23, apply: keep}}
pseudonyms: {{person: {{technique: keyed-token, stable_over: visits}}}}
risk:
  population: {{fraction: 0.5}}
  held: [{{table: crm/members, on: {{born: age, gender: sex}}}}]
  {limits}
adequacy: {{k-anonymity: {{k: 3}}}}
additional_information: {{keep: {{reason: 장기 연구, until: 2098-12-31}}}}
output: {{table: visits}}
"""


def age(person: int) -> int:
    return 97 if person == 0 else 20 + person % 10


def sex(person: int) -> str:
    return "MF"[person // 10 % 2]


def visits() -> pa.Table:
    people = [n // 2 for n in range(2 * PEOPLE)]
    return pa.table(
        {
            "visit": pa.array(range(2 * PEOPLE), pa.int64()),
            "person": [f"P{n:04}" for n in people],
            "age": pa.array([age(n) for n in people], pa.int32()),
            "sex": [sex(n) for n in people],
            "illness": ["AB"[n % 2] for n in range(2 * PEOPLE)],
            "note": ["never read"] * (2 * PEOPLE),
        }
    )


@dataclass
class Place:
    """An environment with the tables, and a plan."""

    environment: Environment
    file: Path
    plan: Path

    def write(self, plan: str = "visits", limits: str = "subsets: 2") -> None:
        self.plan.write_text(PLAN.format(plan=plan, limits=limits), "utf-8")

    def assess(self, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
        """Runs the job and gives its line of JSON."""
        code = main(["assess", str(self.plan), "--environment", str(self.file), "--quiet", "--json", *words])
        told: dict[str, Any] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
        assert told["exit"] == code, told
        return told

    def folder(self, told: dict[str, Any]) -> RunFolder:
        return RunFolder(self.environment, told["run"])

    def released(self, run: str, rows: pa.Table) -> None:
        """An earlier published run of the same plan, as far as its evidence tells of it."""
        loaded = load_plan(self.plan)
        pipeline = compile_plan(loaded.plan, visits().schema, loaded.hierarchies, loaded.lines)
        folder = RunFolder(self.environment, run)
        source = SourceVersion("clinic/visits", "id", 0, 800)
        record = RunRecord(
            run=run, plan="visits", fingerprint=pipeline.fingerprint, code_version="1", organisation="o",
            application=f"2025-{run[:3]}", recipient="연구소", output="visits", started="2025-01-01T00:00:00Z",
            finished="2025-01-01T00:00:01Z", sources={"visits": source},
            tables=(StagedTable("visits", "id", 0, rows.num_rows),),
        )  # fmt: skip
        save_plan(folder, loaded, visits().schema)
        folder.save_record(record)
        folder.release.write_json({"state": "published", "run": run})
        write_deltalake(str(folder.published(record, "visits")), rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, environment_in: Any, spark: Any) -> Place:
    folder = tmp_path_factory.mktemp("clinic")
    file = environment_in(folder)
    environment = load_environment(file)
    FileProvider.init(environment.keys.path)
    source = environment.zone("source")
    write_deltalake(str(source / "clinic/visits"), visits())
    write_deltalake(str(source / "clinic/stops"), pa.table({"person": ["P0001", "P9999"]}))
    members = pa.table({"born": pa.array([97, 25, 25], pa.int64()), "gender": ["M", "M", "M"]})
    write_deltalake(str(source / "crm/members"), members)
    place = Place(environment, file, folder / "plan.yaml")
    place.write()
    place.plan.with_name("whole.yaml").write_text(place.plan.read_text("utf-8"), "utf-8")
    return place


@pytest.fixture(scope="module")
def first(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Assessment:
    """The assessment before anything was released."""
    assert main(["assess", str(place.plan), "--environment", str(place.file), "--quiet"]) == 0
    (run,) = [one.parent.name for one in (place.environment.zone("evidence").local / "runs").glob("*/risk.json")]
    return load(RunFolder(place.environment, run))


def test_who_asked_to_stop_is_left_out_and_counted(first: Assessment) -> None:
    """Two people asked, one of them is there, with two visits."""
    (table,) = first.tables
    assert (table.rows, table.requests, table.stopped, table.records, table.persons) == (800, 2, 2, 798, 399)


def test_combinations_are_counted_in_people(first: Assessment) -> None:
    """399 people, of whom one is 97; of the others 20 ages and sexes with some 20 people each."""
    figures = first.tables[0].figures
    assert figures is not None
    people = [(age(n), sex(n)) for n in range(PEOPLE) if n != 1]
    sizes = [people.count(one) for one in set(people)]
    assert figures.unit == "subjects"
    assert (figures.records, figures.classes.k, figures.classes.unique) == (399, 1, 1)
    assert figures.classes.classes == len(sizes)
    assert figures.population == 798
    assert figures.marketer == pytest.approx(len(sizes) / 798)
    assert first.checklist[1].answer == "yes"
    planned = first.tables[0].planned
    assert planned is not None
    assert (planned.sampled, planned.left_out) == (False, ())
    assert planned.figures.classes == figures.classes, "the plan keeps these columns as they are"


def test_sensitive_items_within_the_classes(first: Assessment) -> None:
    """Each person's two visits have both illnesses: every class of equal age and sex has both."""
    (illness,) = first.tables[0].sensitive
    assert (illness.column, illness.l, illness.t) == ("illness", 2, 0.0)
    assert first.checklist[8].answer == "yes", "question 9: sensitive information"


def test_what_the_recipient_holds_is_linked(first: Assessment) -> None:
    """One member is 97, like one of ours alone; two members of 25 meet a class of ours, and name nobody."""
    (held,) = first.tables[0].held
    met = sum((age(n), sex(n)) in ((97, "M"), (25, "M")) for n in range(PEOPLE) if n != 1)
    assert held.rows == 3
    assert held.met == pytest.approx(met / 399)
    assert held.alone == pytest.approx(1 / 399)
    assert (first.checklist[10].answer, first.checklist[15].answer) == ("yes", "yes")


def test_excluded_columns_are_not_told_of(first: Assessment) -> None:
    assert [one.column for one in first.tables[0].columns] == ["person", "age", "sex", "illness"]


def test_the_ledger_vouches_for_the_report_and_a_second_call_finds_it(
    place: Place, first: Assessment, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = evidence_ledger(place.environment, write=False)
    folder = RunFolder(place.environment, first.run)
    (entry,) = [one.content() for one in ledger.entries() if one.type == ENTERED]
    assert entry["run"] == first.run
    assert set(entry["files"]) == {
        "risk.json", "risk/report.html", "risk/report.en.html", "risk/report.docx", "risk/report.en.docx",
    }  # fmt: skip
    place.assess(capsys)
    assert len([one for one in ledger.entries() if one.type == ENTERED]) == 1, "it stood there already"
    assert unvouched(folder, ledger.entries()) == []
    report = (folder.evidence / "risk/report.html").local
    report.write_text(report.read_text("utf-8") + " ", "utf-8")
    assert unvouched(folder, ledger.entries()) == ["risk/report.html: not as assess entered it in the ledger"]
    place.assess(capsys)
    assert unvouched(folder, ledger.entries()) == [], "an altered report is made anew"


def test_no_cell_of_an_identifier_stands_in_the_evidence(place: Place, first: Assessment) -> None:
    folder = RunFolder(place.environment, first.run)
    for name in ("risk.json", "risk/report.html", "risk/report.en.html"):
        assert "P0" not in (folder.evidence / name).local.read_text("utf-8").split('src="data:')[0], name


def test_releases_together_tell_more_than_each(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Two releases of 40 people: in each, classes have ten people or more; together each person's two rows, held
    together by a pseudonym that stays, are nobody else's for one whose sex was corrected in between."""

    def rows(sexes: list[str]) -> pa.Table:
        return pa.table(
            {
                "person": [f"t{n}" for n in range(40)],
                "age": pa.array([20 + n % 2 for n in range(40)], pa.int32()),
                "sex": sexes,
                "illness": ["A"] * 40,
            }
        )

    sexes = ["MF"[n // 20] for n in range(40)]
    place.released("a" * 16, rows(sexes))
    place.released("b" * 16, rows(["F", *sexes[1:]]))
    folder = place.folder(place.assess(capsys))
    released = load(folder).tables[0].released
    assert released is not None
    assert (released.runs, released.columns, released.rows) == (("a" * 16, "b" * 16), ("age", "sex"), 80)
    assert released.k == 19
    assert released.alone == 0.0
    assert released.linked == "person"
    assert released.people_alone == pytest.approx(1 / 40)
    # with the coming release: two visits each of everybody but who asked to stop
    given = [(20 + n % 2, one) for some in (sexes, ["F", *sexes[1:]]) for n, one in enumerate(some)]
    sizes = Counter([*given, *((age(n), sex(n)) for n in range(PEOPLE) if n != 1 for _ in range(2))])
    coming = released.coming
    assert coming is not None
    assert (coming.columns, coming.rows, coming.k) == (("age", "sex"), 878, min(sizes.values()))
    assert coming.alone == 0.0, "the only one of 97 has two visits"
    report = (folder.evidence / "risk/report.html").local.read_text("utf-8")
    assert "이번 제공분까지 합하면 878행" in report
    assert "사람별로는 연결하지 않음" in report
    place.write(limits="limits: {released: 0.02, held: 0.5}")
    told = place.assess(capsys)
    assert (told["exit"], told["exceeded"]) == (1, ["released"])


def test_a_held_table_that_lacks_the_column(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.plan.write_text(place.plan.read_text("utf-8").replace("born: age", "birth: age"), "utf-8")
    code = main(["assess", str(place.plan), "--environment", str(place.file), "--quiet"])
    assert code == 2
    assert "risk.held[0].on: column 'birth' is not in crm/members; it has born, gender" in capsys.readouterr().err


def test_each_look_reads_the_columns_that_it_needs(place: Place, spark: Any) -> None:
    """The table may be wide: excluded columns and those of other looks are never read."""
    loaded = load_plan(place.plan.with_name("whole.yaml"))
    (table,) = compile_plan(loaded.plan, visits().schema, loaded.hierarchies, loaded.lines).wholes.values()
    snapshot = pinned(place.environment.zone("source") / "clinic/visits")
    stops = Stops(source_version("clinic/stops", snapshot), pa.array([" P0001 "]))
    rows = Rows(spark, snapshot, table, Predicate.parse({"age": {"below": 25}}), stops)
    read = rows.kept("sex")._jdf.queryExecution().executedPlan().toString()
    assert "sex" in read
    assert "illness" not in read
    assert "note" not in read
    young = [n for n in range(PEOPLE) if age(n) < 25 and n != 1]
    counts = rows.counts()
    assert (counts.outside, counts.stopped) == (2 * (PEOPLE - len(young) - 1), 2)
    assert (counts.records, counts.persons) == (2 * len(young), len(young))


@pytest.mark.parametrize(
    ("changed", "told"), [("rows", "검토할 레코드가 없음"), ("kinds", "식별가능정보로 분류된 항목이 없어")]
)
def test_an_empty_table_and_one_without_quasi_identifiers(
    place: Place, changed: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = place.plan.with_name("whole.yaml").read_text("utf-8")
    if changed == "rows":
        write_deltalake(str(place.environment.zone("source") / "clinic/none"), visits().slice(0, 0))
        place.plan.write_text(text.replace("table: clinic/visits", "table: clinic/none"), "utf-8")
    else:
        place.plan.write_text(text.replace("quasi-identifier", "attribute"), "utf-8")
    folder = place.folder(place.assess(capsys))
    assert load(folder).tables[0].figures is None
    assert told in (folder.evidence / "risk/report.html").local.read_text("utf-8")
