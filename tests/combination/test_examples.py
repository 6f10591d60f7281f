"""The combinations of conf/combinations: their plans load, belong to their parties, and fit the data that is made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from jobs import nafld_parties
from jobs.cli import main
from jobs.combination_data import MADE
from jobs.environment import Environment
from jobs.example_data import example, example_table
from jobs.party_tables import STOPS, TABLES, PartyTable, stop_requests
from jobs.retail import districts
from jobs.storage import conf_path
from transforms.combination.loader import load_combination
from transforms.combination.model import Combination
from transforms.compiler import compile_plan
from transforms.plan_loader import Loaded, load

FOLDER = conf_path("combinations/nafld.yaml").parent
NAMES = {"mobility-housing-health": "mobility", "generated": "generated", "nafld": "nafld"}


def plans(name: str) -> dict[str, Loaded]:
    """The parties' plans beside a combination file, by the name in them."""
    found = [
        load(path, [conf_path("hierarchies/region.csv").parent]) for path in sorted((FOLDER / name).glob("*.yaml"))
    ]
    return {one.plan.plan: one for one in found}


def data(name: str, party: str) -> pa.Schema:
    if name == "nafld":
        return nafld_parties.party_table(party).schema
    return PartyTable(party, 100, 1, districts(), MADE[NAMES[name]][1]).schema()


@pytest.mark.parametrize("name", NAMES)
def test_each_supplier_has_its_plan_which_names_it_and_the_key_columns(name: str) -> None:
    combination = load_combination(FOLDER / f"{name}.yaml")
    found = plans(name)
    for party in combination.suppliers:
        contribution = found[str(combination.parties[party].supplies)].plan.combination
        assert contribution is not None
        assert (contribution.name, contribution.party) == (name, party)
        assert set(contribution.key) == {column.name for column in combination.key.columns}
    for output in combination.outputs:
        assert output.plan is not None
        assert (FOLDER / output.plan).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_the_parties_plans_fit_their_data(name: str) -> None:
    combination = load_combination(FOLDER / f"{name}.yaml")
    for party in combination.suppliers:
        loaded = plans(name)[str(combination.parties[party].supplies)]
        pipeline = compile_plan(loaded.plan, data(name, party), loaded.hierarchies, loaded.lines)
        (table,) = pipeline.tables.values()
        keys = set((loaded.plan.combination.key if loaded.plan.combination else {}).values())
        serials = {loaded.plan.source.subject} if loaded.plan.source else set()
        assert not (keys - serials) & {column.name for column in table.columns}


@pytest.mark.parametrize("name", NAMES)
def test_the_output_plans_fit_what_is_combined(name: str) -> None:
    """The combined table has `record`, `link`, `round` and PARTY_COLUMN for each column that a party delivers."""
    combination = load_combination(FOLDER / f"{name}.yaml")
    for output in combination.outputs:
        loaded = load(FOLDER / str(output.plan), [])
        tables = {table: combined(combination, name, table) for table in ("", *many(combination))}
        user = f"combinations/{name}/{output.user}"
        by_source = {f"{user}-{party}" if party else user: schema for party, schema in tables.items()}
        sources = {key: table.source for key, table in loaded.plan.tables.items()}
        if loaded.plan.source is not None:
            compile_plan(loaded.plan, by_source[loaded.plan.source.table], loaded.hierarchies, loaded.lines)
        else:
            schemas = {key: by_source[source] for key, source in sources.items()}
            compile_plan(loaded.plan, schemas, loaded.hierarchies, loaded.lines)
            assert set(sources.values()) == set(by_source)


def many(combination: Combination) -> list[str]:
    return [name for name, party in combination.parties.items() if party.rows == "many"]


def combined(combination: Combination, name: str, table: str) -> pa.Schema:
    fields = [("record", pa.string())]
    fields += [("row", pa.string())] if table else []
    fields += [("link", pa.string())] if combination.outputs[0].link_id and not table else []
    fields += [("round", pa.date32())] if combination.series else []
    for party in [table] if table else [one for one in combination.suppliers if one not in many(combination)]:
        loaded = plans(name)[str(combination.parties[party].supplies)]
        pipeline = compile_plan(loaded.plan, data(name, party), loaded.hierarchies, loaded.lines)
        (delivered,) = pipeline.tables.values()
        serial = loaded.plan.combination.subject if loaded.plan.combination else ""
        fields += [(f"{party}_{one.name}", one.type) for one in delivered.schema if one.name != serial]
    return pa.schema(fields)


def test_the_real_cohort_falls_into_twelve_months() -> None:
    patients = nafld_parties.party_table("hospital")
    labs, events = (nafld_parties.party_table(party) for party in ("laboratory", "registry"))
    cohort = example_table(example("survival::nafld1"))
    ended = {row["id"]: row["futime"] for row in cohort.select(["id", "futime"]).to_pylist()}
    months = sorted(set(patients["reference_on"].to_pylist()))
    assert [str(month)[:7] for month in months] == list(load_combination(FOLDER / "nafld.yaml").rounds())
    for month in (months[0], months[6], months[-1]):
        there = set(patients.filter(pc.equal(patients["reference_on"], pa.scalar(month)))["patient"].to_pylist())
        assert there == {one for one, days in ended.items() if days >= (month - months[0]).days}
    original = example_table(example("survival::nafld2")).to_pylist()
    first_year = [row for row in original if 0 <= row["days"] < 365]
    assert labs.num_rows == len(first_year)
    assert {
        (row["patient"], (row["taken_on"] - months[0]).days, row["test"], row["value"]) for row in labs.to_pylist()
    } == {(row["id"], row["days"], row["test"], row["value"]) for row in first_year}
    assert 0 < events.num_rows < 10_000
    assert set(events["patient"].to_pylist()) <= set(ended)


