"""Class facts: exact figures of each class of rows (its mean, its median, how many values must be rounded up).

A unit's rows are put together by class, a shuffle by the class's keyed hash brings the parts of a class to one
place, and there they become its figures. The classes' keys are keyed hashes: what is kept (additional information)
tells a class to nobody who lacks the run's secret.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.classes import Classes, places_in
from transforms.given import Given

CLASS = "class"
# Figures of more classes than this would not fit every task's memory.
MOST_CLASSES = 2_000_000


@dataclass(frozen=True)
class ClassTable:
    """Figures by class: column `class` (keys), then the figures; one row a class, sorted by key."""

    rows: pa.Table

    @classmethod
    def of(cls, rows: pa.Table) -> ClassTable:
        return cls(rows.sort_by(CLASS).combine_chunks())

    def places(self, classes: Classes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """For every row of `classes` the place of its class here (0 where it is not listed), and whether it is."""
        places, known = places_in(classes.keys, self.rows.column(CLASS).combine_chunks())
        return places[classes.codes], known[classes.codes]

    def figure(self, name: str) -> pa.Array:
        """One figure of all classes."""
        return self.rows.column(name).combine_chunks()

    def to_json(self) -> dict[str, Any]:
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, self.rows.schema, options=options) as writer:
            writer.write_table(self.rows)
        return {"class-table": base64.b64encode(sink.getvalue()).decode()}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> ClassTable:
        """The way back of `to_json`."""
        return cls(pa.ipc.open_stream(base64.b64decode(raw["class-table"])).read_all())


class ClassFact(ABC):
    """A figure of each class of the values that enter a step. Instances are frozen; `by` are the class columns."""

    by: tuple[str, ...]

    @property
    def draws(self) -> bool:
        """Does `observe` draw by rows, so that it needs their keys?"""
        return False

    @property
    def audit_keys(self) -> tuple[str, ...]:
        """Columns of the audit's counts by which they are added."""
        return (CLASS,)

    @abstractmethod
    def observe(self, values: pa.Array, given: Given) -> pa.Table:
        """What one batch tells: column `class` (keys of `given.classes`) and others; any number of rows a class."""

    @abstractmethod
    def merge(self, parts: pa.Table) -> pa.Table:
        """Many batches' rows put together, as few as possible; whole classes or parts of them, in any order."""

    @abstractmethod
    def figures(self, merged: pa.Table) -> pa.Table:
        """The figures of whole classes, from all that was observed of them and merged."""

    def conclude(self, figures: pa.Table) -> ClassTable | ClassFact:
        """All classes' figures, or the fact to observe over the data once more."""
        return ClassTable.of(figures)

    @abstractmethod
    def audit(self, values: pa.Array, given: Given, claim: ClassTable) -> pa.Table:
        """Counts over one batch by class that tell whether the claim is right; counts of a class are added."""

    @abstractmethod
    def accepts(self, counts: pa.Table, claim: ClassTable) -> bool:
        """Do the added counts prove the claim? `counts` hold column `class` and one row for each class there is."""
