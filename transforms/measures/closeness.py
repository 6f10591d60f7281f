"""How far each class's values of a sensitive column are from the whole table's (t-근접성): figures by class.

q is a value's share in the class, p its share in the table. All functions give one number for each class that has a
value, in the table's order; null is a value like others.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from transforms.measures.class_table import Values
from transforms.measures.diversity import Numbers, class_totals, lengths, shares, starts_of


def is_ordered(values: pa.Array) -> bool:
    """Have the values an order with meaning: numbers, dates, times? Others are as far apart as can be."""
    kind = values.type
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return bool(number or pa.types.is_temporal(kind))


def equal_distances(values: Values) -> Numbers:
    """Earth mover's distance where all values are equally far apart: half the sum of |q - p|.

    Source: Li, Li, Venkatasubramanian 2007, section 3.2 (equal distance).
    """
    return _most(np.add, np.maximum(shares(values) - _whole(values), 0.0), values)


def ordered_distances(values: Values) -> Numbers:
    """Earth mover's distance over the ranks of the table's m distinct values: 1/(m-1) Σ |Σ (q - p)|.

    Neighbours are 1/(m-1) apart, whatever lies between them; null stands behind the largest value. 0 where the table
    has one value. Source: Li, Li, Venkatasubramanian 2007, section 3.2 (ordered distance).
    """
    starts, most = starts_of(values), len(values.values)
    if most < 2 or not len(starts):
        return np.zeros(len(starts))
    # Between two of a class's values its own sum stays q while the table's rises: |q - F| is summed by F's prefix
    # sums, on both sides of the place where F passes q. So the work grows with the pairs, not classes x values.
    rising = np.cumsum(values.totals) / values.totals.sum()
    before = np.append(0.0, np.cumsum(rising))
    number = lengths(values)
    known = np.cumsum(values.counts)
    own = (known - np.repeat(known[starts] - values.counts[starts], number)) / np.repeat(class_totals(values), number)
    begin = values.places.astype(np.int64)
    end = np.append(begin[1:], most)
    end[np.append(starts[1:], len(begin)) - 1] = most
    passed = np.clip(np.searchsorted(rising, own, side="right"), begin, end)
    below = own * (passed - begin) - (before[passed] - before[begin])
    above = (before[end] - before[passed]) - own * (end - passed)
    sums = np.add.reduceat(below + above, starts) + before[begin[starts]]
    found: Numbers = np.maximum(sums, 0.0) / (most - 1)
    return found


def gains(values: Values) -> Numbers:
    """The largest (q - p) / p of each class: a class is basic β-like from there on.

    Source: Cao, Karras 2012, definition 2.
    """
    whole = _whole(values)
    return _most(np.maximum, (shares(values) - whole) / whole, values)


def bounded_gains(values: Values) -> Numbers:
    """The same where every value's gain is at most -ln p; infinite elsewhere, for no β makes the class like enough.

    A class is enhanced β-like where (q - p) / p ≤ min(β, -ln p) for each value. Source: Cao, Karras 2012, definition 3.
    """
    whole = _whole(values)
    gain = (shares(values) - whole) / whole
    return _most(np.maximum, np.where(gain > -np.log(whole), np.inf, gain), values)


def disclosures(values: Values, absent: bool = False) -> Numbers:
    """The largest |ln(q / p)| of each class over the values that it has; a class is δ-disclosure private above that.

    `absent`: over all values of the table, by the letter of the definition: infinite where a class lacks one.
    Source: Brickell, Shmatikov 2008, definition 1.
    """
    found = _most(np.maximum, np.abs(np.log(shares(values) / _whole(values))), values)
    return np.where(lengths(values) < len(values.values), np.inf, found) if absent else found


def _whole(values: Values) -> Numbers:
    """p of each pair's value."""
    found: Numbers = (values.totals / max(1, int(values.totals.sum())))[values.places]
    return found


def _most(how: np.ufunc, numbers: Numbers, values: Values) -> Numbers:
    starts = starts_of(values)
    found: Numbers = how.reduceat(numbers, starts) if len(starts) else np.zeros(0)
    return found


__all__ = ["bounded_gains", "disclosures", "equal_distances", "gains", "is_ordered", "ordered_distances"]
