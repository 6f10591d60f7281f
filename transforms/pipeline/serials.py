"""Sets of serial numbers, exact and bounded: pages of 65,536 numbers as bitmaps, only those that are met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import values_and_mask

PAGE = 1 << 16


@dataclass(frozen=True)
class Serials:
    """The numbers met in some rows: `count` of cells, and each number once in `pages` (bitmaps of 8 KB).

    Rows stand in the order of their serials, so a unit meets few pages; in whatever order, all pages
    together never take more than one bit for each number up to the highest.
    """

    count: int = 0
    pages: Mapping[int, npt.NDArray[np.uint8]] = field(default_factory=dict)

    @classmethod
    def of(cls, cells: pa.Array, highest: int) -> tuple[Serials, int]:
        """The numbers from 1 to `highest` among the cells, and how many cells are null or outside."""
        numbers, null = values_and_mask(cells)
        sound = (numbers >= 1) & (numbers <= highest)
        if null is not None:
            sound &= ~null
        inside = numbers[sound]
        distinct = np.unique(inside)
        pages: dict[int, npt.NDArray[np.uint8]] = {}
        homes = distinct // PAGE
        for home in np.unique(homes).tolist():
            bits = np.zeros(PAGE, np.bool_)
            bits[distinct[homes == home] % PAGE] = True
            pages[home] = np.packbits(bits)
        return cls(len(inside), pages), len(cells) - len(inside)

    def merge(self, other: Serials) -> Serials:
        pages = dict(self.pages)
        for home, bits in other.pages.items():
            pages[home] = pages[home] | bits if home in pages else bits
        return Serials(self.count + other.count, pages)

    @property
    def distinct(self) -> int:
        """How many different numbers were met."""
        return sum(int(np.bitwise_count(bits).sum()) for bits in self.pages.values())

    @property
    def repeated(self) -> int:
        """How many cells hold a number that another cell holds already."""
        return self.count - self.distinct

    @property
    def highest(self) -> int:
        """The highest number met; 0 where there is none."""
        if not self.pages:
            return 0
        home = max(self.pages)
        return home * PAGE + int(np.flatnonzero(np.unpackbits(self.pages[home]))[-1])

    def missing(self, highest: int) -> int:
        """How many numbers from 1 to `highest` were not met; none met lies above it."""
        return highest - self.distinct
