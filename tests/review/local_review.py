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
from transforms.derivation import Secret
from transforms.draws import Draws
from transforms.expectations.handed import Handed, handed_in
from transforms.expectations.providers import CELLS, CLASSES
from transforms.expectations.suite import make_suite
from transforms.measures.k_anonymity import Anonymity
from transforms.pipeline.engine import LocalEngine
from transforms.pipeline.feed import SourceFile, TableUnit, pack_units
from transforms.pipeline.recompute import StagedUnit
from transforms.pipeline.review import Adequacy, Found, compare, conclude, file_columns, make_task
from transforms.pipeline.verdict import Claim, TableVerdict, Ways, verify_table
from transforms.run_facts import TableFacts
from transforms.utility_figures import Utility

Failed = set[tuple[str, str | None]]


_suites: dict[str, Any] = {}


def suite_of(made: Any) -> Any:
    """The plan's expectations, made once."""
    pipeline = made.pipeline
    if pipeline.fingerprint not in _suites:
        asked = pipeline.plan.adequacy
        made_suite = make_suite(pipeline.table(), asked.k_anonymity, pipeline.fingerprint, asked)
        _suites[pipeline.fingerprint] = made_suite.expectations
    return _suites[pipeline.fingerprint]


def verified(made: Any, tables: Sequence[pa.Table]) -> TableVerdict:
    """What verify says of the staged rows: every cell computed once more, in this process."""
    table, staged = made.pipeline.table(), pa.concat_tables(tables).combine_chunks()
    source = [TableUnit(0, made.source, table.source_schema)]
    both = [*source, StagedUnit(TableUnit(1, staged, staged.schema))]
    seed = Draws(Secret(b"v" * 32))
    ways = Ways(LocalEngine(source), LocalEngine(both), seed, staged.schema)
    return verify_table(Claim.of(table, made.keys, made.facts), ways)


def write_files(tables: Sequence[pa.Table], folder: Path) -> list[SourceFile]:
    """Parquet files as the staging zone holds them, in small row groups."""
    files = []
    for number, table in enumerate(tables):
        path = folder / f"part-{number}.parquet"
        pq.write_table(table, path, row_group_size=150, **WRITE_OPTIONS)
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
    made: Any,
    tables: Sequence[pa.Table],
    folder: Path,
    facts: TableFacts | None = None,
    utility: Utility | None = None,
) -> dict[tuple[str, str | None], dict[str, Any]]:
    """Every expectation of the plan's suite by type and column: `success`, and its counts."""
    facts = facts or made.facts
    table = made.pipeline.table()
    handed = Handed(table, facts, (), made.pipeline.fingerprint, "1", made.values, utility)
    whole = pa.concat_tables(tables, promote_options="permissive") if len(tables) > 1 else tables[0]
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    with handed_in(handed) as parameters:
        cells = cells_of(made, tables, folder, facts)
        there = [name for name in table.quasi_identifiers if name in whole.column_names]
        metrics = {CELLS: cells, CLASSES: smallest_class(whole, there)}
        for one in suite_of(made):
            judged = one.copy(update={"reviewed": parameters["reviewed"]}).judge(metrics)
            key = (one.expectation_type, getattr(one, "column", None))
            found[key] = {"success": judged["success"], **judged["result"]}
    return found


def failed(made: Any, tables: Sequence[pa.Table], folder: Path, facts: TableFacts | None = None) -> Failed:
    """Type and column of every expectation that does not hold."""
    return {key for key, one in results(made, tables, folder, facts).items() if not one["success"]}
