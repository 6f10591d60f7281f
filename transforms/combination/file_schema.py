"""The JSON Schema of combination files, for editors: `python -m transforms.combination.file_schema` prints it.

Made from the model. What the loader alone sees (names among the parties, rounds of the series) is not in it.
"""

from __future__ import annotations

import json
from typing import Any

from transforms.combination.key_spec import USUAL
from transforms.combination.model import Combination

_COLUMN = {"$ref": "#/$defs/KeyColumn"}


def file_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a combination file."""
    schema = Combination.model_json_schema()
    definitions = schema["$defs"]
    key = definitions["KeySpec"]
    # What the model's validators take beside the plain form.
    key["properties"]["columns"]["items"] = {"anyOf": [{"enum": list(USUAL)}, _usual(), _COLUMN]}
    key["required"].remove("salt_bytes")
    for name in ("first", "last"):
        definitions["Series"]["properties"][name]["type"] = ["string", "integer"]
    definitions["Mock"]["properties"]["rounds"]["items"]["type"] = ["string", "integer"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Gamyeong combination (가명정보 결합)",
    }


def _usual() -> dict[str, Any]:
    """A column whose form its name tells, as a mapping."""
    return {
        "type": "object", "properties": {"name": {"enum": list(USUAL)}}, "required": ["name"],
        "additionalProperties": False,
    }  # fmt: skip


def rendered() -> str:
    """The schema as the text of its file."""
    return json.dumps(file_schema(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    print(rendered(), end="")
