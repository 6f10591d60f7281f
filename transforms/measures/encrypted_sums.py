"""Sums of homomorphically encrypted columns (동형 암호화) by group, without the private key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import BinaryType, LongType, StructField, StructType

from transforms.errors import CellsRefused
from transforms.kernels.paillier import PublicKey
from transforms.pipeline.quiet import quietly

COUNT = "_count"
# A partition hands on what it has when it holds so many groups.
MOST_GROUPS = 20_000
Group = tuple[Any, ...]


def encrypted_sums(frame: DataFrame, by: Sequence[str], columns: Sequence[str], key: PublicKey) -> DataFrame:
    """One row a group of equal `by`: for each of `columns` the encrypted sum of its non-null cells, and their number.

    `columns` are binary, ciphertexts under `key` (`homomorphic-encryption`); the sum keeps the column's name (binary;
    null where the group has no cell), the number is NAME_count (long). Null is a value of its own in `by`; no `by`:
    all rows are one group. Whoever has the private key reads the sums with `gamyeong decrypt-sums`.

    Two Spark stages: products within partitions (mapInArrow), then of those by group. Some 100,000 additions a second
    and core. ValueError for columns that `frame` lacks or that are not binary. Source: guideline L2120-2124.
    """
    wrong = [name for name in (*by, *columns) if name not in frame.columns]
    wrong += [name for name in columns if name in frame.columns and frame.schema[name].dataType != BinaryType()]
    if wrong or not columns or set(by) & set(columns):
        raise ValueError(f"columns {', '.join(wrong) or 'named twice, or none'}; allowed: binary columns of the frame")
    fields = [frame.schema[name] for name in by]
    for name in columns:
        fields += [StructField(name, BinaryType()), StructField(name + COUNT, LongType())]
    schema = StructType(fields)
    chosen = frame.select(*[_quoted(name) for name in (*by, *columns)])
    whole = tuple(by), tuple(columns), key

    def together(rows: pa.Table) -> pa.Table:
        sums = Sums(*whole)
        sums.take(rows, counted=True)
        return sums.table(rows.schema)

    first = chosen.mapInArrow(quietly(_Partial(*whole)), schema)
    return first.groupBy(*[_quoted(name) for name in by]).applyInArrow(together, schema)


@dataclass
class Sums:
    """Products of ciphertexts and numbers of cells, by group and column."""

    by: tuple[str, ...]
    columns: tuple[str, ...]
    key: PublicKey
    groups: dict[Group, list[tuple[bytes | None, int]]] = field(default_factory=dict)

    def take(self, rows: pa.RecordBatch | pa.Table, counted: bool) -> None:
        """More rows: cells, or (`counted`) sums of some with their numbers."""
        keys = list(zip(*(rows.column(name).to_pylist() for name in self.by), strict=True)) or [()] * rows.num_rows
        places: dict[Group, list[int]] = {}
        for place, group in enumerate(keys):
            places.setdefault(group, []).append(place)
        for number, name in enumerate(self.columns):
            cells = rows.column(name).to_pylist()
            counts = rows.column(name + COUNT).to_pylist() if counted else [1] * len(cells)
            for group, mine in places.items():
                present = [place for place in mine if cells[place] is not None]
                sums = self.groups.setdefault(group, [(None, 0)] * len(self.columns))
                sums[number] = self._more(sums[number], [cells[place] for place in present], counts, present)

    def _more(
        self, old: tuple[bytes | None, int], cells: list[bytes], counts: Sequence[int], present: Iterable[int]
    ) -> tuple[bytes | None, int]:
        if not cells:
            return old
        if foreign := sum(len(cell) != self.key.width for cell in cells):
            raise CellsRefused("cells that are no ciphertexts of this key", foreign)
        return self.key.add(cells, old[0]), old[1] + sum(counts[place] for place in present)

    def table(self, schema: pa.Schema) -> pa.Table:
        """One row a group; `schema` tells the types of `by`."""
        arrays = [
            pa.array([group[place] for group in self.groups], schema.field(name).type)
            for place, name in enumerate(self.by)
        ]
        names = list(self.by)
        for number, name in enumerate(self.columns):
            arrays.append(pa.array([sums[number][0] for sums in self.groups.values()], pa.binary()))
            arrays.append(pa.array([sums[number][1] for sums in self.groups.values()], pa.int64()))
            names += [name, name + COUNT]
        return pa.table(arrays, names)


@dataclass(frozen=True)
class _Partial:
    by: tuple[str, ...]
    columns: tuple[str, ...]
    key: PublicKey

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        sums, schema = Sums(self.by, self.columns, self.key), None
        for batch in batches:
            schema = batch.schema
            sums.take(batch, counted=False)
            if len(sums.groups) >= MOST_GROUPS:
                yield from sums.table(schema).to_batches()
                sums = Sums(self.by, self.columns, self.key)
        if schema is not None:
            yield from sums.table(schema).to_batches()


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


__all__ = ["COUNT", "encrypted_sums"]
