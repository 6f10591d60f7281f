"""The JSON Schema of combination files, for editors: kept current, and it takes and refuses what it should."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from transforms.combination.file_schema import file_schema, rendered
from transforms.yaml_nodes import read_yaml

from .sample_file import VALID

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "conf/combinations").glob("*.yaml"))


def faults(text: str) -> list[str]:
    data = json.loads(json.dumps(read_yaml(text, "combination.yaml")[0].plain()))
    validator = jsonschema.Draft202012Validator(file_schema())
    return [error.json_path for error in validator.iter_errors(data)]


def test_the_file_in_conf_is_current() -> None:
    kept = (ROOT / "conf/schemas/combination.schema.json").read_text("utf-8")
    assert kept == rendered(), (
        "run: python -m transforms.combination.file_schema > conf/schemas/combination.schema.json"
    )


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(file_schema())


def test_there_are_combinations_to_try() -> None:
    assert [path.stem for path in FILES] == ["generated", "mobility-housing-health", "nafld"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_our_combinations_meet_it(path: Path) -> None:
    assert faults(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("reviewers: 3", "reviewers: 2", "$.export.reviewers"),
        ("join: inner-multi", "join: inner", "$.outputs[0].join"),
        ("SHA-256", "MD5", "$.key.algorithm"),
        ("[name, phone, birth]", "[name, member]", "$.key.columns[1]"),
        ("{supplies: housing-b}", "{suplies: housing-b}", "$.parties.B"),
        ("every: month", "every: day", "$.series"),
        ("roles: {key_agency: KMA, combining_agency: CA}\n", "", "$"),
    ],
)
def test_it_refuses_what_an_editor_should_mark(old: str, new: str, place: str) -> None:
    assert faults(VALID) == []
    assert faults(VALID.replace(old, new)) == [place]


def test_it_takes_the_short_ways_of_writing() -> None:
    for old, new in (
        ("  salt_bytes: 32\n", ""),
        ("[name, phone, birth]", "[{name: name}, {name: member, form: text}]"),
        ("every: month, first: 2024-07, last: 2025-06", "every: year, first: 2024, last: 2025"),
    ):
        assert faults(VALID.replace(old, new)) == []
