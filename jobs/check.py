"""`gamyeong check PLAN`: is the plan valid, does it fit its tables, what would be done? Without Spark."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.clock import utc_now
from jobs.columns import brought_in
from jobs.errors import BadInput
from jobs.frames import needs_connector
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.plans import open_plan
from jobs.tables import pinned
from transforms.compiler import compile_plan
from transforms.errors import PlanError
from transforms.fingerprint import fingerprint
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.plan_loader import Loaded, source_tables
from transforms.plan_warnings import plan_warnings

OWN = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("plan", metavar="PLAN", help="the plan's file (YAML)")
    parser.add_argument(
        "--schema",
        action="append",
        nargs="?",
        const=OWN,
        metavar="[TABLE=]PLACE",
        help="check against a table: a Parquet file, a Delta folder, or a name in the source zone; "
        "without a value the plan's own source; TABLE names one of the plan's `tables`",
    )
    parser.add_argument(
        "--explain", action="store_true", help="print phases, steps, passes and shuffles (implies --schema)"
    )


def body(context: Context) -> Outcome:
    """Loads, then compiles against the schemas that were asked for."""
    path = Path(context.arguments.plan)
    wanted: list[str] = context.arguments.schema or ([OWN] if context.arguments.explain else [])
    schemas = _schemas(path, wanted, context) if wanted else {}
    loaded = open_plan(path, context.environment, schemas)
    pipeline = _compiled(loaded, schemas) if schemas else None
    mark = fingerprint(loaded.plan, loaded.hierarchies)
    held = f", fits {', '.join(name or 'its table' for name in schemas)}" if schemas else ""
    lines = [f"{path.name}: valid{held}; fingerprint {mark}"]
    warnings = _ended(loaded.plan) + (plan_warnings(pipeline, "en") if pipeline is not None else [])
    warnings += _closed(path, context) if OWN in wanted else []
    lines += [f"warning: {one}" for one in warnings]
    names = sorted(schemas)
    summary: dict[str, Any] = {"plan": loaded.plan.plan, "fingerprint": mark, "tables": names, "warnings": warnings}
    if context.arguments.explain and pipeline is not None:
        lines.append(pipeline.explain())
        summary["not_delivered"] = {name: list(one.excluded) for name, one in pipeline.tables.items()}
    return Outcome(summary, text="\n".join(lines))


def _ended(plan: Plan) -> list[str]:
    """A warning where the use is over: the plan is well written, but the jobs refuse it."""
    if utc_now().date() <= plan.use.until:
        return []
    refused = "pseudonymize and publish refuse the plan (exit 3); allowed: a later `until`"
    return [f"use.until: the use ended on {plan.use.until}; {refused}"]


def _closed(path: Path, context: Context) -> list[str]:
    """A warning for each source table in an object store that the jobs can't read there, as the environment stands."""
    zone = context.environment.zone("source")
    names = () if zone.is_local else source_tables(path).values()
    told = [needs_connector(pinned(zone / name), context.environment.spark) for name in names]
    return [one for one in told if one is not None]


def _compiled(loaded: Loaded, schemas: Mapping[str, pa.Schema]) -> Pipeline:
    single = loaded.plan.source is not None
    missing = [name for name in loaded.plan.tables if name not in schemas]
    if missing:
        raise BadInput(f"no schema for {', '.join(missing)}; give --schema TABLE=PLACE for each, or --schema alone")
    try:
        return compile_plan(loaded.plan, schemas[OWN] if single else schemas, loaded.hierarchies, loaded.lines)
    except PlanError as error:
        raise loaded.placed(error) from None


def _schemas(path: Path, wanted: Sequence[str], context: Context) -> dict[str, pa.Schema]:
    """The schemas by the plan's table names; of the plan only its tables' names are needed for that."""
    sources = source_tables(path)
    if OWN in wanted:
        return {name: _schema(source, context) for name, source in sources.items()}
    found = {}
    for one in wanted:
        name, _, place = one.rpartition("=")
        if name not in sources:
            known = ", ".join(f"{table}=PLACE" for table in sources if table) or "a place alone: the plan has one table"
            raise BadInput(f"--schema {one!r}; allowed: {known}")
        found[name] = _schema(place, context)
    return found


def _schema(place: str, context: Context) -> pa.Schema:
    """The schema of a Parquet file or Delta folder, else of a table of the source zone."""
    file = Path(place)
    if not file.exists():
        return pinned(context.environment.zone("source") / place).schema
    if file.is_dir():
        return pinned(str(file.resolve())).schema
    try:
        found = pq.read_schema(file)
    except pa.ArrowInvalid:
        raise BadInput(f"{file.name} is no Parquet file; --schema takes one, or a Delta folder") from None
    # A type that we don't hold stays as it is: the compiler refuses it by its name.
    return pa.schema([(field.name, brought_in(field.type) or field.type) for field in found])


def main(argv: Sequence[str]) -> int:
    """Exit 0 for a valid plan, 2 for a bad one, 3 for one that breaks a rule; nothing is written."""
    return run_job(
        argv,
        name="check",
        about="Checks a plan, alone or against its tables. Needs no Spark and writes nothing.",
        body=body,
        arguments=arguments,
        reads=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
