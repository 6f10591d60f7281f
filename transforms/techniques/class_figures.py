"""Class facts of aggregation: mean, largest, smallest, most frequent and middle value of each class, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.class_facts import CLASS, ClassFact, ClassTable
from transforms.given import Given
from transforms.kernels.groups import rounded_quotients, starts_of
from transforms.ordered import numbers
from transforms.techniques.cells import column_of

Statistic = Literal["mean", "max", "min", "mode", "median"]
Places = npt.NDArray[np.int64]
# Sums of floats in another order differ a little.
FLOAT_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ClassFigure(ClassFact):
    """One figure of the non-null values of each class: column `value` of their type, `rows` of them.

    A mean, and the median of an even number (the mean of the two middle values), are rounded half away from zero to
    the unit of integers and decimals; of several modes the smallest counts. Classes without a value have no figure.
    """

    by: tuple[str, ...]
    statistic: Statistic

    @property
    def audit_keys(self) -> tuple[str, ...]:
        return (CLASS, "value") if self.statistic == "mode" else (CLASS,)

    def observe(self, values: pa.Array, given: Given) -> pa.Table:
        assert given.classes is not None
        rows = pa.table({"code": given.classes.codes, "value": values}).filter(values.is_valid())
        if pa.types.is_floating(values.type):
            numbers(values)  # refuses NaN
        counted = rows.group_by(["code", "value"]).aggregate([([], "count_all")])
        keys = given.classes.keys.take(counted.column("code").combine_chunks())
        return pa.table({CLASS: keys, "value": counted.column("value"), "rows": counted.column("count_all")})

    def merge(self, parts: pa.Table) -> pa.Table:
        summed = parts.group_by([CLASS, "value"]).aggregate([("rows", "sum")])
        return summed.select([CLASS, "value", "rows_sum"]).rename_columns([CLASS, "value", "rows"])

    def figures(self, merged: pa.Table) -> pa.Table:
        turn = [(CLASS, "ascending"), ("value", "ascending")]
        if self.statistic == "mode":
            turn.insert(1, ("rows", "descending"))
        rows = merged.sort_by(turn).combine_chunks()
        keys = rows.column(CLASS).combine_chunks()
        codes = keys.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        starts = starts_of(codes)
        counts = rows.column("rows").to_numpy()
        sizes = np.add.reduceat(counts, starts) if len(starts) else counts
        values = rows.column("value").combine_chunks()
        found = {CLASS: keys.take(pa.array(starts)), "rows": pa.array(sizes, pa.int64())}
        return pa.table(found | self._figures(values, counts, starts, sizes))

    def _figures(self, values: pa.Array, counts: Places, starts: Places, sizes: Places) -> dict[str, pa.Array]:
        if self.statistic in ("min", "mode"):
            return {"value": values.take(pa.array(starts)), "times": pa.array(counts[starts], pa.int64())}
        ends = np.append(starts[1:], len(values)) - 1 if len(starts) else starts
        if self.statistic == "max":
            return {"value": values.take(pa.array(ends)), "times": pa.array(counts[ends], pa.int64())}
        if self.statistic == "mean":
            return {"value": _mean(values, counts, starts, sizes)}
        upto = np.cumsum(counts)
        before = upto[starts] - counts[starts] if len(starts) else starts
        low, high = (values.take(pa.array(np.searchsorted(upto, before + rank))) for rank in _middles(sizes))
        return {"value": _middle(low, high), "low": low, "high": high}

    def audit(self, values: pa.Array, given: Given, claim: ClassTable) -> pa.Table:
        assert given.classes is not None
        present = values.is_valid()
        if self.statistic == "mode":
            return self.observe(values, given)
        places, known = claim.places(given.classes)
        keys = given.classes.keys.take(pa.array(given.classes.codes))
        counts: dict[str, Any] = {"rows": np.ones(len(values), np.int64), "unknown": (~known).astype(np.int64)}
        if self.statistic == "mean":
            counts |= _sums(values)
        else:
            for name in ("low", "high") if self.statistic == "median" else ("value",):
                if not claim.rows.num_rows:
                    break
                against = claim.figure(name).take(pa.array(places))
                counts[f"{name}_below"] = _ones(pc.less(values, against))
                counts[f"{name}_equal"] = _ones(pc.equal(values, against))
        return pa.table({CLASS: keys, **counts}).filter(present)

    def accepts(self, counts: pa.Table, claim: ClassTable) -> bool:
        if self.statistic == "mode":
            return self._accepts_mode(counts, claim)
        counts = counts.filter(pc.greater(counts.column("rows"), 0)).sort_by(CLASS)
        listed = {name: counts.column(name).to_numpy() for name in counts.column_names if name != CLASS}
        if counts.column(CLASS).to_pylist() != claim.rows.column(CLASS).to_pylist() or listed["unknown"].any():
            return False
        sizes = listed["rows"]
        if sizes.tolist() != claim.figure("rows").to_pylist():
            return False
        if not len(sizes):
            return True
        if self.statistic == "mean":
            return _same_mean(listed, sizes, claim.figure("value"))
        if self.statistic == "median":
            ranked = zip(("low", "high"), _middles(sizes), strict=True)
            right = [
                (listed[f"{name}_below"] < rank) & (rank <= listed[f"{name}_below"] + listed[f"{name}_equal"])
                for name, rank in ranked
            ]
            middle = _middle(claim.figure("low"), claim.figure("high"))
            return bool(right[0].all() and right[1].all()) and middle.equals(claim.figure("value"))
        below, equal = listed["value_below"], listed["value_equal"]
        beyond = below if self.statistic == "min" else sizes - below - equal
        return not beyond.any() and bool((equal > 0).all())

    def _accepts_mode(self, counts: pa.Table, claim: ClassTable) -> bool:
        most: dict[bytes, tuple[int, Any]] = {}
        sizes: dict[bytes, int] = {}
        columns = (counts.column(name).to_pylist() for name in (CLASS, "value", "rows"))
        for key, value, rows in zip(*columns, strict=True):
            sizes[key] = sizes.get(key, 0) + rows
            times, smallest = most.get(key, (0, None))
            if rows > times or (rows == times and value < smallest):
                most[key] = (rows, value)
        claimed = claim.rows.select([CLASS, "rows", "times", "value"]).to_pylist()
        return len(claimed) == len(most) and all(
            (one["times"], one["value"]) == most.get(one[CLASS]) and one["rows"] == sizes[one[CLASS]] for one in claimed
        )


def _ones(mask: pa.Array) -> npt.NDArray[np.int64]:
    ones: npt.NDArray[np.int64] = pc.fill_null(mask, False).to_numpy(zero_copy_only=False).astype(np.int64)
    return ones


def _middles(sizes: Places) -> tuple[Places, Places]:
    """Ranks, from 1, of the two middle values (the same one where the number is odd)."""
    return (sizes + 1) // 2, sizes // 2 + 1


def _mean(values: pa.Array, counts: Places, starts: Places, sizes: Places) -> pa.Array:
    cells = numbers(values)
    if not len(starts):
        return values
    if cells.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused where it is used
            return pa.array(np.add.reduceat(cells * counts, starts) / sizes).cast(values.type)
    high, low = np.add.reduceat((cells >> 32) * counts, starts), np.add.reduceat((cells & 0xFFFFFFFF) * counts, starts)
    return column_of(rounded_quotients(high, low, sizes), None, values.type)


def _middle(low: pa.Array, high: pa.Array) -> pa.Array:
    """The mean of each pair."""
    if low.equals(high) or not _is_number(low.type):
        return low
    pairs = np.stack([numbers(low), numbers(high)], axis=1)
    if pairs.dtype.kind == "f":
        with np.errstate(over="ignore", invalid="ignore"):
            return pa.array(pairs[:, 0] + (pairs[:, 1] - pairs[:, 0]) / 2).cast(low.type)
    high_words, low_words = (pairs >> 32).sum(axis=1), (pairs & 0xFFFFFFFF).sum(axis=1)
    return column_of(rounded_quotients(high_words, low_words, np.full(len(pairs), 2)), None, low.type)


def _is_number(type_: pa.DataType) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def _sums(values: pa.Array) -> dict[str, Any]:
    """Each cell's part of its class's sum; nulls are left out later."""
    filled = pc.fill_null(values, pa.scalar(0, values.type))
    cells = numbers(filled)
    if cells.dtype.kind == "f":
        return {"sum": cells, "size": np.abs(cells)}
    return {"high": cells >> 32, "low": cells & 0xFFFFFFFF}


def _same_mean(listed: dict[str, Any], sizes: Places, claimed: pa.Array) -> bool:
    if "sum" in listed:
        apart = np.abs(listed["sum"] / sizes - numbers(claimed))
        return bool((apart <= FLOAT_TOLERANCE * np.maximum(listed["size"] / sizes, 1e-300)).all())
    # In Python's integers: not by the kernel that made the claim.
    for high, low, size, mean in zip(listed["high"], listed["low"], sizes, numbers(claimed), strict=True):
        total = (int(high) << 32) + int(low)
        away = (2 * abs(total) + int(size)) // (2 * int(size))
        if (away if total >= 0 else -away) != int(mean):
            return False
    return True
