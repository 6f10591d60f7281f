"""How many values of a column only one record holds (유일값): what a rounding of too small a unit leaves.

A sketch keeps the hashes of values below a threshold that halves whenever they are too many; so figures are
exact up to 16,384 distinct values, and beyond them an estimate (to about 1 %) that no partitioning changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.families import family_of
from transforms.images import Finite, Image, Nothing, Numbers, Union
from transforms.kernels.cell_hash import CellHasher
from transforms.pipeline_model import Chain

MOST = 16_384
# A column of which more cells than this are unique gets a warning.
WARNED_SHARE = 0.05
GENERALIZING = frozenset({"generalization", "deletion"})
# Their chance is another one in every cell: all results are unique, and tell nothing of the values' uniqueness.
EACH_CELL_ANEW = frozenset({"share", "homomorphic-encryption"})
_COLUMN = "value"


@dataclass(frozen=True)
class Uniqueness:
    """Non-null cells of a column, its distinct values, and those of them that one record alone holds."""

    cells: int
    distinct: int
    unique: int
    exact: bool

    @property
    def share(self) -> float:
        """Share of the cells whose value nobody else has."""
        return self.unique / self.cells if self.cells else 0.0


@dataclass(frozen=True)
class Sketch:
    """Hashes below 2^(64 - level), in order, each with whether one cell alone has it; and the cells counted."""

    cells: int
    level: int
    hashes: npt.NDArray[np.uint64]
    single: npt.NDArray[np.bool_]

    def merge(self, other: Sketch) -> Sketch:
        level = max(self.level, other.level)
        hashes = np.concatenate([self.hashes, other.hashes])
        single = np.concatenate([self.single, other.single])
        distinct, first, counts = np.unique(hashes, return_index=True, return_counts=True)
        return _kept(self.cells + other.cells, level, distinct, single[first] & (counts == 1))

    def conclude(self) -> Uniqueness:
        return Uniqueness(
            self.cells, len(self.hashes) << self.level, int(self.single.sum()) << self.level, self.level == 0
        )


class Counter:
    """Makes sketches of cells. Its hash needs no secret: all that leaves a task are counts."""

    def __init__(self) -> None:
        self._hasher = CellHasher(Draws(Secret(bytes(32))), [_COLUMN])

    def sketch(self, cells: pa.Array) -> Sketch:
        counted = pc.value_counts(cells.drop_null())
        hashes = self._hasher.cells(_COLUMN, counted.field("values"))
        single = counted.field("counts").to_numpy() == 1
        order = np.argsort(hashes)
        return _kept(len(cells) - cells.null_count, 0, hashes[order], single[order])


def _kept(
    cells: int, level: int, hashes: npt.NDArray[np.uint64], single: npt.NDArray[np.bool_]
) -> Sketch:
    """As many of the hashes (in order) as a sketch may hold."""
    while True:
        count = int(np.searchsorted(hashes, np.uint64(1 << (64 - level)))) if level else len(hashes)
        if count <= MOST:
            return Sketch(cells, level, hashes[:count], single[:count])
        level += 1


def generalizes(chain: Chain) -> bool:
    """Is there a step that makes values coarser, so that its result should not be unique?"""
    if chain.steps and chain.steps[-1].technique.name in EACH_CELL_ANEW:
        return False
    return any(
        family_of(step.technique.name).english in GENERALIZING
        and step.technique.name not in ("suppression", "local-suppression")
        for step in chain.steps
    )


def possible(image: Image) -> int | None:
    """How many values an image can hold at most; None where it has no end."""
    match image:
        case Nothing():
            return 0
        case Finite(values=values):
            return len(values)
        case Union(parts=parts):
            sizes = [possible(part) for part in parts]
            return None if None in sizes else sum(size for size in sizes if size is not None)
        case Numbers(pieces=pieces):
            total = 0
            for piece in pieces:
                if piece.low is None or piece.high is None or (piece.unit is None and piece.low != piece.high):
                    return None
                span = Fraction(piece.high) - Fraction(piece.low)
                total += 1 if piece.unit is None else int(span / Fraction(piece.unit)) + 1
            return total
    return None


def merged(left: Mapping[str, Sketch], right: Mapping[str, Sketch]) -> dict[str, Sketch]:
    """Sketches of the same columns over more cells."""
    both = {name: left[name].merge(right[name]) for name in left.keys() & right.keys()}
    return {**left, **right, **both}


def worth_counting(image: Image, rows: int, limit: float | None) -> bool:
    """Could more values be unique than a warning or a plan's limit allows? Few possible values need no count."""
    size = possible(image)
    smallest = WARNED_SHARE if limit is None else min(limit, WARNED_SHARE)
    return size is None or size > smallest * rows
