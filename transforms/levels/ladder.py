"""Ladders: the levels (처리 수준) to which a column can be made coarser, from what a plan gives on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import TypeAdapter

from transforms.errors import CellsRefused, Site, TechniqueError
from transforms.given import Given
from transforms.hierarchy import Hierarchy
from transforms.kernels.codes import encoded
from transforms.plan_fields import ColumnSteps
from transforms.technique import ColumnTechnique, Language

Codes = npt.NDArray[np.int64]
Step = str | dict[str, Any]
SUPPRESSED: Step = "suppression"
# Periods, each a whole number of those before it.
_PERIODS = ("month", "quarter", "half", "year")
_STEPS: TypeAdapter[tuple[Any, ...]] = TypeAdapter(ColumnSteps)
MOST_RUNGS = 12


@dataclass(frozen=True)
class Rung:
    """One level of a column: `steps` as a plan writes them; `codes` give the group of each of the column's values.

    `groups` is how many there are. Each rung joins whole groups of the one before it.
    """

    steps: tuple[Step, ...]
    codes: Codes
    groups: int

    def wording(self, language: Language) -> str:
        """The level in words, for `requirement` and reports."""
        return ", ".join(one.wording(language).level for one in _techniques(self.steps)) or (
            "원본 그대로" if language == "ko" else "as it is"
        )


def climb(
    values: pa.Array,
    base: Sequence[Step],
    hierarchy: Hierarchy | None,
    units: Sequence[int] = (),
) -> tuple[Rung, ...]:
    """The rungs of a column, the finest first, suppression last. `values` are its distinct values behind `base`.

    Numbers are rounded down to units (`units`, else 5, 10, 50, 100 … that make a difference), days to months, quarters,
    halves and years, texts climb the levels of `hierarchy`; every column can be suppressed. Rungs that change nothing
    are left out. A null is a value of its own on every rung but the last. ValueError for units that are not each a
    multiple of the one before; TechniqueError where the hierarchy does not cover the values.
    """
    rungs = [Rung(tuple(base), *_grouped(values))]
    for steps, made in _coarser(values, tuple(base), hierarchy, tuple(units)):
        codes, groups = _grouped(made)
        if groups < rungs[-1].groups and len(rungs) < MOST_RUNGS - 1 and _joins(rungs[-1].codes, codes):
            rungs.append(Rung(steps, codes, groups))
    if rungs[-1].groups > 1 or len(rungs) == 1:
        rungs.append(Rung((SUPPRESSED,), np.zeros(len(values), np.int64), 1))
    return tuple(rungs)


def _coarser(
    values: pa.Array, base: tuple[Step, ...], hierarchy: Hierarchy | None, units: tuple[int, ...]
) -> Iterator[tuple[tuple[Step, ...], pa.Array]]:
    if hierarchy is not None:
        yield from _levels(values, base, hierarchy)
    elif pa.types.is_integer(values.type) or pa.types.is_decimal(values.type) or pa.types.is_floating(values.type):
        for unit in _multiples(units) if units else _units(values):
            step: Step = {"rounding": {"unit": unit, "direction": "down"}}
            yield (*_rounded_less(base, unit), step), _made(values, step)
    elif pa.types.is_date32(values.type) or pa.types.is_timestamp(values.type):
        for period in _PERIODS:
            step = {"date-generalization": {"to": period, "as": "date"}}
            yield (*_without(base, "keep"), step), _made(values, step)


def _levels(
    values: pa.Array, base: tuple[Step, ...], hierarchy: Hierarchy
) -> Iterator[tuple[tuple[Step, ...], pa.Array]]:
    """The levels of a hierarchy above the values, which stand on its finest level or on one that `base` ends with."""
    last = base[-1] if base else None
    named = last.get("categorization") if isinstance(last, dict) else None
    start = hierarchy.levels.index(named["level"]) if isinstance(named, dict) and "level" in named else -1
    shorter = base[:-1] if start >= 0 else _without(base, "keep")
    for level in hierarchy.levels[start + 1 :]:
        steps = (*shorter, {"categorization": {"hierarchy": hierarchy.name, "level": level}})
        yield steps, _risen(values, hierarchy, hierarchy.levels[start] if start >= 0 else None, level)


def _risen(values: pa.Array, hierarchy: Hierarchy, start: str | None, level: str) -> pa.Array:
    """Values at `level`; those of a level in between are looked up by the hierarchy's own rows."""
    if start is None:
        found = hierarchy.lookup(values, level)
    else:
        first = len(hierarchy.rows[0]) - len(hierarchy.levels) if hierarchy.rows else 0
        places = (first + hierarchy.levels.index(start), first + hierarchy.levels.index(level))
        above = {row[places[0]]: row[places[1]] for row in hierarchy.rows}
        found = pa.array([above.get(value) for value in values.to_pylist()], pa.string())
    if missed := found.null_count - values.null_count:
        raise TechniqueError(
            f"{missed} values that hierarchy {hierarchy.name} does not cover at {level}",
            "a hierarchy that covers every value",
        )
    return found


def _made(values: pa.Array, step: Step) -> pa.Array:
    (technique,) = _techniques((step,))
    try:
        return technique.apply(values, Given(site=Site("", "", 0, "")))
    except CellsRefused as error:
        raise TechniqueError(f"{step}: {error}", "values that it can take") from None


def _techniques(steps: Sequence[Step]) -> tuple[ColumnTechnique, ...]:
    made: tuple[ColumnTechnique, ...] = _STEPS.validate_python(list(steps)) if steps else ()
    return made


def _without(base: tuple[Step, ...], name: str) -> tuple[Step, ...]:
    return tuple(step for step in base if step != name and not (isinstance(step, Mapping) and name in step))


def _rounded_less(base: tuple[Step, ...], unit: int) -> tuple[Step, ...]:
    """Without a last rounding down that the coarser unit makes useless."""
    last = base[-1].get("rounding") if base and isinstance(base[-1], dict) else None
    if isinstance(last, dict) and last.get("direction") == "down" and unit % int(last["unit"]) == 0:
        return base[:-1]
    return _without(base, "keep")


def _multiples(units: tuple[int, ...]) -> tuple[int, ...]:
    if any(unit < 1 for unit in units) or any(after % before or after == before for before, after in pairwise(units)):
        found = ", ".join(map(str, units))
        raise ValueError(f"units {found}; allowed: whole numbers, each a multiple of the one before")
    return units


def _units(values: pa.Array) -> Iterator[int]:
    """5, 10, 50, 100 … up to the values' span."""
    ends = pc.min_max(values)
    low, high = (float(ends[name].as_py() or 0) for name in ("min", "max"))
    unit = 5
    while unit <= high - low:
        yield unit
        unit *= 2 if str(unit).startswith("5") else 5


def _grouped(values: pa.Array) -> tuple[Codes, int]:
    codes, distinct = encoded(values)
    return codes, len(distinct)


def _joins(finer: Codes, coarser: Codes) -> bool:
    """Does the coarser grouping keep together what the finer one does?"""
    size = int(finer.max(initial=-1)) + 1
    one = np.zeros(size, np.int64)
    one[finer] = coarser
    return bool((one[finer] == coarser).all())


__all__ = ["Rung", "climb"]
