"""Small rounds to combine without Spark, and a plain-Python reference of what must come out."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pytest

from transforms.combination.combine_tasks import COUNTS, FindMap, FindReduce, RecordMap, RecordReduce, add
from transforms.combination.combining import CombineKeys, Combining, Supplied, sourced
from transforms.combination.joins import JoinRule
from transforms.derivation import Secret
from transforms.pipeline.engine import Engine, Inner, LocalEngine
from transforms.pipeline.feed import TableUnit, Unit
from transforms.pipeline.states import pack, unpack

Rows = list[dict[str, Any]]


class Gathering:
    """A sink that keeps a bucket's rows."""

    def __call__(self, bucket: int, table: str, rows: pa.Table) -> Iterator[bytes]:
        yield pack((bucket, table, rows.to_pylist()))


@dataclass(frozen=True)
class Case:
    """One round: each party's attribute rows (with `serial`), and the linking table's rows (`serial_A`, … `link_U`)."""

    attributes: Mapping[str, pa.Table]
    linking: pa.Table
    many: frozenset[str] = frozenset()
    voids: Mapping[str, pa.Array] = field(default_factory=dict)

    def combine(
        self,
        rule: JoinRule,
        *,
        link: str | None = None,
        buckets: int = 3,
        pieces: int = 2,
        secret: bytes = b"c" * 32,
        user: str = "U",
        engine: Callable[[Sequence[Unit]], Engine] = LocalEngine,
    ) -> tuple[dict[str, Rows], dict[str, int]]:
        """Rows by table in the order of the buckets, and the counts."""
        schemas = {
            name: table.schema.remove(table.schema.get_field_index("serial")) for name, table in self.attributes.items()
        }
        parties = tuple(
            Supplied(name, schemas[name], name in self.many, self.attributes[name].num_rows) for name in rule.parties
        )
        keys = CombineKeys.of(Secret(secret), "CA", "combination/test/2024-07", user, rule.parties)
        work = Combining(user, parties, rule, keys, link, self.voids, buckets)
        units = sourced(
            [unit for unit, _ in cut(self.linking, pieces)], [cut(self.attributes[p], pieces) for p in rule.parties]
        )
        outputs = engine(units).shuffle(
            RecordMap(work), RecordReduce(work, Gathering()), buckets, "combine", kinds=True,
            inner=Inner(FindMap(work, buckets), FindReduce(work), buckets),
        )  # fmt: skip
        rows: dict[str, Rows] = {name: [] for name in work.tables}
        counts: dict[str, int] = {}
        found: list[tuple[int, str, Rows]] = []
        for kind, blob in outputs:
            if kind == COUNTS:
                add(counts, unpack(blob))
            else:
                found.append(unpack(blob))
        for _, table, made in sorted(found, key=lambda one: one[:2]):
            rows[table] += made
        return rows, counts


def cut(table: pa.Table, pieces: int) -> list[tuple[TableUnit, int]]:
    """A table as units, each with its first row's number."""
    size = max(1, -(-table.num_rows // pieces))
    starts = range(0, max(1, table.num_rows), size)
    return [(TableUnit(number, table.slice(start, size), table.schema), start) for number, start in enumerate(starts)]


@pytest.fixture
def case() -> Callable[..., Case]:
    return Case


@pytest.fixture
def drawn_case() -> Callable[..., Case]:
    """Subjects who are spread over parties at random (a fixed seed), each with some attributes of every type."""

    def make(parties: Sequence[str], subjects: int, seed: int = 1, many: Sequence[str] = ()) -> Case:
        dice = random.Random(seed)
        serials: dict[str, dict[int, str]] = {party: {} for party in parties}
        for subject, party in itertools.product(range(subjects), parties):
            if dice.random() < 0.6:
                serials[party][subject] = hashlib.sha256(f"{seed} {party} {subject}".encode()).hexdigest()[:26]
        attributes = {}
        for party in parties:
            rows = [
                {
                    "serial": serial,
                    "amount": dice.choice([None, dice.randrange(10**6)]),
                    "city": dice.choice(["서울", "나주", None]),
                    "share": dice.random(),
                }
                for serial in serials[party].values()
                for _ in range(dice.randrange(1, 4) if party in many else 1)
            ]
            dice.shuffle(rows)
            schema = pa.schema(
                [("serial", pa.string()), ("amount", pa.int64()), ("city", pa.string()), ("share", pa.float64())]
            )
            attributes[party] = pa.Table.from_pylist(rows, schema)
        links = [
            {f"serial_{party}": serials[party].get(subject) for party in parties}
            | {"link_U": hashlib.md5(f"{subject}".encode(), usedforsecurity=False).digest()}
            for subject in range(subjects)
            if any(subject in serials[party] for party in parties)
        ]
        dice.shuffle(links)
        schema = pa.schema([*((f"serial_{party}", pa.string()) for party in parties), ("link_U", pa.binary(16))])
        return Case(attributes, pa.Table.from_pylist(links, schema), frozenset(many))

    return make
