"""Utility (유용성) before and after: means, quantiles, correlations, distributions also by class, and new outliers.

Each side is summed up by itself, in any order: source values on one, delivered cells on the other. What is told
are figures of many persons, to three significant digits. An outlier of a number lies more than three interquartile
ranges beyond the source's quartiles (Tukey 1977: far out); one of a category is a value that one record alone holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distributions import GRID, fine_bins, places
from transforms.uniqueness import Counter, Sketch

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

# A column with more different cells tells no classes.
MOST_CLASSES = 100
# Distributions by class are counted to one significant digit.
COARSE = 100
_COARSE_GRID = -(-GRID // COARSE)


@dataclass(frozen=True)
class Compared:
    """What is compared: columns of numbers, delivered columns whose cells are classes, columns of categories."""

    numbers: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass
class Moments:
    """Sums over pairs of columns, in rows where both have a value: rows, values of the first, squares, products."""

    rows: Floats
    values: Floats
    squares: Floats
    products: Floats

    @classmethod
    def of(cls, cells: Floats) -> Moments:
        """Of rows of numbers (NaN: none)."""
        there = np.isfinite(cells).astype(np.float64)
        filled = np.where(there > 0, cells, 0.0)
        return cls(there.T @ there, filled.T @ there, (filled**2).T @ there, filled.T @ filled)

    def add(self, other: Moments) -> None:
        """Takes up other rows."""
        self.rows += other.rows
        self.values += other.values
        self.squares += other.squares
        self.products += other.products

    def means(self) -> Floats:
        """The mean of each column; NaN without values."""
        return _divided(np.diag(self.values), np.diag(self.rows))

    def deviations(self) -> Floats:
        """The standard deviation (divided by n) of each column."""
        squares = _divided(np.diag(self.squares), np.diag(self.rows))
        found: Floats = np.sqrt(np.maximum(squares - self.means() ** 2, 0.0))
        return found

    def correlations(self) -> Floats:
        """Pearson's coefficient of each pair; NaN where a column does not vary."""
        first, second = _divided(self.values, self.rows), _divided(self.values.T, self.rows)
        common = _divided(self.products, self.rows) - first * second
        spread = _divided(self.squares, self.rows) - first**2
        turned = _divided(self.squares.T, self.rows) - second**2
        scale = np.sqrt(np.maximum(spread, 0.0) * np.maximum(turned, 0.0))
        # What is left of a constant column is the rounding of its sums.
        noise = 1e-9 * np.sqrt(_divided(self.squares, self.rows) * _divided(self.squares.T, self.rows))
        found: Floats = np.where(scale > noise, common / np.where(scale > noise, scale, 1.0), np.nan)
        return found


def _divided(values: Floats, by: Floats) -> Floats:
    found: Floats = np.where(by > 0, values / np.where(by > 0, by, 1.0), np.nan)
    return found


@dataclass
class InClass:
    """Numbers of one class: coarse distribution and sum, by column."""

    counts: Counts
    sums: Floats

    def add(self, other: InClass) -> None:
        """Takes up other rows of the class."""
        self.counts += other.counts
        self.sums += other.sums


@dataclass
class Side:
    """One side of the comparison, to be merged in any order. `classes`: None where a column has too many."""

    moments: Moments | None = None
    bins: dict[str, Counts] = field(default_factory=dict)
    nulls: dict[str, int] = field(default_factory=dict)
    classes: dict[str, dict[object, InClass] | None] = field(default_factory=dict)
    sketches: dict[str, Sketch] = field(default_factory=dict)

    def observe(self, asked: Compared, cells: Mapping[str, pa.Array]) -> None:
        """Numbers and categories of some rows."""
        if asked.numbers:
            table = table_of([cells[name] for name in asked.numbers])
            self._add(Side(Moments.of(table)))
        for name in asked.numbers:
            self._add(Side(bins={name: fine_bins(cells[name])}, nulls={name: cells[name].null_count}))
        counter = Counter() if asked.categories else None
        for name in asked.categories:
            assert counter is not None
            sketches = {name: counter.sketch(cells[name])}
            self._add(Side(sketches=sketches, nulls={name: cells[name].null_count}))

    def observe_classes(
        self, asked: Compared, classes: Mapping[str, pa.Array], numbers: Mapping[str, pa.Array]
    ) -> None:
        """Numbers by the delivered class of their row."""
        if not asked.classes or not asked.numbers:
            return
        table = table_of([numbers[name] for name in asked.numbers])
        coarse = np.stack([_coarse(column) for column in table.T])
        for name in asked.classes:
            self._add(Side(classes={name: _in_classes(classes[name], table, coarse)}))

    def merge(self, other: Side) -> None:
        """Takes up what other rows gave."""
        self._add(other)

    def _add(self, other: Side) -> None:
        if other.moments is not None:
            if self.moments is None:
                self.moments = other.moments
            else:
                self.moments.add(other.moments)
        for name, counts in other.bins.items():
            self.bins[name] = self.bins[name] + counts if name in self.bins else counts
        for name, nulls in other.nulls.items():
            self.nulls[name] = self.nulls.get(name, 0) + nulls
        for name, sketch in other.sketches.items():
            self.sketches[name] = self.sketches[name].merge(sketch) if name in self.sketches else sketch
        for name, found in other.classes.items():
            self.classes[name] = _together(self.classes[name], found) if name in self.classes else found


def table_of(columns: Sequence[pa.Array]) -> Floats:
    """Columns of numbers side by side as floats; null and infinite are NaN."""
    arrays = [pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy() for column in columns]
    table = np.stack(arrays, axis=1) if arrays else np.empty((0, 0))
    return np.where(np.isfinite(table), table, np.nan)


def _coarse(column: Floats) -> Counts:
    """The coarse bin of each number; behind the last one stand nulls."""
    found = np.full(len(column), _COARSE_GRID, np.int64)
    there = np.isfinite(column)
    found[there] = places(column[there]) // COARSE
    return found


def _in_classes(cells: pa.Array, table: Floats, coarse: Counts) -> dict[object, InClass] | None:
    encoded = cells.dictionary_encode(null_encoding="encode")
    labels = encoded.dictionary.to_pylist()
    if len(labels) > MOST_CLASSES:
        return None
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    width, count = _COARSE_GRID + 1, len(labels)
    filled = np.where(np.isfinite(table), table, 0.0)
    counts = [np.bincount(codes * width + one, minlength=count * width).reshape(count, width)[:, :-1] for one in coarse]
    sums = [np.bincount(codes, weights=column, minlength=count) for column in filled.T]
    return {
        label: InClass(np.stack([one[place] for one in counts]), np.array([one[place] for one in sums]))
        for place, label in enumerate(labels)
    }


def _together(
    mine: dict[object, InClass] | None, other: dict[object, InClass] | None
) -> dict[object, InClass] | None:
    if mine is None or other is None:
        return None
    for label, found in other.items():
        if label in mine:
            mine[label].add(found)
        else:
            mine[label] = found
    return mine if len(mine) <= MOST_CLASSES else None
