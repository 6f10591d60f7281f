"""Types of a plan's fields that YAML alone does not give: days, spans of time, steps."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, PlainSerializer, ValidationError
from pydantic_core import InitErrorDetails

from transforms.complaint import Location, complain, complaint, prefixed
from transforms.further import FurtherTable
from transforms.plain import plain
from transforms.technique import RowTechnique, Technique
from transforms.techniques import TECHNIQUES, parse_steps
from transforms.techniques.parameters import Day


def _span(raw: object) -> object:
    if isinstance(raw, str) and re.fullmatch(r"[1-9][0-9]*[mhd]", raw):
        return raw
    raise complain([complaint("no span of time", "a number and m, h or d, such as 30m, 12h, 1d")])


def _steps(raw: object, *, for_rows: bool) -> tuple[Technique, ...]:
    """Steps of one shape; what is of the other shape and what can't be parsed are told together."""
    faults = _other_shape(raw, for_rows=for_rows)
    try:
        steps = parse_steps(raw)
    except ValidationError as error:
        raise complain([*faults, *prefixed(error)]) from None
    if faults:
        raise complain(faults)
    return steps


def _other_shape(raw: object, *, for_rows: bool) -> list[InitErrorDetails]:
    listed = isinstance(raw, (list, tuple))
    entries: list[object] = list(raw) if isinstance(raw, (list, tuple)) else [raw]
    faults = []
    for number, entry in enumerate(entries):
        name = next(iter(entry), None) if isinstance(entry, dict) else getattr(entry, "name", entry)
        technique = TECHNIQUES.get(name) if isinstance(name, str) else None
        if technique is None:
            continue
        place: Location = (number, str(name)) if listed else (str(name),)
        if issubclass(technique, FurtherTable):
            found = f"technique {name!r}, which makes a further table"
            faults.append(complaint(found, "techniques for rows or cells", "put it under `further`", place))
            continue
        if issubclass(technique, RowTechnique) == for_rows:
            continue
        if for_rows:
            allowed, hint = "a technique for rows: record-suppression", "put it under a column's `apply`"
        else:
            allowed, hint = "a technique for cells", "put it under `rows`"
        what = "cells" if for_rows else "rows"
        faults.append(complaint(f"technique {name!r}, which works on {what}", allowed, hint, place))
    return faults


def _row_steps(raw: object) -> tuple[Technique, ...]:
    if raw in ([], ()):
        return ()
    return _steps(raw, for_rows=True)


def _column_steps(raw: object) -> tuple[Technique, ...]:
    return _steps(raw, for_rows=False)


def _further(raw: object) -> FurtherTable:
    """One entry of `further`: {TECHNIQUE: parameters}."""
    if isinstance(raw, (list, tuple)):
        raise complain([complaint("a list", "one technique", "give each further table a name of its own")])
    (step,) = parse_steps(raw)
    if not isinstance(step, FurtherTable):
        named = ", ".join(name for name, one in TECHNIQUES.items() if issubclass(one, FurtherTable))
        found = f"technique {step.name!r}, which makes no table"
        raise complain([complaint(found, f"a technique for further tables: {named}", None, (step.name,))])
    return step


def _plain_further(entry: FurtherTable) -> dict[str, Any]:
    return {entry.name: plain(entry)}


def _plain_steps(steps: tuple[Technique, ...]) -> list[dict[str, Any]]:
    """Steps as in a plan, each under its technique's name."""
    return [{step.name: plain(step)} for step in steps]


def _not_to_all(raw: object) -> object:
    if raw != "public":
        return raw
    hint = "what is published to anybody must be anonymous information, judged apart (guideline L201)"
    raise complain([complaint("public", ", ".join(get_args(_Form)), hint, refused=True)])


_Form = Literal["internal-same-department", "internal-other-department", "third-party"]
Form = Annotated[_Form, BeforeValidator(_not_to_all)]
Span = Annotated[str, BeforeValidator(_span)]
ColumnSteps = Annotated[tuple[Technique, ...], BeforeValidator(_column_steps), PlainSerializer(_plain_steps)]
FurtherEntry = Annotated[FurtherTable, BeforeValidator(_further), PlainSerializer(_plain_further)]
RowSteps = Annotated[tuple[RowTechnique, ...], BeforeValidator(_row_steps), PlainSerializer(_plain_steps)]

__all__ = ["ColumnSteps", "Day", "FurtherEntry", "RowSteps", "Span"]
