"""Every `gamyeong …` line of every page is one that the job understands; zones and exit codes are the code's own."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from jobs import cli, errors
from jobs.cli import JOBS
from jobs.environment import ZONES, load_environment
from jobs.job import Outcome
from jobs.storage import conf_path

from .conftest import ROOT, Page, page

PAGES = [
    "README.md", "airflow_dags/README.md", "conf/README.md", "infra/README.md",
    "infra/access/README.md", "jobs/README.md", "jobs/assessing/README.md", "jobs/combination/README.md",
    "jobs/documents/README.md", "jobs/forms/README.md", "tests/README.md", "transforms/README.md",
]  # fmt: skip
ENGINEER = page("jobs/README.md")
CODES = {0: None, 1: errors.DataFailed, 2: errors.BadInput, 3: errors.Refused, 4: errors.Operational, 5: errors.Waiting}


def gamyeong_lines(text: str) -> list[str]:
    """The `gamyeong …` commands in a page's code blocks and in its `inline` code, without placeholders' dots."""
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    found = re.findall(r"(?:^|\$\()(gamyeong [^\n)]*)", blocks.replace("\\\n", " "), re.MULTILINE)
    outside = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    # In running text `gamyeong check` alone names the job, `gamyeong combination keys` a step: only that there is one
    # is asked.
    named = re.findall(r"`(gamyeong [^`]+)`", outside)
    found += [f"{one} --help" if re.fullmatch(r"gamyeong (combination\s)?\S+", one) else one for one in named]
    return [one for one in found if "…" not in one and "NAME " not in one + " "]


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mapping[str, Any]]:
    """Jobs that parse their arguments and do nothing; what each declares, by the name of its module."""
    seen: dict[str, Mapping[str, Any]] = {}
    for module, _ in JOBS.values():
        job = importlib.import_module(f"jobs.{module}")
        real = job.run_job

        def parse_only(argv: Sequence[str], *, _module: str = module, _real: Any = real, **given: Any) -> int:
            seen[_module] = given
            code: int = _real(argv, **{**given, "body": lambda context: Outcome()})
            return code

        monkeypatch.setattr(job, "run_job", parse_only)
    return seen


def test_a_wrong_command_is_seen(declared: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert gamyeong_lines("```\ngamyeong check PLAN --shema X  # no\n```") == ["gamyeong check PLAN --shema X  # no"]
    assert gamyeong_lines("run `gamyeong dance` or `gamyeong …`") == ["gamyeong dance --help"]
    assert cli.main(["check", "PLAN", "--shema", "X"]) == 2
    assert cli.main(["dance"]) == 2
    assert cli.main(["check", "PLAN", "--schema", "X"]) == 0


@pytest.mark.parametrize("path", PAGES)
def test_commands_are_understood(path: str, declared: object, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {
        line: capsys.readouterr().err
        for line in gamyeong_lines((ROOT / path).read_text("utf-8"))
        if cli.main(shlex.split(line, comments=True)[1:]) != 0
    }
    assert wrong == {}


def test_every_page_of_commands_is_looked_at() -> None:
    pages = {str(path.relative_to(ROOT)) for top in ("conf", "infra", "jobs") for path in (ROOT / top).rglob("*.md")}
    assert pages <= set(PAGES)
    assert sum(len(gamyeong_lines((ROOT / path).read_text("utf-8"))) for path in PAGES) > 40


def zone_table(table: Page) -> dict[str, tuple[set[str], set[str]]]:
    """Job → zones read and written, by the table under "Jobs and zones"."""
    rows = re.findall(r"^\| (`.*?) \| .*? \|(.*)\|(.*)\|$", table.text.split("## Environments")[0], re.MULTILINE)
    found = {}
    for names, reads, writes in rows:
        for name in re.findall(r"`([a-z-]+)`", names):
            cells = [re.split(r"[^a-z-]+", cell) for cell in (reads, writes)]
            found[name] = (set(cells[0]) & set(ZONES), set(cells[1]) & set(ZONES))
    return found


def test_the_table_of_zones_is_what_jobs_declare(
    declared: dict[str, Mapping[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    table = zone_table(ENGINEER)
    assert set(table) == set(JOBS)
    # `run` and `demo` call other jobs; `ledger` and `check` read by their options.
    for name in sorted(set(JOBS) - {"run", "demo", "ledger"}):
        module, _ = JOBS[name]
        cli.main([name, "--help"])
        given = declared[module]
        assert table[name] == (set(given.get("reads", ())), set(given.get("writes", ()))), name


def test_the_exit_codes_are_those_of_the_errors() -> None:
    rows = re.findall(r"^\| (\d) \| (.*?) \|", ENGINEER.text, re.MULTILINE)
    assert [int(code) for code, _ in rows] == sorted(CODES)
    assert all(error is None or error.exit_code == code for code, error in CODES.items())


def test_the_submit_command_names_our_jars_and_encryption() -> None:
    command = next(block for block in ENGINEER.blocks("") if "spark-submit" in block)
    environment = load_environment(conf_path("environments/local.yaml"))
    assert f"--packages {','.join(environment.jars)} " in command
    assert "--conf spark.io.encryption.enabled=true" in command


def test_every_key_of_an_environment_is_told() -> None:
    raw = conf_path("environments/local.yaml").read_text("utf-8")
    keys = re.findall(r"^([a-z]+):", raw, re.MULTILINE)
    told = set(re.findall(r"`([a-z]+)`", ENGINEER.text.split("## Environments")[1].split("## Keys")[0]))
    assert len(keys) > 6
    assert set(keys) - told == set()


def headings(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.parametrize("path", PAGES)
def test_links_lead_to_headings(path: str) -> None:
    file = ROOT / path
    links = re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", file.read_text("utf-8"))
    pages = {to: file.parent / to if to else file for to, _ in links}
    wrong = [f"{to}#{name}" for to, name in links if name not in headings(pages[to].read_text("utf-8"))]
    assert wrong == []
    assert links or path != "README.md"
