"""pydantic's faults as the plan's problems: where in the file, what was found, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from transforms.complaint import Location, did_you_mean
from transforms.errors import Problem
from transforms.plan import Plan
from transforms.technique import Technique
from transforms.techniques import TECHNIQUES
from transforms.yaml_nodes import Node, path_text

_KINDS = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "date_type": "a date such as 2026-01-31",
    "date_parsing": "a date such as 2026-01-31",
    "date_from_datetime_parsing": "a date such as 2026-01-31",
    "date_from_datetime_inexact": "a date such as 2026-01-31",
    "finite_number": "a finite number",
    "union_tag_not_found": "{sum: COLUMNS} or {largest: COLUMNS}",
}
_BOUNDS = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_LENGTHS = {
    "too_short": ("at least", "min_length", "1 entry", "entries"),
    "too_long": ("at most", "max_length", "1 entry", "entries"),
    "string_too_short": ("at least", "min_length", "1 character", "characters"),
    "string_too_long": ("at most", "max_length", "1 character", "characters"),
}


def problems_of(
    errors: Iterable[ErrorDetails], root: Node, main_file: str, model: type[BaseModel] = Plan
) -> list[Problem]:
    """One problem for each place of a file of this model: the alternatives of a union are told together."""
    merged: dict[tuple[str, str], Problem] = {}
    for error in errors:
        problem = _problem(error, root, main_file, model)
        earlier = merged.get((problem.path, problem.found))
        if earlier is not None and problem.allowed not in earlier.allowed:
            problem = Problem(
                problem.path,
                problem.found,
                f"{earlier.allowed}, or {problem.allowed}",
                problem.line,
                problem.hint or earlier.hint,
                problem.refused,
                problem.file,
            )
        elif earlier is not None:
            problem = earlier
        merged[problem.path, problem.found] = problem
    return list(merged.values())


def _problem(error: ErrorDetails, root: Node, main_file: str, model: type[BaseModel]) -> Problem:
    kind, context = error["type"], error.get("ctx", {})
    loc, node = located(root, error["loc"], missing=kind == "missing")
    hint: str | None = None
    refused = False
    if kind == "complaint":
        found, allowed = context["found"], context["allowed"]
        hint, refused = context["hint"] or None, context["refused"]
    elif kind == "missing":
        found, allowed = "nothing", "this key, which must be there"
    elif kind == "extra_forbidden":
        known = _keys_at(model, error["loc"][:-1])
        found, allowed = f"unknown key {error['loc'][-1]!r}", ", ".join(known) or "no key here"
        hint = did_you_mean(error["loc"][-1], known)
    else:
        found, allowed = shown(node), _allowed(error)
        if kind == "string_type" and not isinstance(node.value, (dict, tuple)) and node.value is not None:
            hint = "put it in quotes to make it a text"
        elif kind == "literal_error":
            hint = did_you_mean(node.value, context["expected"].replace("'", "").replace(" or ", ", ").split(", "))
    file = node.file if node.file != main_file else None
    return Problem(path_text(loc), found, allowed, node.place, hint, refused, file)


def _allowed(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind in _KINDS:
        return _KINDS[kind]
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"a number {word} {context[key]:g}"
    if kind in _LENGTHS:
        word, key, one, many = _LENGTHS[kind]
        return f"{word} {one if context[key] == 1 else f'{context[key]} {many}'}"
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "").replace("False", "false")
    if kind == "value_error":
        return str(context["error"])
    # pydantic's own words for the rest ("Input should be a valid …"), which hold no input.
    return error["msg"][0].lower() + error["msg"][1:]


def shown(node: Node) -> str:
    """What stands there, short: a scalar as written, a list or mapping by its kind."""
    value = node.value
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def located(root: Node, loc: Location, *, missing: bool = False) -> tuple[Location, Node]:
    """The place in the file that a place in the model stands for, and the node there.

    Parts that the file does not have are skipped: members of unions, the field behind a shorthand, the
    index of a step that stands alone. Of a missing key, the name is kept and the node is its parent's.
    """
    place: list[str | int] = []
    node = root
    for number, part in enumerate(loc):
        child = node.child(part)
        if child is not None:
            key, node = child
            place.append(key if isinstance(key, int) else str(key))
        elif missing and number == len(loc) - 1:
            place.append(part)
    return tuple(place), node


def _keys_at(root: type[BaseModel], loc: Location) -> list[str]:
    """The keys that the model takes at a place."""
    annotation: Any = root
    for part in loc:
        annotation = _step(annotation, part)
    model = _model(annotation)
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _step(annotation: Any, part: str | int) -> Any:
    """The type one part further down."""
    if isinstance(annotation, type) and issubclass(annotation, Technique) and part in TECHNIQUES:
        return TECHNIQUES[str(part)]
    model = _model(annotation)
    if model is not None:
        named = (field for name, field in model.model_fields.items() if part in (field.alias, name))
        return next((field.annotation for field in named), annotation)
    for one in _members(annotation):
        if isinstance(one, type) and one.__name__ == part:
            return one
        origin, inner = get_origin(one), get_args(one)
        if origin is dict:
            return inner[1]
        if origin in (tuple, list) and isinstance(part, int):
            return inner[0]
    return annotation


def _members(annotation: Any) -> list[Any]:
    """The members of a union, bare of `Annotated`."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [inner for one in get_args(annotation) for inner in _members(one)]
    return [annotation]


def _model(annotation: Any) -> type[BaseModel] | None:
    models = [one for one in _members(annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return models[0] if models else None
