"""The vault pass: from every distinct token of a table's vaulted columns to the id that it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.distinct_fact import composed
from transforms.errors import CellsRefused
from transforms.kernels.letters import letters_of
from transforms.pipeline.feed import Unit
from transforms.pipeline.outlier_gather import class_columns
from transforms.pipeline.transform import all_columns, from_blobs, to_blob, transform
from transforms.pipeline.work import Rows, Work, select
from transforms.pipeline_model import Chain, TablePipeline
from transforms.techniques.tokens import vaulted

ENTRIES_OF_A_BUCKET = 1 << 20
# Every token is at least so long.
_HASHED_LETTERS = 4


def vaults(table: TablePipeline) -> list[Chain]:
    """The delivered columns whose tokens can be looked up, in the table's order."""
    chains = [column for column in table.columns if isinstance(column, Chain)]
    return [chain for chain in chains if chain.steps and vaulted(chain.steps[-1].technique)]


def bucket_count(rows: int) -> int:
    """How many buckets a vault's entries are dealt into, for so many delivered rows."""
    return max(1, -(-rows // ENTRIES_OF_A_BUCKET))


class VaultSink(Protocol):
    """What becomes of one bucket's entries (`token` and `value`, one row for each token): a description."""

    def __call__(self, bucket: int, entries: pa.Table) -> Iterator[bytes]: ...


@dataclass(frozen=True)
class VaultMap:
    """Yields (bucket, Arrow blob) of the distinct entries of each batch; `buckets` for each of the vaults in turn."""

    work: Work
    buckets: int

    def __call__(self, unit: Unit) -> Iterator[tuple[int, bytes]]:
        chains = vaults(self.work.table)
        for batch in unit.batches(self._columns(chains)):
            chosen = select(self.work, batch)
            if not len(chosen.rows):
                continue
            rows = Rows.of(self.work, batch, chosen)
            keep = None
            if self.work.changes is None:
                cells = {chain.name: rows.run(chain) for chain in chains}
            else:
                # Nobody's id is kept whose record an outlier rule removes.
                cells, keep = transform(self.work, rows)
            for place, chain in enumerate(chains):
                entries = distinct(cells[chain.name], rows.run(chain, len(chain.steps) - 1), keep)
                dealt = bucket_of_tokens(entries.column("token").combine_chunks(), self.buckets)
                for bucket in np.unique(dealt):
                    part = entries.filter(pa.array(dealt == bucket)).combine_chunks().to_batches()
                    yield place * self.buckets + int(bucket), to_blob(part[0]).to_pybytes()

    def _columns(self, chains: Sequence[Chain]) -> list[str]:
        """What the vaulted cells are made from; all, where outlier rules remove records by other cells."""
        table = self.work.table
        if self.work.changes is not None:
            return all_columns(table)
        return class_columns(table, [chain.name for chain in chains])


@dataclass(frozen=True)
class VaultReduce:
    """One bucket: its distinct entries go through the sink. CellsRefused where ids share a token."""

    sink: VaultSink

    def __call__(self, bucket: int, blobs: Sequence[bytes]) -> Iterator[bytes]:
        rows = from_blobs([pa.py_buffer(blob) for blob in blobs])
        entries = _unique(rows).sort_by("token")
        if shared := entries.num_rows - pc.count_distinct(entries.column("token")).as_py():
            raise CellsRefused(
                "tokenization: ids that share a token with another id, so that a vault could not tell them apart; "
                "allowed: a token for each id; set a greater `length`",
                shared,
            )
        yield from self.sink(bucket, entries)


def distinct(tokens: pa.Array, values: pa.Array, keep: npt.NDArray[np.bool_] | None) -> pa.Table:
    """The entries of some rows: `token` and `value` (text in NFC), each pair once, null tokens left out."""
    entries = pa.table({"token": tokens, "value": composed(values)})
    if keep is not None:
        entries = entries.filter(pa.array(keep))
    return _unique(entries.filter(pc.is_valid(entries.column("token"))))


def _unique(entries: pa.Table) -> pa.Table:
    return entries.group_by(["token", "value"]).aggregate([])


def bucket_of_tokens(tokens: pa.Array, buckets: int) -> npt.NDArray[np.int64]:
    """A bucket for each token, from its first letters."""
    letters = letters_of(tokens)
    found = np.zeros(len(tokens), np.int64)
    for place in range(_HASHED_LETTERS):
        found = found * 131 + letters.points[letters.starts + place]
    return found % buckets
