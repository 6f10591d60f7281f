"""The records of one bucket: which the join keeps, and their cells from all parties side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.arrow import one_chunk
from transforms.combination.combining import Combining
from transforms.combination.words import HELD, LINK_ID, PLACE, TARGET, hex_text, widened, words_of
from transforms.identifiers import encode_ids
from transforms.pipeline.members import Words
from transforms.pipeline.work import taken
from transforms.techniques.pseudonyms import LONGEST, base32

Places = npt.NDArray[np.int64]
NONE = -1


@dataclass(frozen=True)
class Records:
    """A bucket's linking rows in keyed order, and which attribute rows belong to them.

    `found`: for each row of a party the place of its record, NONE where it has none; `kept`: the records that the
    join keeps, by the parties that really sent rows; in an anti-join the others count that have the subject at all.
    """

    work: Combining
    words: Words
    links: pa.Table
    rows: Mapping[int, pa.Table]
    found: Mapping[int, Places]
    kept: npt.NDArray[np.bool_]
    counts: Mapping[str, int]

    @classmethod
    def of(
        cls, work: Combining, links: pa.Table, rows: Mapping[int, pa.Table | None], found: Mapping[int, Places]
    ) -> Records:
        """`links` sorted by their draws, each once; `rows` and what was `found` by the place of their party."""
        words = words_of(links, TARGET)
        there = {place: table for place, table in rows.items() if table is not None}
        named = one_chunk(links.column(HELD)).to_numpy()
        pattern, counts = np.zeros(len(words), np.int64), {"linked": len(words)}
        present = {}
        for place, supplied in enumerate(work.parties):
            mask = np.zeros(len(words), np.bool_)
            if place in found:
                places = found[place]
                mask[places[places >= 0]] = True
                counts[f"unlinked {supplied.party}"] = int((places < 0).sum())
            counts[f"without rows {supplied.party}"] = int(((named >> place & 1).astype(np.bool_) & ~mask).sum())
            present[supplied.party] = mask
            pattern |= mask.astype(np.int64) << place
        kept = work.rule.taken[pattern | _others(work, named)]
        kept &= named >> len(work.parties) == 0  # a party has it whose attributes did not come
        counts["records"] = int(kept.sum())
        counts |= {f"with {party}": int((mask & kept).sum()) for party, mask in present.items()}
        return cls(work, words, links, there, found, kept, counts)

    def tables(self) -> Iterator[tuple[str, pa.Table]]:
        """The finished rows of each table of the output, in keyed order."""
        for name, schema in self.work.tables.items():
            yield name, self._many(name, schema) if name else self._records(schema)

    def _records(self, schema: pa.Schema) -> pa.Table:
        chosen = np.flatnonzero(self.kept)
        columns = [base32(self.words[chosen], LONGEST)]
        if self.work.link is not None:
            columns.append(hex_text(taken(one_chunk(self.links.column(LINK_ID)), pa.array(chosen))))
        for place, supplied in enumerate(self.work.parties):
            if supplied.many or supplied.party not in self.work.rule.shown:
                continue
            if place not in self.rows:
                columns += [pa.nulls(len(chosen), field.type) for field in supplied.schema]
                continue
            row_of = np.full(len(self.words), NONE)
            linked = np.flatnonzero(self.found[place] >= 0)
            row_of[self.found[place][linked]] = linked
            columns += self._cells(place, row_of[chosen])
        return pa.Table.from_arrays(columns, schema=schema)

    def _many(self, party: str, schema: pa.Schema) -> pa.Table:
        """All rows of the kept records, each with an id of its own: a keyed draw of its record and number in it."""
        place = next(number for number, one in enumerate(self.work.parties) if one.party == party)
        if place not in self.rows:
            return schema.empty_table()
        record = self.found[place]
        chosen = np.flatnonzero((record >= 0) & self.kept[record])
        sent = one_chunk(self.rows[place].column(PLACE)).to_numpy()
        chosen = chosen[np.lexsort((sent[chosen], record[chosen]))]
        owner = record[chosen]
        first = np.concatenate([[0], np.flatnonzero(np.diff(owner)) + 1]).astype(np.int64)
        number = np.arange(len(owner)) - np.repeat(first, np.diff([*first, len(owner)])) if len(owner) else owner
        halves = [pa.array(self.words[owner, half].view(np.int64)) for half in (0, 1)]
        own = self.work.keys.rows[party].bits(encode_ids([*halves, pa.array(number)]))
        # Record by record, as the records stand: an order that doesn't depend on the buckets.
        turn = np.lexsort((own[:, 1], own[:, 0], owner))
        columns = [base32(self.words[owner[turn]], LONGEST), base32(own[turn], LONGEST)]
        return pa.Table.from_arrays(columns + self._cells(place, chosen[turn]), schema=schema)

    def _cells(self, place: int, row_of: Places) -> list[pa.Array]:
        """A party's cells by row; null where there is none."""
        missing = row_of < 0
        places = pa.array(np.maximum(row_of, 0), mask=missing) if missing.any() else pa.array(row_of)
        table = self.rows[place]
        names = self.work.parties[place].schema.names
        return [widened(taken(one_chunk(table.column(name)), places)) for name in names]


def _others(work: Combining, named: Places) -> Places:
    """For an anti-join, the parties beside its base that have each record's subject, with rows or without."""
    if work.rule.kind != "anti-inner-single":
        return np.zeros(len(named), np.int64)
    others = sum(1 << place for place, one in enumerate(work.parties) if one.party != work.rule.base)
    return named & others
