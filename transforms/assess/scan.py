"""One pass over a table's delivered columns: how unique each is, how far its ends lie out, what forms it holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.pipeline.states import pack, unpack
from transforms.profiling.columns import ColumnFacts, ColumnState


@dataclass
class Moments:
    """Number, mean, squared deviations and ends of a column's numbers; parts add up (Chan, Golub, LeVeque 1983)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def observe(self, cells: pa.Array) -> None:
        """Takes in more cells; nulls, NaN and infinities are left out."""
        numbers = np.asarray(pc.cast(cells.drop_null(), pa.float64(), safe=False), np.float64)
        numbers = numbers[np.isfinite(numbers)]
        if len(numbers):
            mean = float(numbers.mean())
            squares = float(((numbers - mean) ** 2).sum())
            self.merge(Moments(len(numbers), mean, squares, float(numbers.min()), float(numbers.max())))

    def merge(self, other: Moments) -> None:
        """Takes in what is known of other cells."""
        if other.count:
            count, apart = self.count + other.count, other.mean - self.mean
            self.squares += other.squares + apart * apart * self.count * other.count / count
            self.mean += apart * other.count / count
            self.count = count
            self.low, self.high = min(self.low, other.low), max(self.high, other.high)

    @property
    def reach(self) -> float | None:
        """How many standard deviations the farther end lies from the mean; None without numbers, 0 of equal ones."""
        if not self.count:
            return None
        deviation = math.sqrt(self.squares / self.count)
        return max(self.high - self.mean, self.mean - self.low) / deviation if deviation > 0 else 0.0


@dataclass
class Scan:
    """What is known of one column after some of its cells."""

    state: ColumnState = field(default_factory=ColumnState)
    moments: Moments = field(default_factory=Moments)

    def observe(self, cells: pa.Array) -> None:
        """Takes in more cells."""
        self.state.observe(cells)
        if is_number(cells.type):
            self.moments.observe(cells)

    def merge(self, other: Scan) -> None:
        """Takes in what is known of other cells of the column."""
        self.state.merge(other.state)
        self.moments.merge(other.moments)


@dataclass(frozen=True)
class Scanned:
    """One column: its facts, `rare` values (below the threshold; None where there are too many to know), `reach`."""

    facts: ColumnFacts
    rare: int | None
    reach: float | None


def is_number(type_: pa.DataType) -> bool:
    """Integers, floats and decimals."""
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


@dataclass(frozen=True)
class ScanTask:
    """The states of all columns over some batches: one blob."""

    columns: tuple[str, ...]

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        scans = {name: Scan() for name in self.columns}
        for batch in batches:
            for name, cells in zip(self.columns, batch.columns, strict=True):
                scans[name].observe(cells)
        yield pa.RecordBatch.from_arrays([pa.array([pack(scans)], pa.binary())], names=["state"])


def scanned(schema: pa.Schema, blobs: Sequence[bytes], threshold: int) -> dict[str, Scanned]:
    """Every column's facts, in the schema's order, from what the tasks gave."""
    whole: Mapping[str, Scan] = {name: Scan() for name in schema.names}
    for blob in blobs:
        for name, scan in unpack(blob).items():
            whole[name].merge(scan)
    return {one.name: _told(one, whole[one.name], threshold) for one in schema}


def _told(column: pa.Field, scan: Scan, threshold: int) -> Scanned:
    sketch = scan.state.sketch
    rare = None if sketch.full else int((sketch.counts < threshold).sum())
    return Scanned(scan.state.facts(column.name, column.type), rare, scan.moments.reach)
