"""The JSON Schema of plans, for editors: kept current, and it takes and refuses what it should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from transforms.plan_schema import plan_schema, rendered
from transforms.yaml_nodes import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted((ROOT / "conf/plans").glob("*.yaml"))


def faults(text: str) -> list[str]:
    data: Any = json.loads(json.dumps(read_yaml(text, "plan.yaml")[0].plain()))
    validator = jsonschema.Draft202012Validator(plan_schema())
    return [error.json_path for error in validator.iter_errors(data)]


def test_the_file_in_conf_is_current() -> None:
    kept = (ROOT / "conf/schemas/plan.schema.json").read_text("utf-8")
    assert kept == rendered(), "run: python -m transforms.plan_schema > conf/schemas/plan.schema.json"


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(plan_schema())


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_our_plans_meet_it(path: Path) -> None:
    assert faults(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("{k: 3}", "{k: 1}", "$.adequacy['k-anonymity']"),
        ("form: third-party", "form: thirdparty", "$.use.form"),
        ("unit: 10,", "unit: 0,", "$.columns.age.apply"),
        ("apply: serial-number", "apply: serial", "$.columns.person.apply"),
        ("plan: clinic-visits\n", "", "$"),
    ],
)
def test_it_refuses_what_an_editor_should_mark(old: str, new: str, place: str, valid_plan: str) -> None:
    assert faults(valid_plan) == []
    assert faults(valid_plan.replace(old, new)) == [place]
