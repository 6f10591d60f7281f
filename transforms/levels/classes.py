"""A table's combinations of quasi-identifiers, counted anew at every combination of levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from transforms.kernels.codes import combined, numbered, summed
from transforms.levels.ladder import Rung
from transforms.measures.class_table import ClassTable, Values
from transforms.measures.closeness import is_ordered

Codes = npt.NDArray[np.int64]
Losses = npt.NDArray[np.float64]
CELLS = 1 << 22  # of a table of classes and values that is held at a time
ROUNDING = 1e-12


class Criteria(Protocol):
    """What classes must meet (`lattice.Asked`)."""

    @property
    def k(self) -> int: ...
    @property
    def l(self) -> int | None: ...  # noqa: E743 - as everyone calls it
    @property
    def t(self) -> float | None: ...


@dataclass(frozen=True)
class Counted:
    """The classes at one node. `removed` marks the combinations whose class is too small; `meets`: l and t hold."""

    classes: int
    smallest: int
    suppressed: float
    removed: npt.NDArray[np.bool_]
    meets: bool

    def loss(self, losses: Sequence[Losses], of: Classes) -> float:
        """The mean share of information that cells lose: by their level, or wholly where their row is removed."""
        total = 0.0
        for place, by_value in enumerate(losses):
            lost = np.where(self.removed, of.whole(place)[of.codes[place]], by_value[of.codes[place]])
            total += float((lost * of.rows).sum()) / max(1, of.total)
        return total / max(1, len(losses))


@dataclass(frozen=True)
class Classes:
    """Combinations with `rows` and persons each, their `codes` by column, and the pairs with sensitive values.

    `persons` None: each row is a person. Otherwise its pairs name the persons of each combination (`subject`).
    """

    codes: tuple[Codes, ...]
    counts: tuple[Codes, ...]
    rows: Codes
    subject: Values | None
    sensitive: tuple[Values, ...]

    @classmethod
    def of(cls, table: ClassTable, subject: str | None = None) -> Classes:
        """From a class table counted in rows; `subject` is the one of its sensitive columns that names persons."""
        codes = tuple(table.codes[name].astype(np.int64) for name in table.columns)
        counts = tuple(
            summed(one, table.sizes, len(table.values[name])) for name, one in zip(table.columns, codes, strict=True)
        )
        others = tuple(values for name, values in table.sensitive.items() if name != subject)
        return cls(codes, counts, table.sizes, table.sensitive[subject] if subject is not None else None, others)

    @property
    def total(self) -> int:
        """All rows."""
        return int(self.rows.sum())

    def losses(self, place: int, rungs: Sequence[Rung]) -> list[Losses]:
        """For each rung what a cell of each value loses: the share of its column's information (in bits, 0 … 1).

        log2(rows of its group / rows of its value), over the column's entropy (Gionis and Tassa 2009, section 3.3).
        """
        counts = self.counts[place]
        return [self._lost(place, summed(rung.codes, counts, rung.groups)[rung.codes]) for rung in rungs]

    def whole(self, place: int) -> Losses:
        """What a removed cell of each value loses."""
        return self._lost(place, np.full(len(self.counts[place]), self.total))

    def mean(self, place: int, losses: Losses) -> float:
        """The mean over all rows of a column's loss by value."""
        return float((losses * self.counts[place]).sum()) / max(1, self.total)

    def count(self, codes: Sequence[Codes], sizes: Sequence[int], asked: Criteria) -> Counted:
        """The classes when each column's values are grouped by `codes` (into `sizes` groups)."""
        rows = [grouped[own] for grouped, own in zip(codes, self.codes, strict=True)]
        whole, bound = combined(rows, sizes, len(self.rows))
        groups, first = numbered(whole, bound)
        number = len(first)
        held = summed(groups, self.rows, number)
        persons = held if self.subject is None else self._persons(groups, number)
        small = persons < asked.k
        suppressed = float(held[small].sum()) / max(1, self.total)
        kept = persons[~small]
        return Counted(
            int(number - small.sum()),
            int(kept.min()) if len(kept) else 0,
            suppressed,
            small[groups],
            all(self._meets(one, groups, small, asked) for one in self.sensitive),
        )

    def _persons(self, groups: Codes, number: int) -> Codes:
        subject = self.subject
        assert subject is not None
        known = np.ones(len(subject.values), bool)
        if subject.values.null_count:
            known[-1] = False  # a null subject is nobody
        classes, places = groups[subject.classes], subject.places.astype(np.int64)
        whole, bound = combined([classes, places], [number, len(subject.values)], len(classes))
        _, first = numbered(whole, bound)
        pairs = first[known[places[first]]]
        return np.bincount(classes[pairs], minlength=number).astype(np.int64)

    def _meets(self, values: Values, groups: Codes, small: npt.NDArray[np.bool_], asked: Criteria) -> bool:
        """Do all classes that stay have enough different values, distributed nearly as in the table?"""
        if asked.l is None and asked.t is None:
            return True
        stay = ~small[groups[values.classes]]
        classes, places = groups[values.classes][stay], values.places[stay].astype(np.int64)
        counts = values.counts[stay]
        whole, bound = combined([classes, places], [len(small), len(values.values)], len(classes))
        pair, first = numbered(whole, bound)
        classes, places, counts = classes[first], places[first], summed(pair, counts, len(first))
        if asked.l is not None and (np.bincount(classes, minlength=len(small))[~small] < asked.l).any():
            return False
        return asked.t is None or _furthest(classes, places, counts, values) <= asked.t + ROUNDING

    def _lost(self, place: int, among: Codes) -> Losses:
        counts = self.counts[place]
        own = counts > 0
        bits = np.zeros(len(counts))
        bits[own] = np.log2(among[own] / counts[own])
        entropy = float((np.log2(self.total / counts[own]) * counts[own]).sum()) / max(1, self.total)
        return bits / entropy if entropy else bits


def _furthest(classes: Codes, places: Codes, counts: Codes, values: Values) -> float:
    """The largest earth mover's distance of a class's distribution from the table's (Li et al. 2007, section 5).

    As `transforms.measures` judges it: numbers and times are ordered (null behind them), so moving costs the steps
    between; any two values of other columns are equally far.
    """
    if not len(classes):
        return 0.0
    table = values.totals / max(1, int(values.totals.sum()))
    groups, first = numbered(classes, int(classes.max()) + 1)
    share = counts / summed(groups, counts, len(first))[groups]
    if not is_ordered(values.values):
        # what stands in no pair of a class differs by the table's whole share
        there = np.bincount(groups, np.abs(share - table[places]) - table[places], minlength=len(first))
        return float((there + 1.0).max() / 2)
    order = np.argsort(groups, kind="stable")
    furthest, chunk = 0.0, max(1, CELLS // len(table))
    for start in range(0, len(first), chunk):
        low, high = np.searchsorted(groups[order], [start, start + chunk])
        mine = order[low:high]
        held = np.zeros((min(chunk, len(first) - start), len(table)))
        held[groups[mine] - start, places[mine]] = share[mine]
        moved = np.abs(np.cumsum(held - table, axis=1)).sum(axis=1) / max(1, len(table) - 1)
        furthest = max(furthest, float(moved.max()))
    return furthest


__all__ = ["Classes", "Counted"]
