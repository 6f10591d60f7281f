"""The rounds that a user has received, as one Delta table: a period column, one commit for each round."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from deltalake import Schema
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, CommitProperties, Transaction, create_table_with_add_actions

from jobs.combination.combined import sweep
from jobs.errors import Operational, Refused
from jobs.parquet import NewFile, write_batches
from jobs.release import CONFIGURATION, PERIOD_COMMENT, data_folder, of_period, open_table
from jobs.runs import PERIOD_COLUMN
from jobs.storage import Location, private_folder, unique_name
from jobs.tables import delta_schema
from transforms.pipeline.feed import Unit


@dataclass(frozen=True)
class Received:
    """One table of one round. `period` is the round's name, None without a series; `application` and `revision`
    name the package in Delta's transactions, so that it is taken in once."""

    place: Location
    schema: pa.Schema
    period: str | None
    application: str
    revision: int
    comments: Mapping[str, str]
    description: str | None

    @property
    def whole(self) -> Schema:
        """The table's columns as Delta's schema, with the period's last."""
        if self.period is None:
            return delta_schema(self.schema, self.comments)
        schema = self.schema.append(pa.field(PERIOD_COLUMN, pa.string()))
        return delta_schema(schema, {**self.comments, PERIOD_COLUMN: PERIOD_COMMENT})


@dataclass(frozen=True)
class PutRows:
    """Task: a unit's rows as a Parquet file of the table, under a name that no other attempt has."""

    received: Received

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        one = self.received
        folder = f"{data_folder(one.period)}unit-{unit.index:05d}-{unique_name()}"
        for file in write_batches(one.place, folder, one.schema, unit.batches(one.schema.names)):
            yield json.dumps([file.path, file.size, file.rows]).encode()


def taken_already(one: Received) -> bool:
    """Is this revision, or a later one, in the table?"""
    table = open_table(one.place)
    version = None if table is None else table.transaction_version(one.application)
    return version is not None and version >= one.revision


def put_period(one: Received, files: Sequence[NewFile], run: str) -> None:
    """Shows a round's files in one commit; what was there of the same period is gone, other periods stay.

    Refused where the table has other columns; Operational where somebody else wrote meanwhile.
    """
    private_folder(one.place.local)
    now = int(datetime.now(UTC).timestamp() * 1000)
    values: dict[str, str | None] = {} if one.period is None else {PERIOD_COLUMN: one.period}
    adds = [AddAction(file.path, file.size, values, now, True, file.stats) for file in files]
    properties = CommitProperties(
        custom_metadata={"gamyeong.run": run, "gamyeong.period": one.period or "", "gamyeong.sent": one.application},
        app_transactions=[Transaction(one.application, one.revision, now)],
        max_commit_retries=0,
    )
    there = open_table(one.place)
    try:
        if there is not None and one.period is not None:
            if _shape(there.schema()) != _shape(one.whole):
                raise Refused(
                    f"{one.place}: its earlier rounds have other columns than this one; allowed: the same columns and "
                    "types in the same order; move that table away, and this round begins a new one"
                )
            removes = of_period(there, one.period, now)
            there.create_write_transaction(
                [*removes, *adds], "append", one.whole, partition_by=[PERIOD_COLUMN], commit_properties=properties
            )
        else:
            create_table_with_add_actions(
                str(one.place),
                one.whole,
                adds,
                mode="error" if there is None else "overwrite",
                partition_by=list(values),
                description=one.description,
                configuration=CONFIGURATION,
                commit_properties=properties,
            )
    except CommitFailedError:
        raise Operational(f"{one.place} was written by somebody else meanwhile; take again") from None
    sweep(one.place)


def _shape(schema: Schema) -> list[tuple[str, str]]:
    return [(field.name, field.type.to_json()) for field in schema.fields]
