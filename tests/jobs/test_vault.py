"""The vault of tokens: one entry for each delivered id, ciphertext alone on disk, looked up with the run's secret."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jobs import additional, vault
from jobs.environment import Environment
from jobs.errors import BadInput, Operational
from jobs.key_providers.file import FileProvider
from jobs.keys import KeyGone
from jobs.runs import RunFolder, RunRecord
from transforms.compiler import compile_plan
from transforms.given import Given
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.run import Options, prepare
from transforms.pipeline_model import TablePipeline
from transforms.plan_loader import load
from transforms.plan_outliers import OutlierLimits
from transforms.run_keys import RunKeys

RUN = "0123456789abcdef"
PLAN = """\
format: 1
plan: 회원
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 연령대별 소비액 통계작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
source: {table: people, row_key: [row], subject: person}
excluded: [row]
rows: [{record-suppression: {where: {age: {below: 20}}}}]
columns:
  person: {kind: identifier, apply: {tokenization: {vault: true}}}
  account: {kind: identifier, apply: {tokenization: {length: 12, vault: true}}}
  age: {kind: quasi-identifier, apply: keep}
additional_information: {keep: {reason: 본인 요청 시 재식별, until: 2028-12-31}}
output: {table: people}
"""


def people() -> pa.Table:
    """60 persons with three rows each; the first ten are too young, two are 68, every ninth row has no account."""
    persons = [number % 60 for number in range(180)]
    return pa.table(
        {
            "row": list(range(180)),
            "person": [f"회원-{person:06d}" for person in persons],
            "account": pa.array([None if row % 9 == 0 else 10**9 + row % 60 for row in range(180)], pa.int64()),
            "age": [10 + min(person, 58) for person in persons],
        }
    )


class Made:
    """A run whose vaults are written, by as many units as asked for."""

    def __init__(self, environment: Environment, table: TablePipeline, units: int) -> None:
        FileProvider.init(environment.keys.path)
        self.folder = RunFolder(environment, RUN)
        secret = additional.run_secrets(self.folder).obtain(RUN)
        self.keys = RunKeys(secret, environment.organisation, RUN, "분석팀")
        self.table = table
        self.cut(units)
        self.prepared = prepare(
            table, self.keys, self.engine, Options(cores=1, rows_hint=180, limits=OutlierLimits(cells=1, rows=1))
        )
        self.record = RunRecord(
            RUN, "회원", "f" * 64, "1", environment.organisation, "2026-001", "분석팀", "people", "", "", {}, ()
        )  # fmt: skip

    def cut(self, units: int) -> None:
        """From now on the source comes in so many units."""
        size = -(-people().num_rows // units)
        schema = self.table.source_schema
        self.engine = LocalEngine(
            [TableUnit(n, people().slice(n * size, size), schema, n * size) for n in range(units)]
        )

    def write(self) -> dict[str, list[str]]:
        files = vault.write(self.folder, self.prepared, self.engine, self.keys)
        vault.write_index(self.folder, self.keys, {"people": files})
        return files

    def entries(self, column: str) -> dict[str, Any]:
        rows = pa.concat_tables(vault.entries(self.folder, self.record, "people", column)).to_pylist()
        assert len({row["token"] for row in rows}) == len(rows)
        return {row["token"]: row["value"] for row in rows}


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], TablePipeline]:
    def make(text: str = PLAN) -> TablePipeline:
        (tmp_path / "plan.yaml").write_text(text, "utf-8")
        loaded = load(tmp_path / "plan.yaml")
        return compile_plan(loaded.plan, people().schema, {}, loaded.lines).table()

    return make


@pytest.fixture
def made(environment: Environment, table: Callable[[], TablePipeline]) -> Made:
    return Made(environment, table(), units=4)


def test_every_delivered_id_once_and_none_that_is_not_delivered(made: Made) -> None:
    made.write()
    grown = {row["person"] for row in people().to_pylist() if row["age"] >= 20}
    assert sorted(made.entries("person").values()) == sorted(grown)
    accounts = {row["account"] for row in people().to_pylist() if row["age"] >= 20} - {None}
    assert sorted(made.entries("account").values()) == sorted(accounts)


def test_a_token_leads_back_to_its_id(made: Made) -> None:
    made.write()
    for column, back in (("person", pa.string()), ("account", pa.int64())):
        ids, tokens = delivered(made, column)
        found = vault.lookup(made.folder, made.record, "people", column, tokens)
        assert found.type == back
        assert found.equals(ids)
    strange = vault.lookup(made.folder, made.record, "people", "person", pa.array(["AAAAAAAAA", None]))
    assert strange.to_pylist() == [None, None]


def delivered(made: Made, column: str) -> tuple[pa.Array, pa.Array]:
    """Ids of grown people and their tokens, side by side, made by the technique alone."""
    (step,) = next(chain for chain in made.table.chains if chain.name == column).steps
    grown = people().filter(pa.array([age >= 20 for age in people().column("age").to_pylist()]))
    ids = grown.column(column).combine_chunks()
    draws = made.prepared.work.steps[(column, 0)]
    return ids, step.technique.apply(ids, Given(step.site, draws=draws))


def test_how_units_and_buckets_are_cut_makes_no_difference(
    environment: Environment, table: Callable[[], TablePipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Made(environment, table(), units=1)
    one.write()
    expected = one.entries("person")
    monkeypatch.setattr("transforms.pipeline.vault.ENTRIES_OF_A_BUCKET", 40)
    one.cut(7)
    assert len(one.write()["person"]) > 1
    assert one.entries("person") == expected


def test_nothing_on_disk_tells_an_id_or_a_token(made: Made) -> None:
    made.write()
    tokens = list(made.entries("person"))
    files = [path for path in made.folder.additional.local.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {additional.SEALED}
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)
    content = b"".join(path.read_bytes() for path in files)
    for secret in ("회원", tokens[0], "token", "value", "ARROW"):
        assert secret.encode() not in content
    assert additional.plain_files(made.folder) == []


def test_an_altered_file_and_a_destroyed_secret_open_nothing(made: Made) -> None:
    (name,) = made.write()["person"]
    path = made.folder.additional.local / f"{name}{additional.SEALED}"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
    with pytest.raises(Operational, match="altered"):
        made.entries("person")
    path.write_bytes(whole)
    with pytest.raises(BadInput, match=r"people\.person, people\.account"):
        made.entries("age")
    additional.run_secrets(made.folder).destroy(RUN)
    with pytest.raises(KeyGone):
        made.entries("person")
    additional.destroy(made.folder)
    assert not path.exists()


def test_keeping_the_rest_of_the_additional_information_leaves_the_vault_as_it_is(made: Made) -> None:
    made.write()
    before = {path: path.read_bytes() for path in made.folder.additional.local.rglob("*") if path.is_file()}
    made.folder.facts.write_json({"format": 1})
    assert additional.keep(made.folder, made.record) == ["facts.json"]
    assert all(path.read_bytes() == content for path, content in before.items())
    assert len(made.entries("person")) == 50


def test_ids_that_share_a_token_stop_the_run(
    environment: Environment, table: Callable[[str], TablePipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draws that all give the first letter of the alphabet."""
    monkeypatch.setattr("transforms.techniques.tokens.scaled", lambda numbers, base: numbers * 0)
    made = Made(environment, table(PLAN), units=2)
    with pytest.raises(PassFailed, match="share a token"):
        made.write()


def test_a_table_without_vaults_writes_nothing(environment: Environment, table: Callable[[str], TablePipeline]) -> None:
    made = Made(environment, table(PLAN.replace(", vault: true", "").replace("vault: true", "length: 9")), units=1)
    assert made.write() == {}
    assert not made.folder.additional.exists()


def test_records_that_an_outlier_rule_removes_are_in_no_vault(
    environment: Environment, table: Callable[[str], TablePipeline]
) -> None:
    rule = """\
outliers: [{find: {frequency: {columns: [age], below: 4, count: row}}, treat: {local-suppression: {columns: [age]}}}]
"""
    text = PLAN.replace("columns:\n", rule + "columns:\n").replace("{below: 20}", "{not_equals: 67}")
    made = Made(environment, table(text), units=3)
    files = made.write()
    assert made.prepared.sampled_rows == 180
    assert made.prepared.rows == 0  # the one person of 67 is too rare
    assert files == {"person": [], "account": []}
    assert list(vault.entries(made.folder, made.record, "people", "person")) == []
