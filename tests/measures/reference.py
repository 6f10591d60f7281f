"""The measures by their definitions, in plain Python: what the columnar code is compared with."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from typing import Any

Row = tuple[Any, ...]
Classes = dict[Row, list[Any]]


def classes_of(rows: Iterable[Row]) -> Classes:
    """Sensitive values (the last cell) by the quasi-identifiers before it; None is a value like others."""
    found: Classes = {}
    for *key, value in rows:
        found.setdefault(tuple(key), []).append(value)
    return found


def everything(classes: Classes) -> list[Any]:
    return [value for values in classes.values() for value in values]


def worst(classes: Classes, figure: Callable[[list[Any], list[Any]], float], least: bool = False) -> float:
    """The figure of the worst class: `figure(values of the class, values of the table)`."""
    whole = everything(classes)
    figures = [figure(values, whole) for values in classes.values()]
    return min(figures) if least else max(figures)


def shares(values: Sequence[Any]) -> dict[Any, Fraction]:
    return {value: Fraction(count, len(values)) for value, count in Counter(values).items()}


def distinct_l(values: list[Any], _: list[Any]) -> int:
    return len(set(values))


def entropy_l(values: list[Any], _: list[Any]) -> float:
    return math.exp(-sum(float(q) * math.log(q) for q in shares(values).values()))


def recursive_c(values: list[Any], l: int) -> float:  # noqa: E741
    """Machanavajjhala et al. 2007, definition 4.2: r1 < c (r_l + … + r_m), r1 being the most frequent."""
    falling = sorted(Counter(values).values(), reverse=True)
    tail = sum(falling[l - 1 :])
    return falling[0] / tail if tail else math.inf


def alpha(values: list[Any], _: list[Any]) -> float:
    return float(max(shares(values).values()))


def equal_t(values: list[Any], whole: list[Any]) -> float:
    q, p = shares(values), shares(whole)
    return float(sum(abs(q.get(value, Fraction(0)) - p[value]) for value in p) / 2)


def ordered_t(values: list[Any], whole: list[Any]) -> float:
    """Li et al. 2007, section 3.2: 1/(m-1) (|r1| + |r1 + r2| + …), r = q - p in the order of the values, None last."""
    q, p = shares(values), shares(whole)
    order = sorted(p, key=lambda value: (value is None, 0 if value is None else value))
    run, total = Fraction(0), Fraction(0)
    for value in order:
        run += q.get(value, Fraction(0)) - p[value]
        total += abs(run)
    return float(total / (len(order) - 1)) if len(order) > 1 else 0.0


def beta(values: list[Any], whole: list[Any]) -> float:
    q, p = shares(values), shares(whole)
    return float(max((q[value] - p[value]) / p[value] for value in q))


def enhanced_beta(values: list[Any], whole: list[Any]) -> float:
    """Cao, Karras 2012, definition 3: (q - p)/p ≤ min(β, -ln p) for all values, so no β helps a gain above -ln p."""
    q, p = shares(values), shares(whole)
    gains = {value: (q[value] - p[value]) / p[value] for value in q}
    if any(gain > 0 and gain > -math.log(p[value]) for value, gain in gains.items()):
        return math.inf
    return float(max(gains.values()))


def delta(values: list[Any], whole: list[Any]) -> float:
    q, p = shares(values), shares(whole)
    return max(abs(math.log(q[value] / p[value])) for value in q)
