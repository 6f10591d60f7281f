"""Solved outlier rules: what becomes of which cells. Additional information (추가정보), applied by every pass."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.column_types import PLAIN
from transforms.errors import CellsRefused
from transforms.identifiers import encode_ids
from transforms.ordered import from_json, numbers, to_json

Cells: TypeAlias = dict[str, pa.Array]
Bools = npt.NDArray[np.bool_]
Tally = dict[tuple[str, int], tuple[int, int, int]]


def class_keys(cells: Mapping[str, pa.Array], columns: Sequence[str], rows: int) -> pa.Array:
    """The encoded class of every row; no columns: one class, named by no bytes."""
    if not columns:
        return pa.repeat(pa.scalar(b"", pa.binary()), rows)
    return encode_ids([cells[name] for name in columns])


def as_numbers(values: pa.Array) -> pa.Array:
    """Cells as int64 (decimals unscaled, dates and times as their count) or float64, nulls kept.

    NaN and infinite numbers are refused: they have neither mean nor range.
    """
    plain = numbers(values)
    if plain.dtype.kind == "f" and (endless := int(np.isinf(plain).sum())):
        raise CellsRefused("infinite numbers have neither mean nor range", endless)
    type_ = pa.float64() if plain.dtype.kind == "f" else pa.int64()
    if not values.null_count:
        return pa.array(plain, type_)
    mask = values.is_null().to_numpy(zero_copy_only=False)
    full = np.zeros(len(values), plain.dtype)
    full[~mask] = plain
    return pa.array(full, type_, mask=mask)


def as_text(values: pa.Array) -> pa.Array:
    """Cells as the text that they are written as; null stays null."""
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


@dataclass(frozen=True)
class Bounds:
    """What is outlying in `column`: numbers below `low` or above `high` of the row's class `within` (null: none).

    `keys` are the encoded classes that hold outliers; `low` and `high` are numbers of `as_numbers`, aligned.
    """

    column: str
    within: tuple[str, ...]
    keys: pa.Array
    low: pa.Array
    high: pa.Array

    def sides(self, cells: Mapping[str, pa.Array]) -> tuple[Bools, Bools]:
        """Which cells lie below and which above the bounds of their class."""
        found = as_numbers(cells[self.column])
        places = pc.index_in(class_keys(cells, self.within, len(found)), value_set=self.keys)
        below = pc.fill_null(pc.less(found, self.low.take(places)), False)
        above = pc.fill_null(pc.greater(found, self.high.take(places)), False)
        return below.to_numpy(zero_copy_only=False), above.to_numpy(zero_copy_only=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "column": self.column,
            "within": list(self.within),
            "keys": _keys_json(self.keys),
            "low": _array_json(self.low),
            "high": _array_json(self.high),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Bounds:
        low, high = _array(raw["low"]), _array(raw["high"])
        return cls(raw["column"], tuple(raw["within"]), _keys(raw["keys"]), low, high)


@dataclass(frozen=True)
class KeyAct:
    """In the rows whose cells of `columns` are one of `keys`, `column` becomes its value (no `values`: null).

    `column` None: these records go.
    """

    columns: tuple[str, ...]
    keys: pa.Array
    column: str | None = None
    values: pa.Array | None = None


@dataclass(frozen=True)
class EndsAct:
    """Cells outside of the rule's bounds become the value `below` or `above` of their class `columns`.

    Without the values (both or none) they become null. `column` None: the records go.
    """

    columns: tuple[str, ...]
    keys: pa.Array
    column: str | None = None
    below: pa.Array | None = None
    above: pa.Array | None = None


Act: TypeAlias = KeyAct | EndsAct


@dataclass(frozen=True)
class RuleChange:
    """What rule number `rule` (from 0) does: its acts all look at the cells as they were before it.

    `texts` are the columns that become text with it. `cells` and `rows` are how many are changed and removed.
    """

    rule: int
    acts: tuple[Act, ...] = ()
    bounds: Bounds | None = None
    texts: tuple[str, ...] = ()
    cells: int = 0
    rows: int = 0

    @property
    def treated(self) -> tuple[str, ...]:
        """The columns that it may change."""
        return tuple(dict.fromkeys([act.column for act in self.acts if act.column is not None]))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it names."""
        named = [name for act in self.acts for name in act.columns]
        named += [self.bounds.column, *self.bounds.within] if self.bounds is not None else []
        return tuple(dict.fromkeys([*named, *self.treated, *self.texts]))

    @property
    def even(self) -> bool:
        """Has every class its bounds and values?"""
        lines = [(self.bounds.keys, self.bounds.low, self.bounds.high)] if self.bounds is not None else []
        for act in self.acts:
            values = (act.values,) if isinstance(act, KeyAct) else (act.below, act.above)
            lines.append((act.keys, *(one for one in values if one is not None)))
        return all(len({len(one) for one in line}) == 1 for line in lines)

    def new_values(self, column: str) -> pa.Array | None:
        """The values that it may put into a column; None where it does not change it."""
        found: list[pa.Array] = []
        for act in self.acts:
            if act.column == column:
                sides = (act.values,) if isinstance(act, KeyAct) else (act.below, act.above)
                found += [one if one is not None else pa.nulls(1) for one in sides]
        if not found:
            return None
        type_ = next((one.type for one in found if not pa.types.is_null(one.type)), pa.null())
        return pa.concat_arrays([one.cast(type_) for one in found]).unique()

    def apply(self, cells: Cells, counts: Tally | None = None) -> Bools | None:
        """Changes cells in place; returns which rows stay, None where all do."""
        rows = len(next(iter(cells.values()))) if cells else 0
        keys = {act.columns: class_keys(cells, act.columns, rows) for act in self.acts}
        sides = self.bounds.sides(cells) if self.bounds is not None else None
        found = [_found(act, cells, keys, sides) for act in self.acts]
        gone: Bools | None = None
        before = dict(cells)
        for name in self.texts:
            cells[name] = as_text(cells[name])
        for act, (chosen, values) in zip(self.acts, found, strict=True):
            if act.column is None:
                gone = chosen if gone is None else gone | chosen
                continue
            old = cells[act.column]
            new = pa.scalar(None, old.type) if values is None else values.cast(old.type)
            cells[act.column] = pc.if_else(pa.array(chosen), new, old)
        if counts is not None:
            _count(self, before, found, counts)
        return None if gone is None else ~gone

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "acts": [_act_json(act) for act in self.acts],
            "bounds": self.bounds.to_json() if self.bounds is not None else None,
            "texts": list(self.texts),
            "cells": self.cells,
            "rows": self.rows,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> RuleChange:
        bounds = Bounds.from_json(raw["bounds"]) if raw["bounds"] is not None else None
        acts = tuple(_act(one) for one in raw["acts"])
        return cls(raw["rule"], acts, bounds, tuple(raw["texts"]), raw["cells"], raw["rows"])


