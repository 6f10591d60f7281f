"""`gamyeong ingest FILE…`: CSV, Parquet or JSON lines into the source zone, each column of one known type."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import difflib
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import pyarrow as pa

from jobs.columns import ALLOWED, named_type
from jobs.errors import BadInput, JobError, Operational
from jobs.formats import delimited, json_lines, parquet_files
from jobs.formats.common import Options, Problems, Survey, files_of
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.parquet import NewFile, ParquetSink
from jobs.session import spark_session
from jobs.tables import commit_files, exists, pinned
from jobs.targets import Mode, Target, recorded, source_table
from jobs.units import Unit, over_units
from transforms.errors import PlanError
from transforms.plan_places import read_text
from transforms.yaml_nodes import read_yaml

FORMATS: dict[str, ModuleType] = {"csv": delimited, "parquet": parquet_files, "json-lines": json_lines}


def arguments(parser: argparse.ArgumentParser) -> None:
    """The job's own arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files, or folders of files, of one format")
    parser.add_argument("--table", required=True, help="name in the source zone, say retail/customers")
    parser.add_argument("--format", choices=sorted(FORMATS), help="default: by the first file's name")
    parser.add_argument("--encoding", choices=["utf-8", "cp949"], default="utf-8", help="of text files")
    parser.add_argument("--delimiter", default=",", help="of CSV: one character, or \\t (default: a comma)")
    parser.add_argument("--null", action="append", default=[], metavar="TEXT",
                        help="a CSV cell that means null, beside the empty one; may be repeated")  # fmt: skip
    parser.add_argument("--time-zone", metavar="ZONE", help="of times without offset, say Asia/Seoul")
    parser.add_argument("--schema", metavar="FILE", help="YAML, `column: type` a line; others are inferred")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--append", action="store_true", help="add to the table that lies there")
    mode.add_argument("--replace", action="store_true", help="put it in place of the table that lies there")


def body(context: Context) -> Outcome:
    """Looks at the files, settles each column's type, and writes the table in one commit."""
    asked = context.arguments
    options = _options(asked)
    kind = asked.format or _kind(asked.files[0])
    mode: Mode = "append" if asked.append else "replace" if asked.replace else "create"
    with source_table(context.environment, asked.table) as target:
        if exists(target.location) and mode == "create":
            raise BadInput(
                f"a table lies at {target.location}; allowed: another --table, --append or --replace"
            )
        try:
            survey: Survey = FORMATS[kind].survey(files_of(asked.files, FORMATS[kind].SUFFIXES), options)
        except Problems as problems:
            raise _error(problems.texts, operational=problems.operational) from None
        if not survey.columns:
            raise BadInput(f"{', '.join(asked.files)}: no columns; allowed: at least one record")
        schema = _schema(survey, asked.schema, target if mode == "append" else None)
        rows = _write(context, _Work(kind, schema, options, mode, target), survey)
        types = {field.name: str(field.type) for field in schema}
        summary = recorded(
            context.environment, "ingest", asked.table, target.location, {"format": kind, "rows_in": rows}
        )
    text = [f"{asked.table}: {rows:,} rows in, {len(schema)} columns, version {summary['version']}"]
    text += [f"  {name}: {type_}" for name, type_ in types.items()]
    return Outcome({**summary, "types": types}, text="\n".join(text))


@dataclass(frozen=True)
class _Work:
    kind: str
    schema: pa.Schema
    options: Options
    mode: Mode
    target: Target


