"""Where tasks of the key agency put rows: sealed files of packages, one package for each receiver."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import pyarrow as pa

from jobs.combination.packages import Draft
from jobs.combination.sealed_files import PackedFile, Sealer


@dataclass(frozen=True)
class SealedTables:
    """Seals a bucket's rows of a table (by name) to its receiver; goes into tasks by broadcast only."""

    sealers: Mapping[str, Sealer]

    @classmethod
    def of(cls, drafts: Mapping[str, Draft]) -> SealedTables:
        """From the packages in the making."""
        return cls({table: draft.sealer for table, draft in drafts.items()})

    def __call__(self, table: str, rows: pa.Table) -> bytes:
        """Serials and link ids are random, so nothing is compressed."""
        return json.dumps([table, asdict(self.sealers[table].write(rows, random=True))]).encode()


def by_table(blobs: Iterable[bytes]) -> dict[str, list[PackedFile]]:
    """The files that tasks told of, by table."""
    found: dict[str, list[PackedFile]] = {}
    for blob in blobs:
        table, file = json.loads(blob)
        found.setdefault(table, []).append(PackedFile(**file))
    return found
