"""What a run reads: pinned source versions, stop requests, the rows of one period."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from jobs.clock import Clock
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.frames import quoted, read
from jobs.runs import SourceVersion
from jobs.tables import Snapshot, pinned
from transforms.combination.schedule import ONCE, SAMPLES, period_of
from transforms.pipeline.engine import SparkEngine, Watch, no_watch
from transforms.pipeline.feed import FILE, ROW, pack_units
from transforms.pipeline_model import TablePipeline
from transforms.plan import Application, Period, Plan, Purpose, StopRequests
from transforms.predicate import Predicate


def pinned_sources(plan: Plan, environment: Environment) -> dict[str, Snapshot]:
    """The newest version of every source table by its name in the plan (`""` where there is one table)."""
    zone = environment.zone("source")
    if plan.source is not None:
        return {"": pinned(zone / plan.source.table)}
    return {name: pinned(zone / table.source) for name, table in plan.tables.items()}


def source_version(name: str, snapshot: Snapshot) -> SourceVersion:
    """A pinned table as a run's record names it."""
    return SourceVersion(name, snapshot.table_id, snapshot.version, snapshot.rows)


def engine_for(
    spark: Any,
    snapshot: Snapshot,
    table: TablePipeline,
    label: str,
    window: Predicate | None,
    watch: Watch = no_watch,
) -> tuple[SparkEngine, int]:
    """The feed of a pinned version, and about how many rows it has: files where their features allow, else Spark."""
    if snapshot.by_file:
        cores = spark.sparkContext.defaultParallelism
        files = [file.source for file in snapshot.files]
        units = pack_units(files, table.source_schema, cores)
        rows = sum(piece.rows for unit in units for piece in unit.pieces)
        return SparkEngine(spark, units=units, label=label, window=window, watch=watch), rows
    frame = read(spark, snapshot.location, snapshot.version)
    columns = [quoted(name) for name in table.source_schema.names]
    if table.row_key is None:
        columns += [f"_metadata.file_name as {FILE}", f"_metadata.row_index as {ROW}"]
    rows = snapshot.rows if snapshot.rows is not None else frame.count()
    chosen = frame.selectExpr(*columns)
    schema = table.source_schema
    return SparkEngine(spark, frame=chosen, schema=schema, label=label, window=window, watch=watch), rows


@dataclass(frozen=True)
class Stops:
    """The pinned stop requests of one table or subject: who is left out.

    `elsewhere` is how many rows of the list name another scope: this plan leaves out nobody for them.
    """

    version: SourceVersion
    ids: pa.Array
    elsewhere: int = 0


def all_stops(spark: Any, plan: Plan, environment: Environment, clock: Clock) -> dict[str, Stops]:
    """Stop requests by subject (`""` where the plan has one source)."""
    found: dict[str, Stops] = {}
    if plan.source is not None and plan.source.stop_requests is not None:
        path = "source.stop_requests"
        found[""] = stop_requests(spark, plan.source.stop_requests, plan, environment, path, clock)
    for name, subject in plan.subjects.items():
        if subject.stop_requests is not None:
            path = f"subjects.{name}.stop_requests"
            found[name] = stop_requests(spark, subject.stop_requests, plan, environment, path, clock)
    return found


def stop_requests(
    spark: Any, requests: StopRequests, plan: Plan, environment: Environment, path: str, clock: Clock
) -> Stops:
    """Ids of the subjects who asked to stop (§37); a table older than `max_age` is refused.

    The age counts from the table's last commit (a check without new requests can be recorded by an empty commit).
    """
    snapshot = pinned(environment.zone("source") / requests.table)
    require_fresh(snapshot, requests, path, clock)
    concerned = scopes(plan.plan, plan.purpose, plan.application)
    found = requested(spark, snapshot, requests, concerned, path)
    return Stops(source_version(requests.table, snapshot), found.ids, found.elsewhere)


def require_fresh(snapshot: Snapshot, requests: StopRequests, path: str, clock: Clock) -> None:
    """Refused for a stop-request table that was last brought up to date longer ago than its `max_age`."""
    age = clock() - last_commit(snapshot)
    if age > max_age(requests.max_age, path):
        raise Refused(
            f"{path}: the stop-request table {requests.table} was last brought up to date {_hours(age)} hours ago; "
            f"allowed: {requests.max_age}; record the requests (or that there are none) and start again"
        )


def scopes(plan: str, purpose: Purpose, application: Application) -> tuple[str, ...]:
    """What a request may name as its scope to concern a plan."""
    return "all", plan, purpose.kind, application.number


class Requested(NamedTuple):
    """Distinct ids of the requests that count, and how many requests name another scope."""

    ids: pa.Array
    elsewhere: int


