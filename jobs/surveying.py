"""What `gamyeong outliers` looks at: any table as it stands, or a plan's tables behind their column steps."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, Operational
from jobs.keys import passing_secret
from jobs.plans import open_plan
from jobs.progress import Progress
from jobs.pseudonymization import bare
from jobs.session import require_encryption, spark_session, watched
from jobs.sources import engine_for, pinned_sources
from jobs.tables import Snapshot, pinned
from transforms.compiler import compile_plan
from transforms.complaint import did_you_mean
from transforms.ordered import to_json
from transforms.pipeline.engine import PassFailed
from transforms.pipeline.feed import Damaged
from transforms.pipeline.outlier_survey import Asked, Survey, survey
from transforms.pipeline.run import Options, prepare
from transforms.pipeline_model import Chain, TablePipeline
from transforms.plan import ColumnRule
from transforms.run_keys import RunKeys, series_names

# by name: pipelines, pinned sources; and the names of series
Tables = tuple[dict[str, TablePipeline], dict[str, Snapshot], list[str]]


@dataclass(frozen=True)
class Question:
    """What the command line asks: columns to look at together (None: the plan's own), classes of numbers, least."""

    classes: tuple[str, ...] | None
    within: tuple[str, ...]
    below: int
    subject: str | None


@dataclass(frozen=True)
class Surveyed:
    """One table's survey. `counted`: "rows" or "persons"."""

    what: str
    counted: str
    below: int
    found: Survey


def surveyed(environment: Environment, what: str, question: Question, progress: Progress) -> dict[str, Surveyed]:
    """The survey of each table. Of a plan, stop requests, sample and period are left aside: all rows are looked at.

    Errors: PlanError (2 or 3), BadInput (2), DataFailed (1), Operational (4).
    """
    planned = Path(what).suffix in (".yaml", ".yml")
    tables, snapshots, series = (
        _of_plan(environment, Path(what), question) if planned else _of_table(environment, what, question)
    )
    asked = {name: _asked(table, question) for name, table in tables.items()}
    keys = RunKeys(
        passing_secret(), environment.organisation, "outliers", "nobody", {name: passing_secret() for name in series}
    )
    spark = spark_session(environment, f"outliers of {Path(what).name}")
    require_encryption(spark)
    found = {}
    for name, table in tables.items():
        label = f"outliers {name}"
        engine, rows = engine_for(spark, snapshots[name], table, label, None, partial(watched, spark, progress))
        options = Options(cores=spark.sparkContext.defaultParallelism, rows_hint=rows)
        try:
            work = prepare(table, keys, engine, options).work
            told = survey(work, engine, asked[name])
        except Damaged as error:
            raise Operational(str(error)) from None
        except PassFailed as error:
            raise (Operational if error.damaged else DataFailed)(str(error)) from None
        stage = "behind the plan's column steps" if planned else "as it is"
        counted = "persons" if asked[name].subjects else "rows"
        found[name] = Surveyed(stage, counted, question.below, told)
    return found


def _of_plan(environment: Environment, file: Path, question: Question) -> Tables:
    if question.subject is not None:
        raise BadInput("--subject with a plan, which names its subject itself; allowed: --subject with a table")
    loaded = open_plan(file, environment)
    snapshots = pinned_sources(loaded.plan, environment)
    schemas = {name: bare(snapshot.schema) for name, snapshot in snapshots.items()}
    pipeline = compile_plan(loaded.plan, schemas.get("", schemas), loaded.hierarchies, loaded.lines)
    wholes = {name: one.whole or one for name, one in pipeline.tables.items() if one.of is None}
    tables = {name: replace(one, outliers=(), sample=None, register=None) for name, one in wholes.items()}
    series = sorted(series_names(loaded.plan))
    return tables, {name: snapshots["" if "" in snapshots else name] for name in tables}, series


def _of_table(environment: Environment, what: str, question: Question) -> Tables:
    folder = Path(what)
    snapshot = pinned(str(folder.resolve())) if folder.is_dir() else pinned(environment.zone("source") / what)
    schema = bare(snapshot.schema)
    rule = ColumnRule.model_validate({"kind": "attribute", "apply": "keep"})
    name = Path(what).name
    if question.subject is not None and question.subject not in schema.names:
        raise _unknown("--subject", question.subject, schema.names)
    columns = tuple(Chain(one.name, one.type, (), rule, {}, f"{name}.{one.name}") for one in schema)
    table = TablePipeline(
        name=name,
        source=what,
        source_schema=schema,
        row_key=None,
        subject=question.subject,
        subject_domain=f"{name}.{question.subject}" if question.subject is not None else None,
        register=None,
        columns=columns,
        excluded=(),
        row_rules=(),
        sample=None,
        outliers=(),
        quasi_identifiers=(),
    )
    return {name: table}, {name: snapshot}, []


def _asked(table: TablePipeline, question: Question) -> Asked:
    types = {chain.name: chain.cell_type for chain in table.chains if chain.by_row}
    exact = [name for name, type_ in types.items() if str(type_) not in ("float", "double")]
    own = tuple(name for name in table.quasi_identifiers if name in exact)
    together = question.classes if question.classes is not None else own
    for option, names in (("--classes", together), ("--within", question.within)):
        for name in names:
            if name not in exact:
                raise _unknown(option, name, exact)
    return Asked(together, question.within, question.below, table.subject is not None and not table.one_row_per_subject)


def _unknown(option: str, name: str, known: list[str]) -> BadInput:
    near = did_you_mean(name, known)
    hint = f"; {near}" if near else ""
    return BadInput(f"{option}: no column {name!r} with exact values; allowed: {', '.join(known)}{hint}")


def write_bounds(file: Path, found: Mapping[str, Surveyed]) -> None:
    """The measured bounds of whole tables as JSON, readable by their owner alone. BadInput where the file is there."""
    body = {
        name: [
            {"column": one.column, "method": one.method, "low": to_json(one.bounds[0]), "high": to_json(one.bounds[1])}
            for one in table.found.numbers
        ]
        for name, table in found.items()
    }
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadInput(f"--bounds {file}: is there already; allowed: a new file") from None
    except OSError as error:
        raise BadInput(f"--bounds {file}: {error.strerror}; allowed: a new file in a folder that is there") from None
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
