"""The review's suite on staged files, run by the columnar tasks in this process: no Spark, no job."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.parquet import WRITE_OPTIONS
from transforms.expectations.handed import Handed, handed_in
from transforms.expectations.providers import CELLS, CLASSES
from transforms.expectations.suite import make_suite
from transforms.measures.k_anonymity import Anonymity
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import SourceFile, pack_units
from transforms.pipeline.review import Adequacy, Found, compare, conclude, file_columns, make_task
from transforms.run_facts import TableFacts

Failed = set[tuple[str, str | None]]


def write_files(tables: Sequence[pa.Table], folder: Path) -> list[SourceFile]:
    """Parquet files as the staging zone holds them, in small row groups."""
    files = []
    for number, table in enumerate(tables):
        path = folder / f"part-{number}.parquet"
        pq.write_table(table, path, row_group_size=97, **WRITE_OPTIONS)
        files.append(SourceFile(str(path)))
    return files


def cells_of(made: Any, tables: Sequence[pa.Table], folder: Path, facts: TableFacts | None = None) -> Adequacy:
    """What the columnar pass finds; the table's own schema is that of its first file."""
    table, facts = made.pipeline.table(), facts or made.facts
    files = write_files(tables, folder)
    task = make_task(table, facts, made.values)
    units = pack_units(files, table.schema, 2)
    found = reduce(Found.merge, (pickle.loads(one) for one in LocalEngine(units).each(task, "")), task.empty())
    schema = file_columns(files, table.schema).merge(compare(tables[0].schema, table.schema))
    return replace(conclude(table, task, found, file_columns(files, table.schema)), schema=schema)


def smallest_class(table: pa.Table, columns: Sequence[str]) -> Anonymity:
    """k by its definition (Sweeney 2002): the smallest group of rows with equal cells."""
    sizes = Counter(zip(*(table[name].to_pylist() for name in columns), strict=True))
    return Anonymity(min(sizes.values(), default=0), len(sizes), sum(size < 3 for size in sizes.values()))


def results(
    made: Any, tables: Sequence[pa.Table], folder: Path, facts: TableFacts | None = None
) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Every expectation of the plan's suite by type and column: `success`, and its counts."""
    plan, facts = made.pipeline.plan, facts or made.facts
    table = made.pipeline.table()
    handed = Handed(table, facts, (), made.pipeline.fingerprint, "1", made.values)
    whole = pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0]
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    with handed_in(handed) as parameters:
        cells = cells_of(made, tables, folder, facts)
        there = [name for name in table.quasi_identifiers if name in whole.column_names]
        metrics = {CELLS: cells, CLASSES: smallest_class(whole, there)}
        for one in make_suite(table, plan.adequacy.k_anonymity, made.pipeline.fingerprint).expectations:
            judged = one.copy(update={"reviewed": parameters["reviewed"]}).judge(metrics)
            key = (one.expectation_type, getattr(one, "column", None))
            found[key] = {"success": judged["success"], **judged["result"]}
    return found


def failed(made: Any, tables: Sequence[pa.Table], folder: Path, facts: TableFacts | None = None) -> Failed:
    """Type and column of every expectation that does not hold."""
    return {key for key, one in results(made, tables, folder, facts).items() if not one["success"]}
