"""Outlier rules on numbers proved by their definition: from all values of each class, not from sums and places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from math import floor, fsum
from statistics import median_low
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.outlier_changes import Act, Bounds, EndsAct, KeyAct, RuleChange, as_numbers, class_keys
from transforms.pipeline.engine import Engine
from transforms.pipeline.members import Words
from transforms.pipeline.outlier_gather import KEY, Cells, gathered, needed_columns, summed
from transforms.pipeline.outlier_quantiles import by_class
from transforms.pipeline.outlier_values import beyond_texts, cell_of, range_text, to_unit
from transforms.pipeline.work import Work
from transforms.plan_outliers import (
    EndCoding,
    Iqr,
    LocalGeneralization,
    Microaggregation,
    NumberFind,
    OutlierRule,
    QuantileFind,
    RemoveRecords,
    ThreeSigma,
)

VALUE, COUNT, FLAG = "value", "count", "flag"
Number = int | float
Ends = tuple[Number | None, Number | None]
# Of a float's bound, its last digits may come out otherwise on another way.
_NEAR = 1e-12


@dataclass(frozen=True)
class Proof:
    """What a class's values say: are the claimed bounds its own, how many cells lie beyond them, what these become.

    `below` and `above` are what the outliers on a side become (a tuple of one, empty where there are none).
    """

    holds: bool
    cells: int = 0
    below: tuple[Any, ...] = ()
    above: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Values:
    """The different numbers of a class, sorted, and how often each is there."""

    numbers: npt.NDArray[Any]
    counts: npt.NDArray[np.int64]

    @property
    def size(self) -> int:
        return int(self.counts.sum())

    def where(self, chosen: npt.NDArray[np.bool_]) -> Values:
        return Values(self.numbers[chosen], self.counts[chosen])

    def each(self) -> list[Number]:
        """Every number, as often as it is there."""
        found: list[Number] = np.repeat(self.numbers, self.counts).tolist()
        return found


@dataclass(frozen=True)
class ValuesGather:
    """Every number of `column` by class `by`, with its count and whether it is `flagged` (by the rule's bounds)."""

    column: str
    by: tuple[str, ...]
    flags: Bounds | None = None

    def observe(self, cells: Cells, draws: Callable[[], Words]) -> pa.Table:
        found = as_numbers(cells[self.column])
        flags = np.zeros(len(found), np.bool_)
        if self.flags is not None:
            below, above = self.flags.sides(cells)
            flags = below | above
        valid = found.is_valid()
        rows = {
            KEY: class_keys(cells, self.by, len(found)).filter(valid),
            FLAG: pa.array(flags).filter(valid),
            VALUE: found.filter(valid),
        }
        return self.merge(pa.table(rows).append_column(COUNT, pa.array(np.ones(len(rows[KEY]), np.int64))))

    def merge(self, rows: pa.Table) -> pa.Table:
        return summed(rows, (KEY, FLAG, VALUE), (COUNT,))

    def finish(self, rows: pa.Table) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class ProofGather(ValuesGather):
    """{class: Proof} of the classes that hold outliers, or whose claim does not hold."""

    rule: OutlierRule | None = None
    claimed: Mapping[bytes, Ends] | None = None
    type: pa.DataType | None = None

    def finish(self, rows: pa.Table) -> dict[bytes, Proof]:
        assert self.rule is not None
        assert self.claimed is not None
        found = {}
        for key, (numbers, counts) in by_class(rows, VALUE):
            claim = self.claimed.get(key)
            proof = _proof(self.rule, Values(numbers, counts), claim, self.type)
            if claim is not None or not proof.holds:
                found[key] = proof
        return found


@dataclass(frozen=True)
class RangeProofGather(ValuesGather):
    """{class: (least, greatest, cells, flagged cells)} of the classes that hold a flagged cell, or are `only`."""

    only: frozenset[bytes] | None = None

    def finish(self, rows: pa.Table) -> dict[bytes, tuple[Number, Number, int, int]]:
        found = {}
        for key, (numbers, counts, flags) in by_class(rows, VALUE, rows[FLAG].to_numpy()):
            flagged = int(counts[flags].sum())
            if flagged if self.only is None else key in self.only:
                found[key] = (numbers[0].item(), numbers[-1].item(), int(counts.sum()), flagged)
        return found


def _proof(rule: OutlierRule, values: Values, claim: Ends | None, type_: Any) -> Proof:
    find = rule.find.one
    assert isinstance(find, NumberFind)
    low, high = _definition(find, values)
    if values.numbers.dtype.kind == "f":
        rounded = (None if low is None else float(low), None if high is None else float(high))
        ends: Ends = claim if claim is not None else rounded
        reach = _NEAR * float(max(abs(values.numbers[0]), abs(values.numbers[-1])))
        near = all(
            mine is theirs or (mine is not None and theirs is not None and abs(mine - theirs) <= reach)
            for mine, theirs in zip(rounded, ends, strict=True)
        )
    else:
        ends = (None if low is None else -floor(-low), None if high is None else floor(high))
        own = claim if claim is not None else ends
        near = all(mine == theirs or _far(theirs, mine) for mine, theirs in zip(ends, own, strict=True))
    nothing = np.zeros(len(values.numbers), np.bool_)
    below = nothing if ends[0] is None or _far(None, ends[0]) else values.numbers < ends[0]
    above = nothing if ends[1] is None or _far(None, ends[1]) else values.numbers > ends[1]
    # A claim is made of the classes that hold an outlier, and of no other.
    if not near or (claim is not None) != bool(below.any() or above.any()):
        return Proof(False)
    sides = [
        (_expected(rule.treat.one, place, outliers, values, ends, type_),) if len(outliers.numbers) else ()
        for place, outliers in enumerate((values.where(below), values.where(above)))
    ]
    return Proof(True, int(values.counts[below | above].sum()), *sides)


def _far(claim: Number | None, own: Number | None) -> bool:
    """A bound beyond which no 64-bit number lies need not be claimed."""
    return claim is None and isinstance(own, int) and abs(own) >= (1 << 63) - 1


def _definition(find: NumberFind, values: Values) -> tuple[Fraction | None, Fraction | None]:
    """The bounds as the find defines them: exactly, or (of floats) to some fifteen digits."""
    if isinstance(find, ThreeSigma):
        mean, variance = _moments(values)
        spread = _root(variance * Fraction(find.factor) ** 2)
        low, high = mean - spread, mean + spread
    elif isinstance(find, Iqr):
        first, third = (_quantile(values, share) for share in (Fraction(1, 4), Fraction(3, 4)))
        reach = Fraction(find.factor) * (third - first)
        low, high = first - reach, third + reach
    else:
        assert isinstance(find, QuantileFind)
        low = high = _quantile(values, Fraction(find.q))
    return (None if find.side == "upper" else low), (None if find.side == "lower" else high)


def _moments(values: Values) -> tuple[Fraction, Fraction]:
    """Mean, and the mean of the squared distances from it."""
    count = values.size
    if values.numbers.dtype.kind == "f":
        # Brought near 1 before they are squared: the squares of very small numbers are no floats.
        power = int(np.frexp(np.abs(values.numbers).max())[1])
        numbers, unit = np.ldexp(values.numbers, -power), Fraction(2) ** power
        mean = fsum(numbers * values.counts) / count
        variance = fsum((numbers - mean) ** 2 * values.counts) / count
        return Fraction(mean) * unit, Fraction(variance) * unit**2
    numbers, counts = values.numbers.astype(object), values.counts.astype(object)
    total = int((numbers * counts).sum())
    distances = (count * numbers - total) ** 2
    return Fraction(total, count), Fraction(int((distances * counts).sum()), count**3)


def _quantile(values: Values, share: Fraction) -> Fraction:
    seen, size = 0, values.size
    for one, number in zip(values.numbers.tolist(), values.counts.tolist(), strict=True):
        seen += number
        if seen * share.denominator >= share.numerator * size:
            return Fraction(one)
    raise ValueError("no value")


def _root(square: Fraction) -> Fraction:
    """A square root to 80 digits; exact where there is an exact one."""
    with localcontext() as context:
        context.prec = 80
        numerator, denominator = (Decimal(one).sqrt() for one in (square.numerator, square.denominator))
        return Fraction(numerator) / Fraction(denominator)


def _expected(treat: Any, place: int, outliers: Values, values: Values, ends: Ends, type_: Any) -> Any:
    """What the outliers of a class on one side (0: below, 1: above) become; None where that is no value."""
    if isinstance(treat, LocalGeneralization):
        return beyond_texts(*ends, treat, type_)[place] if treat.as_ == "beyond" else None
    if not isinstance(treat, (Microaggregation, EndCoding)):
        return None
    end = ends[place]
    if isinstance(treat, EndCoding) and treat.replace == "cut":
        assert end is not None
        figure = Fraction(end)
    else:
        whole = outliers.size == 1 or (isinstance(treat, Microaggregation) and treat.of == "class")
        listed = [Fraction(one) for one in (values if whole else outliers).each()]
        middle = isinstance(treat, Microaggregation) and treat.statistic == "median"
        figure = median_low(listed) if middle else sum(listed, Fraction(0)) / len(listed)
    unit = treat.unit if isinstance(treat, EndCoding) else None
    return cell_of(to_unit(figure, unit, type_, up=place == 0), type_)


def number_rule_holds(work: Work, engine: Engine, number: int, rule: OutlierRule, claim: RuleChange | None) -> bool:
    """Is a rule's claimed change (None: none) what its definition gives on the cells that `work` leaves?"""
    find, treat = rule.find.one, rule.treat.one
    assert isinstance(find, NumberFind)
    types = work.table.cell_types(number)
    texts = (find.column,) if isinstance(treat, LocalGeneralization) else ()
    if (claim.texts if claim is not None else ()) != texts:
        return False
    bounds = claim.bounds if claim is not None else None
    ends = _ends(bounds)
    needed = needed_columns(work, number + 1)
    gather = ProofGather(find.column, find.within, rule=rule, claimed=ends, type=types[find.column])
    what = f"outlier rule {number + 1}, by definition"
    proofs: dict[bytes, Proof] = {}
    for answer in gathered(work, engine, gather, needed, what):
        proofs |= answer
    if set(proofs) != set(ends) or not all(proof.holds for proof in proofs.values()):
        return False
    if not proofs:
        return claim is None or (not claim.acts and not claim.cells and not claim.rows)
    assert claim is not None
    if bounds is None or (bounds.column, bounds.within) != (find.column, find.within) or len(claim.acts) != 1:
        return False
    count = sum(proof.cells for proof in proofs.values())
    act = claim.acts[0]
    if isinstance(treat, RemoveRecords):
        return _plain(act, bounds, None) and (claim.cells, claim.rows) == (0, count)
    if isinstance(treat, LocalGeneralization) and treat.as_ == "range":
        return _ranges_hold(work, engine, number, rule, claim, needed)
    if (claim.cells, claim.rows) != (count, 0):
        return False
    if isinstance(treat, (LocalGeneralization, Microaggregation, EndCoding)):
        return _values_hold(act, bounds, proofs)
    return _plain(act, bounds, find.column)


def _ends(bounds: Bounds | None) -> dict[bytes, Ends]:
    if bounds is None:
        return {}
    ends = zip(bounds.low.to_pylist(), bounds.high.to_pylist(), strict=True)
    return dict(zip(bounds.keys.to_pylist(), ends, strict=True))


def _on_bounds(act: Act, bounds: Bounds, column: str | None) -> bool:
    """Does an act treat exactly the classes of the bounds?"""
    return (
        isinstance(act, EndsAct)
        and (act.columns, act.column) == (bounds.within, column)
        and sorted(act.keys.to_pylist()) == sorted(bounds.keys.to_pylist())
    )


def _plain(act: Act, bounds: Bounds, column: str | None) -> bool:
    return _on_bounds(act, bounds, column) and isinstance(act, EndsAct) and act.below is None and act.above is None


def _values_hold(act: Act, bounds: Bounds, proofs: Mapping[bytes, Proof]) -> bool:
    """Have the outliers of each class the value that they must have?"""
    if not _on_bounds(act, bounds, bounds.column) or not isinstance(act, EndsAct):
        return False
    if act.below is None or act.above is None:
        return False
    lines = zip(act.keys.to_pylist(), act.below.to_pylist(), act.above.to_pylist(), strict=True)
    return all(
        proofs[key].below in ((), (below,)) and proofs[key].above in ((), (above,)) for key, below, above in lines
    )


def _ranges_hold(
    work: Work, engine: Engine, number: int, rule: OutlierRule, claim: RuleChange, needed: Sequence[str]
) -> bool:
    treat = rule.treat.one
    assert isinstance(treat, LocalGeneralization)
    (column,) = rule.treated
    gather = RangeProofGather(column, rule.by, claim.bounds)
    return _texts_hold(work, engine, number, gather, claim, treat, needed)


def class_ranges_hold(
    work: Work, engine: Engine, number: int, rule: OutlierRule, claim: RuleChange, rare: frozenset[bytes]
) -> bool:
    """Local generalization of the rare classes of a frequency table: are their claimed ranges those of their values?"""
    treat = rule.treat.one
    assert isinstance(treat, LocalGeneralization)
    (column,) = rule.treated
    gather = RangeProofGather(column, rule.find.columns, only=rare)
    return _texts_hold(work, engine, number, gather, claim, treat, needed_columns(work, number + 1))


def _texts_hold(
    work: Work,
    engine: Engine,
    number: int,
    gather: RangeProofGather,
    claim: RuleChange,
    treat: LocalGeneralization,
    needed: Sequence[str],
) -> bool:
    type_ = work.table.cell_types(number)[gather.column]
    found: dict[bytes, tuple[Number, Number, int, int]] = {}
    for answer in gathered(work, engine, gather, needed, f"outlier rule {number + 1}, ranges by definition"):
        found |= answer
    expected = {key: range_text(least, most, treat, type_) for key, (least, most, _, _) in found.items()}
    cells = sum(flagged if treat.scope == "cell" else every for _, _, every, flagged in found.values())
    if not expected:
        return not claim.acts and not claim.cells
    if len(claim.acts) != 1:
        return False
    act = claim.acts[0]
    if (act.columns, act.column, claim.cells, claim.rows) != (gather.by, gather.column, cells, 0):
        return False
    sides = [act.values] if isinstance(act, KeyAct) else [act.below, act.above]
    if isinstance(act, KeyAct) != (treat.scope == "class") or any(one is None for one in sides):
        return False
    keys = act.keys.to_pylist()
    return all(dict(zip(keys, one.to_pylist(), strict=True)) == expected for one in sides if one is not None)
