"""Controlled rounding in two dimensions: a table of sums whose margins stay, as a transportation problem.

Every cell of the table, every margin and the total go to one of their two neighbouring multiples. The table itself,
in units, meets these bounds, and their matrix (two laminar families of sums) is totally unimodular, so there always
is a solution in whole numbers, and the simplex method ends in one. Source: L. H. Cox, A constructive procedure for
unbiased controlled rounding, JASA 82 (1987).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.errors import CellsRefused

Places = npt.NDArray[np.int64]
# Cells that are solved in one place within a minute or so.
MOST_CELLS = 200_000


def rounded_margins(first: Places, second: Places, sums: Places, unit: int, *, exact: bool) -> Places:
    """Each cell's sum in units, rounded down or up so that the margins stay and the cells change least in all.

    `first` and `second` are the row and the column of each cell, each pair once; sums are not negative. `exact`:
    CellsRefused where a margin is no multiple of the unit. CellsRefused for too many cells.
    """
    if len(sums) > MOST_CELLS:
        raise CellsRefused(f"more than {MOST_CELLS:,} classes of two margins; name coarser class columns", len(sums))
    down, rest = np.divmod(sums, unit)
    margins = [_added(side, rest) for side in (first, second)]
    if exact and (wrong := sum(int((one % unit != 0).sum()) for one in margins)):
        raise CellsRefused(
            "margins that are no multiple of the unit, which no rounding to it can keep; say `total: nearest`, or "
            "take a unit that divides them: margins",
            wrong,
        )
    open_ = np.flatnonzero(rest)
    if len(open_):
        down[open_] += _chosen(first[open_], second[open_], rest[open_], margins, unit)
    return down


def _chosen(first: Places, second: Places, rest: Places, margins: list[Places], unit: int) -> Places:
    """Which of the cells that are no multiple go up (1) or down (0)."""
    from scipy import optimize, sparse

    count, rows = len(rest), len(margins[0])
    total = rows + len(margins[1])
    places = np.concatenate([first, rows + second, np.full(count, total)])
    columns = np.tile(np.arange(count), 3)
    matrix = sparse.csr_array((np.ones(3 * count), (places, columns)), shape=(total + 1, count))
    wanted = np.concatenate([*margins, [margins[0].sum()]])
    solved = optimize.linprog(
        (unit - 2 * rest) / unit,
        A_ub=sparse.vstack([matrix, -matrix]),
        b_ub=np.concatenate([-(-wanted // unit), -(wanted // unit)]),
        bounds=(0, 1),
        method="highs-ds",
    )
    if solved.x is None:
        raise CellsRefused("no rounding found that keeps both margins: classes", count)
    chosen: Places = np.rint(solved.x).astype(np.int64)
    if np.abs(solved.x - chosen).max() > 1e-6:
        raise CellsRefused("no rounding in whole numbers found that keeps both margins: classes", count)
    return chosen


def _added(side: Places, amounts: Places) -> Places:
    """Exact sums by row or column."""
    found = np.zeros(int(side.max()) + 1 if len(side) else 0, np.int64)
    np.add.at(found, side, amounts)
    return found
