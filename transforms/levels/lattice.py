"""The lattice of levels (full-domain generalization): the coarser, the higher; searched for the least loss.

Criteria and pruning after Samarati 2001 (full-domain generalization, suppression of outliers), LeFevre et al. 2005
(monotonicity) and Kohlmayer et al. 2012 (Flash: binary search along paths); the loss is the non-uniform entropy of
Gionis and Tassa 2009. Nothing is searched by chance: the result is the optimum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from transforms.levels.classes import Classes
from transforms.levels.ladder import Rung

Levels = tuple[int, ...]
Losses = npt.NDArray[np.float64]
MOST_NODES = 2_000_000


@dataclass(frozen=True)
class Asked:
    """What classes must meet: `k` persons; in each class that has them `l` distinct values of every sensitive column,
    and distributions within `t` of the table's. `suppressed`: the largest share of rows in smaller classes, which are
    removed."""

    k: int
    suppressed: float = 0.0
    l: int | None = None  # noqa: E741 - as everyone calls it
    t: float | None = None


@dataclass(frozen=True)
class Found:
    """A node: its levels by column, share of rows removed, loss (0 none … 1 all), classes, the smallest one's size."""

    levels: Levels
    suppressed: float
    loss: float
    classes: int
    smallest: int


@dataclass
class Search:
    """A search over all combinations of rungs. `evaluated` counts the nodes at which classes were counted."""

    classes: Classes
    ladders: Sequence[Sequence[Rung]]
    asked: Asked
    evaluated: int = 0
    best: Found | None = None
    _losses: list[list[Losses]] = field(default_factory=list)

    def run(self) -> Found | None:
        """The node of the least loss that meets what is asked; None where even suppression of all columns does not.

        ValueError for more than 2,000,000 nodes.
        """
        shape = tuple(len(rungs) for rungs in self.ladders)
        if np.prod(shape, dtype=np.float64) > MOST_NODES:
            raise ValueError(f"{'×'.join(map(str, shape))} combinations of levels; allowed: {MOST_NODES:,}")
        self._losses = [self.classes.losses(place, rungs) for place, rungs in enumerate(self.ladders)]
        bounds = self._bounds(shape)
        closed = np.zeros(shape, bool)
        for flat in np.argsort(bounds, axis=None, kind="stable"):
            node = tuple(int(one) for one in np.unravel_index(flat, shape))
            if self.best is not None and bounds[node] >= self.best.loss:
                break
            if not closed[node]:
                self._climb(node, shape, closed)
        return self.best

    def _climb(self, node: Levels, shape: Levels, closed: npt.NDArray[np.bool_]) -> None:
        """Looks at a node. Where its classes are too small, a binary search on a path above finds how far up that
        holds: everything below is closed, for it is no better."""
        if self._look(node, closed):
            return
        path = self._path(node, shape)
        low, high = 0, len(path)
        while low < high:
            middle = (low + high) // 2
            if closed[path[middle]] or not self._look(path[middle], closed):
                low = middle + 1
            else:
                high = middle

    def _look(self, node: Levels, closed: npt.NDArray[np.bool_]) -> bool:
        """Counts a node's classes, once; False where too many rows stand in classes that are too small."""
        self.evaluated += 1
        codes = [rungs[level].codes for rungs, level in zip(self.ladders, node, strict=True)]
        sizes = [rungs[level].groups for rungs, level in zip(self.ladders, node, strict=True)]
        counted = self.classes.count(codes, sizes, self.asked)
        if counted.suppressed > self.asked.suppressed:
            closed[tuple(slice(0, level + 1) for level in node)] = True
            return False
        closed[node] = True
        loss = counted.loss([losses[level] for losses, level in zip(self._losses, node, strict=True)], self.classes)
        if counted.meets and (self.best is None or (loss, node) < (self.best.loss, self.best.levels)):
            self.best = Found(node, counted.suppressed, loss, counted.classes, counted.smallest)
        return True

    def _path(self, node: Levels, shape: Levels) -> list[Levels]:
        """Nodes above, one level higher each, to the top: the column that is lowest climbs first."""
        path, at = [], list(node)
        while any(level + 1 < size for level, size in zip(at, shape, strict=True)):
            free = [place for place, size in enumerate(shape) if at[place] + 1 < size]
            place = min(free, key=lambda one: ((at[one] + 1) / shape[one], one))
            at[place] += 1
            path.append(tuple(at))
        return path

    def _bounds(self, shape: Levels) -> Losses:
        """Each node's loss by its levels alone, without the rows removed: its loss is never less."""
        total = np.zeros(shape)
        for place, losses in enumerate(self._losses):
            means = np.array([self.classes.mean(place, one) for one in losses])
            total += means.reshape([-1 if axis == place else 1 for axis in range(len(shape))])
        return total / max(1, len(shape))


__all__ = ["Asked", "Found", "Levels", "Search"]
