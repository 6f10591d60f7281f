"""Conditions on rows and cells as typed trees: never SQL text.

{age: {below: 20}}                       one column, one comparison
{age: {at_least: 20, below: 30}}         several comparisons in one mapping must all hold
{all: [...]}, {any: [...]}, {not: ...}   combined
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, InitErrorDetails, core_schema

from transforms.complaint import Location, complain, complaint, did_you_mean

COMBINATORS = ("all", "any", "not")
_ORDERED = {
    "below": pc.less,
    "at_most": pc.less_equal,
    "above": pc.greater,
    "at_least": pc.greater_equal,
}
_ONE = {"equals": pc.equal, "not_equals": pc.not_equal, **_ORDERED}
OPERATORS = (*_ONE, "in", "not_in", "between", "starts_with", "is")
_SCALARS = (bool, int, float, str, date, datetime)


class Predicate(ABC):
    """A condition on source columns; three-valued like SQL's: a comparison with null is null."""

    @abstractmethod
    def columns(self) -> frozenset[str]:
        """Names of the columns that it reads."""

    @abstractmethod
    def evaluate(self, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
        """True, false or null for every row of equally long arrays by column name.

        Null compares to null (`not` of it is null too); only `is: null` is true for it. `all` and
        `any` follow Kleene: false wins over null in `all`, true in `any`. Text compares by code point,
        dates and timestamps by time; NaN is neither below nor above anything.
        """

    @abstractmethod
    def check(self, schema: pa.Schema) -> list[str]:
        """What does not fit the columns' types, in words; empty where all fits."""

    @abstractmethod
    def plain(self) -> dict[str, Any]:
        """As in a plan: `Predicate.parse` of it gives an equal predicate."""

    @staticmethod
    def parse(raw: object) -> Predicate:
        """From plain data; raises pydantic's ValidationError with every complaint and its place."""
        if isinstance(raw, Predicate):
            return raw
        complaints: list[InitErrorDetails] = []
        parsed = _parse(raw, (), complaints)
        if complaints or parsed is None:
            raise complain(complaints, "condition")
        return parsed

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            Predicate.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda one: one.plain()),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "object", "minProperties": 1, "description": "A condition on source columns."}


