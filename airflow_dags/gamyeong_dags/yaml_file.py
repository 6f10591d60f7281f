"""Reads a YAML file into a model and tells every problem with its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent

from gamyeong_dags.problems import UnfitFile, near

Model = TypeVar("Model", bound=BaseModel)
# The scheduler reads these files again and again, in the process that all DAGs share: the limits are those of
# `transforms.yaml_limits`, which Airflow's own environment does not have.
LARGEST, DEEPEST, LONGEST_NUMBER, MOST_TOLD, LONGEST_LINE = 256 * 1024, 50, 40, 200, 1000
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
NUMBER = re.compile("[-+]?[0-9a-fA-FxXoO_]+")


def read(path: Path) -> dict[str, Any]:
    """The file's mapping; its lines are in `.lc`. UnfitFile where there is none, or more in it than anyone needs."""
    text = _text(path)
    try:
        if problems := _unneeded(text):
            raise UnfitFile(path, problems[:MOST_TOLD])
        raw = YAML(typ="rt", pure=True).load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise UnfitFile(path, [f"{where}: {getattr(error, 'problem', None) or 'no YAML'}; correct the YAML"]) from None
    except TypeError:
        raise UnfitFile(path, [": a list or a mapping as a key; allowed: a word"]) from None
    except (ValueError, OverflowError):
        raise UnfitFile(path, [": a value that can't be, such as 2026-02-30; correct it or put it in quotes"]) from None
    if not isinstance(raw, dict):
        raise UnfitFile(path, [": no mapping of keys; see airflow_dags/README.md for what it holds"])
    return raw


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise UnfitFile(path, [f": more than {LARGEST >> 10} KiB; make it shorter"])
        return content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UnfitFile(path, [f": can't be read ({reason}); make it readable for Airflow's user"]) from None


def _unneeded(text: str) -> list[str]:
    """What would take time or room without end, or show as something else than it is."""
    problems: list[str] = []
    depth = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        where = f", line {event.start_mark.line + 1}"
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
            problems.append(f"{where}: an anchor or alias (&name, *name); write the value out")
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > DEEPEST:
            return [*problems, f"{where}: nested deeper than {DEEPEST}; see airflow_dags/README.md for what it holds"]
        if not isinstance(event, ScalarEvent):
            continue
        # ruamel marks the folds of a folded text (">") so
        if (hidden := UNSEEN.search(event.value.replace("\a", "") if event.style == ">" else event.value)) is not None:
            problems.append(f"{where}: the character U+{ord(hidden.group()):04X}, which nobody sees; take it away")
        if len(event.value) > LONGEST_NUMBER and NUMBER.fullmatch(event.value):
            problems.append(f"{where}: a number of {len(event.value)} digits; allowed: {LONGEST_NUMBER}")
    return problems


def fitted(path: Path, raw: dict[str, Any], model: type[Model]) -> Model:
    """The file as a model; UnfitFile with all problems, each with line, key, what was found and is allowed."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        allowed = list(model.model_fields)
        told = [_told(raw, one, allowed)[:LONGEST_LINE] for one in error.errors()[:MOST_TOLD]]
        raise UnfitFile(path, told) from None


def line_of(raw: dict[str, Any], *keys: str) -> str:
    """", line N" of a key; "" where it isn't known."""
    node, line = raw, None
    for key in keys:
        if not isinstance(node, dict) or key not in node:
            break
        marks = getattr(node, "lc", None)
        if marks is not None and key in marks.data:  # a key that came by a merge ("<<") has no line of its own
            line = marks.key(key)[0] + 1
        node = node[key]
    return f", line {line}" if line else ""


def _told(raw: dict[str, Any], error: Any, allowed: list[str]) -> str:
    place = [str(part) for part in error["loc"]]
    where = f"{line_of(raw, *place)}, {'.'.join(place) or 'file'}".replace("\n", " ")
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown key; allowed: {', '.join(allowed)}{near(place[-1], allowed)}"
    if error["type"] == "missing":
        return f"{where}: missing; add it"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"
