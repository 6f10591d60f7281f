"""The delivered cells once more: what verify computes from the source, and the sums that it compares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.facts import Counts
from transforms.given import Given
from transforms.kernels.cell_hash import CellHasher
from transforms.pipeline.derived import derive
from transforms.pipeline.feed import FILE, ROW, FileUnit, TableUnit
from transforms.pipeline.members import Words
from transforms.pipeline.work import Rows, guarded
from transforms.pipeline_model import Chain, Step, TablePipeline

MASK = (1 << 64) - 1
# Tells rows at different places of a file apart: an odd constant (2^64 divided by the golden ratio).
PLACE = np.uint64(0x9E3779B97F4A7C15)
Visit = Callable[[Chain, int, pa.Array], None]


@dataclass(frozen=True)
class StagedUnit:
    """Some row groups of the staged files, beside units of the source in one pass."""

    inner: FileUnit | TableUnit

    @property
    def index(self) -> int:
        return self.inner.index

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return self.inner.batches(columns)

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return self.inner.pilot(columns)


@dataclass
class Sums:
    """Rows, and sums of hashes modulo 2^64: of each column, of rows without and with their serials.

    `ordered` are sums over rows at their places, by file (staged) or order bucket (recomputed).
    """

    rows: int = 0
    bodies: int = 0
    wholes: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    ordered: dict[str, int] = field(default_factory=dict)

    def merge(self, other: Sums) -> None:
        """Takes up the sums of other rows."""
        self.rows += other.rows
        self.bodies = (self.bodies + other.bodies) & MASK
        self.wholes = (self.wholes + other.wholes) & MASK
        for mine, theirs in ((self.columns, other.columns), (self.ordered, other.ordered)):
            for name, value in theirs.items():
                mine[name] = (mine.get(name, 0) + value) & MASK

    def add_column(self, name: str, value: int) -> None:
        """More cells of a column."""
        self.columns[name] = (self.columns.get(name, 0) + value) & MASK

    def add_places(self, name: str, hasher: CellHasher, wholes: Words, first: int) -> None:
        """Rows that stand one after another in a file or bucket, from place `first` on."""
        places = np.arange(first, first + len(wholes), dtype=np.uint64) * PLACE
        value = int(np.add.reduce(hasher.rows(wholes + places)))
        self.ordered[name] = (self.ordered.get(name, 0) + value) & MASK


def total(words: Words) -> int:
    """Sum modulo 2^64."""
    return int(np.add.reduce(words)) if len(words) else 0


def recomputed(rows: Rows, visit: Visit | None = None) -> tuple[dict[str, pa.Array], npt.NDArray[np.bool_] | None]:
    """All delivered cells that single rows tell, derived ones too, and which rows outlier rules keep.

    `visit` sees the values that enter each step and, with the number behind the last step, what comes out.
    """
    table = rows.work.table
    cells: dict[str, pa.Array] = {}
    for chain in table.chains:
        if chain.ranked:
            continue
        values = rows.column(chain.name)
        if chain.classed:
            _visited(rows, chain, values, visit)
            continue
        for number, step in enumerate(chain.steps):
            if visit is not None:
                visit(chain, number, values)
            values = rows.step(chain, number, step, values)
        if visit is not None:
            visit(chain, len(chain.steps), values)
        cells[chain.name] = values
    keep = rows.work.changes.apply(cells) if rows.work.changes is not None else None
    if keep is not None:
        mask = pa.array(keep)
        cells = {name: array.filter(mask) for name, array in cells.items()}
    for column in table.derived:
        cells[column.name] = guarded(column.site, lambda c=column: derive(c, cells))
    return cells, keep


def _visited(rows: Rows, chain: Chain, values: pa.Array, visit: Visit | None) -> None:
    """Shows the values that enter the steps of a chain whose last step needs whole classes."""
    if visit is None or not any(step.facts for step in chain.steps):
        return
    for number, step in enumerate(chain.steps):
        visit(chain, number, values)
        if step is not chain.steps[-1]:
            values = rows.step(chain, number, step, values)


def ranked_cells(steps: Sequence[Step], ranks: pa.Array) -> pa.Array:
    """A column of serial numbers."""
    values = ranks
    for step in steps:
        given = Given(step.site, ranks=ranks)
        values = guarded(step.site, lambda s=step, v=values, g=given: s.technique.apply(v, g))
    return values


def body_columns(table: TablePipeline) -> list[str]:
    """All columns but those that wait for the order of all rows."""
    ranked = {chain.name for chain in table.chains if chain.ranked}
    return [column.name for column in table.columns if column.name not in ranked]


def row_body_columns(table: TablePipeline) -> list[str]:
    """Columns that one row's source cells tell; the other columns of a body come from whole classes."""
    classed = {chain.name for chain in table.chains if chain.classed}
    return [name for name in body_columns(table) if name not in classed]


def ranked_columns(table: TablePipeline) -> list[str]:
    """Columns of serial numbers."""
    return [chain.name for chain in table.chains if chain.ranked]


def staged_batches(unit: StagedUnit, columns: Sequence[str]) -> Iterator[tuple[str, int, pa.RecordBatch]]:
    """The file, the place of the first row in it, and the cells."""
    for batch in unit.batches([*columns, FILE, ROW]):
        if batch.num_rows:
            yield batch.column(FILE)[0].as_py(), batch.column(ROW)[0].as_py(), batch.select(list(columns))


def add_counts(total_: Counts, more: Counts) -> None:
    """Counts of a fact's audit over more values."""
    for name, value in more.items():
        total_[name] = total_.get(name, 0) + value