@pytest.mark.spark
def test_a_partys_table_is_made_by_tasks_once(
    spark: Any, environment: Environment, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(*more: str) -> tuple[int, dict[str, Any]]:
        argv = ["generate", "combination", "generated", "--party", "B", "--subjects", "60000", *more]
        code = main([*argv, "--environment", str(environment_file), "--quiet", "--json"])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    code, told = made()
    assert (code, told["rows"], told["made"]) == (0, 60_000, True)
    wanted = PartyTable("B", 60_000, 1, districts())
    batches = [batch for number in range(wanted.chunks) for batch in wanted.chunk(number)]
    found = DeltaTable(str(environment.zone("source") / TABLES["B"])).to_pyarrow_table()
    sort = [("resident", "ascending")]
    assert found.sort_by(sort).equals(pa.Table.from_batches(batches).sort_by(sort).cast(found.schema))
    assert made()[1]["made"] is False
    code, told = made("--seed", "2")
    assert code == 2
    assert "another table lies" in told["error"]


@pytest.mark.spark
def test_requests_to_stop_are_added_to_the_list_of_those_before(
    spark: Any, environment: Environment, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a real system: a new request is a new row, and the version that a run has read stays as it was."""

    def made(*more: str) -> tuple[int, dict[str, Any]]:
        argv = ["generate", "combination", "mobility", "--party", "A", "--subjects", "200", *more]
        code = main([*argv, "--environment", str(environment_file), "--quiet", "--json"])
        return code, json.loads(capsys.readouterr().out.splitlines()[-1])

    def told(*more: str) -> list[tuple[str, int, bool]]:
        code, line = made(*more)
        assert code == 0
        return [(one["table"], one["version"], one["made"]) for one in line["tables"]]

    def stops(version: int | None = None) -> list[dict[str, Any]]:
        found = DeltaTable(str(environment.zone("source") / STOPS), version=version).to_pyarrow_table()
        rows: list[dict[str, Any]] = found.sort_by("requested_on").to_pylist()
        return rows

    assert told() == [(TABLES["A"], 0, True), (STOPS, 0, True)]
    assert stops() == stop_requests(200, 0, 3).to_pylist()
    assert told("--stops", "5") == [(TABLES["A"], 0, False), (STOPS, 1, True)]
    assert stops() == stop_requests(200, 0, 5).to_pylist()
    assert stops(version=0) == stop_requests(200, 0, 3).to_pylist()
    assert told() == [(TABLES["A"], 0, False), (STOPS, 1, False)]  # a repeat without a number takes back nobody
    code, line = made("--stops", "2")
    assert code == 2
    assert "a list of 5 requests lies" in line["error"]
    assert told("--stops", "2", "--replace") == [(TABLES["A"], 0, False), (STOPS, 2, True)]
    assert stops() == stop_requests(200, 0, 2).to_pylist()


def test_the_list_of_stop_requests_is_what_the_plan_reads() -> None:
    source = plans("mobility-housing-health")["fuel-a"].plan.source
    assert source is not None
    assert source.stop_requests is not None
    assert source.stop_requests.table == STOPS
    assert {source.stop_requests.key, source.stop_requests.at} <= set(stop_requests(100, 0, 1).schema.names)
    # once and at scale: a benchmark, which leaves nobody out
    other = plans("generated")["generated-a"].plan.source
    assert other is not None
    assert other.stop_requests is None


def test_wrong_arguments_are_told(environment_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*argv: str) -> tuple[int, str]:
        code = main(["generate", *argv, "--environment", str(environment_file), "--quiet"])
        return code, capsys.readouterr().err

    for argv, words in (
        (("combination",), "which combination?"),
        (("combination", "mobilty", "--party", "A"), "did you mean 'mobility'?"),
        (("combination", "mobility"), "--party A, --party B, --party C"),
        (("combination", "generated", "--party", "C"), "allowed with generated: --party A, --party B"),
        (("combination", "generated", "--party", "A", "--subjects", "10"), "--subjects 10"),
        (("combination", "generated", "--party", "A", "--overlap", "1.5"), "--overlap 1.5"),
        (("combination", "nafld", "--party", "registry", "--skew", "0.1"), "whose data are real"),
        (("combination", "generated", "--party", "A", "--stops", "3"), "with mobility --party A alone"),
        (("combination", "mobility", "--party", "A", "--stops", "0"), "--stops 0; allowed: 1 to 100"),
        (("retail", "--party", "A"), "allowed: with `generate combination`"),
    ):
        code, text = said(*argv)
        assert code == 2
        assert words in text
