"""A combination file (YAML 1.2) as a Combination, or every problem in it at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from transforms.combination.checks import check_combination
from transforms.combination.key_checks import unsound_key
from transforms.combination.model import Combination, Output, Party, Series
from transforms.errors import PlanError, Problem
from transforms.plan_faults import problems_of
from transforms.plan_places import placed, places, read_text
from transforms.plan_salvage import sound, type_of
from transforms.yaml_nodes import read_yaml

KIND = "combination"


def load_combination(path: str | Path) -> Combination:
    """The combination in a file; PlanError with every problem in it, each with its line and path.

    Plans that it names are not opened: other roles hold them.
    """
    file = Path(path)
    try:
        root, problems = read_yaml(read_text(file, KIND), file.name)
    except PlanError as error:
        raise PlanError([_named(problem) for problem in error.problems]) from None
    data = root.plain()
    combination: Combination | None = None
    try:
        combination = Combination.model_validate(data)
        sections = {name: getattr(combination, name) for name in Combination.model_fields}
    except ValidationError as error:
        problems += problems_of(error.errors(include_url=False), root, file.name, Combination)
        sections = _sound_sections(data)
        problems += [one for one in unsound_key(data.get("key")) if one.path not in {found.path for found in problems}]
    # A place that the model complains of already is not complained of again.
    known = {problem.path for problem in problems}
    problems += [one for one in check_combination(sections) if one.path not in known]
    if problems or combination is None:
        lines, files = places(root, file.name)
        raise PlanError([_named(placed(problem, lines, files, file.name)) for problem in problems])
    return combination


def _sound_sections(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are valid taken alone; of parties, outputs and series what is right in them."""
    sections: dict[str, Any] = {}
    for name, field in Combination.model_fields.items():
        raw = data.get(name)
        if name == "parties" and isinstance(raw, Mapping):
            sections[name] = {str(one): _party(part) for one, part in raw.items()}
        elif name == "outputs" and isinstance(raw, (list, tuple)):
            sections[name] = tuple(sound(Output, one) or Output.model_construct() for one in raw)
        elif raw is not None and (value := sound(type_of(field), raw)) is not None:
            sections[name] = value
    if "series" in data and "series" not in sections:
        sections["series"] = Series.model_construct()
    return sections


def _party(raw: object) -> Party:
    """What a party does, though its keys may be wrong: so that others may name it."""
    party: Party = sound(Party, raw) or Party.model_construct()
    if not isinstance(raw, Mapping):
        return party
    meant = {"supplies": str(raw["supplies"])} if raw.get("supplies") is not None else {}
    return party.model_copy(update=meant | ({"uses": True} if raw.get("uses") not in (None, False) else {}))


def _named(problem: Problem) -> Problem:
    """The place of the whole file is called after what the file is."""
    return replace(problem, path=KIND) if problem.path == "plan" else problem
