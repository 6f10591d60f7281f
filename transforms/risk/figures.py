"""What a risk review (식별 위험성 검토) found: numbers, shares and names of columns; never a cell value."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, Self

Unit = Literal["rows", "subjects"]
Model = Literal["zayatz", "pitman", "slide-negative-binomial"]


@dataclass(frozen=True)
class Figures:
    """Base of all figures: plain JSON out, the same object back."""

    def to_json(self) -> dict[str, Any]:
        """Names to numbers, texts, lists and nulls; `from_json` gives an equal object."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The object that `to_json` told. ValueError for names that are missing or unknown."""
        named = {field.name for field in fields(cls)}
        if wrong := named.symmetric_difference(raw):
            raise ValueError(f"{cls.__name__}: names missing or unknown: {', '.join(sorted(wrong))}")
        kinds = typing.get_type_hints(cls)
        return cls(**{name: _typed(kinds[name], raw[name]) for name in named})


@dataclass(frozen=True)
class ColumnFigures(Figures):
    """One column: `distinct` values (null is one), `nulls`, values that one record alone has (`unique`), and the
    records in the smallest and largest class of equal values (0 where there is no record).

    `entropy` in bits, of the shares of values; 0 for one value alone. `highest` = log2(distinct), what it could be.
    """

    column: str
    distinct: int
    nulls: int
    unique: int
    smallest: int
    largest: int
    entropy: float
    highest: float


@dataclass(frozen=True)
class Band(Figures):
    """Classes of `start` to `end` records (both included; `end` null: no end) and the records in them."""

    start: int
    end: int | None
    classes: int
    records: int


@dataclass(frozen=True)
class ClassFigures(Figures):
    """Classes of equal quasi-identifiers (동질집합): `k`, the smallest's records (0: no record), and how sizes spread.

    With wildcards a record's class is every record that it may equal, so classes overlap and `classes` counts distinct
    combinations.
    """

    k: int
    classes: int
    unique: int
    bands: tuple[Band, ...]


@dataclass(frozen=True)
class SubsetFigures(Figures):
    """One subset of the quasi-identifiers: its `k`, distinct combinations, records that it makes `unique`, and records
    in classes `below` the threshold that `RiskFigures.threshold` names.

    `distinction`: classes / records; `separation`: share of pairs of records that differ in it (alpha-distinction and
    alpha-separation: Motwani, Xu 2007, section 2). 0 where fewer than one (two) records.
    """

    columns: tuple[str, ...]
    k: int
    classes: int
    unique: int
    below: int
    distinction: float
    separation: float


@dataclass(frozen=True)
class AttackerFigures(Figures):
    """How likely an attacker names a record: `highest`, `lowest` and `average` probability over records, and the share
    of records `at_risk`, whose probability is above 1 / threshold.
    """

    highest: float
    lowest: float
    average: float
    at_risk: float


@dataclass(frozen=True)
class PopulationFigures(Figures):
    """Records of the sample or population that one `model` takes for unique in the whole population.

    `uniques`: combinations that exactly one person of the population has; `share` of the population. Null with the
    `reason` where the model has no answer for these counts.
    """

    model: Model
    uniques: float | None
    share: float | None
    reason: str | None


@dataclass(frozen=True)
class IndividualFigures(Figures):
    """Risk of each record under sampling (Benedetti, Franconi 1998): `highest`, `average`, expected number of
    re-identifications, and records whose risk is above 1 / threshold.
    """

    highest: float
    average: float
    expected: float
    at_risk: int


@dataclass(frozen=True)
class ScoreBand(Figures):
    """Records whose DIS score is above `above` and at most `up_to`."""

    above: float
    up_to: float
    records: int


@dataclass(frozen=True)
class SpecialUniques(Figures):
    """Minimal sample uniques (최소 유일 조합): smallest sets of columns, of `size` at most, that make a record unique.

    `found`: how many there are of 1, 2, … columns. `records`: those with at least one; `highest` score among them.
    `contributions`: what share of all scores has to do with each column (their sum is above 1: a unique combination
    counts for each of its columns). Where the sampling `fraction` is known: `dis`, the probability that a unique match
    is right, the `highest_dis` of a record, and the records with a DIS score in each of `bands`; else null and empty.
    """

    size: int
    fraction: float | None
    found: tuple[int, ...]
    records: int
    highest: float
    contributions: tuple[tuple[str, float], ...]
    dis: float | None
    highest_dis: float | None
    bands: tuple[ScoreBand, ...]


@dataclass(frozen=True)
class RiskFigures(Figures):
    """All of one table, before or after processing.

    `unit`: whether records are rows or distinct persons. `wildcards`: quasi-identifiers whose null may be any value.
    `threshold`: the class size below which a record counts as at risk. `population`: persons that the table was drawn
    from, null where unknown; then `journalist`, `population_models` and `individual` are null or empty.
    """

    unit: Unit
    records: int
    quasi_identifiers: tuple[str, ...]
    wildcards: tuple[str, ...]
    threshold: int
    population: int | None
    columns: tuple[ColumnFigures, ...]
    classes: ClassFigures
    subsets: tuple[SubsetFigures, ...]
    prosecutor: AttackerFigures
    journalist: AttackerFigures | None
    marketer: float
    population_models: tuple[PopulationFigures, ...]
    individual: IndividualFigures | None
    special_uniques: SpecialUniques | None


def _plain(value: Any) -> Any:
    if isinstance(value, Figures):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return value


def _typed(kind: Any, raw: Any) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if raw is None else _typed(next(part for part in parts if part is not type(None)), raw)
    if origin is tuple:
        if parts[-1] is Ellipsis:
            return tuple(_typed(parts[0], part) for part in raw)
        return tuple(_typed(part, one) for part, one in zip(parts, raw, strict=True))
    if is_dataclass(kind) and issubclass(typing.cast(type, kind), Figures):
        return typing.cast(type[Figures], kind).from_json(raw)
    return raw


__all__ = [
    "AttackerFigures",
    "Band",
    "ClassFigures",
    "ColumnFigures",
    "IndividualFigures",
    "PopulationFigures",
    "RiskFigures",
    "ScoreBand",
    "SpecialUniques",
    "SubsetFigures",
]