def _write(context: Context, work: _Work, survey: Survey) -> int:
    """All units by Spark tasks, then one commit; on a problem nothing stays."""
    location, folder, schema, options = work.target.location, work.target.folder, work.schema, work.options
    read = FORMATS[work.kind].read

    def task(unit: Unit) -> Unit:
        try:
            with ParquetSink(location, folder, schema) as sink:
                for batch in read(unit, schema, options):
                    sink.write(batch)
                return {"files": [[file.path, file.size, file.rows] for file in sink.close()]}
        except Problems as problems:
            return {"problems": problems.texts, "operational": problems.operational}
        except JobError as error:
            return {"problems": [error.message], "operational": isinstance(error, Operational)}

    text = f"ingest {context.arguments.table}"
    done: list[Unit] = []
    if survey.units:
        spark = spark_session(context.environment, text)
        done = over_units(spark, context.progress, text, survey.units, task)
    if texts := [one for result in done for one in result.get("problems", [])]:
        raise _error(texts, operational=any(result.get("operational") for result in done))
    files = [NewFile(*file) for result in done for file in result["files"]]
    commit_files(location, schema, files, mode=work.mode if exists(location) else "create")
    return sum(file.rows for file in files)


def _error(texts: list[str], *, operational: bool) -> JobError:
    message = "\n".join([*texts, "nothing was written"])
    return Operational(message) if operational else BadInput(message)


def _options(asked: argparse.Namespace) -> Options:
    delimiter = "\t" if asked.delimiter == "\\t" else asked.delimiter
    if len(delimiter) != 1 or delimiter in '"\r\n' or not delimiter.isascii():
        raise BadInput(f"--delimiter {asked.delimiter!r}; allowed: one ASCII character, or \\t")
    if asked.time_zone and asked.time_zone not in zoneinfo.available_timezones():
        close = difflib.get_close_matches(asked.time_zone, zoneinfo.available_timezones(), 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise BadInput(f"--time-zone {asked.time_zone}; allowed: a zone's name such as Asia/Seoul{hint}")
    return Options(asked.encoding, delimiter, ("", *asked.null), asked.time_zone)


def _kind(file: str) -> str:
    for kind, module in FORMATS.items():
        if file.endswith(module.SUFFIXES):
            return kind
    raise BadInput(f"{file}: which format?; allowed: --format {', '.join(sorted(FORMATS))}")


def _schema(survey: Survey, path: str | None, existing: Target | None) -> pa.Schema:
    """The columns' types: the existing table's where rows are added, else as declared, else as inferred."""
    declared = _declared(path) if path else {}
    if existing is not None and exists(existing.location):
        there = pinned(existing.location).schema
        problems = [f"column {n} is missing in the files" for n in there.names if n not in survey.columns]
        problems += [f"column {n} is not in the table" for n in survey.columns if n not in there.names]
        if problems or path:
            advice = "allowed: the table's own columns and types, without --schema"
            raise BadInput("\n".join([*problems, advice]))
        return there
    unknown = [name for name in declared if name not in survey.columns]
    if unknown:
        raise BadInput("\n".join(f"{path}: {_unknown(name, list(survey.columns))}" for name in unknown))
    return pa.schema([(name, declared.get(name, type_)) for name, type_ in survey.columns.items()])


def _unknown(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    return f"no column {name} in the files" + (f"; did you mean {close[0]}?" if close else "")


def _declared(path: str) -> dict[str, pa.DataType]:
    file = Path(path)
    try:
        root, problems = read_yaml(read_text(file, "types"), file.name)
        if problems:
            raise PlanError(problems)
    except PlanError as error:
        raise BadInput(f"{path} can't be read; allowed: YAML, one `column: type` a line\n{error}") from None
    raw = root.plain()
    types = {str(name): named_type(str(type_)) for name, type_ in raw.items()}
    wrong = [
        f"{path}, column {n}: type {raw[n]}; allowed: {ALLOWED}" for n, type_ in types.items() if not type_
    ]
    if wrong:
        raise BadInput("\n".join(wrong))
    return types


def main(argv: Sequence[str]) -> int:
    """Writes the table; exit 2 for files that don't fit (where, and what is allowed), 4 for damaged ones."""
    return run_job(
        argv,
        name="ingest",
        about="Brings CSV, Parquet or JSON lines into the source zone; bad bytes and misfits are errors.",
        body=body,
        arguments=arguments,
        writes=["source"],
    )


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
