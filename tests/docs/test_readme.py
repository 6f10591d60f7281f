"""README.md: its plan is the one in conf, its commands run as they stand, its queries give what they say."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from ruamel.yaml import YAML

from jobs import cli
from jobs.worked_example import RESULT, SOURCE
from transforms.plan import Plan
from transforms.plan_loader import load

from .conftest import ROOT, Command, Page, page

PLAN = ROOT / "conf/plans/first.yaml"
ANALYST = page("jobs/documents/README.md")
ENGINEER = page("jobs/README.md")
TWO_COMMANDS = {"infra/run", "infra/test"}  # run by tests/jobs/test_demo.py, and by whoever runs this


def plain(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


def test_the_plan_that_is_explained_is_the_one_in_conf(readme: Page) -> None:
    (explained,) = readme.blocks("yaml")
    assert plain(explained) == plain(PLAN.read_text("utf-8"))
    assert load(PLAN).plan.plan == "first"


def test_every_part_of_the_plan_is_explained(readme: Page) -> None:
    (explained,) = readme.blocks("yaml")
    sections = re.split(r"^(?=[a-z_]+:)", explained, flags=re.MULTILINE)
    before = ""
    for section in filter(None, sections):
        # A comment stands in the section, or on the lines just above it.
        assert "#" in section or before.rstrip().rpartition("\n")[2].startswith("#"), section
        before = section
    assert [section.split(":")[0] for section in sections[1:]] == list(plain(explained))


def test_every_key_of_a_plan_is_told_in_conf() -> None:
    told = re.findall(r"`([a-z_]+)`", page("conf/README.md").text)
    written_elsewhere = {"internal_combination"}  # of chapter 3, not built yet
    names = {one.alias or name for name, one in Plan.model_fields.items()}
    assert names - set(told) == written_elsewhere


def test_commands_stand_in_blocks_that_are_run(readme: Page) -> None:
    fenced = readme.commands("")
    assert {command.words[0] for command in fenced} == TWO_COMMANDS
    assert 'exec "$root/.venv/bin/gamyeong" demo' in (ROOT / "infra/run").read_text("utf-8")
    assert len(readme.commands()) > 15


def test_the_worked_customer_is_shown_as_the_guideline_has_it(readme: Page) -> None:
    shown = next(block for block in readme.blocks("text") if "appendix 2" in block)
    rows = [re.split(r"\s{2,}", line.strip()) for line in shown.splitlines()]
    found = {row[0]: row[1:] for row in rows if row[0] in SOURCE}
    assert len(found) == 5
    for name, cells in found.items():
        assert cells == [f"{one:,}" if isinstance(one, int) else one for one in (SOURCE[name], RESULT[name])]


@dataclass
class Flow:
    """The README's commands as they ran: the folder that they ended in, and (command, exit code, output) of each."""

    folder: Path
    ran: list[tuple[Command, int, str]] = field(default_factory=list)

    def output(self, begins: str) -> list[str]:
        return [text for command, _, text in self.ran if command.text.startswith(begins)]

    def run(self, command: Command) -> None:
        """A `gamyeong` command in this process, so that all share one Spark session; any other by bash."""
        if command.words[0] == "gamyeong":
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = cli.main(command.words[1:])
            self.ran.append((command, code, said.getvalue()))
            return
        done = bash(f"{command.text}\necho; pwd")
        *text, place = done.stdout.splitlines()
        os.chdir(place)
        self.ran.append((command, done.returncode, "\n".join(text) + done.stderr))


def bash(text: str) -> subprocess.CompletedProcess[str]:
    """A shell in the current folder that finds this environment's commands first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = ["bash", "-eo", "pipefail", "-c", text]
    return subprocess.run(words, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def flow(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, readme: Page) -> Iterator[Flow]:
    """All of the README's `bash` blocks, in order, from a folder that looks like the repository."""
    checkout = tmp_path_factory.mktemp("docs") / "gamyeong"
    checkout.mkdir()
    (checkout / "conf").symlink_to(ROOT / "conf")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GAMYEONG_ENVIRONMENT", raising=False)
        patch.chdir(checkout)
        made = Flow(checkout)
        for command in readme.commands():
            made.run(command)
        made.folder = Path.cwd()
        yield made


@pytest.mark.spark
def test_every_command_runs_and_ends_as_its_comment_says(flow: Flow) -> None:
    wrong = [(command.text, code, text[-500:]) for command, code, text in flow.ran if code != command.exit]
    assert wrong == []
    assert {command.exit for command, _, _ in flow.ran} == {0, 5}


@pytest.mark.spark
def test_the_output_that_is_shown_is_what_comes(flow: Flow, readme: Page) -> None:
    shown = next(block for block in readme.blocks("text") if "run d6d5" in block)
    first, again = flow.output("gamyeong run")
    for line in shown.splitlines():
        parts = re.split(r"…|[0-9a-f]{16}|[0-9,]{4,}", line)
        assert re.search(".*".join(map(re.escape, parts)), first), line
    assert "already published" in again
    assert "gamyeong decide" in flow.output("gamyeong status")[0]
    assert "condition" in flow.output("gamyeong publish")[0]
    assert "2026-001" in flow.output("gamyeong ledger processing")[0]


@pytest.mark.spark
def test_the_published_table_lies_where_the_readme_says(flow: Flow, readme: Page) -> None:
    (place,) = re.findall(r"`(warehouse/published/\S+)`", readme.text)
    table = pl.from_arrow(DeltaTable(flow.folder / place).to_pyarrow_table())
    assert isinstance(table, pl.DataFrame)
    assert sorted(table["customer_id"]) == list(range(1, table.height + 1))
    assert set(table["age"]) == {20, 30, 40, 50, 60}
    assert table.group_by("age", "address", "sex").len()["len"].min() >= 3  # k of the plan; a row is a person
    assert not [name for name in table.columns if name.startswith(("amount_", "preferred_"))]


@pytest.mark.spark
def test_the_analysts_queries_agree(flow: Flow, spark: SparkSession) -> None:
    (sql,) = ANALYST.blocks("sql")
    by_spark = [tuple(row) for row in spark.sql(sql.replace("warehouse/", f"{flow.folder}/warehouse/")).collect()]
    results = []
    for code in (one for one in ANALYST.blocks("python") if "warehouse/published" in one):
        names: dict[str, Any] = {}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)  # noqa: S102 - a page's own code is what is tested
        rows = names["result"]
        results.append(rows.rows() if isinstance(rows, pl.DataFrame) else rows.fetchall())
    assert len(results) == 2
    assert [row[0] for row in by_spark] == [20, 30, 40, 50, 60]
    for found in results:
        assert [row[:2] for row in found] == [row[:2] for row in by_spark]
        assert [row[2] for row in found] == pytest.approx([row[2] for row in by_spark])


@pytest.mark.spark
@pytest.mark.slow
def test_the_submit_command_runs_a_trial(flow: Flow) -> None:
    text = next(block for block in ENGINEER.blocks("") if "spark-submit" in block)
    done = bash(text)
    assert done.returncode == 0, done.stderr[-2000:]
    summary = json.loads(done.stdout.splitlines()[-1])
    assert (summary["job"], summary["exit"], summary["rows_in"]) == ("pseudonymize", 0, 4000)
    said = bash(f"gamyeong publish {summary['run']}")
    assert said.returncode == 3
    assert "never be published" in said.stderr
