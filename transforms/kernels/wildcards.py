"""Null as a wildcard: which rows agree where an empty cell may be any value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.kernels.codes import Codes, combined, numbered


@dataclass(frozen=True)
class Meeting:
    """Rows of one pattern of nulls (`mine`) and of another (`theirs`), by their places.

    They are in groups 0 … `count` - 1 of rows that agree where neither pattern is open: `own` of `mine`, `others` of
    `theirs`.
    """

    mine: Codes
    theirs: Codes
    own: Codes
    others: Codes
    count: int


def meetings(
    columns: Sequence[npt.NDArray[np.integer]], sizes: Sequence[int], blanks: Mapping[int, npt.NDArray[np.bool_]]
) -> Iterator[Meeting]:
    """Every two patterns of nulls, each with itself too: every row meets all rows that agree with it exactly once.

    `columns` are codes below `sizes`; `blanks` tells, for the places of the columns that are wildcards, which rows are
    empty there. In other columns a row agrees with its own code alone. Work: rows times patterns, and there are as
    many patterns as stand in the rows, 2 to the power of the wildcards at most.
    """
    bits = np.zeros(len(next(iter(blanks.values()))), np.int64)
    for number, blank in enumerate(blanks.values()):
        bits |= blank.astype(np.int64) << number
    patterns = np.unique(bits).tolist()
    members = {pattern: np.flatnonzero(bits == pattern) for pattern in patterns}
    for one in patterns:
        for other in patterns:
            is_open = {place for number, place in enumerate(blanks) if (one | other) >> number & 1}
            told = [place for place in range(len(columns)) if place not in is_open]
            mine, theirs = members[one], members[other]
            both = np.concatenate([mine, theirs])
            bounds = [sizes[place] for place in told]
            whole, bound = combined([columns[place][both] for place in told], bounds, len(both))
            groups, first = numbered(whole, bound)
            yield Meeting(mine, theirs, groups[: len(mine)], groups[len(mine) :], len(first))


__all__ = ["Meeting", "meetings"]
