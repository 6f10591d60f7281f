"""Jobs end with an exit code and a sentence: never a traceback, never a cell value."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs import cli
from jobs.errors import BadInput, DataFailed, Operational, Refused, Waiting
from jobs.job import Context, Outcome, run_job
from jobs.progress import Progress
from transforms.errors import CellsRefused, PlanError, Problem, TechniqueError

SECRET = "EC-232578"
Run = Callable[..., int]


@pytest.fixture
def run(environment_file: Path) -> Run:
    def run(body: Callable[[Context], Outcome], *argv: str) -> int:
        arguments = ["--environment", str(environment_file), *argv]
        return run_job(arguments, name="trial", about="A trial.", body=body, writes=["evidence"])

    return run


def failing(error: BaseException) -> Callable[[Context], Outcome]:
    def body(context: Context) -> Outcome:
        assert context.environment.zone("evidence").local.is_dir()
        raise error

    return body


def test_the_last_line_is_json_and_quiet_leaves_it_alone(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    def body(context: Context) -> Outcome:
        context.progress.say("working")
        return Outcome({"rows": 3}, text="three rows")

    assert run(body, "--json") == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == "three rows"
    last = json.loads(shown.out.splitlines()[-1])
    assert (last["job"], last["exit"], last["rows"]) == ("trial", 0, 3)
    assert last["seconds"] >= 0
    assert "working" in shown.err
    assert run(body, "--json", "--quiet") == 0
    shown = capsys.readouterr()
    assert (len(shown.out.splitlines()), shown.err) == (1, "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataFailed("k"), 1),
        (BadInput("b"), 2),
        (Refused("r"), 3),
        (Operational("o"), 4),
        (Waiting("w"), 5),
        (CellsRefused("no such grade", 3), 1),
        (TechniqueError("text", "int64"), 2),
        (PlanError([Problem("a", "b", "c")]), 2),
        (PlanError([Problem("a", "b", "c", refused=True)]), 3),
        (KeyboardInterrupt(), 4),
        (ValueError(SECRET), 4),
        (MemoryError(), 4),
        (OSError(28, "No space left on device", SECRET), 4),
        (PermissionError(13, "Permission denied", SECRET), 4),
    ],
)
def test_every_error_has_its_exit_code(
    run: Run, error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(failing(error), "--json") == code
    shown = capsys.readouterr()
    assert json.loads(shown.out.splitlines()[-1])["exit"] == code
    assert "Traceback" not in shown.err
    assert SECRET not in shown.out + shown.err


def test_a_full_disk_is_told_as_such(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(failing(OSError(28, "No space left on device")))
    assert "the disk is full" in capsys.readouterr().err


def test_the_log_has_types_and_places_and_no_values(
    run: Run, environment_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(context: Context) -> Outcome:
        assert context.environment
        try:
            raise KeyError(SECRET)
        except KeyError as error:
            raise RuntimeError(f"row {SECRET}") from error

    assert run(body) == 4
    log = Path(capsys.readouterr().err.rsplit("log: ", 1)[1].strip())
    text = log.read_text(encoding="utf-8")
    assert "RuntimeError" in text
    assert "KeyError" in text
    assert "test_job.py" in text
    assert SECRET not in text
    assert log.stat().st_mode & 0o077 == 0


def test_wrong_arguments_are_exit_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(lambda _: Outcome(), "--no-such") == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("usage: gamyeong trial")
    assert shown.err.endswith("gamyeong trial: unrecognized arguments: --no-such\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["check", "--json"], "the following arguments are required: PLAN"),
        (["generate", "retail", "--json", "--no-such"], "unrecognized arguments: --no-such"),
        (["keys", "--json", "lose"], "invalid choice: 'lose' (choose from"),
        (["pseudonyms", "--json", "factor"], "required"),  # of an action's own parser
        (["chek", "--json"], "no job 'chek'; allowed: run, "),
    ],
)
def test_wrong_arguments_are_told_in_json_too(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    shown = capsys.readouterr()
    (line,) = shown.out.splitlines()
    last = json.loads(line)
    assert (list(last), last["job"], last["exit"]) == (["job", "exit", "error", "seconds"], words[0], 2)
    assert told in last["error"]
    assert last["error"] in shown.err


def test_every_listed_job_names_a_file_of_its_own() -> None:
    modules = [module for module, _ in cli.JOBS.values()]
    assert len(set(modules)) == len(modules)


LONG = """
import sys
from jobs.job import Outcome, run_job
from jobs.leaving import leave

def body(context):
    context.progress.say("working")
    return Outcome({"rows": 3}, text="line\\n" * 100_000, exit_code=5)

leave(run_job(sys.argv[1:], name="trial", about="", body=body))
"""


@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_reader_who_leaves_early_is_no_error(both: bool) -> None:
    """As `gamyeong … | head -1` does, and `gamyeong … 2>&1 | head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", LONG, "--json"],
        cwd=Path(cli.__file__).parents[1],
        stdout=writing,
        stderr=writing if both else subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 5  # what the job did stays what it did
    assert both or done.stderr == b"working\n"


def test_an_unknown_job_is_exit_2_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["pseudonymise"]) == 2
    assert "did you mean pseudonymize?" in capsys.readouterr().err
    assert cli.main([]) == 2
    assert cli.main(["--help"]) == 0
    usage = capsys.readouterr().out
    assert all(name in usage for name in cli.JOBS)


def test_where_prints_a_job_file_without_spark(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["where", "ingest"]) == 0
    assert Path(capsys.readouterr().out.strip()).samefile(Path(cli.__file__).with_name("ingest.py"))
    loaded = "import sys; from jobs import cli; cli.main(['where', 'check']); sys.exit('pyspark' in sys.modules)"
    root = Path(cli.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", loaded], cwd=root, check=False).returncode == 0


def test_a_job_file_runs_from_anywhere_as_spark_submit_starts_it(tmp_path: Path) -> None:
    # spark-submit runs `python FILE`, which puts jobs/ itself first on the path
    file = Path(cli.__file__).with_name("where.py")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    plain = subprocess.run(
        [sys.executable, str(file), "ingest"], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert plain.returncode == 0, plain.stderr
    assert plain.stdout.decode().strip().endswith("ingest.py")


def test_progress_in_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress().stage("facts, pass 1 of 1", 4) as stage:
        stage.advance()
        stage.to(4)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "facts, pass 1 of 1"
    assert lines[-1].startswith("facts, pass 1 of 1: done (")


def test_context_zones_are_only_those_declared(run: Run) -> None:
    def body(context: Context) -> Outcome:
        context.environment.zone("source")
        return Outcome()

    assert run(body) == 3


def test_arguments_are_the_jobs_own() -> None:
    def arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--rows", type=int)

    seen: list[int] = []

    def body(context: Context) -> Outcome:
        seen.append(context.arguments.rows)
        return Outcome(exit_code=5)

    assert run_job(["--rows", "7"], name="t", about="", body=body, arguments=arguments) == 5
    assert seen == [7]
