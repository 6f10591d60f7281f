"""A whole round by the roles' own commands on Spark, while the zones of all others are out of sight.

One controller combines two of its tables once (내부결합): the protocol is the same, and what linked them is deleted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs import cli
from jobs.combination.alone import AWAY
from jobs.combination.layout import make_roles
from jobs.environment import Environment
from jobs.tables import write_source

from .test_play import zones_there

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
COMBINATION = """\
combination: alone
internal: true
roles: {key_agency: KMA, combining_agency: CA}
parties:
  A: {supplies: alone-a, uses: true}
  B: {supplies: alone-b}
key: {columns: [name, phone], duplicates: {exclude: all, limit: 0.2}}
options: {mock: {rounds: [once], subjects: 10}, join_rate: {floor: 0.05}, extraction: {cover: equal, rest_over: 0}}
outputs: [{user: A, join: inner-single, plan: alone/for-a.yaml}]
"""
PURPOSE = """\
purpose:
  kind: scientific-research
  statement: 주유금액과 보증금의 지역별 상관관계
  legal_basis: 개인정보 보호법 제28조의2
"""
PARTY = """\
format: 1
plan: alone-{low}
application: {{number: 2024-{low}}}
{purpose}use: {{form: internal-other-department, recipient: CA, place: closed, from: 2024-01-01, until: 2098-12-31}}
source: {{table: register, row_key: [id], subject: id}}
excluded: [nm, hp]
combination: {{name: alone, party: {party}, subject: id, key: {{name: nm, phone: hp}}}}
columns:
  id: {{kind: identifier, apply: combination-serial}}
  town: {{kind: quasi-identifier, apply: keep}}
  paid: {{kind: attribute, apply: keep}}
adequacy: {{k-anonymity: {{k: 3}}}}
additional_information: {{destroy: approved}}
output: {{table: alone-{low}}}
"""
OUTPUT = f"""\
format: 1
plan: alone-for-a
application: {{number: 2024-for-a}}
{PURPOSE}use: {{form: internal-other-department, recipient: A, place: closed, from: 2024-01-01, until: 2098-12-31}}
people: {{author: 정작성, operator: 한운영, users: [조이용]}}
source: {{table: combinations/alone/A, row_key: [record]}}
excluded: [record]
columns:
  A_town: {{kind: quasi-identifier, apply: keep}}
  A_paid: {{kind: attribute, apply: keep}}
  B_town: {{kind: attribute, apply: keep}}
  B_paid: {{kind: attribute, apply: keep}}
adequacy: {{k-anonymity: {{k: 3}}}}
additional_information: {{destroy: approved}}
output: {{table: joined}}
"""
# Fewer than half of each are in both, so that extraction lists may be made.
MEMBERS = {"A": range(40), "B": range(25, 65)}


def town(number: int) -> str:
    return ["은평구", "마포구"][number % 2]


def paid(party: str, number: int) -> int:
    return 1000 * number + (party == "B")


def register(party: str) -> pa.Table:
    """Persons 25 to 39 are in both; a name and a telephone number are written another way by each."""
    numbers = list(MEMBERS[party])
    dash = "-" if party == "A" else ""
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "nm": [f"이름 {n}" if party == "A" else f"이름{n}" for n in numbers],
            "hp": [f"010{dash}1111{dash}{n:04d}" for n in numbers],
            "town": [town(n) for n in numbers],
            "paid": pa.array([paid(party, n) for n in numbers], pa.int64()),
        }
    )


@dataclass(frozen=True)
class Played:
    folder: Path
    roles: dict[str, Environment]
    line: dict[str, Any]
    code: int


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Played:
    folder = tmp_path_factory.mktemp("alone")
    (folder / "alone").mkdir()
    file = folder / "alone.yaml"
    file.write_text(COMBINATION, "utf-8")
    (folder / "alone" / "for-a.yaml").write_text(OUTPUT, "utf-8")
    roles = make_roles(folder / "roles", ["A", "B", "KMA", "CA"])
    for party in ("A", "B"):
        plan = PARTY.format(party=party, low=party.lower(), purpose=PURPOSE)
        (folder / "alone" / f"{party}.yaml").write_text(plan, "utf-8")
        write_source(register(party), roles[party].zone("source") / "register")
    words = ["combination", "play", "--new", str(folder / "roles"), str(file), "--json", "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        lines: list[str] = []
        patch.setattr("jobs.job.show", lambda text, *_, **__: lines.append(text))
        code = cli.main(words)
    return Played(folder, roles, json.loads(lines[-1]), code)


def test_the_round_went_from_application_to_destruction(played: Played) -> None:
    assert (played.code, played.line["rounds"], played.line["left"]) == (0, ["once"], [])
    assert played.line["ended"]


def test_the_result_is_what_joins_the_two_tables(played: Played) -> None:
    (place,) = [log.parent for log in played.roles["A"].zone("published").local.rglob("_delta_log")]
    rows = pa.table(DeltaTable(place).to_pyarrow_table()).to_pylist()
    found = sorted((row["A_town"], row["A_paid"], row["B_town"], row["B_paid"]) for row in rows)
    both = sorted(set(MEMBERS["A"]) & set(MEMBERS["B"]))
    assert found == sorted((town(n), paid("A", n), town(n), paid("B", n)) for n in both)


def test_nobody_wrote_into_anothers_zones(played: Played) -> None:
    """A job that wrote at a hidden zone's place would have left it there twice, and `play` would have ended."""
    assert zones_there(played.roles) == {"A", "B", "KMA", "CA"}
    assert list(played.folder.rglob(f".*{AWAY}")) == []
    for name, mine in (("KMA", {"keys", "evidence"}), ("B", {"source", "keys", "evidence", "staging"})):
        zones = {zone for zone, place in played.roles[name].zones.items() if any(place.local.rglob("*.*"))}
        assert zones <= mine | {"additional-information"}


def test_what_linked_the_tables_is_gone(played: Played) -> None:
    """Guideline L777: join keys and all that was used to join are deleted; nothing else can be joined by them."""
    assert [path for path in (played.folder / "roles" / "exchange").rglob("*.sealed") if "keys" in path.parts] == []
    for name in ("A", "B", "KMA"):
        assert list((played.roles[name].zone("keys").local / "combinations").glob("*.json")) == []
    ca = played.roles["CA"]
    assert list(ca.zone("source").local.rglob("*.parquet")) == []


def test_it_can_not_be_played_again(played: Played) -> None:
    words = ["--roles", str(played.folder / "roles"), str(played.folder / "alone.yaml")]
    assert cli.main(["combination", "play", *words, "--quiet"]) == 0  # nothing is left to do
    step = ["keys", str(played.folder / "alone.yaml"), "--round", "once", "--revision", "2"]
    plan = ["--plan", str(played.folder / "alone" / "A.yaml")]
    environment = ["--environment", str(played.folder / "roles" / "A.yaml")]
    assert cli.main(["combination", *step, *plan, *environment]) == 3
