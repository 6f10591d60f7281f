"""What `gamyeong profile` looks at: a table of the source zone or a Delta folder, in one pass of Spark tasks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa

from jobs.environment import Environment
from jobs.errors import DataFailed, Operational
from jobs.progress import Progress
from jobs.pseudonymization import bare
from jobs.session import require_encryption, spark_session, watched
from jobs.sources import engine_for
from jobs.tables import Snapshot, pinned
from transforms.column_types import is_allowed
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.feed import Damaged
from transforms.pipeline_model import TablePipeline
from transforms.profiling.columns import ColumnFacts, ProfileTask, facts_of
from transforms.profiling.proposal import Proposal, proposal


@dataclass(frozen=True)
class Profiled:
    """A table's pinned version, what its columns look like, and columns of types that no plan can process."""

    snapshot: Snapshot
    rows: int
    proposal: Proposal
    unfit: dict[str, str]


def profiled(environment: Environment, table: str, progress: Progress) -> Profiled:
    """Reads the newest version of a table once. BadInput where there is none, Operational for damaged files."""
    folder = Path(table)
    snapshot = pinned(str(folder.resolve())) if folder.is_dir() else pinned(environment.zone("source") / table)
    whole = bare(snapshot.schema)
    unfit = {field.name: str(field.type) for field in whole if not is_allowed(field.type)}
    schema = pa.schema([field for field in whole if field.name not in unfit])
    facts, rows = measured(environment, snapshot, schema, f"profile {folder.name}", progress)
    return Profiled(snapshot, rows, proposal(facts, snapshot.comments), unfit)


def measured(
    environment: Environment, snapshot: Snapshot, schema: pa.Schema, label: str, progress: Progress
) -> tuple[list[ColumnFacts], int]:
    """The facts of some columns of a pinned version, and its number of rows: one pass, in Spark tasks."""
    spark = spark_session(environment, label)
    require_encryption(spark)
    try:
        engine, _ = engine_for(
            spark, snapshot, _as_it_is(label, schema), label, None, partial(watched, spark, progress)
        )
        facts = facts_of(schema, engine.each(ProfileTask(tuple(schema.names)), "columns, pass 1 of 1"))
    except Damaged as error:
        raise Operational(str(error)) from None
    except PassFailed as error:
        raise (Operational if error.damaged else DataFailed)(str(error)) from None
    return facts, facts[0].rows if facts else 0


def _as_it_is(name: str, schema: pa.Schema) -> TablePipeline:
    """A table of which nothing but its columns is asked: rows need no key."""
    return TablePipeline(
        name=name,
        source=name,
        source_schema=schema,
        row_key=(),
        subject=None,
        subject_domain=None,
        register=None,
        columns=(),
        excluded=(),
        row_rules=(),
        sample=None,
        outliers=(),
        quasi_identifiers=(),
    )
