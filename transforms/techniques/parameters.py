"""Types of parameters: exact numbers and bounds, with complaints in the plan's words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, NoReturn

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

from transforms.complaint import complain, complaint


def refuse(found: str, allowed: str, hint: str | None = None, *loc: str | int) -> NoReturn:
    """Raise one complaint at `loc` below the value that is being validated."""
    raise complain([complaint(found, allowed, hint, loc)])


def exact(raw: object) -> int | Decimal | None:
    """A number of the plan without binary rounding (0.1 is 1/10); None for what is no finite number."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, Decimal)):
        return None
    if isinstance(raw, int):
        return raw
    try:
        number = Decimal(repr(raw)) if isinstance(raw, float) else raw
        if not number.is_finite():
            return None
        return int(number) if number == number.to_integral_value() else number
    except InvalidOperation:
        return None


def _described(raw: object) -> str:
    return "nothing" if raw is None else f"{type(raw).__name__} where a number is needed"


def _number(raw: object) -> int | Decimal:
    number = exact(raw)
    if number is None:
        refuse(_described(raw), "a finite number", "write text without quotes" if isinstance(raw, str) else None)
    return number


def _unit(raw: object) -> int | Decimal:
    number = _number(raw)
    if number <= 0:
        refuse(f"{number}", "a number above 0")
    return number


def _quantile(raw: object) -> Decimal:
    number = Decimal(_number(raw))
    if not 0 < number < 1:
        refuse(f"{number}", "a share between 0 and 1, such as 0.999")
    return number


def _bound(raw: object) -> int | Decimal | date:
    if isinstance(raw, date):
        return raw
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            refuse("text", "a number, a date (2026-01-31) or a time (2026-01-31 10:00:00)")
        return moment.date() if len(raw) <= len("2026-01-31") else moment
    return _number(raw)


def _day(raw: object) -> object:
    """A date is written as text; a bare number would be read as seconds since 1970."""
    if isinstance(raw, (str, date)):
        return raw
    refuse("no date", "a date such as 2026-01-31")


ExactNumber = Annotated[int | Decimal, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Unit = Annotated[int | Decimal, PlainValidator(_unit), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Share = Annotated[
    Decimal,
    PlainValidator(_quantile),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
]
Bound = Annotated[int | Decimal | date, PlainValidator(_bound), WithJsonSchema({"type": ["number", "string"]})]
Day = Annotated[date, BeforeValidator(_day)]
