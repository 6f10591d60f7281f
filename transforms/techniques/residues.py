"""Class facts of controlled rounding: which residues go up in each class so that sums stay."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.class_facts import CLASS, ClassFact, ClassTable
from transforms.classes import Classes, as_keys, words_of
from transforms.errors import CellsRefused
from transforms.given import Given
from transforms.identifiers import encode_ids
from transforms.kernels.groups import starts_of
from transforms.kernels.margins import rounded_margins
from transforms.techniques.cells import numbers_of

Total = Literal["nearest", "exact"]
Places = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
# How often, of many measurements, a threshold may lie outside of where it is looked for first (then a pass more).
MISSED = 1e-3


def deviations(classes: int) -> float:
    """Standard deviations that none of so many thresholds is away, but with chance MISSED (normal distribution)."""
    return math.sqrt(2 * math.log(max(1, classes) / MISSED))


@dataclass(frozen=True)
class Residues(ClassFact):
    """How many cells of each class must go up, and which: `cut` (all larger residues go up), `ties` (cells at the
    cut), `quota` (how many of these go up, by their draws), `high` and `low` (the largest draw that goes up).

    The first pass counts cells by class and residue; a second one, over cells at their cut alone, finds the draws
    (`solved` holds what the first pass gave). `unit` is in the column's unscaled integers.
    """

    by: tuple[str, ...]
    unit: int
    total: Total = "nearest"
    margins: bool = False
    solved: ClassTable | None = None
    wide: bool = False

    @property
    def draws(self) -> bool:
        return self.solved is not None

    def observe(self, values: pa.Array, given: Given) -> pa.Table:
        assert given.classes is not None
        residues, present = residues_of(values, self.unit)
        if self.solved is not None:
            return self._draws(residues, present, given, self.solved)
        classes = given.classes
        codes, left = (classes.codes, residues) if present is None else (classes.codes[present], residues[present])
        cells, counts = _counted(codes, left, classes.count, self.unit)
        found = {
            CLASS: classes.keys.take(pa.array(cells // self.unit)),
            "residue": pa.array(cells % self.unit),
            "cells": pa.array(counts),
        }
        return pa.table(found | self._parts(classes, given, cells // self.unit))

    def _parts(self, classes: Classes, given: Given, codes: Places) -> dict[str, pa.Array]:
        """Keys of the two classes whose sums must stay, where these are margins."""
        if not self.margins:
            return {}
        some = np.zeros(classes.count, np.int64)
        some[classes.codes] = np.arange(len(classes.codes))
        rows = pa.array(some[codes])
        texts = [given.columns[name].take(rows).dictionary_encode(null_encoding="encode") for name in self.by]
        return {f"side{number}": encode_ids([one.dictionary]).take(one.indices) for number, one in enumerate(texts)}

    def _draws(
        self, residues: Places, present: npt.NDArray[np.bool_] | None, given: Given, solved: ClassTable
    ) -> pa.Table:
        """Draws of the cells at their class's cut, where some of them go up and the threshold may lie."""
        assert given.classes is not None
        rows, places = tied(residues, present, given.classes, solved)
        words = draws_of(given, rows)
        low, high = self._window(solved)
        near = (words[:, 0] >= low[places]) & (words[:, 0] <= high[places])
        below = words[:, 0] < low[places]
        keys = solved.rows.column(CLASS).combine_chunks()
        counted = np.bincount(places[below], minlength=len(keys))
        listed = np.flatnonzero(counted)
        before = {CLASS: keys.take(pa.array(listed)), "draw": pa.nulls(len(listed), pa.binary())}
        mine = {CLASS: keys.take(pa.array(places[near])), "draw": as_keys(words[near])}
        return pa.concat_tables(
            [
                pa.table({**before, "before": pa.array(counted[listed], pa.int64())}),
                pa.table({**mine, "before": pa.array(np.zeros(int(near.sum()), np.int64))}),
            ]
        )

    def _window(self, solved: ClassTable) -> tuple[Words, Words]:
        """Where each class's threshold lies but for very few; anywhere, once that has missed."""
        ties = solved.figure("ties").to_numpy().astype(np.float64)
        if self.wide:
            return np.zeros(len(ties), np.uint64), np.full(len(ties), 2**64 - 1, np.uint64)
        share = solved.figure("quota").to_numpy() / np.maximum(ties, 1)
        apart = deviations(len(ties)) * np.sqrt(share * (1 - share) / np.maximum(ties, 1)) + 4 / np.maximum(ties, 1)
        bounds = [np.clip(share + sign * apart, 0, 1) for sign in (-1, 1)]
        low, high = ((np.minimum(bound, 1 - 2.0**-53) * 2.0**64).astype(np.uint64) for bound in bounds)
        return low, np.where(bounds[1] >= 1, np.uint64(2**64 - 1), high)

    def merge(self, parts: pa.Table) -> pa.Table:
        if self.solved is not None:
            before = parts.filter(parts.column("draw").is_null())
            summed = before.group_by(CLASS).aggregate([("before", "sum")]).rename_columns([CLASS, "before"])
            summed = summed.append_column("draw", pa.nulls(len(summed), pa.binary()))
            return pa.concat_tables([parts.filter(parts.column("draw").is_valid()), summed.select(parts.column_names)])
        names = [name for name in parts.column_names if name != "cells"]
        summed = parts.group_by(names).aggregate([("cells", "sum")])
        return summed.select([*names, "cells_sum"]).rename_columns([*names, "cells"]).select(parts.column_names)

    def figures(self, merged: pa.Table) -> pa.Table:
        # Margins bind all classes together: they are solved on the driver.
        return merged if self.margins or self.solved is not None else self._cuts(merged)

    def _cuts(self, counted: pa.Table, up: dict[bytes, int] | None = None) -> pa.Table:
        """Cut, ties and quota by class; `up` says how many cells go up where margins decide."""
        rows = counted.sort_by([(CLASS, "ascending"), ("residue", "descending")]).combine_chunks()
        keys = rows.column(CLASS).combine_chunks()
        codes = keys.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        starts = starts_of(codes)
        firsts = keys.take(pa.array(starts))
        residues, cells = rows.column("residue").to_numpy(), rows.column("cells").to_numpy()
        if up is None:
            sums = np.add.reduceat(residues * cells, starts) if len(starts) else starts
            wanted = self._wanted(sums)
        else:
            wanted = np.array([up[key] for key in firsts.to_pylist()], np.int64)
        upto = np.cumsum(cells)
        before = upto[starts] - cells[starts] if len(starts) else starts
        # The residue at which the last cell that goes up stands; with none, the largest one.
        at = np.searchsorted(upto, before + np.maximum(wanted, 1)) if len(starts) else starts
        above = upto[at] - cells[at] - before if len(starts) else starts
        return pa.table(
            {
                CLASS: firsts,
                "up": pa.array(wanted),
                "cut": pa.array(residues[at]),
                "ties": pa.array(cells[at]),
                "quota": pa.array(np.where(wanted > 0, wanted - above, 0)),
            }
        )

    def _wanted(self, sums: Places) -> Places:
        if self.total == "exact" and (wrong := int((sums % self.unit != 0).sum())):
            raise CellsRefused(
                "sums of classes that are no multiple of the unit, which no rounding to it can keep; say "
                "`total: nearest`, or take a unit that divides them: classes",
                wrong,
            )
        # Half a unit goes up.
        found: Places = (2 * sums + self.unit) // (2 * self.unit)
        return found

    def conclude(self, figures: pa.Table) -> ClassTable | ClassFact:
        if self.solved is None:
            up = self._margins(figures) if self.margins else None
            table = ClassTable.of(self._cuts(figures, up) if self.margins else figures)
            open_ = pc.and_(
                pc.greater(table.rows.column("quota"), 0),
                pc.less(table.rows.column("quota"), table.rows.column("ties")),
            )
            if not pc.any(open_, min_count=0).as_py():
                return _with_thresholds(table, {})
            return replace(self, solved=table)
        found = _thresholds(figures, self.solved)
        return replace(self, wide=True) if found is None else _with_thresholds(self.solved, found)

    def _margins(self, counted: pa.Table) -> dict[bytes, int]:
        """How many cells of each class go up where both margins stay."""
        counted = counted.sort_by([(CLASS, "ascending"), ("residue", "ascending")])  # the same problem each time
        keys = counted.column(CLASS).combine_chunks().dictionary_encode()
        codes = keys.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        starts = starts_of(codes)
        amounts = counted.column("residue").to_numpy() * counted.column("cells").to_numpy()
        sums = np.add.reduceat(amounts, starts) if len(starts) else starts
        sides = [
            counted.column(f"side{n}").combine_chunks().take(pa.array(starts)).dictionary_encode() for n in range(2)
        ]
        first, second = (one.indices.to_numpy(zero_copy_only=False).astype(np.int64) for one in sides)
        up = rounded_margins(first, second, sums, self.unit, exact=self.total == "exact")
        return dict(zip(keys.dictionary.to_pylist(), up.tolist(), strict=True))

    def audit(self, values: pa.Array, given: Given, claim: ClassTable) -> pa.Table:
        assert given.classes is not None
        residues, present = residues_of(values, self.unit)
        mask = np.ones(len(values), np.bool_) if present is None else present
        places, known = claim.places(given.classes)
        up = goes_up(residues, present, given, claim)
        cut = claim.figure("cut").to_numpy()[places] if claim.rows.num_rows else residues
        counts = {
            "cells": mask,
            "unknown": mask & ~known,
            "residue": np.where(mask, residues, 0),
            "above": mask & (residues > cut),
            "at": mask & (residues == cut),
            "up": up,
        }
        keys = given.classes.keys.take(pa.array(given.classes.codes))
        found = {name: pa.array(column.astype(np.int64)) for name, column in counts.items()}
        if self.margins:
            found |= self._parts(given.classes, given, given.classes.codes)
        return pa.table({CLASS: keys, **found})

    @property
    def audit_keys(self) -> tuple[str, ...]:
        return (CLASS, "side0", "side1") if self.margins else (CLASS,)

    def accepts(self, counts: pa.Table, claim: ClassTable) -> bool:
        counts = counts.filter(pc.greater(counts.column("cells"), 0)).sort_by(CLASS)
        if counts.column(CLASS).to_pylist() != claim.rows.column(CLASS).to_pylist():
            return False
        found = {name: counts.column(name).to_numpy() for name in ("residue", "above", "at", "up", "unknown")}
        claimed = {name: claim.figure(name).to_numpy() for name in ("up", "ties", "quota")}
        same = (
            (found["up"] == claimed["up"])
            & (found["at"] == claimed["ties"])
            & np.where(claimed["up"] > 0, found["above"] + claimed["quota"] == claimed["up"], claimed["quota"] == 0)
        )
        if found["unknown"].any() or not same.all():
            return False
        groups: list[Any] = [range(len(counts))]
        if self.margins:
            groups += [counts.column(f"side{n}").to_pylist() for n in range(2)] + [[0] * len(counts)]
        return all(self._kept(group, found["residue"], found["up"]) for group in groups)

    def _kept(self, group: Any, residues: Places, up: Places) -> bool:
        """Is each sum the multiple next to it: the nearest one, or with margins one of its two neighbours?"""
        sums: dict[Any, list[int]] = {}
        for key, residue, ups in zip(group, residues.tolist(), up.tolist(), strict=True):
            one = sums.setdefault(key, [0, 0])
            one[0], one[1] = one[0] + residue, one[1] + ups
        if self.margins:
            return all(residue // self.unit <= ups <= -(-residue // self.unit) for residue, ups in sums.values())
        return all(-self.unit < 2 * (ups * self.unit - residue) <= self.unit for residue, ups in sums.values())


def _counted(codes: Places, residues: Places, classes: int, unit: int) -> tuple[Places, Places]:
    """Cells by class and residue: class x unit + residue, and how many."""
    cells = codes * unit + residues
    if classes * unit <= max(1 << 20, len(cells)):
        counts = np.bincount(cells, minlength=1)
        listed = np.flatnonzero(counts)
        return listed, counts[listed]
    return np.unique(cells, return_counts=True)


def residues_of(values: pa.Array, unit: int) -> tuple[Places, npt.NDArray[np.bool_] | None]:
    """What lies above the next lower multiple of the unit, from 0 to unit - 1; which cells are not null (None: all)."""
    cells, _ = numbers_of(values)
    wide = cells.astype(np.int64, copy=False)
    residues = wide - (wide // unit) * unit
    present = values.is_valid().to_numpy(zero_copy_only=False) if values.null_count else None
    return residues, present


def tied(
    residues: Places, present: npt.NDArray[np.bool_] | None, classes: Classes, solved: ClassTable
) -> tuple[Places, Places]:
    """Rows at their class's cut where some, not all, of these go up; and the places of their classes."""
    places, known = solved.places(classes)
    quota, ties = solved.figure("quota").to_numpy(), solved.figure("ties").to_numpy()
    open_cut = np.where((quota > 0) & (quota < ties), solved.figure("cut").to_numpy(), -1)
    at = (residues == open_cut[places]) & known if len(open_cut) else np.zeros(len(residues), np.bool_)
    rows = np.flatnonzero(at if present is None else at & present)
    return rows, places[rows]


def draws_of(given: Given, rows: Places) -> Words:
    """The draws of a few rows."""
    if not len(rows):
        return np.empty((0, 2), np.uint64)
    assert given.draws is not None
    ids = given.row_ids(rows) if given.row_ids is not None else given.rows.take(pa.array(rows))  # type: ignore[union-attr]
    return given.draws.bits(ids)


def goes_up(
    residues: Places, present: npt.NDArray[np.bool_] | None, given: Given, claim: ClassTable
) -> npt.NDArray[np.bool_]:
    """Which cells go up."""
    assert given.classes is not None
    if not claim.rows.num_rows:
        return np.zeros(len(residues), np.bool_)
    places, known = claim.places(given.classes)
    up, quota, ties = (claim.figure(name).to_numpy() for name in ("up", "quota", "ties"))
    cut = claim.figure("cut").to_numpy()
    # Where all cells at the cut go up, the line lies below it; where none goes up at all, above every residue.
    line = np.where(up == 0, np.iinfo(np.int64).max, cut - (quota == ties))
    result: npt.NDArray[np.bool_] = (residues > line[places]) & known
    if present is not None:
        result &= present
    rows, mine = tied(residues, present, given.classes, claim)
    words = draws_of(given, rows)
    high, low = claim.figure("high").to_numpy()[mine], claim.figure("low").to_numpy()[mine]
    result[rows] = (words[:, 0] < high) | ((words[:, 0] == high) & (words[:, 1] <= low))
    return result


def _thresholds(figures: pa.Table, solved: ClassTable) -> dict[int, tuple[int, int]] | None:
    """The largest draw that goes up, by place of the class; None where one lies outside of the window."""
    keys = solved.rows.column(CLASS).combine_chunks()
    before = np.zeros(len(keys), np.int64)
    counted = figures.filter(figures.column("draw").is_null())
    where = pc.index_in(counted.column(CLASS).combine_chunks(), value_set=keys).to_numpy(zero_copy_only=False)
    np.add.at(before, where.astype(np.int64), counted.column("before").to_numpy())
    listed = figures.filter(figures.column("draw").is_valid())
    places = pc.index_in(listed.column(CLASS).combine_chunks(), value_set=keys).to_numpy(zero_copy_only=False)
    words = words_of(listed.column("draw").combine_chunks())
    turn = np.lexsort((words[:, 1], words[:, 0], places))
    starts = np.searchsorted(places[turn], np.arange(len(keys) + 1))
    quota, ties = solved.figure("quota").to_numpy(), solved.figure("ties").to_numpy()
    found: dict[int, tuple[int, int]] = {}
    for place in np.flatnonzero((quota > 0) & (quota < ties)):
        rank = int(quota[place] - before[place])
        if not 1 <= rank <= starts[place + 1] - starts[place]:
            return None
        high, low = words[turn[starts[place] + rank - 1]]
        found[int(place)] = (int(high), int(low))
    return found


def _with_thresholds(table: ClassTable, found: dict[int, tuple[int, int]]) -> ClassTable:
    words = np.zeros((table.rows.num_rows, 2), np.uint64)
    for place, pair in found.items():
        words[place] = pair
    rows = table.rows.append_column("high", pa.array(words[:, 0])).append_column("low", pa.array(words[:, 1]))
    return ClassTable(rows.combine_chunks())
