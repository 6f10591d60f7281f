"""The figures of utility (유용성): what two sides say of each other, to three significant digits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from transforms.distributions import EDGES, quantile
from transforms.uniqueness import Sketch
from transforms.utility import COARSE, Compared, Counts, Floats, InClass, Side

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
FAR = 3.0
Pair = tuple[float | None, float | None]


@dataclass(frozen=True)
class NumberFigures:
    """One column of numbers: figures of source and delivered cells (None where too few persons stand behind them).

    `distance` is the earth mover's distance in standard deviations of the source; `outliers` are far-out cells,
    `new` those of them that are more than there were, on either side.
    """

    column: str
    cells: tuple[int, int]
    nulls: tuple[int, int]
    mean: Pair
    deviation: Pair
    quantiles: tuple[tuple[float, float | None, float | None], ...]
    distance: float | None
    outliers: tuple[int, int] | None
    new: int

    def mean_moved(self) -> float | None:
        """Change of the mean, in standard deviations of the source."""
        return _moved(self.mean, self.deviation[0])

    def quantiles_moved(self) -> float | None:
        """The largest change of the median or a quartile, likewise."""
        inner = [_moved((before, after), self.deviation[0]) for q, before, after in self.quantiles if 0.2 < q < 0.8]
        known = [one for one in inner if one is not None]
        return max(known) if known else None


@dataclass(frozen=True)
class CategoryFigures:
    """One column of categories: cells, distinct values, values of one record alone, and such as were not before."""

    column: str
    cells: tuple[int, int]
    nulls: tuple[int, int]
    distinct: tuple[int, int]
    unique: tuple[int, int]
    new: int


@dataclass(frozen=True)
class ClassFigures:
    """Numbers `column` within the classes of `by`: of `classes` so many are large enough, and compared.

    `moved` is the largest change of a class's mean, `distance` the largest earth mover's distance within a class
    (about), both in standard deviations of the source's whole column.
    """

    by: str
    column: str
    classes: int
    compared: int
    moved: float | None
    distance: float | None


@dataclass(frozen=True)
class Utility:
    """What is told of one table. `correlations` are (column, column, before, after)."""

    numbers: tuple[NumberFigures, ...] = ()
    categories: tuple[CategoryFigures, ...] = ()
    classes: tuple[ClassFigures, ...] = ()
    correlations: tuple[tuple[str, str, float, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data: counts, rounded figures, names of columns."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Utility:
        """The way back; KeyError or TypeError for other data."""
        return cls(
            tuple(NumberFigures(**_frozen(one)) for one in raw["numbers"]),
            tuple(CategoryFigures(**_frozen(one)) for one in raw["categories"]),
            tuple(ClassFigures(**one) for one in raw["classes"]),
            tuple((one, other, before, after) for one, other, before, after in raw["correlations"]),
        )


def _frozen(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuples(value) for name, value in raw.items()}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list | tuple) else value


def figures(asked: Compared, before: Side, after: Side, least: int) -> Utility:
    """What may be told: nothing that fewer than `least` rows stand behind."""
    return Utility(
        tuple(_numbers(asked, before, after, least)),
        tuple(_category(name, before, after) for name in asked.categories if name in before.sketches),
        tuple(_classes(asked, before, after, least)),
        tuple(_correlations(asked, before, after, least)),
    )


def _numbers(asked: Compared, before: Side, after: Side, least: int) -> Iterator[NumberFigures]:
    if before.moments is None or after.moments is None:
        return
    means = before.moments.means(), after.moments.means()
    spreads = before.moments.deviations(), after.moments.deviations()
    for place, name in enumerate(asked.numbers):
        bins = before.bins[name], after.bins[name]
        cells = int(bins[0].sum()), int(bins[1].sum())
        enough = min(cells) >= least
        spread = float(spreads[0][place])
        outliers = _far_out(*bins) if enough else None
        yield NumberFigures(
            name,
            cells,
            (before.nulls[name], after.nulls[name]),
            _pair(means, place) if enough else (None, None),
            _pair(spreads, place) if enough else (None, None),
            tuple((q, *_quantiles(bins, cells, q, least)) for q in QUANTILES),
            _rounded(distance(*bins, EDGES) / spread) if enough and spread > 0 else None,
            (sum(outliers[0]), sum(outliers[1])) if outliers else None,
            sum(max(0, b - a) for a, b in zip(*outliers, strict=True)) if outliers else 0,
        )


def _pair(values: tuple[Floats, Floats], place: int) -> Pair:
    return _rounded(float(values[0][place])), _rounded(float(values[1][place]))


def _quantiles(bins: tuple[Counts, Counts], cells: tuple[int, int], share: float, least: int) -> Pair:
    if min(cells) * min(share, 1 - share) < least:
        return None, None
    return _rounded(quantile(bins[0], share)), _rounded(quantile(bins[1], share))


def distance(before: Counts, after: Counts, edges: Floats) -> float:
    """Earth mover's distance between two distributions on the same bins: the area between their running shares."""
    if not before.sum() or not after.sum():
        return math.nan
    apart = np.abs(np.cumsum(before) / before.sum() - np.cumsum(after) / after.sum())[:-1]
    return float(np.sum(np.where(apart > 1e-12, apart * np.diff(edges), 0.0)))