def requested(
    spark: Any, snapshot: Snapshot, requests: StopRequests, concerned: tuple[str, ...], path: str
) -> Requested:
    """The requests in one version of a stop-request table.

    A request counts unless its `scope` names another purpose, plan or application: null, `concerned` (see `scopes`)
    and empty ones count, whatever blanks, width or case they are written in.
    """
    wanted = [name for name in (requests.key, requests.at, requests.scope) if name is not None]
    missing = [name for name in wanted if name not in snapshot.schema.names]
    if missing:
        raise BadInput(
            f"{path}: column {', '.join(missing)} is not in {requests.table}; it has {', '.join(snapshot.schema.names)}"
        )
    every = found = _columns(spark, snapshot, wanted)
    if requests.scope is not None:
        scope = found.column(requests.scope)
        counts = pa.array(["", *map(_plainly, concerned)], pa.string())
        words = scope.cast(pa.string()).to_pylist()
        told = pa.array([None if one is None else _plainly(one) for one in words], pa.string())
        found = found.filter(pc.or_(pc.is_null(told), pc.is_in(told, value_set=counts)))
    return Requested(found.column(requests.key).combine_chunks().unique(), every.num_rows - found.num_rows)


def _plainly(scope: str) -> str:
    return unicodedata.normalize("NFKC", scope).strip().casefold()


def _columns(spark: Any, snapshot: Snapshot, names: list[str]) -> pa.Table:
    schema = pa.schema([snapshot.schema.field(name) for name in names])
    if snapshot.by_file:
        files = [file.source for file in snapshot.files]
        batches = [b for unit in pack_units(files, schema, 1) for b in unit.batches(names)]
        return pa.Table.from_batches(batches, schema.remove_metadata()) if batches else schema.empty_table()
    return read(spark, snapshot.location, snapshot.version, names).toArrow()


def last_commit(snapshot: Snapshot) -> datetime:
    """When the pinned version was committed."""
    options = dict(snapshot.location.options.deltalake) or None
    table = DeltaTable(str(snapshot.location), version=snapshot.version, storage_options=options)
    return datetime.fromtimestamp(table.history(1)[0]["timestamp"] / 1000, UTC)


def max_age(text: str, path: str) -> timedelta:
    """`1d`, `12h`, `30m` as a duration."""
    match = re.fullmatch(r"(\d+)\s*([dhm])", text)
    if match is None:
        raise BadInput(f"{path}.max_age: {text!r}; allowed: a number and d, h or m, as in 1d")
    unit = {"d": "days", "h": "hours", "m": "minutes"}[match[2]]
    return timedelta(**{unit: int(match[1])})


def _hours(age: timedelta) -> int:
    return int(age.total_seconds() // 3600)


def table_window(plan: Plan, table: str, value: str | None, schema: pa.Schema) -> Predicate | None:
    """The condition on a table's rows of one period (`2026-10`, `2026-10-05` …); None where it knows no periods.

    `table` is its name in the run. BadInput for a period that is missing or of another kind, and for its column.
    """
    path = "source.period" if plan.source is not None else f"tables.{table}.period"
    period = plan.periods().get("" if plan.source is not None else table)
    if period is None:
        return None
    if value is None:
        raise BadInput(f"--period is missing: the plan is run by {period.every}; allowed: e.g. {_example(period)}")
    start, end = _bounds(period, value)
    if period.column not in schema.names:
        raise BadInput(f"{path}.column: {period.column!r} is not a column of the source")
    type_ = schema.field(period.column).type
    if pa.types.is_date(type_):
        low, high = start, end
    elif pa.types.is_timestamp(type_):
        own = ZoneInfo(plan.time_zone) if type_.tz is not None else None
        low, high = (datetime(d.year, d.month, d.day, tzinfo=own) for d in (start, end))
    else:
        raise BadInput(f"{path}.column: {period.column} is of type {type_}; allowed: date, timestamp")
    return Predicate.parse({period.column: {"at_least": low, "below": high}})


def _bounds(period: Period, value: str) -> tuple[date, date]:
    """The period's first day, and the one after its last."""
    if period.every == "day":
        try:
            day = date.fromisoformat(value)
            return day, day + timedelta(days=1)
        except ValueError:
            pass
    elif (found := period_of(period.every, value)) is not None:
        return found.first, found.after(1)
    raise BadInput(f"--period {value!r}; allowed: e.g. {_example(period)}")


def _example(period: Period) -> str:
    return "2026-10-05" if period.every == "day" else SAMPLES[period.every]


def round_period(plan: Plan, period: str | None, round_: str | None) -> str | None:
    """The period that a run takes: of a party's plan, the round's. BadInput for a round too many or too few."""
    if plan.combination is None:
        if round_ is not None:
            raise BadInput("--round: the plan has no `combination`; allowed: no --round")
        return period
    if round_ is None:
        raise BadInput(
            f"--round is missing: the plan is of the combination {plan.combination.name}; allowed: e.g. 2024-07, or "
            f"{ONCE} for one without a series"
        )
    if round_ != ONCE and not any(period_of(every, round_) for every in SAMPLES):
        allowed = ", ".join([*SAMPLES.values(), ONCE])
        raise BadInput(f"--round {round_!r}; allowed: names such as {allowed}")
    if period is not None:
        raise BadInput("--period beside --round; allowed: --round alone, whose period is taken")
    return round_ if plan.periods() else None
