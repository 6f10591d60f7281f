"""From plan data to techniques: `apply: keep`, `{rounding: {…}}`, or a list of such steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails

from transforms.complaint import Location, complain, complaint, did_you_mean
from transforms.technique import Technique
from transforms.techniques.catalogue import TECHNIQUES

# What is no step of a column, and where it stands.
_ELSEWHERE = {
    **dict.fromkeys(("local-suppression", "local-generalization"), "it treats outliers: put it under `outliers`"),
    **dict.fromkeys(("sampling", "simple", "systematic", "stratified", "cluster", "quota"), "put it under `sample`"),
    "synthetic-data": "`gamyeong synthesize` makes synthetic data of a published table",
}
_ALLOWED = "a technique such as `keep` or {rounding: {unit: 10, direction: down}}, or a list of them"


def parse_steps(raw: object) -> tuple[Technique, ...]:
    """The steps of `apply` or `rows`: a name, {name: parameters}, or a list of those, in order.

    Raises pydantic's ValidationError with every complaint; a complaint's place is relative to `raw`: the
    step's number where `raw` is a list, the technique's name, the parameter.
    """
    complaints: list[InitErrorDetails] = []
    listed = isinstance(raw, (list, tuple))
    entries = list(raw) if isinstance(raw, (list, tuple)) else [raw]
    if not entries:
        complaints.append(complaint("an empty list", _ALLOWED, "to deliver a column unchanged write `keep`"))
    parsed = [_step(entry, (place,) if listed else (), complaints) for place, entry in enumerate(entries)]
    if complaints:
        raise complain(complaints, "steps")
    return tuple(step for step in parsed if step is not None)


def _step(raw: object, loc: Location, complaints: list[InitErrorDetails]) -> Technique | None:
    if isinstance(raw, Technique):
        return raw
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((name, parameters),) = raw.items()
    elif isinstance(raw, str):
        name, parameters = raw, {}
    else:
        found = f"a mapping of {len(raw)} names" if isinstance(raw, Mapping) else f"{type(raw).__name__}"
        hint = "write several steps as a list" if isinstance(raw, Mapping) else None
        complaints.append(complaint("nothing" if raw is None else found, _ALLOWED, hint, loc))
        return None
    if name not in TECHNIQUES:
        hint = _ELSEWHERE.get(name) or did_you_mean(name, TECHNIQUES)
        complaints.append(complaint(f"unknown technique {name!r}", ", ".join(TECHNIQUES), hint, loc))
        return None
    technique = TECHNIQUES[name]
    named, wrapped = _named(technique, {} if parameters is None else parameters)
    elsewhere: Mapping[str, str] = getattr(technique, "SET_ELSEWHERE", {})
    if isinstance(named, Mapping) and set(named) & elsewhere.keys():
        for word in sorted(set(named) & elsewhere.keys()):
            complaints.append(complaint(f"{word!r} in this technique", elsewhere[word], None, (*loc, name, word)))
        return None
    try:
        return technique.model_validate(named)
    except ValidationError as error:
        for one in error.errors(include_url=False):
            place = one["loc"][1:] if wrapped and one["loc"][:1] == (wrapped,) else one["loc"]
            complaints.append(_complaint(one, technique, (*loc, name, *place)))
        return None


def _named(technique: type[Technique], parameters: object) -> tuple[object, str | None]:
    """Parameters by name; the name that was put before a shorthand."""
    short = getattr(technique, "SHORTHAND", None)
    names = set(parameter_names(technique))
    if short is None or (isinstance(parameters, Mapping) and (not parameters or names & set(map(str, parameters)))):
        return parameters, None
    return {short: parameters}, short


def parameter_names(technique: type[Technique]) -> list[str]:
    """The parameters that a plan may give."""
    names = [field.alias or name for name, field in technique.model_fields.items()]
    return [name for name in names if name not in getattr(technique, "SET_ELSEWHERE", {})]


def _complaint(error: Any, technique: type[Technique], loc: Location) -> InitErrorDetails:
    context = error.get("ctx", {})
    if error["type"] == "complaint":
        return complaint(context["found"], context["allowed"], context["hint"] or None, loc, context["refused"])
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        names = parameter_names(technique)
        return complaint(f"unknown parameter {loc[-1]!r}", ", ".join(names), did_you_mean(loc[-1], names), loc)
    if error["type"] in ("value_error", "assertion_error"):
        raise AssertionError(f"{technique.name}: a validator without complaint")
    return InitErrorDetails(type=error["type"], loc=loc, input=error["input"], ctx=context)


__all__ = ["parameter_names", "parse_steps"]
