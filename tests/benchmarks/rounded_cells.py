"""The task of controlled_rounding.py: a module of its own, for Spark's workers read it by its name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.pipeline.feed import Unit
from transforms.pipeline.states import pack
from transforms.pipeline.work import Rows, Work, select


@dataclass(frozen=True)
class RoundedTask:
    """Every rounded cell of a unit, added up by group: (sums before, sums after)."""

    work: Work
    groups: int

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        (chain,) = [one for one in self.work.table.chains if one.name == "amount"]
        sums = np.zeros((2, self.groups), np.int64)
        for batch in unit.batches(["id", "area", "amount"]):
            rows = Rows.of(self.work, batch, select(self.work, batch, order=False))
            areas = batch.column("area").to_numpy()
            for line, cells in enumerate((batch.column("amount"), rows.run(chain))):
                sums[line] += np.bincount(areas, cells.to_numpy(), self.groups).astype(np.int64)
        yield pack(sums)
