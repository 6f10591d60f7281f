"""A document's texts with what nobody sees made visible: names of columns come from tables that others made."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from markupsafe import Markup

from transforms.yaml_limits import UNSEEN

Value = TypeVar("Value")


def shown(value: Value) -> Value:
    r"""The same texts, lists and models with U+202E written as `\u202e`; DOCX could not hold control characters.

    Markup, which is made of escaped texts, stays.
    """
    made: Any = value
    if isinstance(value, str) and not isinstance(value, Markup):
        made = UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", value)
    elif isinstance(value, (tuple, list)):
        made = type(value)(map(shown, value))
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(value, **{one.name: shown(getattr(value, one.name)) for one in fields(value) if one.init})
    kept: Value = made
    return kept
