"""The retail plan by DuckDB in one process: what somebody with one machine would write instead.

`python tests/benchmarks/duckdb_work.py` reads a `Task` as JSON on stdin and prints what it measured as JSON.
Not done here, though our job does it: keyed draws (DuckDB's plain hash is used), counts of changed
cells, digests, a Delta commit, facts and a ledger.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:1] = [str(Path(__file__).resolve().parents[up]) for up in (2, 1)]

from benchmarks.memory import high_water
from jobs.retail import CATEGORIES, GRADES, MONTHS

AMOUNTS = [f"amount_{category}_{month}" for month in MONTHS for category in CATEGORIES]
QUANTILE, LEAST_AGE, TOP_AGE, LEAST_CLASS = 0.999, 20, 80, 3
GRADE = {1: GRADES[:3], 2: GRADES[3:5], 3: GRADES[5:]}

Settings = dict[str, str | bool | int | float | list[str]]


@dataclass(frozen=True)
class Task:
    """Parquet files of the source, the file to write, the share of customers, a key, and the session's settings.

    `kept`: the drawn rows are read once and kept in a temporary table; else the files are read for each query.
    """

    files: Sequence[str]
    target: str
    fraction: float
    key: str
    settings: Settings
    kept: bool


def in_own_process(task: Task) -> dict[str, Any]:
    """Runs the task in a new process: {seconds, customers, sampled, rows, steps, peak_bytes}."""
    command = [sys.executable, __file__]
    done = subprocess.run(command, input=json.dumps(asdict(task)), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"DuckDB stopped:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def work(task: Task) -> dict[str, Any]:
    """Sample, measure, transform, write; the clock runs from the connection to the written file."""
    import duckdb

    steps: dict[str, float] = {}
    begun = before = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal before
        steps[name], before = time.perf_counter() - before, time.perf_counter()

    connection = duckdb.connect(config=task.settings)
    source = f"read_parquet({list(task.files)!r})"

    def one(sql: str) -> tuple[Any, ...]:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return row

    (customers,) = one(f"SELECT count(*) FROM {source}")
    drawn = int(customers * task.fraction)
    draw = f"hash(customer_id || '{task.key} sample')"
    (threshold,) = one(f"SELECT max(h) FROM (SELECT {draw} AS h FROM {source} ORDER BY h LIMIT {drawn})")
    (sampled,) = one(f"SELECT count(*) FROM {source} WHERE {draw} <= {threshold}")
    lap("sample")
    chosen = f"{source} WHERE {draw} <= {threshold} AND age >= {LEAST_AGE}"
    if task.kept:
        columns = ", ".join(["customer_id", "age", "address", "sex", *AMOUNTS, "grade_2019", "grade_2021"])
        connection.execute(f"CREATE TEMP TABLE kept_rows AS SELECT {columns} FROM {chosen}")
        chosen = "kept_rows"
        lap("read and keep")
    cuts = one("SELECT " + ", ".join(f"quantile_disc({name}, {QUANTILE})" for name in AMOUNTS) + f" FROM {chosen}")
    lap("quantiles")
    connection.execute(_classes(chosen))
    lap("classes")
    result = _result(chosen, cuts, task.key)
    connection.execute(f"COPY ({result}) TO '{task.target}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    lap("transform and write")
    seconds = time.perf_counter() - begun
    (rows,) = one(f"SELECT count(*) FROM '{task.target}'")
    return {
        "seconds": seconds,
        "customers": customers,
        "sampled": sampled,
        "rows": rows,
        "steps": steps,
        "peak_bytes": high_water("self"),
    }


def _key_columns() -> str:
    """Age in tens, 시군구, sex. Sejong (세종시) is one district; all others are named by two words."""
    words = "split_part(address, ' ', 1)"
    both = f"{words} || ' ' || split_part(address, ' ', 2)"
    district = f"CASE WHEN {words} = '세종시' THEN {words} ELSE {both} END"
    return f"(least(age, {TOP_AGE}) // 10 * 10)::INTEGER AS age, {district} AS address, sex"


def _classes(chosen: str) -> str:
    """Classes that lose their district (`blank`), or their records where even that leaves too few."""
    return f"""
        CREATE TEMP TABLE rare AS
        WITH classes AS (
            SELECT {_key_columns()}, count(*) AS n FROM {chosen} GROUP BY ALL
        ), judged AS (
            SELECT *, n < {LEAST_CLASS} AS small,
                coalesce(sum(n) FILTER (n < {LEAST_CLASS}) OVER same, 0) AS together,
                count(*) FILTER (n >= {LEAST_CLASS}) OVER same AS larger,
                row_number() OVER (PARTITION BY age, sex, n < {LEAST_CLASS} ORDER BY n, address) AS place
            FROM classes WINDOW same AS (PARTITION BY age, sex)
        )
        SELECT age, address, sex, small AND together < {LEAST_CLASS} AND larger = 0 AS gone
        FROM judged
        WHERE small OR (together BETWEEN 1 AND {LEAST_CLASS - 1} AND place = 1)"""


def _result(chosen: str, cuts: Sequence[int], key: str) -> str:
    """The delivered table, in the order of its serials."""
    amounts = ", ".join(_rounded(name, cut) for name, cut in zip(AMOUNTS, cuts, strict=True))
    grades = ", ".join(_grade(year) for year in (2019, 2021))
    delivered = ["row_number() OVER () AS customer_id", "age", "address", "sex"]
    for month in MONTHS:
        columns = [f"amount_{category}_{month}" for category in CATEGORIES]
        largest = f"greatest({', '.join(columns)})"
        named = " ".join(
            f"WHEN {column} = {largest} THEN '{label}'"
            for column, label in zip(columns, CATEGORIES.values(), strict=True)
        )
        delivered += [*columns, f"{' + '.join(columns)} AS total_{month}"]
        delivered.append(f"CASE WHEN {largest} = 0 THEN NULL {named} END AS preferred_{month}")
    return f"""
        WITH cells AS (
            SELECT hash(customer_id || '{key} order') AS h, {_key_columns()}, {amounts}, {grades} FROM {chosen}
        ), kept AS (
            SELECT cells.* REPLACE (CASE WHEN rare.gone IS NULL THEN cells.address END AS address)
            FROM cells LEFT JOIN rare USING (age, address, sex) WHERE rare.gone IS NOT TRUE
        )
        SELECT {", ".join(delivered)}, grade_2019, grade_2021 FROM (SELECT * FROM kept ORDER BY h)"""


def _rounded(name: str, cut: int) -> str:
    x = f"least({name}, {cut})"
    return (
        f"CASE WHEN {x} < 100000 THEN ({x} + 9999) // 10000 * 10000"
        f" WHEN {x} < 10000000 THEN ({x} + 4999) // 10000 * 10000"
        f" ELSE ({x} + 499999) // 1000000 * 1000000 END AS {name}"
    )


def _grade(year: int) -> str:
    cases = " ".join(
        f"WHEN grade_{year} IN ({', '.join(map(repr, names))}) THEN {number}" for number, names in GRADE.items()
    )
    return f"(CASE {cases} END)::BIGINT AS grade_{year}"


if __name__ == "__main__":
    print(json.dumps(work(Task(**json.load(sys.stdin)))))
