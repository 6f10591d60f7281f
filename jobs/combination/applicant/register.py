"""A party's register (결합대상 원본): the one table of its plan that knows each subject's key columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from jobs.clock import utc_now
from jobs.combination.applicant.party_plan import party_plan
from jobs.combination.engines import LOCAL_ROWS
from jobs.combination.step import Call
from jobs.errors import BadInput, Operational
from jobs.pseudonymization import bare
from jobs.session import require_encryption, spark_session, watched
from jobs.sources import Stops, engine_for, pinned_sources, round_period, stop_requests, table_window
from jobs.tables import Snapshot, pinned
from transforms.combination.canonical import check_type
from transforms.combination.key_spec import KeySpec
from transforms.compiler import compile_plan
from transforms.errors import TechniqueError
from transforms.fingerprint import fingerprint
from transforms.identifiers import stopped_subjects
from transforms.pipeline.engine import Engine, LocalEngine
from transforms.pipeline.feed import Damaged, Unit, WindowedUnit, pack_units
from transforms.pipeline_model import TablePipeline
from transforms.plan import Contribution, Plan
from transforms.plan_loader import Loaded
from transforms.predicate import Predicate


@dataclass(frozen=True)
class Register:
    """A pinned register, whose period's rows the engine reads, and who asked to stop.

    `columns`: the register's columns by key column, in the spec's order.
    """

    plan: Plan
    fingerprint: str
    table: TablePipeline
    snapshot: Snapshot
    subject: str
    columns: Mapping[str, str]
    engine: Engine
    rows: int
    stops: Stops | None

    def stopped(self, ids: pa.Array) -> pa.Array:
        """Stop requests' ids as the register spells and types them; CellsRefused where one can't be of its type."""
        return stopped_subjects(ids, self.snapshot.schema.field(self.subject).type)

    @property
    def versions(self) -> dict[str, Any]:
        """What was read, as evidence names it."""
        stops = self.stops.version if self.stops is not None else None
        return {
            "plan": self.fingerprint,
            "source": [self.snapshot.table_id, self.snapshot.version],
            "stops": [stops.id, stops.version] if stops is not None else None,
        }


def open_register(call: Call, purpose: str) -> Register:
    """The register of `--plan`, as it is now; Spark starts only for what needs it.

    Errors: BadInput (2) where the plan, its key columns or their types don't fit the combination; Refused (3) for
    stop requests that are too old; Operational (4) for a damaged file.
    """
    loaded, contribution = party_plan(call)
    plan = loaded.plan
    if plan.sample is not None:
        raise BadInput(
            f"{loaded.file}: sample: a sample in a party's plan; allowed: none, for keys and attributes would be of "
            "other persons; the plan of an output may draw one of what was combined"
        )
    snapshots = pinned_sources(plan, call.environment)
    name = _register_name(plan, contribution)
    snapshot = snapshots[name]
    columns = _key_columns(loaded, contribution, call.combination.key, snapshot.schema)
    schemas = {name: bare(one.schema) for name, one in snapshots.items()}
    pipeline = compile_plan(plan, schemas.get("", schemas), loaded.hierarchies, loaded.lines)
    table = next(one for one in pipeline.wholes.values() if plan.source is not None or one.name == name)
    window = table_window(plan, name, round_period(plan, None, call.round.name), table.source_schema)
    engine, rows = engine_over(call, snapshot, table, f"{purpose} {call.round.name}", window)
    stops = stops_of(call, plan, contribution)
    subject = contribution.subject if plan.source is not None else plan.subjects[contribution.subject].key
    used = fingerprint(plan, loaded.hierarchies)
    return Register(plan, used, table, snapshot, subject, columns, engine, rows, stops)


def _register_name(plan: Plan, contribution: Contribution) -> str:
    """The table of the plan that is the register of the combination's subject."""
    if plan.source is not None:
        return ""
    subject = plan.subjects[contribution.subject]
    names = [name for name, table in plan.tables.items() if table.source == subject.register_]
    if not names:
        raise BadInput(
            f"subjects.{contribution.subject}.register: {subject.register_!r} is no table of the plan; allowed: it as "
            "one, its other columns under `excluded`"
        )
    return names[0]


def _key_columns(loaded: Loaded, contribution: Contribution, spec: KeySpec, schema: pa.Schema) -> dict[str, str]:
    """The register's columns by key column; BadInput with all that are missing or of a type that has no such form."""
    problems = []
    for column in spec.columns:
        name = contribution.key[column.name]
        path = f"combination.key.{column.name}"
        if name not in schema.names:
            problems.append(f"{path}: {name!r}; allowed: a column of the register: {', '.join(schema.names)}")
            continue
        try:
            check_type(column, schema.field(name).type)
        except TechniqueError as error:
            problems.append(f"{path}: {error}")
    if problems:
        raise BadInput("\n".join([f"{loaded.file}: the register can't make the combination's keys:", *problems]))
    return {column.name: contribution.key[column.name] for column in spec.columns}


def engine_over(
    call: Call, snapshot: Snapshot, table: TablePipeline, label: str, window: Predicate | None
) -> tuple[Engine, int]:
    """Spark, or this process where the register is small and its files can be read as they are."""
    if snapshot.by_file and snapshot.rows is not None and snapshot.rows <= LOCAL_ROWS:
        files = [file.source for file in snapshot.files]
        try:
            units: list[Unit] = list(pack_units(files, table.source_schema, 1)) if files else []
        except Damaged as damaged:
            raise Operational(f"{damaged}: the register is no longer whole; restore it") from None
        windowed = units if window is None else [WindowedUnit(unit, window) for unit in units]
        return LocalEngine(windowed), snapshot.rows
    spark = spark_session(call.environment, label)
    require_encryption(spark)
    return engine_for(spark, snapshot, table, label, window, partial(watched, spark, call.progress))


def stops_of(call: Call, plan: Plan, contribution: Contribution) -> Stops | None:
    """The stop requests of the subject; Refused for a table that is too old."""
    if plan.source is not None:
        requests, path = plan.source.stop_requests, "source.stop_requests"
    else:
        requests = plan.subjects[contribution.subject].stop_requests
        path = f"subjects.{contribution.subject}.stop_requests"
    if requests is None:
        return None
    simple = pinned(call.environment.zone("source") / requests.table).by_file
    spark = None if simple else spark_session(call.environment, f"stop requests {plan.plan}")
    return stop_requests(spark, requests, plan, call.environment, path, utc_now)
