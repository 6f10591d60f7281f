"""Fields that plans got after the first ones were run: where a plan has none, its fingerprint is what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

LATER: Final = "later"
"""Marks a field: `columns: Annotated[Section | None, LATER] = None`. Its default stands in no canonical form."""


def leave_out_later(model: BaseModel, plain: dict[str, Any]) -> None:
    """Takes out of a model's dump the marked fields that have their default, and those of all models within it."""
    for name, field in type(model).model_fields.items():
        key, value = field.alias or name, getattr(model, name)
        if key not in plain:  # dumped in a form of its own: a technique stands under its name
            continue
        if LATER in field.metadata and value == field.default:
            del plain[key]
        elif isinstance(value, BaseModel) and isinstance(plain[key], dict):
            leave_out_later(value, plain[key])
        elif isinstance(value, Mapping):
            for entry, inner in value.items():
                if isinstance(inner, BaseModel) and isinstance(plain[key].get(entry), dict):
                    leave_out_later(inner, plain[key][entry])