def _far_out(before: Counts, after: Counts) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Cells far below and far above the source's quartiles, before and after; None where these are equal."""
    low, high = quantile(before, 0.25), quantile(before, 0.75)
    if high <= low:
        return None
    first = int(np.searchsorted(EDGES, low - FAR * (high - low)))
    last = int(np.searchsorted(EDGES, high + FAR * (high - low), side="right"))
    (b, a) = ((int(bins[:first].sum()), int(bins[last:].sum())) for bins in (before, after))
    return b, a


def _category(name: str, before: Side, after: Side) -> CategoryFigures:
    sketches = before.sketches[name], after.sketches.get(name, before.sketches[name])
    told = sketches[0].conclude(), sketches[1].conclude()
    return CategoryFigures(
        name,
        (told[0].cells, told[1].cells),
        (before.nulls[name], after.nulls.get(name, 0)),
        (told[0].distinct, told[1].distinct),
        (told[0].unique, told[1].unique),
        _made_unique(*sketches),
    )


def _made_unique(before: Sketch, after: Sketch) -> int:
    level = max(before.level, after.level)
    alone = [one.hashes[one.single] for one in (before, after)]
    kept = [hashes if level == 0 else hashes[hashes < np.uint64(1 << (64 - level))] for hashes in alone]
    return int((~np.isin(kept[1], kept[0])).sum()) << level


def _classes(asked: Compared, before: Side, after: Side, least: int) -> Iterator[ClassFigures]:
    if before.moments is None:
        return
    spreads = before.moments.deviations()
    for by in asked.classes:
        mine, other = before.classes.get(by), after.classes.get(by)
        if not mine or not other:
            continue
        for place, name in enumerate(asked.numbers):
            if name == by:
                continue
            pairs = [(mine[label], other[label]) for label in mine if label in other]
            large = [pair for pair in pairs if min(int(one.counts[place].sum()) for one in pair) >= least]
            spread = float(spreads[place])
            moved = [abs(_mean(b, place) - _mean(a, place)) for b, a in large]
            apart = [distance(b.counts[place], a.counts[place], EDGES[::COARSE]) for b, a in large]
            some = bool(large) and spread > 0
            yield ClassFigures(
                by,
                name,
                len(mine.keys() | other.keys()),
                len(large),
                _rounded(max(moved) / spread) if some else None,
                _rounded(max(apart) / spread) if some else None,
            )


def _mean(one: InClass, place: int) -> float:
    return float(one.sums[place]) / int(one.counts[place].sum())


def _correlations(asked: Compared, before: Side, after: Side, least: int) -> Iterator[tuple[str, str, float, float]]:
    if before.moments is None or after.moments is None:
        return
    found = before.moments.correlations(), after.moments.correlations()
    enough = (before.moments.rows >= least) & (after.moments.rows >= least)
    for first, name in enumerate(asked.numbers):
        for second in range(first + 1, len(asked.numbers)):
            b, a = float(found[0][first, second]), float(found[1][first, second])
            if enough[first, second] and math.isfinite(b) and math.isfinite(a):
                yield name, asked.numbers[second], round(b, 2), round(a, 2)


def _moved(pair: Pair, spread: float | None) -> float | None:
    before, after = pair
    if before is None or after is None or spread is None:
        return None
    if before == after:
        return 0.0
    return abs(after - before) / spread if spread > 0 else math.inf


def _rounded(value: float) -> float | None:
    return float(f"{value:.3g}") if math.isfinite(value) else None
