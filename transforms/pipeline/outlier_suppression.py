"""Local suppression (로컬 삭제) solved: which classes lose which cells, so that every class has its least number."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import pyarrow as pa

from transforms.identifiers import encode_ids
from transforms.outlier_changes import KeyAct, RuleChange
from transforms.plan_outliers import Frequency, LocalSuppression

Cells = tuple[object, ...]


@dataclass(frozen=True)
class _Solved:
    """By class (its place): the columns that it loses; the classes whose records go."""

    emptied: dict[int, tuple[str, ...]] = field(default_factory=dict)
    removed: tuple[int, ...] = ()


def solve(
    number: int, find: Frequency, columns: Sequence[str], importance: Mapping[str, int], classes: pa.Table
) -> RuleChange:
    """Local suppression until every class has `below`: the fewest cells first, then records.

    `classes`: one row a class with its cells and `count_all`. Without `importance` a class below it loses all cells
    of `columns` together; with it, as few and as unimportant ones as can be found greedily. Where what they become
    is still too small, the smallest class that shares their other cells joins them; where there is none, their
    records go.
    """
    names = list(find.columns)
    listed = [tuple(row.values()) for row in classes.select(names).to_pylist()]
    counts = classes["count_all"].to_pylist()
    keys = encode_ids([classes[name].combine_chunks() for name in names])
    encoded = keys.to_pylist()
    if importance:
        solved = _Greedy(names, dict(importance), listed, counts, encoded, find.below).solved()
    else:
        solved = _together(names, tuple(columns), listed, counts, encoded, find.below)
    acts = []
    for column in columns:
        places = [place for place, emptied in solved.emptied.items() if column in emptied]
        if places:
            acts.append(KeyAct(find.columns, keys.take(pa.array(sorted(places), pa.int64())), column))
    if solved.removed:
        acts.append(KeyAct(find.columns, keys.take(pa.array(sorted(solved.removed), pa.int64()))))
    return RuleChange(
        number,
        tuple(acts),
        cells=sum(counts[place] * len(emptied) for place, emptied in solved.emptied.items()),
        rows=sum(counts[place] for place in solved.removed),
    )


def of_rule(number: int, find: Frequency, treat: LocalSuppression, classes: pa.Table) -> RuleChange:
    """`solve` with the parameters of a rule."""
    return solve(number, find, treat.columns or find.columns, treat.importance, classes)


def _together(
    names: Sequence[str],
    treated: tuple[str, ...],
    listed: Sequence[Cells],
    counts: Sequence[int],
    encoded: Sequence[bytes],
    least: int,
) -> _Solved:
    """All treated cells of a class go at once."""
    at = [names.index(name) for name in treated]
    blank = [all(row[place] is None for place in at) for row in listed]
    groups: dict[Cells, list[int]] = defaultdict(list)
    for place, row in enumerate(listed):
        groups[_without(row, at)].append(place)
    emptied: dict[int, tuple[str, ...]] = {}
    removed: list[int] = []
    for members in groups.values():
        taken, gone = _solve_group(members, counts, encoded, blank, least)
        emptied |= dict.fromkeys(taken, treated)
        removed += gone
    return _Solved(emptied, tuple(removed))


def _without(row: Cells, at: Sequence[int]) -> Cells:
    return tuple(None if place in at else cell for place, cell in enumerate(row))


def _solve_group(
    members: Sequence[int], counts: Sequence[int], encoded: Sequence[bytes], blank: Sequence[bool], k: int
) -> tuple[list[int], list[int]]:
    """Classes with the same other cells: which lose their treated cells, which their records."""
    small = [m for m in members if counts[m] < k and not blank[m]]
    already = [m for m in members if blank[m]]
    total = sum(counts[m] for m in small + already)
    if not small and (not already or total >= k):
        return [], []
    large = sorted((m for m in members if counts[m] >= k and not blank[m]), key=lambda m: (counts[m], encoded[m]))
    taken = list(small)
    for candidate in large:
        if total >= k:
            break
        taken.append(candidate)
        total += counts[candidate]
    if total >= k:
        return taken, []
    return [], small + already


class _Greedy:
    """Step by step the cheapest way to bring some small classes to `least`: importance of the emptied cells by rows.

    A way is a set of columns to empty and the cells that the emptied classes then share. Costs only rise while
    classes are solved, so a way that was found cheap is looked at again before it is taken.
    """

    def __init__(
        self,
        names: Sequence[str],
        importance: Mapping[str, int],
        listed: Sequence[Cells],
        counts: Sequence[int],
        encoded: Sequence[bytes],
        least: int,
    ) -> None:
        self.names, self.counts, self.encoded, self.least = names, counts, encoded, least
        self.listed = listed
        self.open = {place for place, count in enumerate(counts) if count < least}
        self.free = {place for place, count in enumerate(counts) if count >= least}
        self.emptied: dict[int, tuple[str, ...]] = {}
        # Rows that stand at certain cells already and need no more: classes there, or brought there.
        self.there: dict[Cells, int] = defaultdict(int)
        self.fixed: set[Cells] = set()
        for place in self.free:
            self.there[listed[place]] += counts[place]
        self.ways: dict[tuple[tuple[str, ...], Cells], list[int]] = defaultdict(list)
        self.weight: dict[tuple[str, ...], int] = {}
        for size in range(1, len(importance) + 1):
            for some in combinations(sorted(importance, key=names.index), size):
                self.weight[some] = sum(importance[name] for name in some)
                at = [names.index(name) for name in some]
                for place, row in enumerate(listed):
                    self.ways[some, _without(row, at)].append(place)

    def solved(self) -> _Solved:
        # What is brought together may make a way possible that was none before.
        while self.open and self._round():
            pass
        return _Solved(self.emptied, tuple(sorted(self.open)))

    def _round(self) -> bool:
        costs = ((self._cost(way), way) for way in self.ways)
        heap = [(cost, self._tie(way), way) for cost, way in costs if cost is not None]
        heapq.heapify(heap)
        some = bool(heap)
        while heap and self.open:
            cost, tie, way = heapq.heappop(heap)
            now = self._cost(way)
            if now is None:
                continue
            if now > cost:
                heapq.heappush(heap, (now, tie, way))
                continue
            self._take(way)
        return some

    def _tie(self, way: tuple[tuple[str, ...], Cells]) -> bytes:
        """An order among equal costs that does not depend on the order of the classes."""
        return b"\x00".join([*(name.encode() for name in way[0]), min(self.encoded[m] for m in self.ways[way])])

    def _members(self, way: tuple[tuple[str, ...], Cells]) -> tuple[list[int], list[int], int]:
        """Small classes to empty or that stand there, large ones to empty with them, rows there already."""
        _, cells = way
        small = [m for m in self.ways[way] if m in self.open]
        total = sum(self.counts[m] for m in small) + self.there.get(cells, 0)
        pulled: list[int] = []
        if small and total < self.least:
            large = [m for m in self.ways[way] if m in self.free and self.listed[m] not in self.fixed | {cells}]
            for candidate in sorted(large, key=lambda m: (self.counts[m], self.encoded[m])):
                if total >= self.least:
                    break
                pulled.append(candidate)
                total += self.counts[candidate]
        return small, pulled, total

    def _cost(self, way: tuple[tuple[str, ...], Cells]) -> float | None:
        """Importance of what is emptied for each row that is solved; None where nothing would be."""
        small, pulled, total = self._members(way)
        if not small or total < self.least:
            return None
        rows = sum(self.counts[m] for m in [*small, *pulled] if self.listed[m] != way[1])
        return self.weight[way[0]] * rows / sum(self.counts[m] for m in small)

    def _take(self, way: tuple[tuple[str, ...], Cells]) -> None:
        some, cells = way
        small, pulled, total = self._members(way)
        self.there[cells] = total
        # What others were brought to stays.
        self.fixed.add(cells)
        self.open -= set(small)
        for member in pulled:
            self.free.discard(member)
            self.there[self.listed[member]] -= self.counts[member]
        for member in (*small, *pulled):
            if self.listed[member] != cells:
                # Cells that are null already are not emptied.
                at = {name for name in some if self.listed[member][self.names.index(name)] is not None}
                self.emptied[member] = tuple(name for name in some if name in at)
