"""Unique identification numbers in columns that a plan processes: a cheap search ahead of the main job's passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.find import LEAST, Found, added, find_identifiers, weighted
from transforms.identity.judging import Judged, judged
from transforms.identity.kinds import KINDS
from transforms.pipeline.feed import Damaged, FileUnit, Piece, Unit, open_parquet
from transforms.pipeline.states import pack, unpack

_LEGAL = frozenset(kind.name for kind in KINDS.values() if kind.legal is not None)
Counts = dict[str, tuple[int, dict[str, Found]]]


def searched(schema: pa.Schema, units: Sequence[Unit]) -> tuple[str, ...]:
    """The columns to be searched: all texts, and numbers that are large enough somewhere among some first rows.

    To read all numbers would take as long as a fifth of the main job. A column of numbers that are mostly small is none
    of resident numbers; `profile` and `assess` look at every cell of it.
    """
    numbers = [field.name for field in schema if _wide(field.type)]
    pilots = (
        [units[place].pilot(numbers) for place in sorted({0, len(units) // 2, len(units) - 1})] if units else [None]
    )
    large = {name for name in numbers if any(pilot is None or _large(pilot.column(name)) for pilot in pilots)}
    return tuple(field.name for field in schema if pa.types.is_string(field.type) or field.name in large)


def _wide(type_: pa.DataType) -> bool:
    wide = pa.types.is_int64(type_) or pa.types.is_float64(type_)
    return bool(wide or (pa.types.is_decimal(type_) and type_.scale == 0))


def _large(numbers: pa.Array) -> bool:
    largest = pc.max(numbers).as_py()
    return largest is not None and largest >= LEAST


@dataclass(frozen=True)
class NumberSearch:
    """What stands in some columns of one unit: one blob. `held` puts the blobs together.

    Each distinct text of a row group is looked at once: files keep columns that repeat as dictionaries already.
    """

    columns: tuple[str, ...]

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        counts: Counts = {}
        for name, array in self._arrays(unit):
            values = len(array) - array.null_count
            found = _found(array)
            before = counts.get(name, (0, {}))
            counts[name] = (before[0] + values, added((before[1], found)))
        yield pack(counts)

    def _arrays(self, unit: Unit) -> Iterator[tuple[str, pa.Array]]:
        if isinstance(unit, FileUnit):
            for piece in unit.pieces:
                yield from self._piece(piece)
            return
        for batch in unit.batches(self.columns):
            yield from ((name, batch.column(name)) for name in self.columns)

    def _piece(self, piece: Piece) -> Iterator[tuple[str, pa.Array]]:
        try:
            with open_parquet(piece.file) as file:
                stored = set(file.schema_arrow.names)  # an older file lacks columns that were added later
            here = [name for name in self.columns if name in stored]
            with open_parquet(piece.file, dictionaries=here) as file:
                for name in here:
                    read = file.read_row_group(piece.row_group, [name], use_threads=False)
                    yield from ((name, chunk) for chunk in read.column(name).chunks)
        except (pa.ArrowException, OSError) as error:
            raise Damaged(piece.file.name, type(error).__name__) from None


def _found(array: pa.Array) -> dict[str, Found]:
    if pa.types.is_dictionary(array.type):
        array = array.drop_null()
        counts = np.bincount(array.indices.to_numpy(zero_copy_only=False), minlength=len(array.dictionary))
        every = weighted(array.dictionary, counts)
    else:
        every = find_identifiers(array)
    return {kind: one for kind, one in every.items() if kind in _LEGAL}


def held(blobs: Sequence[bytes]) -> Mapping[str, list[Judged]]:
    """The judged finds by column, of what all units gave."""
    values: dict[str, int] = {}
    found: dict[str, list[dict[str, Found]]] = {}
    for blob in blobs:
        for name, (cells, one) in unpack(blob).items():
            values[name] = values.get(name, 0) + cells
            found.setdefault(name, []).append(one)
    return {name: judged(added(parts), values[name]) for name, parts in found.items()}
