"""What a run keeps of its plan: enough to compile it again without the source, and nobody may change it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from jobs import retail
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.run_plan import load_compiled, save_plan
from jobs.runs import RunFolder, RunRecord
from jobs.storage import conf_path
from transforms.compiler import compile_plan
from transforms.plan_loader import load

SOURCE = retail.schema()


def recorded(
    environment: Environment, schema: pa.Schema = SOURCE, excluded: tuple[str, ...] = ()
) -> tuple[RunFolder, str]:
    """A run whose plan is kept, with the fingerprint in its record."""
    loaded = load(conf_path("plans/retail-third-party.yaml"))
    loaded = replace(loaded, plan=loaded.plan.model_copy(update={"excluded": excluded}))
    fingerprint = compile_plan(loaded.plan, schema, loaded.hierarchies, loaded.lines).fingerprint
    folder = RunFolder(environment, "0123456789abcdef")
    save_plan(folder, loaded, schema)
    folder.save_record(
        RunRecord(
            run=folder.run, plan=loaded.plan.plan, fingerprint=fingerprint, code_version="test",
            organisation="test", application="2024-017", recipient="test", output="retail",
            started="2026-01-01T00:00:00Z", finished="2026-01-01T00:00:01Z", sources={}, tables=(),
        )
    )  # fmt: skip
    return folder, fingerprint


def test_the_pipeline_comes_back_from_the_evidence_alone(environment: Environment) -> None:
    folder, fingerprint = recorded(environment)
    loaded = load(conf_path("plans/retail-third-party.yaml"))
    again = load_compiled(RunFolder(environment.only(reads={"evidence"}), folder.run))
    assert again.plan == loaded.plan
    assert again.fingerprint == fingerprint
    expected = compile_plan(loaded.plan, SOURCE, loaded.hierarchies).table()
    assert again.table().schema == expected.schema
    assert again.table().schema.names == SOURCE.names  # the order of columns too
    assert [s.technique for c in again.table().chains for s in c.steps] == [
        s.technique for c in expected.chains for s in c.steps
    ]
    address = next(c for c in again.table().chains if c.name == "address")
    assert address.steps[0].hierarchy is not None
    found = address.steps[0].hierarchy.lookup(pa.array(["서울시 은평구 연서로 29길 245"]), "sigungu")
    assert found.to_pylist() == ["서울시 은평구"]  # guideline L3517, L3586


def test_every_type_of_the_closed_list_comes_back(environment: Environment) -> None:
    types = [
        pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(),
        pa.binary(), pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.decimal128(12, 2),
    ]  # fmt: skip
    schema = pa.schema([*SOURCE, *(pa.field(f"x{number}", type_) for number, type_ in enumerate(types))])
    folder, _ = recorded(environment, schema, excluded=("x*",))
    assert load_compiled(folder).table().source_schema == schema


@pytest.mark.parametrize("file", ["plan.json", "hierarchies.json", "source_schema.json"])
def test_a_damaged_file_is_named_and_nothing_is_compiled(environment: Environment, file: str) -> None:
    folder, _ = recorded(environment)
    Path(folder.evidence / file).write_text('{"retail": 7}')
    with pytest.raises(BadInput, match="damaged"):
        load_compiled(folder)


def test_an_altered_plan_is_refused(environment: Environment) -> None:
    folder, _ = recorded(environment)
    plan = json.loads(folder.plan_json.local.read_text())
    plan["adequacy"]["k-anonymity"]["k"] = 2
    folder.plan_json.local.write_text(json.dumps(plan))
    with pytest.raises(Refused, match="altered"):
        load_compiled(folder)
    again, _ = recorded(environment)
    hierarchies = json.loads((again.evidence / "hierarchies.json").local.read_text())
    hierarchies["region.csv"]["rows"][0][0] = "다른 곳"
    (again.evidence / "hierarchies.json").local.write_text(json.dumps(hierarchies))
    with pytest.raises(Refused, match="altered"):
        load_compiled(again)
