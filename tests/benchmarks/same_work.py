"""Do both sides do the same work? The plan without its sample, by ours and by DuckDB: every cell must be equal.

With a sample each side draws its own half, so the rows can't be compared. Serials are left out: each
side has its own order.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from benchmarks import duckdb_work
from benchmarks.chain import QUIET, folder_of
from benchmarks.compare import Unlike, task
from benchmarks.places import PLAN, Place, Round
from jobs.pseudonymization import pseudonymize
from jobs.tables import pinned

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CUSTOMERS = 50_000
SERIAL = "customer_id"


def same_work(spark: SparkSession, place: Place) -> dict[str, Any]:
    """Rows and columns that were compared; Unlike where any cell differs."""
    with place.round() as at:
        ours = _ours(at)
        for kept in (False, True):
            done = duckdb_work.in_own_process(task(place.source, at.folder, 1.0, kept=kept))
            found = _compared(ours, at.folder / "result.parquet", done["rows"])
        return {"customers": place.customers, "rows": done["rows"], **found}


def _ours(at: Round) -> list[str]:
    plan = at.folder / "everybody.yaml"
    shutil.copy(PLAN, at.folder)  # a base lies in the folders of plans
    plan.write_text(f"extends: {PLAN.name}\nplan: everybody\nsample: null\n", encoding="utf-8")
    done = pseudonymize(at.environment, plan, QUIET)
    return [file.uri for file in pinned(folder_of(at, done.run).staged(done.tables[0].name)).files]


def _compared(ours: list[str], other: Path, rows: int) -> dict[str, Any]:
    import duckdb

    names, theirs = pq.read_schema(ours[0]), pq.read_schema(other)
    if names.names != theirs.names or names.remove(0).types != theirs.remove(0).types:
        differing = [str(a) for a, b in zip(names, theirs, strict=False) if a != b]
        raise Unlike(f"columns differ: {', '.join(differing)}")
    connection = duckdb.connect()
    left, right = f"read_parquet({ours!r})", f"'{other}'"
    counts = []
    for first, second in ((left, right), (right, left)):
        cells = [f"SELECT * EXCLUDE ({SERIAL}) FROM {one}" for one in (first, second)]
        row = connection.execute(f"SELECT count(*) FROM ({cells[0]} EXCEPT ALL {cells[1]})").fetchone()
        counts.append(row[0] if row else 0)
    serials = connection.execute(
        f"SELECT min({SERIAL}), max({SERIAL}), count(DISTINCT {SERIAL}) FROM {right}"
    ).fetchone()
    if any(counts) or serials != (1, rows, rows):
        raise Unlike(f"{counts[0]} rows are ours alone, {counts[1]} DuckDB's; serials {serials}")
    return {"columns": len(names.names), "rows_different": 0}
