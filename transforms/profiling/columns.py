"""One pass over a table: what is counted of every column, in parts that add up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.find import Found, added, find_identifiers, weighted
from transforms.pipeline.feed import Unit
from transforms.pipeline.states import pack, unpack
from transforms.profiling.hashing import hashes
from transforms.profiling.looks import LOOKS, looks_of
from transforms.profiling.sketch import Sketch

# A first block, so small that it costs little, tells whether a column repeats its values.
_FIRST_BLOCK = 8_192


@dataclass(frozen=True)
class ColumnFacts:
    """What a column looks like; no value of it.

    `distinct`, `alone` (share of cells whose value stands once) and `entropy` (bits) are exact up to 1,024 distinct
    values, else estimates. `looks` are shares of the cells, `found` cells with identification numbers.
    """

    name: str
    type: pa.DataType
    rows: int
    nulls: int
    distinct: int
    exact: bool
    alone: float
    entropy: float
    looks: Mapping[str, float] = field(default_factory=dict)
    found: Mapping[str, Found] = field(default_factory=dict)

    @property
    def values(self) -> int:
        """Cells that are not null."""
        return self.rows - self.nulls

    @property
    def unique(self) -> bool:
        """Does every row seem to have a value of its own?"""
        return self.rows > 0 and self.nulls == 0 and self.alone >= 1.0


@dataclass
class ColumnState:
    """What is known of a column after some of its cells."""

    rows: int = 0
    nulls: int = 0
    sketch: Sketch = field(default_factory=Sketch)
    found: dict[str, Found] = field(default_factory=dict)

    def observe(self, cells: pa.Array) -> None:
        """Takes in more cells."""
        self.rows += len(cells)
        self.nulls += cells.null_count
        cells = cells.drop_null() if cells.null_count else cells
        if pa.types.is_null(cells.type) or not len(cells):
            return
        if not self.sketch.full and len(cells) > 2 * _FIRST_BLOCK:
            self._block(cells.slice(0, _FIRST_BLOCK))
            cells = cells.slice(_FIRST_BLOCK)
        self._block(cells)

    def _block(self, cells: pa.Array) -> None:
        if self.sketch.full:
            self.sketch.add(hashes(cells), None, lambda places: looks_of(cells.take(pa.array(places))))
            self.found = added((self.found, find_identifiers(cells)))
            return
        counted = pc.value_counts(cells)
        values, counts = counted.field("values"), np.asarray(counted.field("counts"), np.int64)
        self.sketch.add(hashes(values), counts, lambda places: looks_of(values.take(pa.array(places))))
        self.found = added((self.found, weighted(values, counts)))

    def merge(self, other: ColumnState) -> None:
        """Takes in what is known of other cells of the column."""
        self.rows += other.rows
        self.nulls += other.nulls
        self.sketch.merge(other.sketch)
        self.found = added((self.found, other.found))

    def facts(self, name: str, type_: pa.DataType) -> ColumnFacts:
        """What is told of the column."""
        cells = self.rows - self.nulls
        alone = self.sketch.alone(cells)
        distinct = cells if alone == 1.0 else min(cells, round(self.sketch.distinct))
        shares = {look: self.sketch.share(bit) for look, bit in LOOKS.items()}
        return ColumnFacts(
            name,
            type_,
            self.rows,
            self.nulls,
            distinct,
            not self.sketch.full,
            alone,
            self.sketch.entropy(cells),
            {look: share for look, share in shares.items() if share},
            self.found,
        )


@dataclass(frozen=True)
class ProfileTask:
    """The states of all columns over one unit: one blob."""

    columns: tuple[str, ...]

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        states = {name: ColumnState() for name in self.columns}
        for batch in unit.batches(self.columns):
            for name, state in states.items():
                state.observe(batch.column(name))
        yield pack(states)


def facts_of(schema: pa.Schema, blobs: Sequence[bytes]) -> list[ColumnFacts]:
    """The facts of every column, in the schema's order, from what the tasks gave."""
    states = {name: ColumnState() for name in schema.names}
    for blob in blobs:
        for name, state in unpack(blob).items():
            states[name].merge(state)
    return [states[one.name].facts(one.name, one.type) for one in schema]
