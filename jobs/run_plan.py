"""A run's plan in the evidence: what verify and review recompile, without the source and its plan files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pydantic import ValidationError

from jobs.columns import named_type
from jobs.errors import BadInput, Refused
from jobs.runs import RunFolder
from jobs.storage import Location, write_atomically
from transforms.compiler import compile_plan
from transforms.errors import PlanError
from transforms.hierarchy import Hierarchy
from transforms.pipeline_model import Pipeline
from transforms.plan import Plan
from transforms.plan_loader import Loaded

HIERARCHIES = "hierarchies.json"
SOURCE_SCHEMA = "source_schema.json"
_NAMES = {str(type_): type_ for type_ in (pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC"))}


def save_plan(folder: RunFolder, loaded: Loaded, schemas: pa.Schema | Mapping[str, pa.Schema]) -> None:
    """Writes plan.yaml (as it was written), plan.json (`extends` resolved), hierarchies and source schemas.

    `schemas`: the source's schema, or the sources' by table name, as `compile_plan` takes them.
    """
    write_atomically(folder.plan_yaml.local, loaded.file.read_bytes())
    _write(folder.plan_json, loaded.plan.canonical())
    _write(folder.evidence / HIERARCHIES, {name: one.plain() for name, one in loaded.hierarchies.items()})
    if isinstance(schemas, pa.Schema):
        schemas = {loaded.plan.output.table: schemas}
    named = {name: [[field.name, str(field.type)] for field in schema] for name, schema in schemas.items()}
    _write(folder.evidence / SOURCE_SCHEMA, named)


def load_compiled(folder: RunFolder) -> Pipeline:
    """The run's pipeline, compiled anew from the evidence.

    BadInput for a missing or damaged file; Refused where plan and hierarchies no longer have the
    fingerprint that run.json names.
    """
    record = folder.load_record()
    raw, hierarchies, schemas = (folder.read(name) for name in ("plan.json", HIERARCHIES, SOURCE_SCHEMA))
    try:
        plan = Plan.model_validate(raw)
        known = {name: _hierarchy(name, one) for name, one in hierarchies.items()}
        types = {table: _schema(columns) for table, columns in schemas.items()}
        pipeline = compile_plan(plan, types[plan.output.table] if plan.source is not None else types, known)
    except (ValidationError, PlanError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(
            f"the plan at {folder.evidence} is damaged: {type(error).__name__}; "
            f"allowed: plan.json, {HIERARCHIES} and {SOURCE_SCHEMA} as pseudonymize wrote them"
        ) from None
    if pipeline.fingerprint != record.fingerprint:
        raise Refused(
            f"plan.json or {HIERARCHIES} at {folder.evidence} was altered: "
            "it does not have the fingerprint that run.json names"
        )
    return pipeline


def _write(place: Location, body: Any) -> None:
    # not sorted: the order of column rules is the order of the published columns
    write_atomically(place.local, json.dumps(body, ensure_ascii=False, indent=1).encode())


def _hierarchy(name: str, raw: Mapping[str, Any]) -> Hierarchy:
    return Hierarchy(name, raw["match"], tuple(raw["levels"]), tuple(tuple(row) for row in raw["rows"]))


def _schema(columns: list[list[str]]) -> pa.Schema:
    return pa.schema([pa.field(name, _type(text)) for name, text in columns])


def _type(text: str) -> pa.DataType:
    found = _NAMES.get(text) or named_type(text)
    if found is None:
        raise ValueError(text)
    return found
