"""`mock-attributes`: the pseudonymized attributes of the few subjects that the combining agency chose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pyarrow as pa

from jobs.combination.applicant.party_plan import party_plan, plan_argument
from jobs.combination.applicant.register import engine_over, stops_of
from jobs.combination.engines import failed
from jobs.combination.mock import SERIAL, SERIAL_OF_MOCK, require_mock
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.errors import DataFailed, Waiting
from jobs.job import Outcome
from jobs.pseudonymization import bare
from jobs.sources import pinned_sources, round_period, table_window
from transforms.combination.contribution import STEP as SERIAL_STEP
from transforms.combination.serials import round_series, serial_draws, serials
from transforms.compiler import compile_plan
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.errors import DataRefused
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.feed import Unit
from transforms.pipeline.transform import to_blob
from transforms.pipeline_model import Pipeline, TablePipeline
from transforms.plan import Plan
from transforms.plan_loader import Loaded
from transforms.plan_outliers import OutlierLimits
from transforms.run_keys import RunKeys, series_names

ROWS = "rows"


@dataclass(frozen=True)
class ChosenRows:
    """Task: the rows of chosen subjects, as Arrow blobs. Holds the mock's secret, so it goes by broadcast alone."""

    subject: str
    columns: tuple[str, ...]
    numbers: Draws
    chosen: pa.Array

    def __call__(self, unit: Unit) -> Iterator[bytes]:
        for batch in unit.batches(self.columns):
            asked = pa.compute.is_in(serials(batch.column(self.subject), self.numbers), value_set=self.chosen)
            if asked.true_count:
                yield to_blob(batch.filter(asked)).to_pybytes()


def body(call: Call) -> Outcome:
    """Pseudonymizes the chosen subjects' rows by the party's plan; its facts (cut-offs …) are those of these rows."""
    require_mock(call)
    loaded, _ = party_plan(call)
    before = call.round.done("mock-attributes", call.revision)
    if before is not None:
        return _told(call, int(before["rows"]), "sent already")
    agency = call.combination.roles.combining_agency
    asked = call.received("mock-chosen", agency)
    if asked is None:
        raise Waiting(f"round {call.round.name} waits for the choice of {agency} (`mock-choose`)")
    secret = round_secret(call.environment, call.combination, call.round.name, SERIAL_OF_MOCK)
    table, pipeline = _pipeline(call, loaded)
    rows = _pseudonymized(call, pipeline, table, secret, asked.table().column(SERIAL).combine_chunks())
    package = call.draft(
        "mock-attributes", agency, inputs={"plan": pipeline.fingerprint, "chosen": asked.manifest.substance}
    )
    package.finish([package.sealer.write(rows, ROWS)], {"fingerprint": pipeline.fingerprint})
    call.round.record("mock-attributes", {"rows": rows.num_rows, "plan": pipeline.fingerprint}, call.revision)
    return _told(call, rows.num_rows, "sent")


def _pipeline(call: Call, loaded: Loaded) -> tuple[TablePipeline, Pipeline]:
    """The plan's one table with attributes, on data as they are; rare classes are no error among so few."""
    schemas = {name: bare(one.schema) for name, one in pinned_sources(loaded.plan, call.environment).items()}
    pipeline = compile_plan(loaded.plan, schemas.get("", schemas), loaded.hierarchies, loaded.lines)
    (table,) = [one for one in pipeline.tables.values() if len(one.columns) > 1] or list(pipeline.tables.values())
    limits = OutlierLimits(cells=1, rows=1, recheck="report")
    return table, replace(pipeline, plan=pipeline.plan.model_copy(update={"outlier_limits": limits}))


def _pseudonymized(call: Call, pipeline: Pipeline, table: TablePipeline, secret: Secret, chosen: pa.Array) -> pa.Table:
    plan = pipeline.plan
    snapshot = pinned_sources(plan, call.environment)["" if plan.source is not None else table.name]
    window = table_window(plan, table.name, round_period(plan, None, call.round.name), table.source_schema)
    engine, _ = engine_over(call, snapshot, table, f"mock-attributes {call.round.name}", window)
    serial = next(c.name for c in table.chains if c.steps and c.steps[-1].technique.name == SERIAL_STEP)
    numbers = serial_draws(secret, call.environment.organisation, plan)
    task = ChosenRows(serial, tuple(table.source_schema.names), numbers, chosen)
    assert plan.combination is not None
    stops = stops_of(call, plan, plan.combination)
    try:
        found = [pa.ipc.open_stream(blob).read_all() for blob in engine.each(task, "chosen rows")]
        source = pa.concat_tables(found) if found else table.source_schema.empty_table()
        keys = _keys(call, plan, secret)
        made = pipeline.apply_table(source, keys, table.name, stops.ids if stops is not None else None)
    except PassFailed as error:
        raise failed(error) from None
    except DataRefused as error:
        raise DataFailed(str(error)) from None
    return made.rename_columns([SERIAL if name == serial else name for name in made.column_names])


def _keys(call: Call, plan: Plan, secret: Secret) -> RunKeys:
    """All keys of the mock come from its own secret, so that nothing of it is alike in the round itself."""
    assert plan.combination is not None
    series = dict.fromkeys((*series_names(plan), round_series(plan.combination.name)), secret)
    run = f"mock {call.combination.combination} {call.round.name}"
    return RunKeys(secret, call.environment.organisation, run, plan.use.recipient, series)


def _told(call: Call, rows: int, state: str) -> Outcome:
    text = f"round {call.round.name}, {call.me}: {rows} rows of chosen subjects {state}"
    return Outcome({"rows": rows, "state": state}, text=text)


STEP = Step(
    "mock-attributes",
    "pseudonymizes the chosen subjects' attributes, and sends them to the combining agency",
    "applicant",
    body,
    reads=("source",),
    writes=("keys", "evidence"),
    arguments=plan_argument,
)
