"""Controlled rounding in two dimensions: both margins of a table stay, as a transportation problem.

Every margin, and the total, goes to one of its two neighbouring multiples; the fractional table itself meets these
bounds, and the bounds' matrix (two laminar families of sums) is totally unimodular, so there always is a solution
in whole numbers. Source: L. H. Cox, A constructive procedure for unbiased controlled rounding, JASA 82 (1987).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.errors import CellsRefused

Places = npt.NDArray[np.int64]
# Lines (cells of the table by residue) that are solved in one place in some seconds.
MOST_LINES = 500_000


def rounded_margins(
    first: Places, second: Places, residues: Places, cells: Places, unit: int, *, exact: bool
) -> Places:
    """How many of each line's `cells` go up, so that the least is added and taken away in all.

    A line is one residue (0 … unit - 1) of one cell of the table: `first` and `second` are its row and column.
    `exact`: CellsRefused where a margin is no multiple of the unit. CellsRefused for too many lines.
    """
    if len(residues) > MOST_LINES:
        raise CellsRefused(
            f"more than {MOST_LINES:,} residues in the classes of two margins; name coarser class columns, or a "
            "smaller unit",
            len(residues),
        )
    up = np.zeros(len(residues), np.int64)
    lines = np.flatnonzero(residues)
    sums = [_sums(side, residues * cells) for side in (first, second)]
    wrong = sum(int((one % unit != 0).sum()) for one in sums)
    if exact and wrong:
        raise CellsRefused(
            "margins that are no multiple of the unit, which no rounding to it can keep; say `total: nearest`, or "
            "take a unit that divides them: margins",
            wrong,
        )
    if not len(lines):
        return up
    from scipy import optimize, sparse

    count, rows = len(lines), len(sums[0])
    places = np.concatenate([first[lines], rows + second[lines], np.full(count, rows + len(sums[1]))])
    matrix = sparse.csr_array(
        (np.ones(3 * count), (places, np.tile(np.arange(count), 3))), shape=(rows + len(sums[1]) + 1, count)
    )
    wanted = np.concatenate([*sums, [sums[0].sum()]])
    solved = optimize.milp(
        (unit - 2 * residues[lines]).astype(np.float64),
        integrality=np.ones(count),
        bounds=optimize.Bounds(0, cells[lines]),
        constraints=optimize.LinearConstraint(matrix, wanted // unit, -(-wanted // unit)),
    )
    if solved.x is None:
        raise CellsRefused("no rounding found that keeps both margins: lines", count)
    up[lines] = np.rint(solved.x).astype(np.int64)
    return up


def _sums(side: Places, amounts: Places) -> Places:
    """Exact sums by row or column."""
    found = np.zeros(int(side.max()) + 1 if len(side) else 0, np.int64)
    np.add.at(found, side, amounts)
    return found