@dataclass(frozen=True)
class Comparison(Predicate):
    """One column compared with a constant: `operand` is a scalar, a tuple (in, not_in, between) or None."""

    column: str
    operator: str
    operand: Any

    def columns(self) -> frozenset[str]:
        return frozenset({self.column})

    def plain(self) -> dict[str, Any]:
        operand = list(self.operand) if isinstance(self.operand, tuple) else self.operand
        return {self.column: {self.operator: operand}}

    def check(self, schema: pa.Schema) -> list[str]:
        if self.column not in schema.names:
            hint = did_you_mean(self.column, schema.names)
            return [f"column {self.column!r} is not in the table" + (f" ({hint})" if hint else "")]
        type_ = schema.field(self.column).type
        if self.operator == "is":
            return []
        if self.operator == "starts_with":
            if pa.types.is_string(type_):
                return []
            return [f"`starts_with` on column {self.column!r} of type {type_}; it takes text only"]
        if self.operator in (*_ORDERED, "between") and (pa.types.is_boolean(type_) or pa.types.is_binary(type_)):
            return [f"`{self.operator}` on column {self.column!r} of type {type_}, which has no order"]
        operands = self.operand if isinstance(self.operand, tuple) else (self.operand,)
        found = (_unfit(operand, type_) for operand in operands)
        return [f"column {self.column!r} of type {type_} compared with {text}" for text in found if text]

    def evaluate(self, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
        values = columns[self.column]
        if self.operator == "is":
            return pc.is_null(values)
        if self.operator == "starts_with":
            starts = [pc.starts_with(values, start) for start in _as_tuple(self.operand)]
            return reduce(pc.or_kleene, starts)
        if self.operator in ("in", "not_in"):
            known = pa.concat_arrays([pa.array([_scalar(one, values.type)]) for one in self.operand])
            inside = pc.is_in(values, known)
            inside = pc.if_else(pc.is_valid(values), inside, pa.scalar(None, pa.bool_()))
            return pc.invert(inside) if self.operator == "not_in" else inside
        if self.operator == "between":
            low, high = (_scalar(one, values.type) for one in self.operand)
            return pc.and_kleene(pc.greater_equal(values, low), pc.less_equal(values, high))
        return _ONE[self.operator](values, _scalar(self.operand, values.type))


@dataclass(frozen=True)
class Every(Predicate):
    """`all`: every part holds."""

    parts: tuple[Predicate, ...]

    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns() for part in self.parts))

    def plain(self) -> dict[str, Any]:
        return {"all": [part.plain() for part in self.parts]}

    def check(self, schema: pa.Schema) -> list[str]:
        return [text for part in self.parts for text in part.check(schema)]

    def evaluate(self, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
        return reduce(pc.and_kleene, (part.evaluate(columns) for part in self.parts))


@dataclass(frozen=True)
class Some(Predicate):
    """`any`: at least one part holds."""

    parts: tuple[Predicate, ...]

    def columns(self) -> frozenset[str]:
        return frozenset().union(*(part.columns() for part in self.parts))

    def plain(self) -> dict[str, Any]:
        return {"any": [part.plain() for part in self.parts]}

    def check(self, schema: pa.Schema) -> list[str]:
        return [text for part in self.parts for text in part.check(schema)]

    def evaluate(self, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
        return reduce(pc.or_kleene, (part.evaluate(columns) for part in self.parts))


@dataclass(frozen=True)
class Not(Predicate):
    """`not`: the part is false; null stays null."""

    part: Predicate

    def columns(self) -> frozenset[str]:
        return self.part.columns()

    def plain(self) -> dict[str, Any]:
        return {"not": self.part.plain()}

    def check(self, schema: pa.Schema) -> list[str]:
        return self.part.check(schema)

    def evaluate(self, columns: Mapping[str, pa.Array]) -> pa.BooleanArray:
        return pc.invert(self.part.evaluate(columns))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _parse(raw: object, loc: Location, complaints: list[InitErrorDetails]) -> Predicate | None:
    """The predicate, or None after adding to `complaints`."""
    if not isinstance(raw, Mapping) or not raw:
        complaints.append(
            complaint(
                _described(raw),
                "a condition such as {age: {below: 20}}, or `all`, `any`, `not`",
                "conditions are never SQL text" if isinstance(raw, str) else None,
                loc,
            )
        )
        return None
    parts = [_parse_entry(str(key), value, (*loc, str(key)), complaints) for key, value in raw.items()]
    whole = tuple(part for part in parts if part is not None)
    if len(whole) < len(parts):
        return None
    return whole[0] if len(whole) == 1 else Every(whole)


def _parse_entry(key: str, value: object, loc: Location, complaints: list[InitErrorDetails]) -> Predicate | None:
    if key == "not":
        part = _parse(value, loc, complaints)
        return None if part is None else Not(part)
    if key in COMBINATORS:
        if not isinstance(value, (list, tuple)) or not value:
            complaints.append(complaint(_described(value), "a list of conditions", None, loc))
            return None
        parts = [_parse(one, (*loc, number), complaints) for number, one in enumerate(value)]
        whole = tuple(part for part in parts if part is not None)
        if len(whole) < len(parts):
            return None
        return Every(whole) if key == "all" else Some(whole)
    if not isinstance(value, Mapping) or not value:
        complaints.append(
            complaint(
                _described(value),
                f"a comparison such as {{below: 20}}: {', '.join(OPERATORS)}",
                None,
                loc,
            )
        )
        return None
    comparisons: list[Predicate] = []
    for operator, operand in value.items():
        fault = _operand_fault(str(operator), operand)
        if fault:
            complaints.append(complaint(*fault, (*loc, str(operator))))
        else:
            operand = tuple(operand) if isinstance(operand, (list, tuple)) else operand
            comparisons.append(Comparison(key, str(operator), operand))
    if len(comparisons) < len(value):
        return None
    return comparisons[0] if len(comparisons) == 1 else Every(tuple(comparisons))


def _operand_fault(operator: str, operand: object) -> tuple[str, str, str | None] | None:
    """Found, allowed, hint; None where the operand is one that the operator takes."""
    if operator not in OPERATORS:
        return f"comparison {operator!r}", ", ".join(OPERATORS), did_you_mean(operator, OPERATORS)
    listed = list(operand) if isinstance(operand, (list, tuple)) else None
    all_scalars = listed is not None and bool(listed) and all(isinstance(one, _SCALARS) for one in listed)
    if operator in ("in", "not_in"):
        good, allowed = all_scalars, "a list of values without null"
    elif operator == "between":
        good, allowed = all_scalars and listed is not None and len(listed) == 2, "[low, high], both included"
        if good and listed is not None and type(listed[0]) is type(listed[1]) and listed[0] > listed[1]:
            return "low above high", allowed, None
    elif operator == "starts_with":
        texts = listed if listed is not None else [operand]
        good, allowed = (
            bool(texts) and all(isinstance(one, str) for one in texts),
            "a text or a list of texts",
        )
    elif operator == "is":
        good, allowed = operand is None, "null"
    else:
        good, allowed = isinstance(operand, _SCALARS), "one value"
    hint = "to ask for null write {is: null}" if operand is None and operator != "is" else None
    return None if good else (_described(operand), allowed, hint)


def _described(value: object) -> str:
    """What stands there, by kind: plan constants may be secret."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "an empty mapping" if not value else "a mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    names = {str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)


def _scalar(operand: Any, type_: pa.DataType) -> pa.Scalar:
    """The constant in the column's type, exactly; ValueError or an Arrow error where it does not fit."""
    number = isinstance(operand, (int, float)) and not isinstance(operand, bool)
    if pa.types.is_boolean(type_) and isinstance(operand, bool):
        return pa.scalar(operand, type_)
    if pa.types.is_decimal(type_) and number:
        return pa.scalar(str(operand)).cast(type_)
    if (pa.types.is_integer(type_) or pa.types.is_floating(type_)) and number:
        return pa.scalar(operand).cast(type_)
    if pa.types.is_timestamp(type_) and isinstance(operand, datetime) and operand.tzinfo is not None:
        if type_.tz is None:
            raise ValueError("a moment with a time zone, for a column without one")
        return pa.scalar(operand, type_)
    if pa.types.is_timestamp(type_) and type_.tz is not None and isinstance(operand, (date, datetime, str)):
        naive = pa.scalar(str(operand)).cast(pa.timestamp(type_.unit))  # plans state times in UTC
        return pc.assume_timezone(naive, "UTC").cast(type_)
    if pa.types.is_temporal(type_) and isinstance(operand, (date, datetime, str)):
        return pa.scalar(str(operand)).cast(type_)
    if pa.types.is_binary(type_) and isinstance(operand, str):
        return pa.scalar(operand.encode(), type_)
    if pa.types.is_string(type_) and isinstance(operand, str):
        return pa.scalar(operand, type_)
    raise ValueError("constant of another kind than the column")


def _unfit(operand: Any, type_: pa.DataType) -> str | None:
    """Why a constant can't be compared with a column of `type_`, or None."""
    try:
        _scalar(operand, type_)
    except (pa.ArrowException, ValueError):
        if pa.types.is_string(type_):
            return f"{_described(operand)} (quote it to make it text)"
        if pa.types.is_temporal(type_):
            return f"{_described(operand)} (dates are written 2026-01-31, times 2026-01-31 10:00:00)"
        return f"{_described(operand)} that is not a value of this type"
    return None


__all__ = ["OPERATORS", "Comparison", "Every", "Not", "Predicate", "Some"]
