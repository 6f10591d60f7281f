"""Parameters as plain data that JSON holds and a plan takes back unchanged."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from transforms.predicate import Predicate


def plain(value: Any) -> Any:
    """Models as dicts by their names in plans, tuples as lists, exact numbers as numbers, dates as text.

    A Decimal that came from a plan becomes the float that the plan's text stands for, so that parsing it
    again gives the same Decimal. Mappings whose keys are not all texts become lists of pairs.
    """
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {field.alias or name: plain(getattr(value, name)) for name, field in fields}
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
