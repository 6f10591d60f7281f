"""What is combined (결합), for one user: the parties' attributes, the join, the keys of the round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from transforms.combination.joins import JoinRule
from transforms.derivation import Secret, subkey
from transforms.draws import Draws
from transforms.pipeline.feed import Unit, row_bytes
from transforms.run_keys import ALGORITHM

SERIAL = "serial"
RECORD, LINK, ROW_ID, ROUND = "record", "link", "row", "round"
LINK_BYTES = 16
BUCKET_BYTES = 128 << 20


@dataclass(frozen=True)
class Supplied:
    """One party's attributes of a round. `schema`: its columns without the serial; `many`: several rows of a
    subject; `rows` as its package counts them."""

    party: str
    schema: pa.Schema
    many: bool = False
    rows: int = 0

    def named(self, column: str) -> str:
        """A column's name in the combined table."""
        return f"{self.party}_{column}"

    @property
    def bytes(self) -> int:
        """About what all its rows take in Arrow, serials left out."""
        return self.rows * (row_bytes(self.schema) + 16)


@dataclass(frozen=True)
class CombineKeys:
    """Draws of one user's combination of one round: of a party's serials (which make records), of its own rows."""

    serials: Mapping[str, Draws]
    rows: Mapping[str, Draws]

    @classmethod
    def of(cls, secret: Secret, organisation: str, series: str, user: str, parties: Sequence[str]) -> CombineKeys:
        """From the combining agency's secret of the round: other ids for each user, so that two can't be joined."""

        def draws(party: str, purpose: str) -> Draws:
            return Draws(
                subkey(
                    secret,
                    organisation=organisation,
                    run_or_series=series,
                    recipient=user,
                    algorithm=ALGORITHM,
                    domain=party,
                    step=None,
                    purpose=purpose,
                )
            )

        return cls(
            {party: draws(party, "record of serial") for party in parties},
            {party: draws(party, "row of record") for party in parties},
        )


@dataclass(frozen=True)
class Combining:
    """All that tasks need to combine for one user; goes into broadcasts alone.

    `parties` in the order of the file; the first of `order` leads: its rows know their record by themselves and are
    shuffled once, the others' twice. `link`: the column of the linking table with the user's link ids. `voids`: serials
    whose subjects asked to be left out, by party. `silent`: parties that the linking table names, whose attributes did
    not come: an anti-join needs to know whom they have.
    """

    user: str
    parties: tuple[Supplied, ...]
    rule: JoinRule
    keys: CombineKeys
    link: str | None = None
    voids: Mapping[str, pa.Array] = field(default_factory=dict)
    buckets: int = 1
    silent: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, ...]:
        """Places of the parties, the one with the most bytes first: it is the one that moves least."""
        return tuple(sorted(range(len(self.parties)), key=lambda place: (-self.parties[place].bytes, place)))

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The columns of the linking table with subjects of silent parties, where the join asks who else has one."""
        alone = self.rule.kind == "anti-inner-single"
        return tuple(f"serial_{party}" for party in self.silent) if alone else ()

    @property
    def tables(self) -> dict[str, pa.Schema]:
        """Schemas by table: `""` for the records, and a party's name where it has several rows of a subject."""
        return tables_of([one for one in self.parties if one.party in self.rule.shown], link=self.link is not None)

    def tables_beside(self, absent: Sequence[Supplied], order: Sequence[str]) -> dict[str, pa.Schema]:
        """The same with the columns of parties that stayed out, so that all rounds have the same; `order` of all."""
        alone = self.rule.kind == "anti-inner-single"
        shown = [one for one in self.parties if one.party in self.rule.shown] + ([] if alone else list(absent))
        return tables_of(sorted(shown, key=lambda one: order.index(one.party)), link=self.link is not None)


def tables_of(shown: Sequence[Supplied], *, link: bool) -> dict[str, pa.Schema]:
    """Schemas by table of the parties whose columns a user gets."""
    head = [pa.field(RECORD, pa.string(), nullable=False)] + ([pa.field(LINK, pa.string())] if link else [])
    found = {"": pa.schema(head + [f for one in shown if not one.many for f in fields_of(one)])}
    for one in shown:
        if one.many:
            keys = [pa.field(name, pa.string(), nullable=False) for name in (RECORD, ROW_ID)]
            found[one.party] = pa.schema(keys + fields_of(one))
    return found


def fields_of(supplied: Supplied) -> list[pa.Field]:
    """A party's columns as the combined table names them; all may be null."""
    return [pa.field(supplied.named(one.name), one.type) for one in supplied.schema]


def bucket_count(parties: Sequence[Supplied], cores: int) -> int:
    """How many buckets records are dealt into: each of bounded bytes, every core busy where it pays."""
    size = sum(one.bytes for one in parties)
    return max(1, -(-size // BUCKET_BYTES), min(cores, -(-size // (BUCKET_BYTES // 16))))


@dataclass(frozen=True)
class Sourced:
    """A unit of a package, with the place of its party (LINKING for the linking table) and its first row's number."""

    index: int
    inner: Unit
    source: int
    first_row: int = 0

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        return self.inner.batches(columns)

    def pilot(self, columns: Sequence[str]) -> pa.RecordBatch | None:
        return self.inner.pilot(columns)


LINKING = -1


def sourced(linking: Sequence[Unit], attributes: Sequence[Sequence[tuple[Unit, int]]]) -> list[Sourced]:
    """All units of a combination, numbered; `attributes` in the order of the parties, each with its first row's number
    in its package.

    The linking table's come last: their tasks are the shortest.
    """
    found = [(unit, place, first) for place, units in enumerate(attributes) for unit, first in units]
    found += [(unit, LINKING, 0) for unit in linking]
    return [Sourced(index, unit, place, first) for index, (unit, place, first) in enumerate(found)]