@dataclass(frozen=True)
class Changes:
    """The solved outlier rules of a table, in order."""

    rules: tuple[RuleChange, ...] = ()

    def apply(self, cells: Cells, counts: Tally | None = None) -> Bools | None:
        """Changes cells in place; returns which rows stay, None where all do."""
        keep: Bools | None = None
        for rule in self.rules:
            stays = rule.apply(cells, counts)
            if stays is not None:
                keep = stays if keep is None else keep & stays
        return keep


def _found(
    act: Act,
    cells: Mapping[str, pa.Array],
    keys: Mapping[tuple[str, ...], pa.Array],
    sides: tuple[Bools, Bools] | None,
) -> tuple[Bools, pa.Array | None]:
    """Which rows an act concerns, and the new value of every row (None: null)."""
    places = pc.index_in(keys[act.columns], value_set=act.keys)
    known = places.is_valid().to_numpy(zero_copy_only=False)
    if isinstance(act, KeyAct):
        return known, act.values.take(places) if act.values is not None else None
    assert sides is not None
    below, above = sides[0] & known, sides[1] & known
    if act.below is None or act.above is None:
        return below | above, None
    return below | above, pc.if_else(pa.array(below), act.below.take(places), act.above.take(places))


def _count(
    change: RuleChange, before: Mapping[str, pa.Array], found: Sequence[tuple[Bools, Any]], counts: Tally
) -> None:
    """Cells changed, unchanged and null by treated column, under the number of the rule."""
    for name in change.treated:
        old = before[name]
        valid = old.is_valid().to_numpy(zero_copy_only=False)
        chosen = np.zeros(len(old), np.bool_)
        for act, (rows, _) in zip(change.acts, found, strict=True):
            if act.column == name:
                chosen |= rows
        changed = int((chosen & valid).sum())
        key = (name, -1 - change.rule)
        last = counts.get(key, (0, 0, 0))
        more = (changed, len(old) - old.null_count - changed, old.null_count)
        counts[key] = (last[0] + more[0], last[1] + more[1], last[2] + more[2])


def _act_json(act: Act) -> dict[str, Any]:
    plain: dict[str, Any] = {"columns": list(act.columns), "keys": _keys_json(act.keys), "column": act.column}
    if isinstance(act, KeyAct):
        return {**plain, "values": _array_json(act.values)}
    return {**plain, "below": _array_json(act.below), "above": _array_json(act.above)}


def _act(raw: Mapping[str, Any]) -> Act:
    shared = (tuple(raw["columns"]), _keys(raw["keys"]), raw["column"])
    if "values" in raw:
        return KeyAct(*shared, _array(raw["values"]))
    return EndsAct(*shared, _array(raw["below"]), _array(raw["above"]))


def _keys_json(keys: pa.Array) -> list[str]:
    return [base64.b64encode(key).decode() for key in keys.to_pylist()]


def _keys(raw: Sequence[str]) -> pa.Array:
    return pa.array([base64.b64decode(key) for key in raw], pa.binary())


def _array_json(values: pa.Array | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {"type": str(values.type), "values": [to_json(value) for value in values.to_pylist()]}


_DECIMAL = re.compile(r"decimal128\((\d+), (-?\d+)\)")


def _array(raw: Mapping[str, Any] | None) -> Any:
    if raw is None:
        return None
    decimal = _DECIMAL.fullmatch(raw["type"])
    types = {str(one): one for one in PLAIN}
    type_ = pa.decimal128(int(decimal[1]), int(decimal[2])) if decimal else types[raw["type"]]
    return pa.array([from_json(value) for value in raw["values"]], type_)
