"""Parameters as plain data that JSON holds and a plan takes back unchanged."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from transforms.predicate import Predicate


def plain(value: Any) -> Any:
    """Models as dicts by their names in plans, tuples as lists, exact numbers as numbers, dates as text.

    Of a model, what differs from its defaults: so a parameter that says the default is none at all.
    A Decimal that came from a plan becomes the float that the plan's text stands for, so that parsing it
    again gives the same Decimal. Mappings whose keys are not all texts become lists of pairs.
    """
    if isinstance(value, BaseModel):
        given = {
            field.alias or name: getattr(value, name)
            for name, field in type(value).model_fields.items()
            if field.is_required() or getattr(value, name) != field.get_default(call_default_factory=True)
        }
        return {name: plain(one) for name, one in given.items()}
    if isinstance(value, Predicate):
        return plain(value.plain())
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            return {key: plain(one) for key, one in value.items()}
        return [[plain(key), plain(one)] for key, one in value.items()]
    if isinstance(value, (tuple, list)):
        return [plain(one) for one in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return value
