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
    encoded = encode_ids([classes[name].combine_chunks() for name in names]).to_pylist()
    if importance:
        solved = _Greedy(names, importance, listed, counts, encoded, find.below).solved()
    else:
        solved = _together(names, tuple(columns), listed, counts, encoded, find.below)
    acts = []
    for column in columns:
        emptied = sorted(encoded[place] for place, some in solved.emptied.items() if column in some)
        if emptied:
            acts.append(KeyAct(find.columns, pa.array(emptied, pa.binary()), column))
    if solved.removed:
        acts.append(KeyAct(find.columns, pa.array(sorted(encoded[place] for place in solved.removed), pa.binary())))
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
    """Step by step the cheapest way to bring some small groups to `least`: importance of the emptied cells by rows.

    A group is what has the same cells by now: one class at first, several once they were brought together. A way is
    a set of columns to empty and the cells that the emptied groups then share; what it costs is looked at again
    before it is taken.
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
        self.least, self.names, self.listed = least, names, listed
        self.weight = [importance.get(name, 0) for name in names]
        treated = [place for place, name in enumerate(names) if name in importance]
        self.patterns = [some for size in range(1, len(treated) + 1) for some in combinations(treated, size)]
        self.count = dict(zip(listed, counts, strict=True))
        self.first = dict(zip(listed, encoded, strict=True))
        self.members = {row: [place] for place, row in enumerate(listed)}
        self.small = {row for row, count in self.count.items() if count < least}
        self.ways: dict[tuple[tuple[int, ...], Cells], set[Cells]] = defaultdict(set)
        self.heap: list[tuple[float, tuple[int, ...], bytes, Cells]] = []
        for row in listed:
            self._enter(row)
        for some, cells in self.ways:
            self._offer(some, cells)

    def solved(self) -> _Solved:
        while self.heap and self.small:
            cost, some, _, cells = heapq.heappop(self.heap)
            now = self._cost(some, cells)
            if now == cost:
                self._take(some, cells)
            elif now is not None:
                self._offer(some, cells)
        gone = [place for row in self.small for place in self.members[row]]
        return _Solved(self._emptied(set(gone)), tuple(sorted(gone)))

    def _emptied(self, gone: set[int]) -> dict[int, tuple[str, ...]]:
        found = {}
        for row, members in self.members.items():
            for place in members:
                named = zip(self.names, self.listed[place], row, strict=True)
                columns = tuple(name for name, old, new in named if old is not None and new is None)
                if columns and place not in gone:
                    found[place] = columns
        return found

    def _enter(self, row: Cells) -> None:
        for some in self.patterns:
            self.ways[some, _without(row, some)].add(row)

    def _leave(self, row: Cells) -> None:
        for some in self.patterns:
            self.ways[some, _without(row, some)].discard(row)

    def _offer(self, some: tuple[int, ...], cells: Cells) -> None:
        """Equal costs are told apart by cells, so that the order of the classes does not matter."""
        cost = self._cost(some, cells)
        if cost is not None:
            first = min(self.first[row] for row in self.ways[some, cells])
            heapq.heappush(self.heap, (cost, some, first, cells))

    def _moved(self, some: tuple[int, ...], cells: Cells) -> tuple[list[Cells], int]:
        """The groups that are brought together, small ones first, and how many rows that makes."""
        rows = self.ways[some, cells]
        moved = [row for row in rows if row in self.small or row == cells]
        total = sum(self.count[row] for row in moved)
        if total < self.least and any(row in self.small for row in moved):
            large = sorted(
                (row for row in rows if row not in self.small and row != cells),
                key=lambda row: (self.count[row], self.first[row]),
            )
            for row in large:
                if total >= self.least:
                    break
                moved.append(row)
                total += self.count[row]
        return moved, total

    def _cost(self, some: tuple[int, ...], cells: Cells) -> float | None:
        """Importance of what is emptied for each row that is brought to `least`; None where none would be."""
        moved, total = self._moved(some, cells)
        helped = sum(self.count[row] for row in moved if row in self.small)
        if not helped or total < self.least:
            return None
        lost = sum(
            self.count[row] * sum(self.weight[place] for place in some if row[place] is not None) for row in moved
        )
        return lost / helped

    def _take(self, some: tuple[int, ...], cells: Cells) -> None:
        moved, total = self._moved(some, cells)
        places = [place for row in moved for place in self.members[row]]
        first = min(self.first[row] for row in moved)
        for row in moved:
            self._leave(row)
            self.small.discard(row)
            del self.count[row], self.members[row], self.first[row]
        self.count[cells], self.members[cells], self.first[cells] = total, places, first
        self._enter(cells)
        # Where this group may go on to, a way may have become possible, or cheaper.
        for pattern in self.patterns:
            self._offer(pattern, _without(cells, pattern))
