"""The jobs on Spark: the sample of the register decides for all tables, is proved, and is what review asks for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs import keys_job, pseudonymize, review, verify
from jobs.environment import load_environment
from jobs.runs import RunFolder, find_run
from jobs.tables import write_source

pytestmark = pytest.mark.spark

PLAN = """\
format: 1
plan: revisits
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 재방문율 통계 작성, legal_basis: 개인정보 보호법 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2098-12-31}
subjects: {member: {register: crm/members, key: id}}
sample: SAMPLE
pseudonyms: {member: {technique: keyed-token}}
tables:
  members:
    source: crm/members
    row_key: [id]
    subject: {member: id}
    excluded: [town, sex, paid, joined]
    columns:
      id: {kind: identifier, apply: {pseudonym: member}}
      no: {kind: attribute, apply: keep}
      family: {kind: attribute, apply: keep}
  visits:
    source: shop/visits
    row_key: [visit]
    subject: {member: who}
    excluded: [visit]
    columns:
      who: {kind: identifier, apply: {pseudonym: member}}
      no: {kind: attribute, apply: keep}
additional_information: {destroy: approved}
output: {table: revisits}
"""
SAMPLES = {
    "neyman": "{technique: stratified, of: member, by: [town], allocation: {neyman: {of: paid}}, n: 200, "
    "short: report}",
    "copies": "{technique: simple, of: member, replacement: true, copies: apart, n: 400}",
    "families": "{technique: cluster, of: member, cluster: family, fraction: 0.3, stable_over: panel}",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, environment_in: Any, everybody: pa.Table, spark: object) -> Path:
    """An environment with members and their visits."""
    folder = tmp_path_factory.mktemp("club")
    file: Path = environment_in(folder)
    assert keys_job.main(["init", "--environment", str(file)]) == 0
    rows = [{"who": one["id"], "no": one["no"]} for one in everybody.to_pylist() for _ in range(one["no"] % 4)]
    visits = pa.Table.from_pylist(rows).append_column("visit", pa.array(range(len(rows))))
    source = load_environment(file).zone("source")
    write_source(everybody, source / "crm/members")
    write_source(visits, source / "shop/visits")
    return file


def staged(folder: RunFolder, table: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = DeltaTable(str(folder.staged(table))).to_pyarrow_table().to_pydict()
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_two_tables_with_the_register_s_sample(place: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    plan = place.with_name(f"{name}.yaml")
    plan.write_text(PLAN.replace("SAMPLE", SAMPLES[name]), "utf-8")
    common = ["--environment", str(place)]
    assert pseudonymize.main([str(plan), *common, "--json"]) == 0
    run = find_run(load_environment(place), json.loads(capsys.readouterr().out.splitlines()[-1])["run"])
    members, visits = staged(run, "members"), staged(run, "visits")
    drawn, seen = Counter(members["no"]), Counter(visits["no"])
    assert seen == {number: times * (number % 4) for number, times in drawn.items() if number % 4}
    if name != "families":
        assert drawn.total() == {"neyman": 200, "copies": 400}[name]
    assert verify.main([run.run, *common]) == 0
    assert run.read("verify.json")["verdict"] == "equal"
    assert review.main([run.run, *common]) == 0
    counts = run.load_record().counts["tables"]["members"]
    assert (counts["drawn"], counts["sample"]["persons"]) == (drawn.total(), len(drawn))
    page = (run.report / "index.html").local.read_text("utf-8")
    words = {"neyman": "네이만 배분", "copies": "단순 무작위 복원추출", "families": "집락추출"}
    assert words[name] in page
    judged = [one for one in run.read("result.json")["expectations"] if "sampled" in one["type"]]
    assert [(one["table"], one["success"]) for one in judged] == [("members", True)]
