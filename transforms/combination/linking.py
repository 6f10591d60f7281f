"""The linking table (결합키연계정보): serials of the parties side by side, and link ids. It holds no join key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.arrow import one_chunk
from transforms.combination.combine_tasks import gathered
from transforms.combination.combining import LINK_BYTES, SERIAL
from transforms.combination.joins import needed
from transforms.combination.link_keys import as_binary, ids_of
from transforms.combination.matching import COUNTS, FILE, MARK, Matched, Matching, Places, Sink, marks_kind, opened
from transforms.pipeline.states import pack
from transforms.pipeline.work import taken

# No party has this name.
LINKING_TABLE = ""


def linking_schema(work: Matching) -> pa.Schema:
    """`serial_PARTY` (string, null = not there), then `link_USER` (16 bytes, null where the user gets no record)."""
    serials = [pa.field(f"serial_{party}", pa.string()) for party in work.parties]
    return pa.schema(serials + [pa.field(f"link_{user}", pa.binary(LINK_BYTES)) for user in work.keys.links])


@dataclass(frozen=True)
class LinkReduce:
    """One bucket: linking rows that an output needs, and serials of doubled keys, through the sink; counts.

    Rows stand in this round's keyed order. Files of buckets, one after another, are in the same order whatever
    the number of buckets.
    """

    work: Matching
    sink: Sink

    def __call__(self, bucket: int, blobs: Sequence[tuple[int, pa.Buffer]]) -> Iterator[tuple[int, bytes]]:
        work = self.work
        matched, tables, tally = opened(work, blobs, (SERIAL,))
        for party, rows in enumerate(matched.doubled):
            tally.repeated[party] += repeated(gathered(blobs, marks_kind(party)))
            if len(rows):
                yield FILE, self.sink(work.parties[party], tables[party].take(pa.array(rows)))
        linked = np.flatnonzero(needed(work.rules)[matched.patterns])
        if len(linked):
            yield FILE, self.sink(LINKING_TABLE, self._rows(matched, tables, linked))
        yield COUNTS, pack(tally)

    def _rows(self, matched: Matched, tables: Sequence[pa.Table], linked: Places) -> pa.Table:
        columns = []
        for party, table in enumerate(tables):
            places = matched.row_of[linked, party]
            columns.append(taken(one_chunk(table.column(SERIAL)), pa.array(places, mask=places < 0)))
        subjects = ids_of(matched.draws(linked))
        for user, draws in self.work.keys.links.items():
            links = as_binary(draws.bits(subjects))
            takes = self.work.rules[user].taken[matched.patterns[linked]]
            columns.append(links if takes.all() else pa.compute.if_else(pa.array(takes), links, None))
        return pa.Table.from_arrays(columns, schema=linking_schema(self.work))


def repeated(marks: pa.Table | None) -> int:
    """How many serials equal another one before them, by their marks."""
    if marks is None:
        return 0
    high, low = (one_chunk(marks.column(name)).to_numpy() for name in MARK)
    ordered = np.sort(high)
    if not (ordered[1:] == ordered[:-1]).any():
        return 0
    turn = np.lexsort((low, high))
    high, low = high[turn], low[turn]
    return int(((high[1:] == high[:-1]) & (low[1:] == low[:-1])).sum())
