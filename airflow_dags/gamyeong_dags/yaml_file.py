"""Reads a YAML file into a model and tells every problem with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from gamyeong_dags.problems import UnfitFile, near

Model = TypeVar("Model", bound=BaseModel)


def read(path: Path) -> dict[str, Any]:
    """The file's mapping; its lines are in `.lc`. UnfitFile where there is none."""
    try:
        raw = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UnfitFile(path, [f": can't be read ({reason}); make it readable for Airflow's user"]) from None
    except (YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UnfitFile(path, [f"{where}: {getattr(error, 'problem', None) or 'no YAML'}; correct the YAML"]) from None
    if not isinstance(raw, dict):
        raise UnfitFile(path, [": no mapping of keys; see airflow_dags/README.md for what it holds"])
    return raw


def fitted(path: Path, raw: dict[str, Any], model: type[Model]) -> Model:
    """The file as a model; UnfitFile with all problems, each with line, key, what was found and is allowed."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        allowed = list(model.model_fields)
        raise UnfitFile(path, [_told(raw, one, allowed) for one in error.errors()]) from None


def line_of(raw: dict[str, Any], *keys: str) -> str:
    """", line N" of a key; "" where it isn't known."""
    node, line = raw, None
    for key in keys:
        if not isinstance(node, dict) or key not in node:
            break
        marks = getattr(node, "lc", None)
        line = marks.key(key)[0] + 1 if marks is not None else line
        node = node[key]
    return f", line {line}" if line else ""


def _told(raw: dict[str, Any], error: Any, allowed: list[str]) -> str:
    place = [str(part) for part in error["loc"]]
    where = f"{line_of(raw, *place)}, {'.'.join(place) or 'file'}"
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key; allowed: {', '.join(allowed)}{near(place[-1], allowed)}"
    if error["type"] == "missing":
        return f"{where}: missing; add it"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
