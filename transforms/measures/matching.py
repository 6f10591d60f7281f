"""Null as a wildcard: whoever looks for a person can't rule out a record whose cell is empty."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from transforms.kernels.codes import Codes, combined, numbered, summed
from transforms.kernels.wildcards import Meeting, meetings
from transforms.measures.class_table import ClassTable, Values


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
    codes = [table.codes[name] for name in table.columns]
    blanks = {table.columns.index(name): table.codes[name] == table.null_code(name) for name in wild}
    for one in meetings(codes, [len(table.values[name]) for name in table.columns], blanks):
        sizes[one.mine] += summed(one.others, table.sizes[one.theirs], one.count)[one.own]
        group_of = np.full(len(table), -1, np.int64)
        group_of[one.theirs] = one.others
        for name, values in table.sensitive.items():
            met[name].append(_met(values, group_of, one))
    sensitive = {name: _added(table.sensitive[name], pieces) for name, pieces in met.items()}
    return replace(table, sizes=sizes, sensitive=sensitive)


def _met(values: Values, group_of: Codes, one: Meeting) -> tuple[Codes, Codes, Codes]:
    """For each of the meeting's `mine` the values of its group, as (class, place, count)."""
    pairs = np.flatnonzero(group_of[values.classes] >= 0)
    groups, places = group_of[values.classes[pairs]], values.places[pairs].astype(np.int64)
    whole, bound = combined([groups, places], [one.count, len(values.values)], len(pairs))
    same, first = numbered(whole, bound)
    sums, groups, places = summed(same, values.counts[pairs], len(first)), groups[first], places[first]
    order = np.argsort(groups, kind="stable")
    many = np.bincount(groups, minlength=one.count)
    starts = np.cumsum(many) - many
    each = many[one.own]
    begin = np.repeat(starts[one.own] - (np.cumsum(each) - each), each)
    taken = order[begin + np.arange(int(each.sum()))]
    return np.repeat(one.mine, each), places[taken], sums[taken]


def _added(values: Values, pieces: Sequence[tuple[Codes, Codes, Codes]]) -> Values:
    classes, places, counts = (np.concatenate([piece[part] for piece in pieces]) for part in range(3))
    whole, bound = combined([classes, places], [int(classes.max(initial=0)) + 1, len(values.values)], len(classes))
    same, first = numbered(whole, bound)
    sums = summed(same, counts, len(first))
    order = np.lexsort((places[first], classes[first]))
    kept = first[order]
    return replace(values, classes=classes[kept], places=places[kept].astype(np.int32), counts=sums[order])


__all__ = ["matching"]
