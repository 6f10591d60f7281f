"""The JSON Schema of plans, for editors: `python -m transforms.plan_schema > conf/schemas/plan.schema.json`.

It is made from the model and the techniques, so it can't say anything else than they do; what only the
loader sees (rules over several keys, files, tables) is not in it.
"""

from __future__ import annotations

import json
from typing import Any

from transforms.further import FurtherTable
from transforms.plan import Plan
from transforms.technique import RowTechnique, Technique
from transforms.techniques import TECHNIQUES

_REF = "#/$defs/{model}"


def plan_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a plan file; of one with `extends`, which holds only what differs,
    the names of its top-level keys alone."""
    plan = Plan.model_json_schema(ref_template=_REF)
    definitions: dict[str, Any] = plan.pop("$defs")
    definitions.pop("Technique", None)
    definitions.pop("RowTechnique", None)
    definitions.pop("FurtherTable", None)
    further = ((name, one) for name, one in TECHNIQUES.items() if issubclass(one, FurtherTable))
    definitions["FurtherEntry"] = {"anyOf": [_step(name, one, definitions) for name, one in further]}
    for name, shape in (("ColumnSteps", False), ("RowSteps", True)):
        definitions[name] = _steps(definitions, for_rows=shape)
    definitions["ColumnRule"]["properties"]["apply"] = {"$ref": _REF.format(model="ColumnSteps")}
    for holder in (plan, definitions["TablePlan"]):
        holder["properties"]["rows"] = {"$ref": _REF.format(model="RowSteps")}
        entries = {"$ref": _REF.format(model="FurtherEntry")}
        holder["properties"]["further"] = {"type": "object", "additionalProperties": entries}
    definitions["Plan"] = plan
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gamyeong plan (가명처리 계획)",
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {
            "properties": {"extends": {"type": "string"}},
            "propertyNames": {"enum": ["extends", *plan["properties"]]},
        },
        "else": {"$ref": _REF.format(model="Plan")},
        "$defs": dict(sorted(definitions.items())),
    }


def _steps(definitions: dict[str, Any], *, for_rows: bool) -> dict[str, Any]:
    """A step, or a list of steps, of one shape."""
    steps: list[dict[str, Any]] = []
    for name, technique in TECHNIQUES.items():
        if issubclass(technique, RowTechnique) == for_rows and not issubclass(technique, FurtherTable):
            steps += [_step(name, technique, definitions), {"const": name}]
    return {"anyOf": [*steps, {"type": "array", "items": {"anyOf": steps}, "minItems": 1}]}


def _step(name: str, technique: type[Technique], definitions: dict[str, Any]) -> dict[str, Any]:
    """{name: parameters}; adds the technique to the definitions."""
    # By the name in plans, which no section of a plan has (there is a Pseudonym among both).
    definitions[name] = _technique(technique, definitions)
    parameters: dict[str, Any] = {"$ref": _REF.format(model=name)}
    short = getattr(technique, "SHORTHAND", None)
    if short is not None:
        bare = definitions[name]["properties"][short]
        parameters = {"anyOf": [parameters, {k: v for k, v in bare.items() if k != "default"}]}
    return {
        "type": "object", "properties": {name: parameters}, "required": [name], "additionalProperties": False,
        "description": technique.korean,
    }  # fmt: skip


def _technique(technique: type[Technique], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = technique.model_json_schema(ref_template=_REF)
    definitions |= schema.pop("$defs", {})
    return schema


def rendered() -> str:
    """The schema as the text of its file."""
    return json.dumps(plan_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    print(rendered(), end="")
