"""Null as a wildcard: whoever looks for a person can't rule out a record whose cell is empty."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from transforms.measures.class_table import ClassTable, Values
from transforms.measures.codes import Codes, combined, numbered, summed


def matching(table: ClassTable, wildcards: Collection[str]) -> ClassTable:
    """The table with the classes that match each combination: all that agree with it where neither is null.

    In the columns of `wildcards` null agrees with everything, elsewhere with null alone. Each combination keeps its
    place; its size, and its pairs of sensitive values, are those of all combinations that match it, itself included, so
    the sizes of several overlap and do not add up to the rows. `totals` stay the table's. ValueError for a column that
    is no quasi-identifier, and where persons were counted: one may match in several ways. Source: Franconi, Polettini
    2004 (μ-Argus), as sdcMicro's freqCalc counts missing values.
    """
    unknown = [name for name in wildcards if name not in table.columns]
    if unknown:
        allowed = f"quasi-identifiers: {', '.join(table.columns)}"
        raise ValueError(f"wildcards in columns {', '.join(unknown)}; allowed: {allowed}")
    wild = [name for name in table.columns if name in wildcards and table.null_code(name) is not None]
    if not wild:
        return table
    if table.by_person:
        raise ValueError("wildcards where persons are counted; allowed: rows (no subject), or null as a value")
    sizes = np.zeros(len(table), np.int64)
    met: dict[str, list[tuple[Codes, Codes, Codes]]] = {name: [] for name in table.sensitive}
    for mine, theirs, told in _patterns(table, wild):
        groups, count = _common(table, np.concatenate([mine, theirs]), told)
        own, others = groups[: len(mine)], groups[len(mine) :]
        sizes[mine] += summed(others, table.sizes[theirs], count)[own]
        group_of = np.full(len(table), -1, np.int64)
        group_of[theirs] = others
        for name, values in table.sensitive.items():
            met[name].append(_met(values, group_of, mine, own, count))
    sensitive = {name: _added(table.sensitive[name], pieces) for name, pieces in met.items()}
    return replace(table, sizes=sizes, sensitive=sensitive)


def _patterns(table: ClassTable, wild: Sequence[str]) -> Iterator[tuple[Codes, Codes, list[str]]]:
    """Every two patterns of nulls: the classes of the one and of the other, and the columns that tell them apart."""
    bits = np.zeros(len(table), np.int64)
    for number, name in enumerate(wild):
        bits |= (table.codes[name] == table.null_code(name)).astype(np.int64) << number
    patterns = np.unique(bits).tolist()
    members = {pattern: np.flatnonzero(bits == pattern) for pattern in patterns}
    for mine in patterns:
        for theirs in patterns:
            both = {name for number, name in enumerate(wild) if (mine | theirs) >> number & 1}
            yield members[mine], members[theirs], [name for name in table.columns if name not in both]


def _common(table: ClassTable, classes: Codes, columns: Sequence[str]) -> tuple[Codes, int]:
    chosen = [table.codes[name][classes].astype(np.int64) for name in columns]
    whole, bound = combined(chosen, [len(table.values[name]) for name in columns], len(classes))
    groups, first = numbered(whole, bound)
    return groups, len(first)


def _met(values: Values, group_of: Codes, mine: Codes, own: Codes, count: int) -> tuple[Codes, Codes, Codes]:
    """For each of `mine` the values of its group, as (class, place, count)."""
    pairs = np.flatnonzero(group_of[values.classes] >= 0)
    groups, places = group_of[values.classes[pairs]], values.places[pairs].astype(np.int64)
    whole, bound = combined([groups, places], [count, len(values.values)], len(pairs))
    same, first = numbered(whole, bound)
    sums, groups, places = summed(same, values.counts[pairs], len(first)), groups[first], places[first]
    order = np.argsort(groups, kind="stable")
    many = np.bincount(groups, minlength=count)
    starts = np.cumsum(many) - many
    each = many[own]
    begin = np.repeat(starts[own] - (np.cumsum(each) - each), each)
    taken = order[begin + np.arange(int(each.sum()))]
    return np.repeat(mine, each), places[taken], sums[taken]


def _added(values: Values, pieces: Sequence[tuple[Codes, Codes, Codes]]) -> Values:
    classes, places, counts = (np.concatenate([piece[part] for piece in pieces]) for part in range(3))
    whole, bound = combined([classes, places], [int(classes.max(initial=0)) + 1, len(values.values)], len(classes))
    same, first = numbered(whole, bound)
    sums = summed(same, counts, len(first))
    order = np.lexsort((places[first], classes[first]))
    kept = first[order]
    return replace(values, classes=classes[kept], places=places[kept].astype(np.int32), counts=sums[order])


__all__ = ["matching"]
