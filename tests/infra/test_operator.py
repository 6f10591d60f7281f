"""infra/kubernetes/application.yaml against the Spark operator's own definition of such an application.

The definition comes from the operator's Go module, of one version with one hash, by the ordinary `go` command. It is
not ours to keep; where it can't be had, the tests are skipped and say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.go_modules import module_folder

ROOT = Path(__file__).resolve().parents[2]
MODULE = "github.com/kubeflow/spark-operator/v2"
VERSION, HASH = "v2.4.0", "h1:Bo5rz5dlhqYEa7e/TLtUEVXDMNRotnVaQ4VLCyeLeOc="
DEFINITION = Path("config", "crd", "bases", "sparkoperator.k8s.io_sparkapplications.yaml")


def loaded(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """What the operator says of our version of its applications, closed: a word that it doesn't know is an error."""
    folder = module_folder(MODULE, VERSION, HASH)
    if folder is None:
        pytest.skip(f"no `go` command that brings {MODULE} {VERSION} with the operator's definition")
    definition = loaded(folder / DEFINITION)
    group, version = application()["apiVersion"].split("/")
    assert group == definition["spec"]["group"]
    (ours,) = (one for one in definition["spec"]["versions"] if one["name"] == version)
    whole: dict[str, Any] = ours["schema"]["openAPIV3Schema"]
    for node in objects_of(whole):
        node["additionalProperties"] = False
    return whole


def objects_of(node: Any) -> Iterator[dict[str, Any]]:
    """All descriptions of objects that list their fields and keep no others."""
    if isinstance(node, dict):
        kept = node.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in node
        if node.get("type") == "object" and isinstance(node.get("properties"), dict) and not kept:
            yield node
        for one in node.values():
            yield from objects_of(one)
    elif isinstance(node, list):
        for one in node:
            yield from objects_of(one)


def application() -> dict[str, Any]:
    found: dict[str, Any] = loaded(ROOT / "infra" / "kubernetes" / "application.yaml")
    return found


def problems(schema: dict[str, Any], one: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(one)]


def test_the_application_is_one_that_the_operator_takes(schema: dict[str, Any]) -> None:
    assert problems(schema, application()) == []


@pytest.mark.parametrize(
    ("path", "word", "value"),
    [
        (("spec", "driver"), "memoryOverhed", "1g"),
        (("spec", "executor"), "instances", "eight"),
        (("spec", "driver", "securityContext"), "runAsNonRot", True),
        (("spec",), "type", "Pyton"),
    ],
)
def test_a_wrong_one_is_seen(schema: dict[str, Any], path: tuple[str, ...], word: str, value: object) -> None:
    wrong = deepcopy(application())
    place = wrong
    for name in path:
        place = place[name]
    place[word] = value
    (problem,) = problems(schema, wrong)
    assert word in problem or str(value) in problem
