"""Aggregates: compiled differentially private tables, what each query measures, and the table from noised numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Literal

import pyarrow as pa

from transforms.pipeline_model import TablePipeline
from transforms.techniques.privacy import DifferentialPrivacy, Query

What = Literal["persons", "rows", "sum", "bins"]
# A noise beyond this quantile is no noise: over all numbers of a table, less than one in 10^12 runs.
EXTREME = 1e-12
LARGEST = 1 << 62


@dataclass(frozen=True)
class Measure:
    """One vector of whole numbers, `width` for each group, to which noise is added.

    `column` is whose cells it needs (null ones take no part), clipped to `low` … `high` and taken as
    `factor` x cell - `shift`, in units of 10^-`scale`; `edges` make the bins. `sensitivity` is the most by which
    one person changes the vector (L1 norm).
    """

    name: str
    what: What
    epsilon: Decimal
    sensitivity: int
    column: str | None = None
    scale: int = 0
    low: int = 0
    high: int = 0
    factor: int = 1
    shift: int = 0
    edges: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        return len(self.edges) + 1 if self.what == "bins" else 1

    @property
    def noise_scale(self) -> float:
        """Scale of the discrete Laplace noise; a little more than sensitivity / epsilon, never less."""
        return self.sensitivity / float(self.epsilon) * (1 + 2**-40)

    def noise_limit(self, numbers: int) -> int:
        """What no noise of `numbers` numbers exceeds, but in one of 10^12 runs."""
        return math.ceil(self.noise_scale * math.log(2 * numbers / EXTREME)) + 1


@dataclass(frozen=True)
class Aggregate:
    """One aggregate table: its source rows (`table`, before outlier rules), groups and queries."""

    name: str
    table: TablePipeline
    technique: DifferentialPrivacy
    path: str

    @cached_property
    def groups(self) -> dict[str, pa.Array]:
        """The declared values of each group column, in its delivered type."""
        return {name: declared(values, self.cell_types[name]) for name, values in self.technique.by.items()}

    @cached_property
    def cell_types(self) -> dict[str, pa.DataType]:
        """Types of the columns' cells before outlier rules, which may turn them into others."""
        return {chain.name: chain.cell_type for chain in self.table.chains}

    @property
    def contribution(self) -> tuple[int, int]:
        """Groups, and rows of each, in which one person counts at most."""
        if self.table.one_row_per_subject:
            return 1, 1
        return min(self.technique.max_groups, self.technique.groups), self.technique.max_rows

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """What the queries need, in their order."""
        return tuple(measure for name, query in self.technique.queries.items() for measure in self._of(name, query))

    def _of(self, name: str, query: Query) -> Iterator[Measure]:
        groups, rows = self.contribution
        epsilon, most = Decimal(query.epsilon), groups * rows
        if query.count is not None:
            yield Measure(name, query.count, epsilon, groups if query.count == "persons" else most)
            return
        assert query.column is not None
        scale = self.scale_of(query.column)
        if query.edges is not None:
            edges = tuple(math.ceil(Decimal(edge).scaleb(scale)) for edge in query.edges)
            yield Measure(name, "bins", epsilon, most, query.column, scale, edges=edges)
            return
        assert query.bounds is not None
        low = math.ceil(Decimal(query.bounds[0]).scaleb(scale))
        high = math.floor(Decimal(query.bounds[1]).scaleb(scale))
        if query.kind == "sum":
            yield Measure(name, "sum", epsilon, most * max(abs(low), abs(high)), query.column, scale, low, high)
            return
        # About the middle of the bounds a person changes the sum by half of their width at most.
        yield Measure(name, "sum", epsilon / 2, most * (high - low), query.column, scale, low, high, 2, low + high)
        yield Measure(f"{name} rows", "rows", epsilon / 2, most, query.column, scale, low, high)

    def scale_of(self, column: str) -> int:
        """Digits behind the point of a column."""
        type_ = self.cell_types[column]
        return type_.scale if pa.types.is_decimal(type_) else 0

    @cached_property
    def schema(self) -> pa.Schema:
        """Group columns, then one column for each query (of a histogram, one for each bin)."""
        fields = [pa.field(name, values.type) for name, values in self.groups.items()]
        for name, query in self.technique.queries.items():
            if query.edges is not None:
                fields += [pa.field(f"{name}_{bin_}", pa.int64()) for bin_ in range(1, len(query.edges) + 2)]
            elif query.kind == "mean":
                fields.append(pa.field(name, pa.float64()))
            else:
                scale = self.scale_of(query.sum) if query.sum is not None else 0
                fields.append(pa.field(name, pa.decimal128(38, scale) if scale else pa.int64()))
        return pa.schema(fields)

    def finished(self, noised: Mapping[str, Sequence[int]]) -> pa.Table:
        """The delivered table of noised numbers (by measure, group by group): no further noise, no data."""
        combinations = list(product(*(values.to_pylist() for values in self.groups.values())))
        columns: list[pa.Array] = [
            pa.array([one[place] for one in combinations], values.type)
            for place, values in enumerate(self.groups.values())
        ]
        for name, query in self.technique.queries.items():
            numbers = noised[name]
            if query.edges is not None:
                width = len(query.edges) + 1
                columns += [pa.array(list(numbers[bin_::width]), pa.int64()) for bin_ in range(width)]
            elif query.kind == "mean":
                (measure,) = [one for one in self.measures if one.name == name]
                columns.append(pa.array(_means(measure, numbers, noised[f"{name} rows"]), pa.float64()))
            else:
                scale = self.scale_of(query.sum) if query.sum is not None else 0
                columns.append(_numbers(numbers, scale))
        return pa.Table.from_arrays(columns, schema=self.schema)


def _numbers(numbers: Sequence[int], scale: int) -> pa.Array:
    if scale:
        return pa.array([Decimal(one).scaleb(-scale) for one in numbers], pa.decimal128(38, scale))
    return pa.array(list(numbers), pa.int64())


def _means(measure: Measure, sums: Sequence[int], counts: Sequence[int]) -> list[float]:
    """Noised sum about the middle over the noised count, within the bounds."""
    found = []
    for sum_, count in zip(sums, counts, strict=True):
        twice = Decimal(sum_) / max(count, 1) + measure.shift
        mean = min(max(twice / measure.factor, Decimal(measure.low)), Decimal(measure.high))
        found.append(float(mean.scaleb(-measure.scale)))
    return found


def declared(values: Sequence[object], type_: pa.DataType) -> pa.Array:
    """A plan's group values in the type of their column. Raises pyarrow's errors where they don't fit."""
    if pa.types.is_date(type_) or pa.types.is_decimal(type_) or pa.types.is_timestamp(type_):
        return pa.array([None if one is None else str(one) for one in values], pa.string()).cast(type_)
    return pa.array(list(values), type_)


__all__ = ["Aggregate", "Measure", "declared"]
