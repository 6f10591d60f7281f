"""`gamyeong synthesize`: from a published table a synthetic one in the source zone, with figures, without Spark."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs import cli
from jobs.environment import Environment
from jobs.ledger import source_ledger
from jobs.names import folder_name
from jobs.parquet import write_batches
from jobs.tables import commit_files, pinned

PUBLISHED = "2026-001/연구원/people"
Start = Callable[..., tuple[int, dict[str, Any], str]]


@pytest.fixture
def start(environment_file: Path, capfd: pytest.CaptureFixture[str]) -> Start:
    """Runs `gamyeong synthesize …`: exit code, the last line's object, and all that was printed."""

    def start(*words: object) -> tuple[int, dict[str, Any], str]:
        capfd.readouterr()
        arguments = ["synthesize", *map(str, words), "--environment", str(environment_file), "--json"]
        code = cli.main(arguments)
        shown = capfd.readouterr()
        last = shown.out.splitlines()[-1] if shown.out else "{}"
        return code, json.loads(last), shown.out + shown.err

    return start


@pytest.fixture
def published(environment: Environment, environment_file: Path) -> pa.Table:
    """400 published people with a serial number, in two files; and a root key."""
    draw = random.Random(1)
    ages = [draw.choice([20, 30, 40]) for _ in range(400)]
    table = pa.table({
        "customer_id": list(range(1, 401)),
        "age": ages,
        "job": [draw.choice("abcdefghijklmnopqrst") for _ in ages],
        "amount": [age * 10 + draw.randrange(10) for age in ages],
    })  # fmt: skip
    place = environment.zone("published") / PUBLISHED
    files = [file for part in (table.slice(0, 150), table.slice(150))
             for file in write_batches(place, "files", table.schema, part.to_batches())]  # fmt: skip
    commit_files(place, table.schema, files)
    assert cli.main(["keys", "init", "--environment", str(environment_file), "--quiet"]) == 0
    return table


def rows_of(environment: Environment, name: str) -> list[dict[str, Any]]:
    files = pinned(environment.zone("source") / name).files
    return [row for file in files for row in pq.read_table(file.uri).to_pylist()]


def test_a_synthetic_table_with_its_figures(start: Start, environment: Environment, published: pa.Table) -> None:
    words = [PUBLISHED, "--table", "synthetic/people", "--drop", "customer_id", "--rows", 300]
    code, told, shown = start(*words)
    assert code == 0, shown
    made = rows_of(environment, "synthetic/people")
    assert len(made) == told["rows"] == 300
    assert set(made[0]) == {"age", "job", "amount"}
    assert all(row["amount"] // 10 in (20, 30, 40) for row in made)
    # the relation that a tree finds: the amount tells the age
    assert sum(row["amount"] // 10 == row["age"] for row in made) > 295
    kept = json.loads((environment.zone("evidence") / "synthetic" / "synthetic--people.json").local.read_text("utf-8"))
    assert kept == told["figures"]
    assert set(kept["quality"]) == {"columns", "correlations", "pmse"}
    assert kept["records"] == [400, 300]
    (entry,) = [one for one in source_ledger(environment).entries() if one.type == "synthesize"]
    assert entry.content()["from"] == pinned(environment.zone("published") / PUBLISHED).table_id


def test_the_same_arguments_change_nothing_and_replace_makes_the_same(
    start: Start, environment: Environment, published: pa.Table
) -> None:
    words = [PUBLISHED, "--table", "people", "--drop", "customer_id"]
    assert start(*words)[1]["made"]
    first = rows_of(environment, "people")
    again = start(*words)[1]
    assert (again["made"], again["version"]) == (False, 0)
    code, _, shown = start(*words, "--leaf", 20)
    assert code == 2
    assert "another table lies" in shown
    assert start(*words, "--leaf", 20, "--replace")[0] == 0
    assert start(*words, "--replace")[1]["made"]
    assert rows_of(environment, "people") == first


def test_too_many_copies_fail_and_leave_nothing(start: Start, environment: Environment, published: pa.Table) -> None:
    words = [PUBLISHED, "--table", "people", "--drop", "customer_id", "--kind", "hybrid", "--stays", 0.9]
    code, _, shown = start(*words, "--most-copies", 0)
    assert code == 1
    assert "nothing was written" in shown
    assert not (environment.zone("source") / "people" / "_delta_log").exists()
    assert not list(Path(environment.zone("source") / "people").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([PUBLISHED, "--table", "people"], "column customer_id is an id"),
        ([PUBLISHED, "--table", "people", "--drop", "nobody"], "--drop nobody"),
        (["2026-001/nobody/people", "--table", "people"], "no published table"),
        ([PUBLISHED, "--table", "people", "--leaf", 1], "--leaf 1"),
        ([PUBLISHED, "--table", "../people"], "allowed: a name such as"),
        ([PUBLISHED, "--table", "people", "--drop", "customer_id", "--kind", "partial"], "columns to make anew"),
    ],
)
def test_bad_arguments(start: Start, published: pa.Table, words: list[object], found: str) -> None:
    code, _, shown = start(*words)
    assert code == 2
    assert found in shown


def test_the_table_may_be_named_by_the_plans_words(
    start: Start, environment: Environment, published: pa.Table
) -> None:
    made = environment.zone("published").local / "2026-001"
    (made / Path(PUBLISHED).parts[1]).rename(made / folder_name("지역경제연구원"))
    words = f"2026-001/지역경제연구원/{Path(PUBLISHED).name}"
    assert start(words, "--table", "people", "--drop", "customer_id")[0] == 0
